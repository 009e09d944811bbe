import {
  type Codec,
  compile,
  cups,
  type Dialect,
  derive,
  isMessageError,
  iso8583v1987Ascii,
  iso8583v1987Bcd,
  iso8583v1987Ebcdic,
  iso8583v1993Ascii,
  type Message,
  MessageIndex,
  nac,
  unionPayPos
} from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Naming, type Speaker } from "../../../packages/switch/src/message/Naming.ts"

const codecs = new Map<Dialect, Codec>()

const codecOf = (dialect: Dialect): Codec => {
  const codec = codecs.get(dialect) ?? compile(dialect)
  codecs.set(dialect, codec)
  return codec
}

const speaker = ({ dialect = cups, ...more }: Partial<Speaker> & { readonly dialect?: Dialect } = {}): Speaker => ({
  institution: "48020000",
  ourInstitution: "00010000",
  speaksFor: [],
  identity: "checked",
  codec: codecOf(dialect),
  ...more
})

const indexed = (message: Message, dialect: Dialect = cups): MessageIndex => {
  const codec = codecOf(dialect)
  const bytes = codec.encode(message)
  if (isMessageError(bytes)) throw new Error(`the test's message is wrong: ${JSON.stringify(bytes)}`)
  const index = new MessageIndex()
  const wrong = codec.index(bytes, 0, bytes.length, index)
  if (wrong !== undefined) throw new Error(`the test's message cannot be read: ${wrong._tag}`)
  return index
}

interface Said {
  readonly source?: string
  readonly acquirer?: string
  readonly forwarder?: string
  readonly original?: { readonly acquirer?: string; readonly forwarder?: string }
}

const zeros = (text = ""): string => text.padStart(11, "0")

const message = (
  mti: string,
  { source = "48020000", acquirer, forwarder, original }: Said,
  dialect = cups
): Message => ({
  ...(dialect.header === cups.header ? { header: { source, destination: "00010000" } } : {}),
  mti,
  fields: {
    3: "000000",
    7: "1126093015",
    11: "000123",
    ...(acquirer === undefined ? {} : { 32: acquirer }),
    ...(forwarder === undefined ? {} : { 33: forwarder }),
    ...(original === undefined
      ? {}
      : { 90: `02000001221126093000${zeros(original.acquirer)}${zeros(original.forwarder)}` })
  }
})

const said = (naming: Naming, one: Message, dialect = cups): string | undefined =>
  naming.misnamed(indexed(one, dialect))

const ours = { acquirer: "48020000", forwarder: "48020000" }

