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

const GEE = "g".charCodeAt(0)

/**
 * Bytes as letters, two for each: hexadecimal with g to p for 0 to 9. Digits in a row would now and then look like a card number,
 * and whoever covers those in a log, the switch itself first, would cover some of it.
 */
const lettersOf = (hex: string): string => hex.replace(/\d/g, (digit) => String.fromCharCode(GEE + Number(digit)))
const hexOf = (letters: string): string => letters.replace(/[g-p]/g, (one) => String(one.charCodeAt(0) - GEE))

/** Version 3 is the same in plain hexadecimal, as logs of before have it. */
const form = new RegExp(
  String.raw`jinka-anchor:[34]:([0-9a-p]{32}):(\d{1,15}):([0-9a-p]{${2 * groupHashLength}}):([0-9a-p]{${2 * tagLength}})(?![0-9a-p])`,
  "g"
)

/** A head as one word: `jinka-anchor:4:JOURNAL:SEQ:HASH:TAG`, numbers but for SEQ in {@link lettersOf letters}. */
export const headWord = ({ journalId, seq, hash, tag }: Head): string =>
  `jinka-anchor:4:${lettersOf(journalId)}:${seq}:${lettersOf(hash.toString("hex"))}:${lettersOf(tag.toString("hex"))}`

/** All heads that are in a text, a log for example, in its order. */
export const headsIn = (text: string): ReadonlyArray<Head> =>
  [...text.matchAll(form)].map(([, journalId = "", seq = "", hash = "", tag = ""]) => ({
    journalId: hexOf(journalId),
    seq: Number(seq),
    hash: Buffer.from(hexOf(hash), "hex"),
    tag: Buffer.from(hexOf(tag), "hex")
  }))
