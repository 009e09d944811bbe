import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import { SoftwareModule } from "../../../packages/switch/src/guard/SoftwareModule.ts"
import { Keyring } from "../../../packages/switch/src/journal/Seal.ts"

/** Buffers are shown as hex with blanks, copies of them as numbers. */
const shows = (text: string, key: Buffer): boolean => {
  const plain = text.replace(/[^0-9a-f]/gi, "").toLowerCase()
  const numbers = text.replace(/\s+/g, "")
  return plain.includes(key.toString("hex").slice(0, 12)) || numbers.includes([...key.subarray(0, 6)].join(","))
}

describe("Who holds a key", () => {
  it("shows it to nobody who prints or copies it: not the journal's keyring, not the module in software", () => {
    const key = Buffer.from("9f3c1b7de5a84602f1c89d3377ab20ce4d61b2095fe8a17703c64d9beaf51280", "hex")
    const keyring = new Keyring([key])
    const module = new SoftwareModule({
      storageKey: key,
      allowTestKeys: false,
      random: (length) => Buffer.alloc(length, 7)
    })

    for (const holder of [keyring, module]) {
      expect(shows(inspect(holder, { depth: 10, showHidden: true, maxArrayLength: null }), key)).toBe(false)
      expect(shows(JSON.stringify(holder) ?? "", key)).toBe(false)
    }
    expect(shows(inspect({ key }), key)).toBe(true)
  })
})
