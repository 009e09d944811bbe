/** Key exchange in the ways of other networks: a terminal's sign-on on both sides, the 1993 host, key blocks. */
import { describe, expect, it } from "@effect/vitest"
import {
  type Dialect,
  decryptBlocks,
  encryptBlocks,
  iso8583v1987AsciiRaw,
  iso8583v1993AsciiRaw,
  type Message,
  reveal,
  unionPayPos,
  wrapKeyBlock
} from "@jinka/codec"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { KeySettings } from "../../../packages/switch/src/guard/KeySettings.ts"
import { seeded, vectors } from "../../codec/security/vectors.ts"
import { linkOf, makeDisk, startBench } from "./Bench.ts"
import { keyOf, softwareModule } from "./Guarded.ts"
import { operator } from "./KeyBench.ts"

const { keyExchange } = vectors<{ keyExchange: ReadonlyArray<{ name: string; de62?: string; de96Text?: string }> }>(
  "keys"
)
const vector = (part: string) => keyExchange.find(({ name }) => name.includes(part))!

/** One link of a dialect, whose key-encryption key is a key of the vectors. */
const bench = (dialect: Dialect, kek: string, wishes: Partial<KeySettings>) =>
  Effect.gen(function* () {
    const module = softwareModule()
    const keys: KeySettings = {
      exchange: dialect.keyExchange![0]!,
      giver: "partner",
      kinds: ["pin", "mac"],
      algorithm: "tdes",
      windowMs: 0,
      waitMs: 15_000,
      schedule: { whenNone: true },
      ...wishes
    }
    const link = { ...linkOf("network", 4802, dialect), identity: "unchecked" as const, keys }
    const started = yield* startBench([link], makeDisk(), { routes: [] }, module)
    const { keyOperations } = started.running
    yield* Effect.forkChild(
      keyOperations.import(
        {
          link: "network",
          purpose: "kek",
          direction: "both",
          algorithm: kek.startsWith("aes") ? "aes" : "tdes",
          text: undefined,
          checkValue: "",
          person: "Li",
          component: { number: 1, of: 1, bytes: keyOf(kek) }
        },
        operator
      )
    )
    yield* started.commit
    const partner = started.dial(0)
    yield* TestClock.adjust(25)
    yield* started.commit
    const values = Effect.map(keyOperations.list("network"), (lines) =>
      Object.fromEntries(lines.map(({ current, slot }) => [slot, current?.checkValue]))
    )
    return { ...started, partner, values }
  })

const bytesOf = (message: Message | undefined, de: number): Buffer => {
  const value = message!.fields[de]!
  return Buffer.from((typeof value === "string" ? value : reveal(value as never)) as never)
}

describe("keys of a terminal's sign-on", () => {
  it.effect("come in the answer to our question, two or three at once, and are stored in one commit", () =>
    Effect.gen(function* () {
      const { commit, partner, running, values } = yield* bench(unionPayPos, "pos-tmk", {})
      const asked = yield* Effect.forkChild(running.keyOperations.ask("network", undefined, operator))
      yield* commit
      const question = partner.heard().find(({ mti }) => mti === "0800")!
      partner.say({
        ...question,
        mti: "0810",
        fields: { ...question.fields, 39: "00", 62: Buffer.from(vector("40 bytes").de62!, "hex") }
      })
      yield* commit

      expect(question.fields[60]).toBe("00000001003")
      expect(yield* Fiber.join(asked)).toEqual([
        { isDone: true, says: "pin key 1, check value 1C6094; mac key 1, check value 33BE34" }
      ])
      expect(yield* values).toMatchObject({ "pin/both": "1C6094", "mac/both": "33BE34" })
    })
  )

  it.effect("are not used, none of them, when one has another check value", () =>
    Effect.gen(function* () {
      const { commit, partner, running, values } = yield* bench(unionPayPos, "pos-tmk", {})
      const asked = yield* Effect.forkChild(running.keyOperations.ask("network", undefined, operator))
      yield* commit
      const question = partner.heard().find(({ mti }) => mti === "0800")!
      const spoilt = Buffer.from(vector("40 bytes").de62!, "hex")
      spoilt[39]! ^= 1
      partner.say({ ...question, mti: "0810", fields: { ...question.fields, 39: "00", 62: spoilt } })
      yield* commit

      expect(yield* Fiber.join(asked)).toMatchObject([{ isDone: false, says: expect.stringContaining("check value") }])
      expect(Object.values(yield* values).filter((value) => value !== undefined)).toEqual(["617734"])
    })
  )

  it.effect("are given to a terminal that asks for them, as many and as long as it says", () =>
    Effect.gen(function* () {
      const { commit, partner, values } = yield* bench(unionPayPos, "pos-tmk", { giver: "us" })
      const ask = (code: string, stan: string) => {
        const fields = { 11: stan, 41: "JINKA001", 42: "JINKA MERCHANT1", 60: `00000001${code}` }
        partner.say({ mti: "0800", header: {}, fields })
        return Effect.map(commit, () => partner.heard().find(({ mti }) => mti === "0810"))
      }

      const single = yield* ask("001", "000001")
      const track = yield* ask("004", "000002")

      expect([single?.fields[39], bytesOf(single, 62).length]).toEqual(["00", 24])
      expect([track?.fields[39], bytesOf(track, 62).length, track?.fields[41]]).toEqual(["00", 60, "JINKA001"])
      const given = bytesOf(track, 62)
      const pin = decryptBlocks("tdes", keyOf("pos-tmk"), given.subarray(0, 16)) as Buffer
      const zeros = encryptBlocks("tdes", pin, Buffer.alloc(8)) as Buffer
      expect(given.subarray(16, 20)).toEqual(zeros.subarray(0, 4))
      expect((yield* values)["pin/both"]).toBe(zeros.toString("hex").slice(0, 6).toUpperCase())
      expect(Object.keys(yield* values)).toEqual(["mac/both", "pin/both", "kek/both", "data/both"])
    })
  )
})

