/** Key exchange messages: the published CUPS, terminal and 1993 forms, byte for byte, and what is no key. */
import {
  carriedKeys,
  checkDialect,
  checkOf,
  compile,
  cups,
  type Dialect,
  decryptBlocks,
  type GivenKey,
  isKeyMessage,
  isKeyUnreadable,
  iso8583v1987AsciiRaw,
  type KeyExchange,
  type KeyKind,
  keyCheckValue,
  keyFields,
  keyMeaning,
  MessageIndex,
  readDialect,
  unionPayPos
} from "@jinka/codec"
import { describe, expect, it } from "vitest"
import vectors from "../../fixtures/security-keys.json" with { type: "json" }

type Cipher = "des" | "tdes" | "aes" | "sm4"
const keyOf = (name: string): { readonly bytes: Buffer; readonly cipher: Cipher } => {
  const { hex, cipher } = (vectors.keys as Record<string, { hex: string; cipher: string }>)[name]!
  return { bytes: Buffer.from(hex, "hex"), cipher: cipher as Cipher }
}
const exchangeOf = (dialect: Dialect, name: string): KeyExchange =>
  dialect.keyExchange!.find((one) => one.name === name)!

const indexed = (dialect: Dialect, bytes: Buffer): MessageIndex => {
  const index = new MessageIndex()
  expect(compile(dialect).index(bytes, 0, bytes.length, index)).toBeUndefined()
  return index
}

const given = (name: string, wrapped: string, kind: KeyKind): GivenKey => {
  const { bytes, cipher } = keyOf(name)
  return {
    kind,
    algorithm: cipher,
    bytes: Buffer.from(wrapped, "hex"),
    check: (method, length) => keyCheckValue(cipher, bytes, { method, length }) as Buffer
  }
}

const resets = vectors.keyExchange.filter(({ name }) => name.startsWith("CUPS reset"))

describe("key exchange in the messages of CUPS", () => {
  const reset = exchangeOf(cups, "reset")

  it.each(resets)("$name: the key, its kind and its cipher are read", ({ kek, newKey, request, wrappedKey }) => {
    const index = indexed(cups, Buffer.from(request!.frame, "hex").subarray(4))

    expect(isKeyMessage(reset.deliver!, index)).toBe(true)
    expect(isKeyMessage(reset.ask!, index)).toBe(false)

    const found = carriedKeys(reset, index)
    if (isKeyUnreadable(found)) throw new Error(found.rule)
    const [key] = found

    expect(found).toHaveLength(1)
    expect(key!.bytes.toString("hex").toUpperCase()).toBe(wrappedKey)
    expect([key!.algorithm, key!.check]).toEqual([keyOf(newKey!).cipher, undefined])
    expect(decryptBlocks("tdes", keyOf(kek!).bytes, key!.bytes)).toEqual(keyOf(newKey!).bytes)
  })

  it.each(resets)("$name: the message that we give it in is the published one", ({ newKey, request, wrappedKey }) => {
    const codec = compile(cups)
    const theirs = codec.decode(Buffer.from(request!.frame, "hex").subarray(4))
    if ("_tag" in theirs) throw new Error(theirs._tag)
    const kind = String(theirs.fields[53]).startsWith("1") ? "pin" : "mac"

    const fields = keyFields(codec.layout, reset, reset.deliver!, kind, keyOf(newKey!).cipher, [
      given(newKey!, wrappedKey!, kind)
    ])

    const ours = codec.encode({
      ...theirs,
      fields: {
        ...fields,
        7: theirs.fields[7]!,
        11: theirs.fields[11]!,
        100: theirs.fields[100]!,
        128: theirs.fields[128]!
      }
    })

    expect(ours).toEqual(Buffer.from(request!.frame, "hex").subarray(4))
  })

  it("is asked for with the kind and the cipher of the key that is wanted", () => {
    const asked = vectors.keyExchange.find(({ name }) => name.startsWith("CUPS request"))!
    const codec = compile(cups)
    const index = indexed(cups, Buffer.from(asked.request!.frame, "hex").subarray(4))

    expect(isKeyMessage(reset.ask!, index)).toBe(true)
    expect(keyMeaning(reset, index)).toEqual({ kind: "pin", algorithm: "tdes" })
    expect(keyFields(codec.layout, reset, reset.ask!, "pin", "tdes")).toEqual({ 53: "1600000000000000", 70: "101" })
  })

  it("is told from messages that hold none, or say nothing of what it is for", () => {
    const codec = compile(cups)
    const rule = (fields: { [de: number]: string | Buffer }) => {
      const base = { 7: "1126100001", 11: "000777", 70: "101", 96: Buffer.alloc(8), 100: "0899990001" }
      const bytes = codec.encode({ mti: "0800", fields: { ...base, ...fields } }) as Buffer
      const found = carriedKeys(reset, indexed(cups, bytes))
      return isKeyUnreadable(found) ? found.rule : "a key"
    }

    expect(rule({ 53: "1600000000000000" })).toBe("there is no key where the dialect has it")
    expect(rule({ 53: "3600000000000000" })).toBe("the message does not say what the key is for")
    expect(rule({ 53: "1900000000000000" })).toBe("the message does not say which cipher the key is for")
    expect(rule({ 48: "NK" })).toBe("the message does not say what the key is for")
    expect(rule({ 48: "NK", 53: "1600000000000000" })).toBe("DE 48 does not hold a key in the form that was agreed")
    expect(rule({ 48: "AA0123456789ABCDEF", 53: "1600000000000000" })).toBe("there is no key where the dialect has it")
  })
})

