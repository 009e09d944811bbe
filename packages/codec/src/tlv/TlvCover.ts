/**
 * Covers well-formed BER-TLV in one pass without any allocation: the way of chip data into the journal. What is unusual (filling
 * with FF, long tags, broken elements) it leaves to `redactTlv`, which does the same and decides everything.
 */
import { coverCardData } from "../cover/CardData.ts"
import { TLV_DEPTH_MAX } from "./BerTlv.ts"
import type { TagRule, TagRules } from "./TlvRedaction.ts"

/** What happens to the value of a tag. Unknown tags and bytes that are covered become zeros. */
const UNKNOWN = 0
const COVER = 1
const COVER_TEXT = 2
const SHOW = 3
const SHOW_TEXT = 4

const codeOf = ({ sensitivity, format }: TagRule): number => {
  const isText = format === "an" || format === "ans"
  if (sensitivity === "none") return isText ? SHOW_TEXT : SHOW
  return isText ? COVER_TEXT : COVER
}

const tables = new WeakMap<TagRules, Uint8Array>()
/** Those asked for last: messages of one dialect follow each other. */
let lastRules: TagRules | undefined
let lastTable: Uint8Array = new Uint8Array(0)

/** Codes by tag of one or two bytes. */
const tableOf = (rules: TagRules): Uint8Array => {
  if (rules !== lastRules) {
    lastTable = madeTable(rules)
    lastRules = rules
  }
  return lastTable
}

const madeTable = (rules: TagRules): Uint8Array => {
  const known = tables.get(rules)
  if (known !== undefined) return known
  const table = new Uint8Array(0x10000)
  for (const [tag, rule] of rules) if (tag < 0x10000) table[tag] = codeOf(rule)
  tables.set(rules, table)
  return table
}

/** Longest value in which no card number has room: 6 bytes of 12 packed digits. */
const NO_ROOM = 6

/** Bytes of a value's length from `at` on, in the lower bits, and the length above them; -1 where it cannot be read. */
const lengthAt = (bytes: Uint8Array, at: number, to: number): number => {
  const first = at < to ? bytes[at]! : 0xff
  if (first < 0x80) return first * 4 + 1
  if (first === 0x81 && at + 1 < to) return bytes[at + 1]! * 4 + 2
  return first === 0x82 && at + 2 < to ? (bytes[at + 1]! * 256 + bytes[at + 2]!) * 4 + 3 : -1
}

const coverLevel = (bytes: Uint8Array, from: number, to: number, table: Uint8Array, depth: number): boolean => {
  let at = from
  while (at < to) {
    const first = bytes[at++]!
    if (first === 0) continue
    if (first === 0xff) return false
    let tag = first
    if ((first & 0x1f) === 0x1f) {
      const second = at < to ? bytes[at++]! : 0xff
      if ((second & 0x80) !== 0) return false
      tag = first * 256 + second
    }
    const said = lengthAt(bytes, at, to)
    if (said < 0) return false
    at += said & 3
    const end = at + (said >> 2)
    if (end > to) return false
    const code = table[tag]!
    // An unknown template is looked into: its tags have rules of their own.
    if ((first & 0x20) !== 0 && (code === UNKNOWN || code >= SHOW)) {
      if (depth === TLV_DEPTH_MAX || !coverLevel(bytes, at, end, table, depth + 1)) return false
    } else if (code >= SHOW) {
      if (end - at > NO_ROOM) coverCardData(bytes, at, end, code === SHOW ? "bytes" : "text")
    } else {
      const cover = code === COVER_TEXT ? 0x2a : 0
      for (let byte = at; byte < end; byte++) bytes[byte] = cover
    }
    at = end
  }
  return true
}

/**
 * Covers `bytes[from, to)` in place, card numbers whole. False when something unusual was met: then nothing is said about what
 * was covered, and `redactTlv` has to do it.
 */
export const coverTlv = (bytes: Uint8Array, from: number, to: number, rules: TagRules): boolean =>
  coverLevel(bytes, from, to, tableOf(rules), 1)
