import { DocumentCodec, type DocumentFormat } from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"

const xml: DocumentFormat = {
  name: "core",
  syntax: "xml",
  key: ["D/Head/Id"],
  responseCode: "D/Code",
  covered: ["D/Card", "D/Body/@pan", "**/Track"]
}
const json: DocumentFormat = {
  name: "api",
  syntax: "json",
  key: ["id"],
  responseCode: "code",
  covered: ["card", "list/pan", "**/track"]
}

const redacted = (format: DocumentFormat, text: string | Buffer): string => {
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text)
  const copy = new DocumentCodec(format).redact(bytes)
  if (!Buffer.isBuffer(copy)) throw new Error(JSON.stringify(copy))
  expect(copy.length).toBe(bytes.length)
  return copy.toString("utf8")
}

describe("A covered copy of an XML document", () => {
  it("blanks elements with all below them, attributes and comments, and keeps everything else", () => {
    expect(
      redacted(
        xml,
        '<?xml version="1.0"?><x:D xmlns:x="u"><Head><Id>77</Id></Head><!-- 6225 --><x:Card t="1"><No>62\u91d1</No>5</x:Card>' +
          "<Body pan='6225' y=\"2\"><A><Track><![CDATA[62<25]]></Track></A></Body><Code>00</Code></x:D>"
      )
    ).toBe(
      '<?xml version="1.0"?><x:D xmlns:x="u"><Head><Id>77</Id></Head><!--******--><x:Card t="*"><No>*****</No>*</x:Card>' +
        "<Body pan='****' y=\"2\"><A><Track><![CDATA[*****]]></Track></A></Body><Code>00</Code></x:D>"
    )
  })

  it("keeps the bytes of GBK text around what is covered, and a mark of the byte order", () => {
    const gbk = Buffer.concat([
      Buffer.from("<D><Head><Id>"),
      Buffer.from("B3C9B9A6", "hex"),
      Buffer.from("</Id></Head><Card>"),
      Buffer.from("825C8130", "hex"),
      Buffer.from("</Card></D>")
    ])
    const copy = new DocumentCodec({ ...xml, encoding: "gbk" }).redact(gbk)

    expect(Buffer.isBuffer(copy) && copy.toString("latin1")).toBe(
      "<D><Head><Id>\xb3\xc9\xb9\xa6</Id></Head><Card>****</Card></D>"
    )

    const marked = Buffer.concat([Buffer.from("EFBBBF", "hex"), Buffer.from("<D><Card>1</Card></D>")])
    expect(redacted(xml, marked)).toBe("\ufeff<D><Card>*</Card></D>")
  })

  it("is not made of what cannot be read, nor without a list of what is covered", () => {
    const { covered: _, ...open } = xml

    expect(new DocumentCodec(open).redact(Buffer.from("<D/>"))).toMatchObject({ rule: "covered" })
    expect(new DocumentCodec(xml).redact(Buffer.from("<D><Card>1</D>"))).toMatchObject({ rule: "syntax" })
    expect(new DocumentCodec(xml).redact(Buffer.from('<!DOCTYPE a [<!ENTITY b "c">]><D/>'))).toMatchObject({
      rule: "syntax"
    })
    expect(() => new DocumentCodec({ ...xml, covered: ["**/"] })).toThrow("document core")
  })
})

describe("A covered copy of a JSON document", () => {
  it("blanks texts and numbers of a path, in every member of an array, and stays JSON", () => {
    const text =
      '{"id":"1","card":{"no":"62\\"25","cvn":123,"n":[4,-56.7e1,null,true]}, "list":[{"pan":"1","x":2},{"pan" : "23"}],' +
      '"\\u0063ard":"again","a":[[{"track":["9",{"deep":"8"}]}]],"code":"00"}'
    const copy = redacted(json, text)

    expect(copy).toBe(
      '{"id":"1","card":{"no":"******","cvn":"*","n":[0,"*****",null,true]}, "list":[{"pan":"*","x":2},{"pan" : "**"}],' +
        '"\\u0063ard":"*****","a":[[{"track":["*",{"deep":"*"}]}]],"code":"00"}'
    )
    expect(JSON.parse(copy).id).toBe("1")
  })
})

