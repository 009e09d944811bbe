/**
 * PIN blocks between two zones: under which key, in which format and with what said about them they arrive, or why they do not.
 */
import { describe, expect, it } from "@effect/vitest"
import { compile, cups, type Dialect, derive, iso8583v1987AsciiRaw, type Message, macAlgorithms } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { PinSettings } from "../../../packages/switch/src/guard/GuardSettings.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { bytesOf, cupsPin, giveKey, guardOf, pinBlock, pinIn, softwareModule, wholeMac } from "./Guarded.ts"
import { codes, types } from "./Pair.ts"

const pan = "6200000000000005"
const pin = "493817"

/** A purchase with a PIN in the zone of this key. */
const withPin = (key = "zpk-a", format: PinSettings["format"] = "iso0", fields: Message["fields"] = {}): Message =>
  purchase({ 52: pinBlock(pin, key, format, pan), 53: "2600000000000000", ...fields })

interface Wishes {
  readonly acquirer?: PinSettings | undefined
  readonly issuer?: PinSettings | undefined
  readonly dialect?: Dialect
  readonly link?: Partial<LinkAll>
  readonly keys?: { readonly acquirer?: string | undefined; readonly issuer?: string | undefined }
}

const bench = (wishes: Wishes = {}) =>
  Effect.gen(function* () {
    const module = softwareModule()
    const disk = makeDisk()
    const { acquirer, issuer } = { acquirer: cupsPin, issuer: cupsPin, ...wishes }
    const links = [
      { ...linkOf("acquirer", 4802), guard: acquirer && guardOf(undefined, acquirer) },
      { ...linkOf("issuer", 103, wishes.dialect ?? cups), guard: issuer && guardOf(undefined, issuer), ...wishes.link }
    ]
    const started = yield* startBench(links, disk, {}, module)
    const keys = { acquirer: "zpk-a", issuer: "zpk-b", ...wishes.keys }
    if (keys.acquirer !== undefined) giveKey(started.running, module, 0, "pin", keys.acquirer)
    if (keys.issuer !== undefined) giveKey(started.running, module, 1, "pin", keys.issuer)
    yield* TestClock.adjust(25)
    const a = started.dial(0)
    const b = started.dial(1)
    yield* started.commit
    return { ...started, a, b, module }
  })

