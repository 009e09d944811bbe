/** The shipped dialects of the three editions are what jPOS's packagers say, field by field, but for what is written here. */
import { compile, dialects } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import fixture from "../../fixtures/codec-jpos-packagers.json" with { type: "json" }

type Wire = readonly [kind: "n" | "xn" | "b" | "text", length: number, dots: number, encoding: string, prefix: string]

/** What a class of jPOS puts on the wire, for the classes of these packagers. */
const wireOf = (name: string, length: number): Wire => {
  if (name === "IF_CHAR") return ["text", length, 0, "ascii", ""]
  const [, family = "", dots = "", isBinary = "", what = ""] =
    /^IF([AB])_(L*)(H?)(NUM|NUMERIC|AMOUNT|AMOUNT2003|CHAR|BINARY)$/.exec(name) ?? []
  const [kind, ascii, binary] = {
    NUM: ["n", "ascii", "bcd"],
    NUMERIC: ["n", "ascii", "bcd"],
    AMOUNT2003: ["n", "ascii", "bcd"],
    AMOUNT: ["xn", "ascii", "bcd"],
    CHAR: ["text", "ascii", "ascii"],
    BINARY: ["b", dots === "" ? "hex" : "binary", "binary"]
  }[what] as [Wire[0], string, string]
  const prefix = dots === "" ? "" : isBinary === "H" ? "binary" : family === "A" ? "ascii" : "bcd"
  return [kind, length, dots.length, family === "A" ? ascii : binary, prefix]
}

const kinds: Readonly<Record<string, Wire[0]>> = { n: "n", "x+n": "xn", b: "b" }

const ours = (dialect: string, de: number): Wire | undefined => {
  const codec = compile(dialects[dialect]!)
  const field = codec.layout.fields[de]
  if (field === undefined) return undefined
  const [, content = "", dots = "", digits] = /^(x\+n|[a-z]+)(\.*)(\d+)$/.exec(field.format)!
  const kind = kinds[content] ?? "text"
  const prefix = dots === "" ? "" : field.prefix
  return [kind, Number(digits) + (kind === "xn" ? 1 : 0), dots.length, field.encoding, prefix]
}

/** Where we differ, and why. */
const differs: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  iso87ascii: {
    35: "track 2: jPOS has digits, we check what a track may hold",
    65: "the bit of a third bitmap, which no message of the edition has",
    93: "an5 by the standard and pyiso8583",
    96: "b64 by the standard"
  },
  iso87binary: { 35: "as above: packed either way", 65: "as above", 93: "as above", 96: "as above" },
  iso93ascii: {
    53: "hex like every other b field; jPOS has raw bytes behind a length of digits",
    55: "as 53",
    65: "as above",
    96: "as 53"
  },
  iso93binary: { 65: "as above" },
  iso2003binary: {
    65: "as above",
    96: "key management data as in 1993; jPOS has it reserved",
    97: "a sign in front of 20 digits; jPOS has 21 digits, of the same size"
  }
}

describe("A shipped dialect and jPOS's packager of the same edition", () => {
  it.each([
    ["iso87ascii", "iso8583v1987Ascii"],
    ["iso87binary", "iso8583v1987Bcd"],
    ["iso93ascii", "iso8583v1993Ascii"],
    ["iso93binary", "iso8583v1993Bcd"],
    ["iso2003binary", "iso8583v2003"]
  ] as const)("%s and %s: each field has the same kind, length, encoding and prefix", (packager, dialect) => {
    const found = Object.entries(fixture.packagers[packager]).flatMap(([de, [name, length]]) =>
      JSON.stringify(wireOf(name as string, length as number)) === JSON.stringify(ours(dialect, Number(de))) ? [] : [de]
    )

    expect(found).toEqual(Object.keys(differs[packager]!))
  })
})
