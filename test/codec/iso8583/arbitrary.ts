/**
 * Random messages of any dialect, for property tests: every field's values follow its format. Card data is random digits.
 */
import type { Dialect, FieldLayout, Message } from "@jinka/codec"
import { interpret } from "@jinka/codec"
import fc from "fast-check"

const characters = (content: FieldLayout["content"]): string => {
  const digits = "0123456789"
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  switch (content) {
    case "n":
    case "xn":
      return digits
    case "z":
      return `${digits}=`
    case "a":
      return `${letters} `
    case "an":
      return `${digits}${letters} `
    default:
      return `${digits}${letters} !"#$%&'()*+,-./:;<=>?@[]^_{|}~`
  }
}

const text = (field: FieldLayout, size: number): fc.Arbitrary<string> => {
  const alphabet = characters(field.content)
  const plain = fc
    .array(fc.integer({ min: 0, max: alphabet.length - 1 }), { minLength: size, maxLength: size })
    .map((picks) => picks.map((pick) => alphabet[pick]).join(""))
  return field.content === "xn"
    ? plain.map((digits) => `${Number(digits[0]) < 5 ? "C" : "D"}${digits.slice(1)}`)
    : plain
}

/** Most units that the field's prefix can say. */
const mostUnits = ({ content, encoding, prefix, prefixBytes, countsBytes, units }: FieldLayout): number => {
  const base = prefix === "binary" ? 256 : prefix === "hex" ? 16 : prefix === "bcd" ? 100 : 10
  const count = base ** prefixBytes - 1
  if (!countsBytes || (encoding !== "hex" && encoding !== "bcd")) return Math.min(units, count)
  return Math.min(units, encoding === "hex" ? count >> 1 : content === "xn" ? 2 * count - 1 : 2 * count)
}

/** A prefix that counts bytes tells an odd number of packed digits only by a filling that is none of them. */
const isCounted = ({ content, encoding, countsBytes, fill }: FieldLayout, units: number): boolean =>
  !countsBytes ||
  encoding !== "bcd" ||
  (fill > 9 && !(content === "z" && fill === 13)) ||
  units % 2 === (content === "xn" ? 1 : 0)

const value = (field: FieldLayout): fc.Arbitrary<string | Uint8Array> => {
  const least = field.content === "xn" ? 1 : 0
  const sizes =
    field.fixed >= 0
      ? fc.constant(field.units)
      : fc
          .integer({ min: least, max: Math.max(least, Math.min(mostUnits(field), 60)) })
          .map((units) => (isCounted(field, units) ? units : units - 1))
  return sizes.chain((size): fc.Arbitrary<string | Uint8Array> => {
    return field.bytes ? fc.uint8Array({ minLength: size, maxLength: size }) : text(field, size)
  })
}

/** Messages of the dialect with up to `fieldsMax` fields. */
export const anyMessage = (dialect: Dialect, fieldsMax = 30): fc.Arbitrary<Message> => {
  const { layout } = interpret(dialect)
  return fc.subarray([...layout.defined], { maxLength: Math.min(fieldsMax, layout.defined.length) }).chain((fields) =>
    fc
      .record({
        mti: fc.constantFrom("0100", "0200", "0210", "0220", "0420", "0421", "0820", "1200"),
        values: fc.tuple(...fields.map(value))
      })
      .map(({ mti, values }) => ({
        mti,
        fields: Object.fromEntries(fields.map(({ de }, position) => [de, values[position]!]))
      }))
  )
}

/** The plain form of a message: what two decoders are compared by. */
export const plain = (message: object): unknown =>
  JSON.parse(
    JSON.stringify(message, (_, value) => (value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value))
  )

/**
 * Any text of at most so many characters of Unicode. Not `fc.string({ unit: "binary" })`: fast-check looks at all of Unicode for
 * it, which takes longer than the tests that use it.
 */
export const anyText = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff })), { maxLength })
    .map((points) => String.fromCodePoint(...points))