describe("A PIN block", () => {
  it.effect("arrives in the target's zone, and the message says what it is", () =>
    Effect.gen(function* () {
      const { a, b, commit, running } = yield* bench()
      a.say(withPin())
      yield* commit

      const [request] = b.heard()

      expect(pinIn(request?.fields[52], "zpk-b", "iso0", pan)).toBe(pin)
      expect(request?.fields[53]).toBe("2600000000000000")
      expect(running.status().links[1]?.guard).toMatchObject({ translated: 1, untranslated: 0 })
    })
  )

  it.effect("is read in the format that the message says, and arrives in the target's", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()
      a.say(withPin("zpk-a", "unionPayWithoutPan", { 53: "1600000000000000" }))
      yield* commit

      const [request] = b.heard()

      expect(pinIn(request?.fields[52], "zpk-b", "iso0", pan)).toBe(pin)
      expect(request?.fields[53]).toBe("2600000000000000")
    })
  )

  it.effect("loses its card number only where the target's link says that it may", () =>
    Effect.gen(function* () {
      const without = { ...cupsPin, format: "unionPayWithoutPan" as const }
      const refused = yield* bench({ issuer: without })
      refused.a.say(withPin())
      yield* refused.commit

      expect(codes(refused.a.heard())).toEqual(["99"])
      expect(refused.b.heard()).toEqual([])

      const { a, b, commit } = yield* bench({ issuer: { ...without, mayDropPan: true } })
      a.say(withPin())
      yield* commit
      const [request] = b.heard()

      expect(pinIn(request?.fields[52], "zpk-b", "unionPayWithoutPan", pan)).toBe(pin)
      expect(request?.fields[53]).toBe("1600000000000000")
    })
  )

  it.effect("goes from TDES into a block of sixteen bytes under AES or SM4, in another dialect", () =>
    Effect.gen(function* () {
      for (const key of ["aes-zpk", "sm4-zpk-b"]) {
        const dialect = derive(iso8583v1987AsciiRaw, { name: "wide", fields: { 52: "b16" } })
        const { a, b, commit } = yield* bench({
          dialect,
          issuer: { field: 52, format: "iso4", keys: "zone", mayDropPan: false },
          keys: { issuer: key }
        })
        a.say(withPin())
        yield* commit
        const [request] = b.heard()
        expect(pinIn(request?.fields[52], key, "iso4", pan)).toBe(pin)
      }
    })
  )

  it.effect("is covered by the MAC of a whole message as it leaves", () =>
    Effect.gen(function* () {
      const mac = {
        ...iso8583v1987AsciiRaw.security!.mac!,
        receive: "none" as const,
        send: "always" as const,
        algorithm: macAlgorithms["ansi-x9.19"]
      }
      const { a, b, commit, module, running } = yield* bench({
        dialect: iso8583v1987AsciiRaw,
        issuer: { field: 52, format: "iso3", keys: "zone", mayDropPan: false },
        link: { guard: guardOf(mac, { field: 52, format: "iso3", keys: "zone", mayDropPan: false }) }
      })
      giveKey(running, module, 1, "mac", "zak-b")
      yield* TestClock.adjust(25)
      yield* commit
      a.say(withPin())
      yield* commit
      const [bytes] = b.heardBytes()
      const codec = compile(iso8583v1987AsciiRaw)

      const request = codec.decode(bytes!) as Message

      expect(pinIn(request.fields[52], "zpk-b", "iso3", pan)).toBe(pin)
      expect(request.fields[64]).toEqual(wholeMac(bytes!.subarray(0, -8), macAlgorithms["ansi-x9.19"], "zak-b"))
    })
  )

  it.effect(
    "under another key, or with another card number inside, is refused with 99, and nothing is sent or reversed",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, running, store } = yield* bench()
        a.say(withPin("zpk-b"), withPin("zpk-a", "iso0", { 2: "6200000000000013", 11: "000002" }))
        yield* commit
        yield* TestClock.adjust(2000)
        yield* commit

        expect(codes(a.heard())).toEqual(["99", "99"])
        expect(b.heard()).toEqual([])
        expect(store.entries.filter(({ kind }) => kind === EntryKind.queued)).toEqual([])
        expect(running.status().links[1]?.guard).toMatchObject({ translated: 0, untranslated: 2 })
      })
  )

  it.effect("goes nowhere from or to a partner that has no zone", () =>
    Effect.gen(function* () {
      for (const side of ["acquirer", "issuer"] as const) {
        const { a, b, commit } = yield* bench({ [side]: undefined })
        a.say(withPin(), purchase({ 11: "000002" }))
        yield* commit
        expect(codes(a.heard())).toEqual(["99"])
        expect(types(b.heard())).toEqual(["0200"])
      }
    })
  )

  it.effect("without a key of either zone is refused with A7", () =>
    Effect.gen(function* () {
      for (const side of ["acquirer", "issuer"] as const) {
        const { a, b, commit } = yield* bench({ keys: { [side]: undefined } })
        a.say(withPin())
        yield* commit
        expect(codes(a.heard())).toEqual(["A7"])
        expect(b.heard()).toEqual([])
      }
    })
  )

  it.effect("made just before a key change is opened with the key before, while its window lasts", () =>
    Effect.gen(function* () {
      const { a, b, commit, module, running } = yield* bench()
      giveKey(running, module, 0, "pin", "zak-a", { name: "zpk-a", until: Number.MAX_SAFE_INTEGER })
      a.say(withPin("zpk-a"), withPin("zak-a", "iso0", { 11: "000002" }))
      yield* commit

      expect(b.heard().map(({ fields }) => pinIn(fields[52], "zpk-b", "iso0", pan))).toEqual([pin, pin])

      giveKey(running, module, 0, "pin", "zak-a")
      a.say(withPin("zpk-a", "iso0", { 11: "000003" }))
      yield* commit

      expect(codes(a.heard())).toEqual(["99"])
    })
  )

  it.effect("is in no entry of the journal, in neither zone, also when its request is reversed", () =>
    Effect.gen(function* () {
      const { a, b, commit, store } = yield* bench()
      const said = withPin()
      a.say(said)
      yield* commit
      const [request] = b.heard()
      yield* TestClock.adjust(1100)
      yield* commit
      const [reversal] = b.heard()
      b.say(answerTo(reversal!, "0430"))
      yield* commit

      expect(reversal?.mti).toBe("0420")
      expect(reversal?.fields[52]).toBeUndefined()

      const blocks = [said, request!].map(({ fields }) => bytesOf(fields[52]))
      for (const { message, secret } of store.entries)
        for (const block of blocks)
          for (const trace of [
            block,
            Buffer.from(block.toString("hex")),
            Buffer.from(block.toString("hex").toUpperCase())
          ]) {
            expect(message.includes(trace)).toBe(false)
            expect(secret.includes(trace)).toBe(false)
          }
    })
  )
})