describe("key exchange of other networks", () => {
  const signOns = vectors.keyExchange.filter(({ name }) => name.startsWith("POS"))
  const names = { 24: "single", 40: "double", 60: "track" } as const

  it.each(signOns)("$name: the keys of the answer are read and written with their check values", ({ de62, keys }) => {
    const length = de62!.length / 2
    const exchange = exchangeOf(unionPayPos, names[length as 24])
    const codec = compile(unionPayPos)
    const fields = { 11: "000001", 39: "00", 41: "JINKA001", 42: "JINKA MERCHANT1", 62: Buffer.from(de62!, "hex") }
    const index = indexed(unionPayPos, codec.encode({ mti: "0810", fields }) as Buffer)

    const found = carriedKeys(exchange, index)
    if (isKeyUnreadable(found)) throw new Error(found.rule)
    const tmk = keyOf("pos-tmk").bytes

    expect(found.map(({ bytes }) => decryptBlocks("tdes", tmk, bytes))).toEqual(keys!.map((name) => keyOf(name).bytes))
    for (const [n, { algorithm, check }] of found.entries()) {
      const { method, value } = check!
      expect(keyCheckValue(algorithm!, keyOf(keys![n]!).bytes, { method, length: value.length })).toEqual(value)
    }

    const back = found.map(({ bytes, kind }, n) => given(keys![n]!, bytes.toString("hex"), kind!))
    const written = keyFields(codec.layout, exchange, exchange.ask!, "pin", "tdes", back)
    expect(
      Buffer.from(written![62] as Buffer)
        .toString("hex")
        .toUpperCase()
    ).toBe(de62)
    expect(written![60]).toMatch(/^00000001(001|003|004)$/)
  })

  it("reads a key of another sign-on's length as none", () => {
    const codec = compile(unionPayPos)
    const fields = { 11: "000001", 39: "00", 41: "JINKA001", 42: "JINKA MERCHANT1", 62: Buffer.alloc(40, 1) }
    const index = indexed(unionPayPos, codec.encode({ mti: "0810", fields }) as Buffer)

    expect(isKeyUnreadable(carriedKeys(exchangeOf(unionPayPos, "track"), index))).toBe(true)
  })

  it("reads and writes the text of the 1993 host", () => {
    const { de96Text } = vectors.keyExchange.find(({ name }) => name.startsWith("1993"))!
    const dialect = readDialect({ name: "host", extends: "iso8583v1993AsciiRaw" }) as Dialect
    const codec = compile(dialect)
    const [exchange] = dialect.keyExchange!
    const fields = { 7: "1126100001", 11: "000001", 12: "251126100001", 24: "811", 96: Buffer.from(de96Text!) }
    const index = indexed(dialect, codec.encode({ mti: "1804", fields }) as Buffer)

    const found = carriedKeys(exchange!, index)
    if (isKeyUnreadable(found)) throw new Error(found.rule)

    expect(decryptBlocks("tdes", keyOf("zmk-b").bytes, found[0]!.bytes)).toEqual(keyOf("zpk-b").bytes)
    expect(found[0]!.check).toEqual({ method: "zeros", value: Buffer.from("459FE7", "hex") })
    expect(checkOf(exchange!, "pin", "tdes")).toEqual({ method: "zeros", length: 3 })

    const key = given("zpk-b", found[0]!.bytes.toString("hex"), "pin")
    const written = keyFields(codec.layout, exchange!, exchange!.deliver!, "pin", "tdes", [key])
    expect(Buffer.from(written![96] as Buffer).toString()).toBe(de96Text)
  })

  it("takes what a key block is for from the block", () => {
    const codec = compile(iso8583v1987AsciiRaw)
    const [exchange] = iso8583v1987AsciiRaw.keyExchange!
    for (const { algorithm, block, usage } of vectors.keyBlocks.items.filter(({ usage }) => usage !== "K0")) {
      const fields = { 7: "1126100001", 11: "000001", 70: "161", 110: block }
      const index = indexed(iso8583v1987AsciiRaw, codec.encode({ mti: "0800", fields }) as Buffer)
      const found = carriedKeys(exchange!, index)
      if (isKeyUnreadable(found)) throw new Error(found.rule)
      expect(found[0]).toMatchObject({
        kind: usage === "P0" ? "pin" : "mac",
        algorithm: algorithm === "A" ? "aes" : "tdes"
      })
    }
    const block = vectors.keyBlocks.items.find(({ usage }) => usage === "K0")!.block
    const fields = { 7: "1126100001", 11: "000001", 70: "161", 110: block }

    const index = indexed(iso8583v1987AsciiRaw, codec.encode({ mti: "0800", fields }) as Buffer)

    expect(isKeyUnreadable(carriedKeys(exchange!, index))).toBe(true)
  })
})

