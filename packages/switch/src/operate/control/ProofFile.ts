/**
 * The file by which the asker of a control socket shows who he is (`Peer.ts` says how it is judged). No Effect here: a quick
 * answer does not load it.
 */
import { closeSync, openSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"

/** The header that names the file and the process: `NAME PID`. */
export const proofHeader = "jinka-proof"

/** What the file is called. */
export const proofName = /^proof-\d{1,16}$/

/** A proof while it is needed. */
export interface Proof {
  readonly file: string
  readonly open: number
  /** The header's value. */
  readonly says: string
}

/** Makes the file beside `socket` for a request of process `pid`; `undefined` where none can be made. */
export const makeProof = (socket: string, number: number, pid: number): Proof | undefined => {
  const name = `proof-${number}`
  const file = join(dirname(socket), name)
  try {
    return { file, open: openSync(file, "wx", 0o600), says: `${name} ${pid}` }
  } catch {
    return undefined
  }
}

/** Removes it. */
export const dropProof = (proof: Proof | undefined): void => {
  if (proof === undefined) return
  closeSync(proof.open)
  rmSync(proof.file, { force: true })
}
