/** All expected trouble of the simulator. Messages name the place, the rule and what to do; never card data. */
import { Data } from "effect"

/** A file could not be opened, read or written. */
export class FileFailed extends Data.TaggedError("FileFailed")<{
  readonly path: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path}: ${this.reason}`
  }
}

/** A file that a run writes could not be written any more: the run ends, because without it nobody could judge it. */
export class FileLost extends Data.TaggedError("FileLost")<{
  readonly path: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path} can be written no further: ${this.reason}. What is in it is whole; the run has ended`
  }
}

/** A file does not hold what it should. */
export class FileMalformed extends Data.TaggedError("FileMalformed")<{
  readonly path: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path} cannot be read as expected: ${this.reason}`
  }
}

/** The port could not be listened on. */
export class ListenFailed extends Data.TaggedError("ListenFailed")<{
  readonly address: string
  readonly reason: string
}> {
  override get message(): string {
    return `cannot listen on ${this.address}: ${this.reason}`
  }
}

/** A setting is missing or does not make sense. */
export class SettingInvalid extends Data.TaggedError("SettingInvalid")<{
  readonly setting: string
  readonly rule: string
}> {
  override get message(): string {
    return `${this.setting}: ${this.rule}`
  }
}

/** Any of them. */
export type SimulatorError = FileFailed | FileMalformed | ListenFailed | SettingInvalid

/** Text of what a system call threw. */
export const reasonOf = (error: unknown): string => {
  const code = (error as { readonly code?: string }).code ?? ""
  return plain[code] ?? (error instanceof Error ? error.message : String(error))
}

/** System codes as people say them, with what to do. */
const plain: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or directory",
  EISDIR: "it is a directory; give a file",
  EEXIST: "there is a file of that name already",
  ENOTDIR: "a part of the path is a file and no directory",
  ENAMETOOLONG: "the name is too long for this file system",
  ENOSPC: "the disk is full",
  EDQUOT: "this user's share of the disk is full",
  EMFILE: "too many files and connections are open; `ulimit -n` allows more",
  EROFS: "the file system can only be read",
  ENXIO: "it is a pipe that nobody reads, or a socket",
  EACCES: "this user has no right to it",
  EADDRINUSE: "another process listens there already; find it with `ss -ltnp`",
  EADDRNOTAVAIL: "this machine does not have that address"
}
