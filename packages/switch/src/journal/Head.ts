/**
 * A head: how far a journal reached at one time, tagged with the journal's key. The anchor file holds heads; exported as text
 * (`jinka journal anchor`, the log) one shows later that a journal is not an older copy and was not rewritten. Pure.
 */
import { groupHashLength } from "./CommitGroup.ts"
import { tagLength } from "./Tag.ts"

/** See the module header. */
export interface Head {
  /** 32 hex digits. */
  readonly journalId: string
  /** Seq of the last entry; 0 for a journal without entries. */
  readonly seq: number
  /** Hash of the group that ends with it. */
  readonly hash: Buffer
  /** Tag of all that ({@link headText}). */
  readonly tag: Buffer
}

const form = new RegExp(
  String.raw`jinka-anchor:3:([0-9a-f]{32}):(\d{1,15}):([0-9a-f]{${2 * groupHashLength}}):([0-9a-f]{${2 * tagLength}})(?![0-9a-f])`,
  "g"
)

/** A head as one word: `jinka-anchor:3:JOURNAL:SEQ:HASH:TAG`, numbers but for SEQ in hex. */
export const headWord = ({ journalId, seq, hash, tag }: Head): string =>
  `jinka-anchor:3:${journalId}:${seq}:${hash.toString("hex")}:${tag.toString("hex")}`

/** All heads that are in a text, a log for example, in its order. */
export const headsIn = (text: string): ReadonlyArray<Head> =>
  [...text.matchAll(form)].map(([, journalId = "", seq = "", hash = "", tag = ""]) => ({
    journalId,
    seq: Number(seq),
    hash: Buffer.from(hash, "hex"),
    tag: Buffer.from(tag, "hex")
  }))
