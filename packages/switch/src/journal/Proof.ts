/** What the opening of a journal demands of its rows: that the journal's key made them. Synchronous; throws `JournalStop`. */
import { type CommitGroupReader, countsOf } from "./CommitGroupReader.ts"
import { stop } from "./JournalReason.ts"
import type { VerifyCursor } from "./JournalStore.ts"
import type { Keyring, Verdict } from "./Seal.ts"
import { keyIdOfTag } from "./Tag.ts"

/** What an opening demands of tags. Without any key a journal may be read, but nothing of it proved. */
export class Proof {
  private readonly keyring: Keyring
  /** The database's path. */
  readonly place: string

  constructor(keyring: Keyring, place: string) {
    this.keyring = keyring
    this.place = place
  }

  /** Stops with `problem` when the tag is forged, with `KeyWrong` when its key is not among those given. */
  demand(verdict: Verdict, tag: Buffer, problem: string): void {
    if (verdict === "forged") stop("Corrupt", this.place, problem)
    if (verdict === "unknown") this.key(keyIdOfTag(tag))
  }

  /** Stops with `KeyWrong` when the key is not among those given. */
  key(keyId: string): void {
    const { all } = this.keyring
    if (all.length === 0 || this.keyring.byId(keyId) !== undefined) return
    const given = all.map((seal) => seal.keyId).join(", ")
    stop("KeyWrong", this.place, `The journal was written with the key ${keyId}; given: ${given}.`)
  }
}

/** Where a verification goes on behind the mark at `seq`: behind a group that is sound, with counts that are genuine. */
export const cursorBehind = (groups: CommitGroupReader, seq: number, proof: Proof): VerifyCursor => {
  const path = proof.place
  const mark = groups.markFrom(seq)
  const group = groups.groupOf(seq)
  if (group === undefined || group.last !== seq) return stop("Corrupt", path, `The mark at ${seq} ends no group.`)
  const counts = countsOf(mark?.counts) ?? stop("Corrupt", path, `The mark at ${seq} holds no counts.`)
  proof.demand(groups.checkMark(mark!), mark!.tag, `The mark at ${seq} is not the one written.`)
  proof.demand(groups.checkGroup(group), group.tag, `The group that the mark at ${seq} ends is not the one written.`)
  return { ...groups.start(), next: seq + 1, hash: group.hash.toString("hex"), counts }
}
