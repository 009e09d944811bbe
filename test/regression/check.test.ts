/** That the look at the journal after each dialogue can find something. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Entry } from "../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../packages/switch/src/journal/EntryKind.ts"
import { testFolder } from "../TestFolder.ts"
import { endFindings, leaksIn } from "./JournalCheck.ts"

const entry = (seq: number, kind: EntryKind, exchange = seq): Entry => ({
  seq,
  at: 0,
  kind,
  exchange,
  about: 0,
  link: 1,
  epoch: 1,
  code: "",
  message: Buffer.alloc(0),
  secret: Buffer.alloc(0),
  secretLength: 0
})

describe("The check of a journal after a dialogue", () => {
  it("finds a request without an end, and one with two", () => {
    const open = [entry(1, EntryKind.accepted)]
    const twice = [entry(1, EntryKind.accepted), entry(2, EntryKind.answered, 1), entry(3, EntryKind.timedOut, 1)]
    const once = [entry(1, EntryKind.accepted), entry(2, EntryKind.answered, 1)]

    expect(endFindings(open)).toEqual(["request 1 has 0 ends, not one: none"])
    expect(endFindings(twice)[0]).toContain("request 1 has 2 ends")
    expect(endFindings(once)).toEqual([])
  })

  it("finds a stored message that ended twice; one that goes on is none", () => {
    const twice = [entry(1, EntryKind.queued), entry(2, EntryKind.acknowledged, 1), entry(3, EntryKind.abandoned, 1)]

    expect(endFindings(twice)[0]).toContain("stored message 1 has 2 ends")
    expect(endFindings([entry(1, EntryKind.queued)])).toEqual([])
  })

  it("finds card data in a file: as text, in hex, packed, and in base64", () => {
    const pan = Buffer.from("6200000000000005")
    const directory = mkdtempSync(join(testFolder(), "jinka-leak-"))
    const found = (bytes: Buffer | string) => {
      writeFileSync(join(directory, "file"), bytes)
      return leaksIn(directory, [{ name: "DE 2", bytes: pan }])
    }
    try {
      expect(found("x6200000000000005x")).toEqual(["file holds DE 2 as it is"])
      expect(found(`x${pan.toString("hex")}x`)).toContain("file holds DE 2 in hex")
      expect(found(Buffer.from("006200000000000005ff", "hex"))).toEqual(["file holds DE 2 in BCD"])
      expect(found(Buffer.concat([Buffer.from("ab"), pan]).toString("base64"))).toEqual(["file holds DE 2 in base64"])
      expect(found("620000******0005")).toEqual([])
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
