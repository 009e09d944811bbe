/** The MAC that proxy, load and replay write over one in a message, held against what a partner's own message has. */
import { dialects, isMessageError, MessageIndex } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { macFieldOf, withMac, makeMac as zoneKey } from "../../packages/simulator/src/dialogue/Keys.ts"
import { makeWireFormat } from "../../packages/simulator/src/dialogue/WireFormat.ts"
import { makeMac, writeMac } from "../../packages/simulator/src/message/MessageMac.ts"
import { money } from "./scripted/Bench.ts"

const key = Buffer.from("6B948A0134A110705BD325CD6E73BC15", "hex")
const zone = zoneKey("ansi-x9.19", key)
const link = makeMac("ansi-x9.19", key, "dialect")
if (typeof zone === "string" || typeof link === "string") throw new Error("the test's key is none")

const macDialects = Object.entries(dialects).filter(([, { security }]) => security?.mac !== undefined)

describe("A MAC that is written over another one", () => {
  it.each(macDialects)("is what a partner makes, however the dialect writes it: %s", (_, dialect) => {
    const form = makeWireFormat(dialect)
    const plain = form.codec.encode(money(form.codec))
    if (isMessageError(plain)) throw new Error(plain._tag)
    const right = withMac(form, new Map([["zak", zone]]), "zak", plain)
    const index = new MessageIndex()
    const changed = Buffer.from(right)
    form.codec.index(changed, 0, changed.length, index)
    const last = index.to(macFieldOf(form, index)) - 1
    changed[last] = right[last] === right[last - 1] ? 0x30 : right[last - 1]!

    expect(writeMac(form, index, link)).toBe(true)
    expect(changed.toString("hex")).toBe(right.toString("hex"))
  })
})
