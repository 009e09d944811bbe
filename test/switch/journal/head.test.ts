/** Anchors as words: what is kept elsewhere comes back as it was, also through a log. */
import { randomBytes } from "node:crypto"
import { coverCardText } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { groupHashLength } from "../../../packages/switch/src/journal/CommitGroup.ts"
import { type Head, headsIn, headWord } from "../../../packages/switch/src/journal/Head.ts"
import { tagLength } from "../../../packages/switch/src/journal/Tag.ts"

const headOf = (seq: number): Head => ({
  journalId: randomBytes(16).toString("hex"),
  seq,
  hash: randomBytes(groupHashLength),
  tag: randomBytes(tagLength)
})

describe("The word of an anchor", () => {
  it("is never taken for a card number by who covers them in a log, and says what it said", () => {
    // One word in sixty was covered while it had digits.
    const heads = Array.from({ length: 2000 }, (_, seq) => headOf(seq))
    const log = heads.map((head) => `2026-11-28 03:24:28.055 INFO  anchor: ${headWord(head)}`).map(coverCardText)

    expect(headsIn(log.join("\n"))).toEqual(heads)
  })

  it("of a log of before, with digits, is read as well", () => {
    const head = headOf(12)
    const word = `jinka-anchor:3:${head.journalId}:12:${head.hash.toString("hex")}:${head.tag.toString("hex")}`

    expect(headsIn(word)).toEqual([head])
  })
})
