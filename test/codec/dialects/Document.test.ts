import { cupsFrame, DocumentCodec, type DocumentFormat, type DocumentReading, Framer } from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"

const xml: DocumentFormat = {
  name: "core",
  syntax: "xml",
  key: ["Document/Head/MsgId", "Document/Head/@date"],
  kind: {
    path: "Document/Head/Type",
    kinds: [
      { text: "REQ", class: "request" },
      { text: "RSP", class: "response" }
    ]
  },
  responseCode: "Document/Body/Code"
}

const document = (body = "", type = "RSP"): string =>
  `<?xml version="1.0"?><n:Document xmlns:n="urn:x"><n:Head date="20260617"><MsgId>0012&amp;3</MsgId><Type>${type}</Type></n:Head><Body>${body}</Body></n:Document>`

const read = (text: string | Buffer, format: DocumentFormat = xml) =>
  new DocumentCodec(format).read(Buffer.isBuffer(text) ? text : Buffer.from(text))

describe("An XML message", () => {
  it("gives its key, kind and response code by path, and keeps digits and entities as they are", () => {
    expect(read(document("<Code>0000</Code>"))).toEqual({
      key: "0012&3|20260617",
      kind: { text: "RSP", class: "response" },
      responseCode: "0000"
    })
    expect(read(document("", "REQ"))).toMatchObject({ responseCode: "", kind: { class: "request" } })
  })

  it("is behind a length header like any other message", () => {
    const body = document("<Code>00</Code>")
    const found: Array<DocumentReading> = []
    const framer = new Framer(cupsFrame)
    framer.push(Buffer.from(String(body.length).padStart(4, "0") + body), {
      frame: (buffer, start, end) => found.push(new DocumentCodec(xml).read(buffer, start, end) as DocumentReading),
      idle: () => undefined
    })

    expect(found.map(({ responseCode }) => responseCode)).toEqual(["00"])
  })

  it("is refused with the path of what is missing, doubled or unknown", () => {
    expect(read(document().replace("<MsgId>0012&amp;3</MsgId>", ""))).toEqual({
      _tag: "DocumentInvalid",
      rule: "path",
      path: "Document/Head/MsgId"
    })
    expect(read(document().replace("<Type>", "<MsgId>2</MsgId><Type>"))).toMatchObject({ rule: "path" })
    expect(read(document("", "ODD"))).toMatchObject({ rule: "kind", path: "Document/Head/Type" })
  })

  it("is refused when it is cut, too long, no text, or brings a DTD", () => {
    expect(read(document().slice(0, -5))).toMatchObject({ rule: "syntax" })
    expect(read(document("x".repeat(70_000)))).toMatchObject({ rule: "size" })
    expect(read(Buffer.from([0x3c, 0xff, 0x3e]))).toMatchObject({ rule: "text" })
    expect(read(`<!DOCTYPE a [<!ENTITY b "c">]>${document().slice(21)}`)).toMatchObject({ rule: "syntax" })
    expect(read("<a>".repeat(20_000))).toMatchObject({ rule: "syntax" })
  })

  it("is read in GBK where the core system writes that", () => {
    const bytes = Buffer.concat([Buffer.from("<D><Id>"), Buffer.from("B3C9B9A6", "hex"), Buffer.from("</Id></D>")])
    expect(read(bytes, { name: "gbk", syntax: "xml", encoding: "gbk", key: ["D/Id"] })).toMatchObject({ key: "成功" })
  })
})

describe("A JSON message", () => {
  const json: DocumentFormat = { name: "api", syntax: "json", key: ["head/id", "head/seq"], responseCode: "code" }

  it("gives its key, numbers to the last digit", () => {
    expect(read('{"head":{"id":"a|b","seq":12345678901234567890},"code":"00"}', json)).toEqual({
      key: "a\\|b|12345678901234567890",
      kind: undefined,
      responseCode: "00"
    })
  })

  it("is refused when it is no object or has no such value", () => {
    expect(read('{"head":{"id":1}', json)).toMatchObject({ rule: "syntax" })
    expect(read('"text"', json)).toMatchObject({ rule: "syntax" })
    expect(read('{"head":{"id":["a"],"seq":1}}', json)).toMatchObject({ rule: "path", path: "head/id" })
    expect(read('{"head":{"constructor":1}}', { ...json, key: ["head/toString"] })).toMatchObject({ rule: "path" })
  })

  it("is refused with the place when an object has two members of one name, on a path or not, however it is written", () => {
    const twice = (text: string, path: string) =>
      expect(read(text, json)).toEqual({ _tag: "DocumentInvalid", rule: "twice", path })
    twice('{"head":{"id":"1","seq":1,"id":"2"},"code":"00"}', "line 1, column 27")
    twice('{"head":{"id":"1","seq":1},\n"more":[{"amount":1,"amo\\u0075nt":2}]}', "line 2, column 21")
    twice('{"code":"00","code":"00","head":{"id":"1","seq":1}}', "line 1, column 14")

    expect(read('{"head":{"id":"1","seq":1},"more":[{"a":"{\\"a\\":1,"},{"a":1}]}', json)).toMatchObject({ key: "1|1" })
  })

  it("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
        for (const format of [json, xml]) read(Buffer.from(any), format)
      })
    )
  })

  it("needs a key and whole paths in its format", () => {
    expect(() => new DocumentCodec({ ...json, key: [] })).toThrow("document api")
    expect(() => new DocumentCodec({ ...json, key: ["a//b"] })).toThrow("document api")
  })
})
