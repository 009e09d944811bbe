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

const value = (field: FieldLayout): fc.Arbitrary<string | Uint8Array> => {
  // A prefix that counts bytes of packed digits cannot say an odd number of digits.
  const step = field.countsBytes && field.encoding === "bcd" ? 2 : 1
  const max = Math.min(field.units, 60)
  const sizes =
    field.fixed >= 0
      ? fc.constant(field.units)
      : fc
          .integer({ min: 0, max: Math.floor(max / step) })
          .map((steps) => Math.max(steps * step, field.content === "xn" ? 1 : 0))
  return sizes.chain((size): fc.Arbitrary<string | Uint8Array> => {
    return field.bytes ? fc.uint8Array({ minLength: size, maxLength: size }) : text(field, size)
  })
}

/** Messages of the dialect with up to `fieldsMax` fields. */
export const anyMessage = (dialect: Dialect, fieldsMax = 30): fc.Arbitrary<Message> => {
  const { layout } = interpret(dialect)
  return fc.subarray([...layout.defined], { maxLength: fieldsMax }).chain((fields) =>
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