describe("a key of the 1993 host", () => {
  it.effect("is the partner's own: for what it sends, and taken with 800", () =>
    Effect.gen(function* () {
      const { commit, partner, values } = yield* bench(iso8583v1993AsciiRaw, "zmk-b", { kinds: ["pin"] })
      const fields = {
        7: "1126100001",
        11: "000001",
        12: "251126100001",
        24: "811",
        96: Buffer.from(vector("1993").de96Text!)
      }
      partner.say({ mti: "1804", fields })
      yield* commit
      const answer = partner.heard().find(({ mti }) => mti === "1814")

      expect([answer?.fields[39], answer?.fields[24], answer?.fields[96]]).toEqual(["800", "811", undefined])
      expect(yield* values).toEqual({ "pin/receive": "459FE7", "kek/both": "2E5E90" })
    })
  )

  it.effect("is refused when its check value is another key's", () =>
    Effect.gen(function* () {
      const { commit, partner } = yield* bench(iso8583v1993AsciiRaw, "zmk-b", { kinds: ["pin"] })
      const text = `${vector("1993").de96Text!.slice(0, -6)}000000`
      partner.say({ mti: "1804", fields: { 7: "1126100001", 11: "000001", 24: "811", 96: Buffer.from(text) } })
      yield* commit

      expect(partner.heard().find(({ mti }) => mti === "1814")?.fields[39]).toBe("909")
    })
  )
})

describe("a key block", () => {
  const blockOf = (usage: string, key: string, kek: string, use = usage === "P0" ? "B" : "C"): string => {
    const algorithm = key.startsWith("aes") ? "A" : "T"
    const header = {
      version: "D" as const,
      usage,
      algorithm,
      mode: use,
      keyVersion: "00",
      exportability: "N" as const,
      optionalBlocks: []
    }
    const block = wrapKeyBlock(keyOf(kek), header, keyOf(key), seeded(7))
    if (typeof block !== "string") throw new Error(block.rule)
    return block
  }

  it.effect("says itself what it is for; the same key in another block changes nothing", () =>
    Effect.gen(function* () {
      const { commit, partner, running, values } = yield* bench(iso8583v1987AsciiRaw, "aes-kek", {})
      const bring = (stan: string, block: string) => {
        partner.say({ mti: "0800", fields: { 7: "1126100001", 11: stan, 70: "161", 110: block } })
        return Effect.map(commit, () => partner.heard().find(({ mti }) => mti === "0810")?.fields[39])
      }

      expect(yield* bring("000001", blockOf("P0", "zpk-a", "aes-kek"))).toBe("00")
      expect(yield* bring("000002", blockOf("M6", "aes-zak", "aes-kek"))).toBe("00")
      expect(yield* bring("000003", blockOf("P0", "zpk-a", "aes-kek"))).toBe("00")
      expect(yield* bring("000004", blockOf("P0", "zpk-b", "aes-zpk"))).toBe("A7")
      expect(yield* bring("000005", blockOf("K0", "zmk-a", "aes-kek"))).toBe("A7")
      // One that may only encrypt, or only be verified with, does half of what it is for.
      expect(yield* bring("000006", blockOf("P0", "zpk-b", "aes-kek", "E"))).toBe("A7")
      expect(yield* bring("000007", blockOf("M6", "aes-zak", "aes-kek", "V"))).toBe("A7")
      expect(yield* bring("000008", blockOf("P0", "zpk-b", "aes-kek").replace(/^D/, "Z"))).toBe("A7")
      expect(yield* values).toMatchObject({ "pin/both": "93E1AA", "mac/both": "6EEFFCE441" })
      expect(running.keys.at(0, "pin", "receive")?.version).toBe(1)
    })
  )

  it.effect("is what we give, too, and the partner finds the key in it", () =>
    Effect.gen(function* () {
      const { commit, partner, running } = yield* bench(iso8583v1987AsciiRaw, "aes-kek", {
        giver: "us",
        kinds: ["pin"]
      })
      yield* Effect.forkChild(running.keyOperations.ask("network", "pin", operator))
      yield* commit
      const offer = partner.heard().find(({ fields, mti }) => mti === "0800" && fields[70] === "161")!
      const { 110: block, ...fields } = offer.fields
      partner.say({ ...offer, mti: "0810", fields: { ...fields, 39: "00" } })
      yield* commit

      expect(String(typeof block === "string" ? block : reveal(block as never))).toMatch(/^D\d{4}P0TB00E/)
      expect(running.keys.at(0, "pin", "send")).toMatchObject({ version: 1, isOffered: false })
    })
  )
})
