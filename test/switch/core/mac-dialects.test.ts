/** MACs over whole messages, in every edition and form, in both directions, and from one form into another. */
import { describe, expect, it } from "@effect/vitest"
import {
  type Codec,
  compile,
  cups,
  type Dialect,
  iso8583v1987Ascii,
  iso8583v1987Bcd,
  iso8583v1987Ebcdic,
  iso8583v1993Ascii,
  iso8583v2003,
  type MacAlgorithm,
  type Message,
  macAlgorithms,
  unionPayPos
} from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { MacSettings } from "../../../packages/switch/src/guard/GuardSettings.ts"
import { answerTo, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { cupsMacOf, giveKey, guardOf, sealed, softwareModule, wholeMac } from "./Guarded.ts"
import { codes, types } from "./Pair.ts"

interface Case {
  readonly dialect: Dialect
  readonly algorithm: MacAlgorithm
  readonly keys: readonly [string, string]
  readonly fields: Message["fields"]
  readonly header?: Message["header"]
  readonly wrongMac: string
  readonly approved: string
}

const usual: Message["fields"] = {
  2: "6200000000000005",
  3: "000000",
  4: "000000012300",
  7: "1127101112",
  11: "000777",
  32: "48020000",
  41: "T0000001",
  42: "MERCHANT0000001"
}

const cases: ReadonlyArray<Case> = [
  {
    dialect: iso8583v1987Ascii,
    algorithm: macAlgorithms["ansi-x9.19"],
    keys: ["zak-a", "zak-b"],
    fields: usual,
    wrongMac: "63",
    approved: "00"
  },
  {
    dialect: iso8583v1987Bcd,
    algorithm: macAlgorithms["tdes-cmac"],
    keys: ["zak-a", "zak-b"],
    fields: usual,
    wrongMac: "63",
    approved: "00"
  },
  {
    dialect: iso8583v1987Ebcdic,
    algorithm: macAlgorithms["tdes-cbc"],
    keys: ["zak-a", "zak-b"],
    fields: usual,
    wrongMac: "63",
    approved: "00"
  },
  {
    dialect: iso8583v1993Ascii,
    algorithm: macAlgorithms["aes-cmac"],
    keys: ["aes-zak", "aes-zpk"],
    fields: { ...usual, 12: "261127101112" },
    wrongMac: "916",
    approved: "000"
  },
  {
    dialect: iso8583v1993Ascii,
    algorithm: macAlgorithms["sm4-cbc"],
    keys: ["sm4-zak", "sm4-zpk-a"],
    // A field of the second bitmap: the MAC stands at its end.
    fields: { ...usual, 12: "261127101112", 100: "01030000" },
    wrongMac: "916",
    approved: "000"
  },
  {
    dialect: iso8583v2003,
    algorithm: macAlgorithms["unionpay-pos-sm4"],
    keys: ["sm4-zak", "sm4-zpk-b"],
    fields: { 2: "6200000000000005", 3: "000000", 11: "000000000777", 12: "20261127101112", 32: "48020000" },
    wrongMac: "9116",
    approved: "0000"
  },
  {
    dialect: unionPayPos,
    algorithm: macAlgorithms["unionpay-pos"],
    keys: ["pos-mak-8", "zak-single"],
    fields: { ...usual, 7: undefined!, 32: undefined! },
    wrongMac: "A0",
    approved: "00"
  }
]

const macSettings = ({ algorithm, dialect }: Case): MacSettings => ({
  ...dialect.security!.mac!,
  receive: "required",
  send: "always",
  algorithm,
  isZeroed: false,
  isHexText: false
})

/** The field at the end of the last bitmap. */
const fieldOf = ({ dialect }: Case, { fields }: Message): number =>
  dialect.security?.mac?.field === "last" && Object.keys(fields).some((de) => Number(de) > 64) ? 128 : 64

/** The message as its partner sends it: everything in front of the MAC, and the MAC. */
const bytesOf = (one: Case, codec: Codec, message: Message, key: string): Buffer => {
  const { bytes, form } = one.dialect.security!.mac!
  const de = fieldOf(one, message)
  const { units } = codec.layout.fields[de]!
  const whole = codec.encode({ ...message, fields: { ...message.fields, [de]: Buffer.alloc(units) } })
  if (!Buffer.isBuffer(whole)) throw new Error(JSON.stringify(whole))
  const wire = codec.layout.fields[de]!.fixed
  const mac = wholeMac(whole.subarray(codec.layout.headerBytes, -wire), one.algorithm, key, bytes)
  const value = form === "hex" ? Buffer.from(mac.toString("hex").toUpperCase(), "latin1") : mac
  const sealedWhole = codec.encode({ ...message, fields: { ...message.fields, [de]: value } })
  if (!Buffer.isBuffer(sealedWhole)) throw new Error(JSON.stringify(sealedWhole))
  return sealedWhole
}

/** What was heard, without its MAC, and whether that was right. */
const looked = (one: Case, codec: Codec, bytes: Buffer | undefined, key: string) => {
  const message = codec.decode(bytes!) as Message
  const de = fieldOf(one, message)
  const { [de]: _, ...fields } = message.fields
  const bare = { ...message, fields }
  return { bare, isRight: bytes!.equals(bytesOf(one, codec, bare, key)) }
}

describe("A MAC over the whole message", () => {
  for (const one of cases) {
    const { algorithm, approved, dialect, keys, wrongMac } = one
    const first = dialect.version === 0 ? "0" : String(dialect.version)
    const fields = Object.fromEntries(Object.entries(one.fields).filter(([, value]) => value !== undefined))
    const name = `${dialect.name}, ${algorithm.method} of ${algorithm.cipher}, DE ${fieldOf(one, { mti: "", fields })}`

    it.effect(`is looked at and made anew in both directions: ${name}`, () =>
      Effect.gen(function* () {
        const codec = compile(dialect)
        const module = softwareModule()
        const guard = guardOf(macSettings(one))
        const links = [
          { ...linkOf("acquirer", 4802, dialect), codec, guard },
          { ...linkOf("issuer", 103, dialect), codec, guard }
        ]
        const started = yield* startBench(links, makeDisk(), {}, module)
        giveKey(started.running, module, 0, "mac", keys[0])
        giveKey(started.running, module, 1, "mac", keys[1])
        yield* TestClock.adjust(25)
        const [a, b] = [started.dial(0), started.dial(1)]
        yield* started.commit
        const request: Message = { mti: `${first}200`, fields }

        const right = bytesOf(one, codec, request, keys[0])
        const wrong = Buffer.from(right)
        wrong[wrong.length - 1]! ^= 1
        a.say(wrong, codec.encode(request) as Buffer)
        yield* started.commit
        const refusals = a.heardBytes().map((bytes) => looked(one, codec, bytes, keys[0]))

        expect(codes(refusals.map(({ bare }) => bare))).toEqual([wrongMac, wrongMac])
        expect(refusals.map(({ isRight }) => isRight)).toEqual([true, true])

        a.say(right)
        yield* started.commit
        const heard = looked(one, codec, b.heardBytes()[0], keys[1])

        expect(heard.isRight).toBe(true)

        const answer = answerTo(heard.bare, `${first}210`, { 39: approved })
        b.say(bytesOf(one, codec, answer, keys[0]))
        b.say(bytesOf(one, codec, answer, keys[1]))
        yield* started.commit
        const [answered] = a.heardBytes()
        const told = looked(one, codec, answered, keys[0])

        expect(told.bare.fields[39]).toBe(approved)
        expect(told.isRight).toBe(true)
        expect(started.running.status().links[1]?.guard).toMatchObject({ wrong: 1, current: 1, made: 1 })
      })
    )
  }
})

describe("A MAC between two dialects", () => {
  it.effect("of one is not the other's: each message leaves with its own", () =>
    Effect.gen(function* () {
      const one = cases[0]!
      const codec = compile(one.dialect)
      const module = softwareModule()
      const links = [
        { ...linkOf("acquirer", 4802), guard: guardOf({}) },
        { ...linkOf("issuer", 103, one.dialect), codec, guard: guardOf(macSettings(one)) }
      ]
      const started = yield* startBench(links, makeDisk(), {}, module)
      giveKey(started.running, module, 0, "mac", "zak-a")
      giveKey(started.running, module, 1, "mac", "zak-b")
      yield* TestClock.adjust(25)
      const [a, b] = [started.dial(0), started.dial(1)]
      yield* started.commit

      a.say(sealed(purchase(), "zak-a"), sealed(purchase({ 11: "000002" }, "0220"), "zak-a"))
      yield* started.commit
      const heard = b.heardBytes().map((bytes) => looked(one, codec, bytes, "zak-b"))

      expect(types(heard.map(({ bare }) => bare))).toEqual(["0200", "0220"])
      expect(heard.map(({ isRight }) => isRight)).toEqual([true, true])

      b.say(bytesOf(one, codec, answerTo(heard[0]!.bare, "0210"), "zak-b"))
      yield* started.commit
      const answers = a.heard()

      expect(codes(answers)).toEqual(["00", "00"])
      for (const answer of answers) {
        const { 128: mac, ...fields } = answer.fields
        expect(mac).toBe(cupsMacOf({ ...answer, fields }, "zak-a"))
      }
      expect(cups.security?.mac?.field).toBe(128)
    })
  )
})
