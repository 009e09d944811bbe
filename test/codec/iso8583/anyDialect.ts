/**
 * Random dialects, for property tests: every kind of content in every encoding that can hold it, every form of length prefix,
 * alignment and filling, every bitmap and message type, with and without a header.
 */
import type { Dialect, EncodingDefaults, FieldDefinition, PrefixEncoding, ValueEncoding } from "@jinka/codec"
import { cups, fieldLayout, unionPayPos } from "@jinka/codec"
import fc from "fast-check"
import { anyHeader } from "./anyHeader.ts"

const textEncodings: ReadonlyArray<ValueEncoding> = ["ascii", "gbk", "ebcdic", "ebcdic1047"]
const digitEncodings: ReadonlyArray<ValueEncoding> = [...textEncodings, "bcd"]

const encodingsOf: { readonly [content: string]: ReadonlyArray<ValueEncoding> } = {
  n: digitEncodings,
  "x+n": digitEncodings,
  z: digitEncodings,
  a: textEncodings,
  an: textEncodings,
  ans: textEncodings,
  ansb: textEncodings,
  ns: textEncodings,
  b: ["binary", "hex"]
}

const prefixes: ReadonlyArray<PrefixEncoding> = ["ascii", "ebcdic", "bcd", "binary", "hex"]

/** A field of any kind. Fixed ones are short or longer than what generated code writes out. */
const anyField: fc.Arbitrary<FieldDefinition> = fc.constantFrom(...Object.keys(encodingsOf)).chain((content) =>
  fc
    .record({
      encoding: fc.constantFrom(...encodingsOf[content]!),
      digits: fc.constantFrom(0, 0, 0, 1, 2, 2, 3, 3, 4, 5, 6),
      units: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 10, max: 70 })),
      prefix: fc.constantFrom(...prefixes),
      counts: fc.constantFrom("units" as const, "bytes" as const),
      align: fc.constantFrom("left" as const, "right" as const, undefined),
      fill: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 15 })),
      fills: fc.constantFrom(undefined, [], [0], [15], [0, 3, 13]),
      sensitivity: fc.constantFrom("none" as const, "none" as const, "pan" as const, "hidden" as const, "sad" as const)
    })
    .map(({ digits, units, align, fills, ...rest }) => ({
      ...rest,
      ...(align === undefined ? {} : { align }),
      ...(fills === undefined ? {} : { fills }),
      format: `${content}${".".repeat(digits)}${digits === 1 ? Math.min(units, 9) : units}`,
      name: "field"
    }))
)

/** The field with as much covering as the standard asks for at least, and with a reason where it is shown. */
const allowed = (de: number, { sensitivity = "none", ...field }: FieldDefinition): FieldDefinition => {
  const { sensitivity: own } = fieldLayout(de, field, encodings, 0)
  const isStandard = [2, 14, 34, 35, 36, 45, 52, 55, 96, 102, 103].includes(de)
  return { ...field, sensitivity: isStandard && sensitivity !== "sad" ? own : sensitivity, reason: "a test" }
}

const encodings: EncodingDefaults = {
  digits: "ascii",
  text: "ascii",
  track: "ascii",
  bytes: "binary",
  prefix: "ascii",
  align: "right",
  fill: 0
}

/** A dialect of up to 25 fields. */
export const anyDialect: fc.Arbitrary<Dialect> = fc
  .record({
    header: fc.oneof(fc.constantFrom(undefined, cups.header, unionPayPos.header), anyHeader),
    mti: fc.constantFrom("ascii" as const, "bcd" as const, "ebcdic" as const),
    bitmap: fc.record({
      encoding: fc.constantFrom("binary" as const, "hex" as const, "hex-ebcdic" as const),
      secondary: fc.constantFrom("optional" as const, "always" as const, "fixed" as const, "never" as const),
      tertiary: fc.boolean()
    }),
    lenient: fc.constantFrom(false, false, true),
    fields: fc.uniqueArray(fc.tuple(fc.integer({ min: 2, max: 192 }), anyField), {
      minLength: 1,
      maxLength: 25,
      selector: ([de]) => de
    })
  })
  .map(({ header, mti, bitmap, lenient, fields }) => {
    const { secondary } = bitmap
    const tertiary = bitmap.tertiary && (secondary === "optional" || secondary === "always")
    const deMax = secondary === "never" ? 64 : tertiary ? 192 : 128
    const fit = fields.filter(([de]) => de <= deMax && !(tertiary && de === 65))
    return {
      name: "any",
      title: "any",
      version: 0,
      ...(header === undefined ? {} : { header }),
      mti,
      bitmap: { encoding: bitmap.encoding, secondary, tertiary },
      lenient,
      encodings,
      fields: Object.fromEntries(fit.map(([de, field]) => [de, allowed(de, field)])),
      match: { transaction: [], networkManagement: [] },
      echo: [],
      responseCodes: {},
      refusal: cups.refusal
    }
  })