describe("Naming", () => {
  it("lets a partner name itself, and those it speaks for", () => {
    const naming = new Naming(speaker({ speaksFor: ["48020001"] }))

    expect(said(naming, message("0200", ours))).toBeUndefined()
    expect(said(naming, message("0200", { ...ours, acquirer: "48020001" }))).toBeUndefined()
    expect(
      said(naming, message("0420", { ...ours, original: { acquirer: "48020001", forwarder: "48020000" } }))
    ).toBeUndefined()
    expect(said(naming, message("0820", { source: "48020001", forwarder: "48020001" }))).toBeUndefined()
  })

  it.each(["0100", "0200", "0201", "0220", "0221", "0420", "0421", "0620", "0800", "0820", "0302"])(
    "says each place where a %s names another partner",
    (mti) => {
      const naming = new Naming(speaker())
      const other = "48030000"

      expect(said(naming, message(mti, { ...ours, source: other }))).toBe("names 48030000 as the source in its header")
      expect(said(naming, message(mti, { ...ours, acquirer: other }))).toBe("names 48030000 as acquirer (DE 32)")
      expect(said(naming, message(mti, { ...ours, forwarder: other }))).toBe("names 48030000 as forwarder (DE 33)")
      expect(said(naming, message(mti, { ...ours, original: { acquirer: other } }))).toBe(
        "names 48030000 as the original's acquirer (DE 90)"
      )
      expect(said(naming, message(mti, { ...ours, original: { ...ours, forwarder: other } }))).toBe(
        "names 48030000 as the original's forwarder (DE 90)"
      )
    }
  )

  it("asks of an answer only who sends it: it repeats the institutions of our request", () => {
    const naming = new Naming(speaker({ institution: "01020000" }))
    for (const mti of ["0110", "0210", "0230", "0430", "0830"]) {
      expect(said(naming, message(mti, { source: "01020000", ...ours, original: ours }))).toBeUndefined()
      expect(said(naming, message(mti, { source: "01030000", ...ours }))).toBe(
        "names 01030000 as the source in its header"
      )
    }
  })

  it("takes an answer with our own header as it was, and no request with it", () => {
    const naming = new Naming(speaker())
    expect(said(naming, message("0210", { source: "00010000", ...ours }))).toBeUndefined()
    expect(said(naming, message("0200", { ...ours, source: "00010000" }))).toBe(
      "names 00010000 as the source in its header"
    )
  })

  it("asks of a reject who has put the header before our own message", () => {
    const codec = compile(cups)
    const request = codec.encode(message("0200", { ...ours, source: "00010000" })) as Buffer
    const rejected = (source: string): MessageIndex => {
      const header = Buffer.from(request.subarray(0, 46))
      header.write(String(request.length + 46).padStart(4, "0"), 2, "latin1")
      header.write(source.padEnd(11), 17, "latin1")
      header.write("00045", 41, "latin1")
      const bytes = Buffer.concat([header, request])
      const index = new MessageIndex()
      expect(codec.index(bytes, 0, bytes.length, index)).toBeUndefined()
      expect(index.rejectCode).toBe(45)
      return index
    }

    const naming = new Naming(speaker({ institution: "01020000" }))

    expect(naming.misnamed(rejected("01020000"))).toBeUndefined()
    expect(naming.misnamed(rejected("01030000"))).toBe("names 01030000 as the source in its header")
  })

  it("lets a message name nobody", () => {
    const naming = new Naming(speaker())
    expect(said(naming, message("0200", { source: "" }))).toBeUndefined()
    expect(said(naming, message("0420", { source: "", original: {} }))).toBeUndefined()
  })

  it("wants the very source that a door by header has told its partner by", () => {
    const naming = new Naming(speaker({ mark: { _tag: "header" }, speaksFor: ["48020001"] }))

    expect(said(naming, message("0200", ours))).toBeUndefined()
    expect(said(naming, message("0200", { ...ours, acquirer: "48020001" }))).toBeUndefined()
    expect(said(naming, message("0200", { ...ours, source: "48020001" }))).toBe(
      "names 48020001 as the source in its header"
    )
    expect(said(naming, message("0820", { ...ours, source: "" }))).toContain("the source in its header")
  })

  it("wants the value that a door by field has told its partner by, and shows no other", () => {
    const naming = new Naming(speaker({ mark: { _tag: "field", field: 41, value: "T1" } }))
    const at = (terminal: string): Message => {
      const { fields, ...rest } = message("0200", ours)
      return { ...rest, fields: { ...fields, 41: terminal } }
    }

    expect(said(naming, at("T1      "))).toBeUndefined()
    expect(said(naming, message("0820", ours))).toBeUndefined()
    expect(said(naming, at("62000000"))).toBe("has another DE 41 than the one that the door knows its sender by")
  })

  it("lets a centre name any acquirer, and speak as nobody but itself", () => {
    const naming = new Naming(speaker({ institution: "00010344", speaksFor: "any" }))
    const other = { acquirer: "48030000", forwarder: "48040000", original: { acquirer: "48030000" } }

    expect(said(naming, message("0420", { source: "00010344", ...other }))).toBeUndefined()
    expect(said(naming, message("0420", { source: "48030000", ...other }))).toBe(
      "names 48030000 as the source in its header"
    )
  })

  it("looks at nothing where identity is unchecked", () => {
    const naming = new Naming(speaker({ identity: "unchecked" }))
    expect(said(naming, message("0420", { source: "48030000", acquirer: "48030000" }))).toBeUndefined()
  })

  it("shows no value that is no institution code", () => {
    const lenient = derive(cups, { name: "lenient", lenient: true, fields: { 32: { format: "ans..19" } } })
    const naming = new Naming(speaker({ dialect: lenient }))
    const text = said(naming, message("0200", { ...ours, acquirer: "6200000000000005" }), lenient)
    expect(text).toBe("names as acquirer (DE 32) what is no institution code")
  })

  it("reads the institutions of every dialect, however they are written", () => {
    for (const dialect of [
      iso8583v1987Ascii,
      iso8583v1987Bcd,
      iso8583v1987Ebcdic,
      iso8583v1993Ascii,
      nac,
      unionPayPos
    ]) {
      const naming = new Naming(speaker({ dialect, institution: "4802000" }))
      const from = (acquirer: string): Message => ({
        mti: dialect.version === 1 ? "1200" : "0200",
        fields: { 3: "000000", 11: "000123", 32: acquirer }
      })
      expect(said(naming, from("4802000"), dialect)).toBeUndefined()
      expect(said(naming, from("04802000"), dialect)).toBe("names 04802000 as acquirer (DE 32)")
      expect(said(naming, from("4802000"), dialect)).toBeUndefined()
    }
  })

  const code = fc.stringMatching(/^\d{1,11}$/)
  const few = fc.uniqueArray(code, { minLength: 2, maxLength: 6 })

  it("refuses exactly the messages that name somebody outside of its list, whatever it has seen before", () => {
    fc.assert(
      fc.property(
        few,
        fc.nat({ max: 5 }),
        fc.array(
          fc.record({
            mti: fc.constantFrom("0200", "0220", "0420", "0820"),
            source: fc.nat({ max: 5 }),
            acquirer: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
            forwarder: fc.option(fc.nat({ max: 5 }), { nil: undefined })
          }),
          { maxLength: 20 }
        ),
        (codes, known, messages) => {
          const allowed = codes.slice(0, 1 + (known % codes.length))
          const settings = speaker({ institution: allowed[0]!, speaksFor: allowed.slice(1) })
          const seasoned = new Naming(settings)
          for (const { mti, ...named } of messages) {
            const of = (n: number | undefined) => (n === undefined ? undefined : codes[n % codes.length]!)
            const [source, acquirer, forwarder] = [of(named.source)!, of(named.acquirer), of(named.forwarder)]
            const one = message(mti, {
              source,
              ...(acquirer === undefined ? {} : { acquirer }),
              ...(forwarder === undefined ? {} : { forwarder })
            })
            const isGood = [source, acquirer, forwarder].every((name) => name === undefined || allowed.includes(name))
            expect(said(seasoned, one) === undefined).toBe(isGood)
            expect(said(new Naming(settings), one) === undefined).toBe(isGood)
          }
        }
      )
    )
  })

  it("finds every other institution among the original's, with zeros in front of it", () => {
    fc.assert(
      fc.property(few, few, (mine, theirs) => {
        const bare = (text: string) => text.replace(/^0+/, "")
        const naming = new Naming(speaker({ institution: mine[0]!, speaksFor: mine.slice(1) }))
        for (const acquirer of theirs) {
          const isGood = bare(acquirer) === "" || mine.some((one) => bare(one) === bare(acquirer))
          const one = message("0420", { source: mine[0]!, original: { acquirer } })
          expect(said(naming, one) === undefined).toBe(isGood)
        }
      })
    )
  })
})
