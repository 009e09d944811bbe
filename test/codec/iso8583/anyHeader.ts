/**
 * Random headers for property tests: parts in every form, with every role that the form can have, and values for them.
 */
import { type HeaderFormat, type HeaderPart, headers } from "@jinka/codec"
import fc from "fast-check"

const forms = ["text", "digits", "bcd", "binary", "hex"] as const

const hexOf = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((some) => Buffer.from(some).toString("hex").toUpperCase())

const digitsOf = (length: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((digits) => digits.join(""))

/** A value as reading gives it: of the part's full length. */
export const partValueOf = ({ form, bytes }: HeaderPart): fc.Arbitrary<string> => {
  switch (form) {
    case "hex":
      return hexOf(bytes)
    case "bcd":
      return digitsOf(2 * bytes)
    case "digits":
      return digitsOf(bytes)
    case "binary":
      return fc.integer({ min: 0, max: 256 ** bytes - 1 }).map(String)
    case "text":
      return hexOf(bytes).map((hex) => Buffer.from(hex, "hex").toString("latin1"))
  }
}

const anyPart = (name: string): fc.Arbitrary<HeaderPart> =>
  fc
    .record({ form: fc.constantFrom(...forms), bytes: fc.integer({ min: 1, max: 4 }), isFixed: fc.boolean() })
    .chain(({ isFixed, ...part }) =>
      partValueOf({ name, ...part }).map((value) => ({
        name,
        ...part,
        ...(isFixed ? { value, fixed: true } : { value })
      }))
    )

const lengthPart: fc.Arbitrary<HeaderPart> = fc
  .record({
    name: fc.constant("length"),
    form: fc.constantFrom("digits" as const, "bcd" as const, "binary" as const),
    bytes: fc.constantFrom(2, 3, 4),
    length: fc.constantFrom("all" as const, "message" as const)
  })
  .map((part) => (part.form === "digits" ? { ...part, bytes: 4 } : part))

/** Two parts of one size and form that change places in an answer, and hold addresses where the form can. */
const turnedParts: fc.Arbitrary<ReadonlyArray<HeaderPart>> = fc
  .record({ form: fc.constantFrom(...forms), bytes: fc.integer({ min: 1, max: 4 }) })
  .chain((part) => fc.tuple(fc.constant(part), partValueOf({ name: "", ...part }), partValueOf({ name: "", ...part })))
  .map(([part, one, other]) => {
    const named = part.form === "binary" || part.form === "hex"
    return [
      { ...part, name: "to", value: one, answer: "from", ...(named ? {} : { address: "destination" as const }) },
      { ...part, name: "from", value: other, answer: "to", ...(named ? {} : { address: "source" as const }) }
    ]
  })

const rejectPart: fc.Arbitrary<HeaderPart> = fc
  .record({ form: fc.constantFrom(...forms), bytes: fc.integer({ min: 1, max: 4 }) })
  .chain((part) =>
    partValueOf({ name: "", ...part }).map((value) => ({ ...part, name: "reject", value, reject: true }))
  )

const ownPart: fc.Arbitrary<HeaderPart> = anyPart("own").map((part) => ({ ...part, answer: "own" }))

/** A header of up to ten parts in any order. */
export const anyHeader: fc.Arbitrary<HeaderFormat> = fc
  .record({
    plain: fc.tuple(anyPart("a"), anyPart("b"), anyPart("c")),
    count: fc.integer({ min: 1, max: 3 }),
    length: fc.option(lengthPart),
    turned: fc.option(turnedParts),
    reject: fc.option(rejectPart),
    own: fc.option(ownPart),
    order: fc.array(fc.nat(), { minLength: 10, maxLength: 10 })
  })
  .map(({ plain, count, length, turned, reject, own, order }) => {
    const parts = [
      ...plain.slice(0, count),
      ...(length === null ? [] : [length]),
      ...(turned ?? []),
      ...(reject === null ? [] : [reject]),
      ...(own === null ? [] : [own])
    ]
    const placed = parts.map((part, index) => ({ part, at: order[index]! }))
    return { name: "any", parts: placed.sort((one, other) => one.at - other.at).map(({ part }) => part) }
  })

/** Any header, or one that ships. */
export const anyOrShipped: fc.Arbitrary<HeaderFormat> = fc.oneof(anyHeader, fc.constantFrom(...Object.values(headers)))

/** Values of all parts that a message may choose. */
export const anyValues = (header: HeaderFormat): fc.Arbitrary<Record<string, string>> => {
  const parts = header.parts.filter(({ only }) => only === undefined)
  return fc
    .tuple(...parts.map((part) => (part.fixed === true ? fc.constant(part.value!) : partValueOf(part))))
    .map((values) => Object.fromEntries(parts.map(({ name }, at) => [name, values[at]!])))
}