describe("key exchange in a dialect file", () => {
  const file = (keyExchange: unknown) => ({ name: "ours", extends: "iso8583v1987AsciiRaw", keyExchange })
  const good = {
    name: "change",
    deliver: { mti: 800, code: { de: 70, value: "161" }, fields: [7, 11] },
    kind: { de: 53, at: 0, values: { "1": "pin", "2": "mac" } },
    algorithm: "tdes",
    parts: [
      { de: 48, at: 0, length: 32, form: "hex", check: { de: 48, at: 32, length: 6, form: "hex", method: "zeros" } }
    ],
    wrap: "ecb",
    answer: { fields: [7, 11, 70], refusals: { mac: "A0", key: "A7", store: "96" } },
    window: 60,
    wait: 15,
    covers: "both"
  }
  const errors = (keyExchange: unknown) =>
    checkDialect(file(keyExchange)).errors.map(({ path, rule }) => `${path}: ${rule}`)

  it("takes the base's place, and is taken out by null", () => {
    expect(errors([good])).toEqual([])
    expect((readDialect(file([good])) as Dialect).keyExchange).toHaveLength(1)
    expect((readDialect(file(null)) as Dialect).keyExchange).toEqual([])
    expect((readDialect(file(undefined)) as Dialect).keyExchange).toEqual(iso8583v1987AsciiRaw.keyExchange)
  })

  it("goes with the fields that it needs", () => {
    const without = readDialect({ name: "ours", extends: "cups", fields: { 48: null } }) as Dialect
    expect(without.keyExchange).toEqual([])
  })

  it("names the place of every mistake", () => {
    const wrong = (change: object) => errors([{ ...good, ...change }])

    expect(errors("reset")).toEqual(["keyExchange: a list of exchanges is expected, or null for none"])
    expect(wrong({ wrap: "xor" })).toEqual(["keyExchange.change.wrap: one of ecb, cbc, tr31 is expected"])
    expect(wrong({ parts: [{ de: 48, at: -1, form: "hex" }] })).toEqual([
      "keyExchange.change.parts.1.at: a position from 0 is expected"
    ])
    expect(wrong({ kind: "kek" })).toEqual(["keyExchange.change.kind: one of mac, pin, data is expected"])
    expect(wrong({ answer: undefined })).toEqual(["keyExchange.change.answer: is missing: `deliver` is answered"])
    expect(wrong({ deliver: { mti: 800, fields: [7] } })).toEqual(["keyExchange.change.deliver.code: is missing"])
    expect(wrong({ parts: [{ de: 2000, at: 0, form: "hex" }] })).toEqual([
      "keyExchange.change.parts.1.de: a field number is expected"
    ])
    expect(wrong({ parts: [{ de: 130, at: 0, form: "hex" }] })).toEqual([
      "keyExchange.change: field 130 is named but not defined"
    ])
    expect(wrong({ kind: undefined })).toEqual([
      "keyExchange.change.kind: is expected: nothing says what the key is for"
    ])
    expect(wrong({ windw: 5 })[0]).toMatch(/^keyExchange.change.windw: there is no such setting; there are name, ask,/)
    expect(errors([good, good])).toEqual(["keyExchange.change: this name is taken by another exchange"])
  })
})
