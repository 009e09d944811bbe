/**
 * Who asks over the control socket: by what the kernel says of a file that the asker has just made, not by what he writes.
 *
 * Node does not tell the credentials of the other end of a unix socket. So the asker makes an empty file beside the socket,
 * keeps it open, and names it and his process in the request. The file's owner is the user; only the switch's own user and root
 * can make one there (the directory has mode 0700). Where the kernel keeps a login name for the process that has the file open
 * (audit, pam_loginuid), that name is said too: it stays with a person through `sudo` and `su`.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import { Effect, Random, type Scope } from "effect"
import { dropProof, makeProof, proofName } from "./ProofFile.ts"

export { proofHeader } from "./ProofFile.ts"

/** A process that never logged in has this number (audit's AUDIT_UID_UNSET, (uid_t) -1). */
const noLogin = "4294967295"

/**
 * Makes the file beside `socket` for one request of process `pid`; gives the header's value, or `undefined` where none can be
 * made: then the switch names its own user. The file is gone with the scope.
 */
export const proof = (socket: string, pid: number): Effect.Effect<string | undefined, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER), (number) => makeProof(socket, number, pid)),
    (made) => Effect.sync(() => dropProof(made))
  ).pipe(Effect.map((made) => made?.says))

/**
 * The user behind a request: a name such as `root`, `anna (root)` where a person became another user, or `uid 1001`.
 * Printable ASCII, at most 64 characters. A proof is good once. Without a good one it is the user whom the socket belongs to,
 * "not shown who".
 */
export const peerOf = (socket: string, header: string | undefined): string => {
  const shown = header === undefined ? undefined : shownBy(dirname(socket), header)
  return printable(shown ?? `${userName(ownerOf(socket))}, not shown who`)
}

const shownBy = (directory: string, header: string): string | undefined => {
  const [name = "", pid = ""] = header.split(" ")
  if (!proofName.test(name) || !/^\d{1,10}$/.test(pid)) return undefined
  const file = join(directory, name)
  try {
    const { uid, isFile } = statOf(file)
    if (!isFile) return undefined
    const login = loginOf(pid, file)
    const user = userName(uid)
    return login === undefined || login === uid ? user : `${userName(login)} (${user})`
  } catch {
    return undefined
  } finally {
    rmSync(file, { force: true })
  }
}

const statOf = (file: string): { readonly uid: number; readonly isFile: boolean } => {
  const info = lstatSync(file)
  return { uid: info.uid, isFile: info.isFile() }
}

/** Who logged in behind process `pid`, if that one has `file` open; `undefined` where the kernel does not say. */
const loginOf = (pid: string, file: string): number | undefined => {
  try {
    const handles = `/proc/${pid}/fd`
    const isHis = readdirSync(handles).some((handle) => linkOf(join(handles, handle)) === file)
    const login = readFileSync(`/proc/${pid}/loginuid`, "utf8").trim()
    return isHis && login !== noLogin ? Number(login) : undefined
  } catch {
    return undefined
  }
}

const linkOf = (path: string): string => {
  try {
    return readlinkSync(path)
  } catch {
    return ""
  }
}

const ownerOf = (path: string): number => {
  try {
    return lstatSync(path).uid
  } catch {
    return -1
  }
}

/** The user's name in the system's list (passwd(5)), or his number. */
const userName = (uid: number): string => {
  const lines = (() => {
    try {
      return readFileSync("/etc/passwd", "utf8").split("\n")
    } catch {
      return []
    }
  })()
  const found = lines.map((line) => line.split(":")).find((parts) => parts[2] === String(uid))
  return found?.[0] ?? `uid ${uid}`
}

const printable = (text: string): string => text.replaceAll(/[^ -~]/g, "?").slice(0, 64)
