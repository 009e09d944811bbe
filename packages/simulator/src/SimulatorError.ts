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
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