const secret = fc.stringMatching(/^62[0-9]{14}$/)
const other = fc.stringMatching(/^[A-Za-z \u4e00-\u4e2f&<>"'\\\]{}[/*-]{0,12}$/)

describe("Whatever the document", () => {
  it("JSON: no covered value is left, everything else is, and what a switch reads is the same", () => {
    const leaf = fc.oneof(other, fc.integer(), fc.boolean(), fc.constant(null))
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie("tree"), { maxLength: 3 }), tie("node")),
      node: fc.dictionary(fc.constantFrom("a", "b", "track ", "tra", "list"), tie("tree"), { maxKeys: 4 })
    }))
    const hidden = fc.oneof(
      secret,
      secret.map(Number),
      fc.array(secret, { maxLength: 3 }),
      fc.record({ x: secret, y: leaf })
    )
    fc.assert(
      fc.property(
        tree,
        hidden,
        hidden,
        fc.array(hidden, { maxLength: 3 }),
        fc.nat(4),
        (rest, card, track, pans, space) => {
          const document = {
            id: "7",
            rest,
            card,
            list: pans.map((pan) => ({ pan, rest })),
            deep: { rest: [{ track }] },
            code: "00"
          }
          const copy = redacted(json, JSON.stringify(document, undefined, space))
          expect(copy).not.toMatch(/62[0-9]{14}/)
          const read = JSON.parse(copy)
          expect(read.rest).toEqual(JSON.parse(JSON.stringify(rest)))
          expect(read.list.length).toBe(pans.length)
          expect(new DocumentCodec(json).read(Buffer.from(copy))).toEqual({
            key: "7",
            kind: undefined,
            responseCode: "00"
          })
        }
      )
    )
  })

  it("XML: no covered value is left, everything else is, and what a switch reads is the same", () => {
    const escaped = other.map((text) =>
      text.replace(
        /[&<>"']/g,
        (character) => `&${{ "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos" }[character]};`
      )
    )
    const cdata = fc.oneof(
      secret,
      secret.map((text) => `<![CDATA[<${text}>]]>`),
      secret.map((text) => `<No a="${text}">${text}</No>`)
    )
    const around = fc.tuple(escaped, fc.constantFrom("Cards", "Car", "TrackNo", "n:Id"), fc.constantFrom("", " ", "\n"))
    fc.assert(
      fc.property(fc.array(around, { maxLength: 4 }), cdata, cdata, secret, (arounds, card, track, pan) => {
        const rest = arounds
          .map(([text, name, space]) => `<${name}${space} a = "${text}"${space}>${text}</${name}${space}>`)
          .join("")
        const parts = [
          rest,
          `<Card k='${pan}'>${card}</Card>`,
          `<Body pan="${pan}"><q:Track>${track}</q:Track></Body>`,
          `<!--${pan}-->`,
          `<?note ${pan}?>`
        ]
        const copy = redacted(xml, `<D><Head><Id>7</Id></Head>${parts.join("")}${rest}<Code>00</Code></D>`)
        expect(copy).not.toMatch(/62[0-9]{14}/)
        expect(copy.split(rest).length).toBeGreaterThanOrEqual(rest === "" ? 1 : 3)
        expect(new DocumentCodec(xml).read(Buffer.from(copy))).toEqual({
          key: "7",
          kind: undefined,
          responseCode: "00"
        })
      })
    )
  })

  it("a copy is made, or the document is refused; nothing is thrown", () => {
    const pieces = fc.array(
      fc.constantFrom(
        "<D>",
        "</D>",
        "<Card>",
        "</Card>",
        "<a b='",
        "'>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "{",
        "}",
        '"card"',
        ":",
        "[",
        "]",
        ",",
        '"',
        "\\",
        "1",
        "<?",
        "?>",
        "\u91d1"
      ),
      { maxLength: 14 }
    )
    fc.assert(
      fc.property(pieces, (some) => {
        for (const format of [xml, json]) {
          const bytes = Buffer.from(some.join(""))
          const copy = new DocumentCodec(format).redact(bytes)
          expect(Buffer.isBuffer(copy) ? copy.length : bytes.length).toBe(bytes.length)
        }
      }),
      { numRuns: 1000 }
    )
  })
})
