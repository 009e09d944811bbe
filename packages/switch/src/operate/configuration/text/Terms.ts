/**
 * The small schemas that a configuration is made of: texts with their rule in words, and options with a default.
 *
 * Every schema says in `expected` what it wants; the error page, the JSON Schema and the reference table take it from there.
 */
import { Effect, Schema } from "effect"
import { isAddressOrNetwork } from "../../../link/door/Addresses.ts"
import { daysMs, daysPattern, durationMs, durationPattern, sizeBytes, sizePattern, utcOffsetMs } from "./Units.ts"

/** What a duration has to be, in words; `Issues` recognises it. */
export const durationExpected = 'a duration such as "15 seconds", at least 1 millisecond, at most 24 hours'

/** What a size has to be, in words; `Issues` recognises it. */
export const sizeExpected = 'a size such as "4 MiB"'

/** A text that matches `pattern` and passes the further test, with the rule in words. */
export const text = (pattern: RegExp, expected: string, test: (value: string) => boolean = () => true) =>
  Schema.String.check(
    Schema.makeFilter((value: string) => pattern.test(value) && test(value), {
      expected,
      toJsonSchema: () => ({ pattern: pattern.source })
    })
  )

/** "15 seconds", "500 millis", "2 minutes". */
export const Duration = text(durationPattern, durationExpected, (value) => durationMs(value) !== undefined)

/** "4 MiB". */
export const Size = text(sizePattern, sizeExpected, (value) => sizeBytes(value) !== undefined)

/** "90 days". */
export const Days = text(daysPattern, 'a number of days such as "90 days"', (value) => daysMs(value) !== undefined)

/** A duration, or "never". */
export const DurationOrNever = text(
  new RegExp(`${durationPattern.source}|^never$`),
  `${durationExpected}, or never`,
  (value) => value === "never" || durationMs(value) !== undefined
)

/** The same, or "usual": what is usual at the hour. */
export const DurationUsualOrNever = text(
  new RegExp(`${durationPattern.source}|^never$|^usual$`),
  `${durationExpected}, or usual, or never`,
  (value) => value === "never" || value === "usual" || durationMs(value) !== undefined
)

/** An address that can be called: nobody calls one with a user in front of its host. */
export const WebAddress = (pattern: RegExp, example: string) =>
  text(pattern, `an address such as ${example}`, (value) => {
    const url = URL.parse(value)
    return url !== null && url.username === "" && url.password === ""
  })

/** "+08:00". */
export const TimeZone = text(
  /^[+-]\d\d:[0-5]\d$/,
  'an offset from UTC such as "+08:00"',
  (value) => utcOffsetMs(value) !== undefined
)

/** A name for a link or a switch. */
export const Name = text(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  "a name of 1 to 64 letters, digits, dots, hyphens and underscores"
)

/** An institution's identification code. */
export const Institution = text(/^\d{1,11}$/, "an institution code of 1 to 11 digits, in quotes")

/** First digits of card numbers. */
export const Bin = text(/^\d{1,11}$/, "the first 1 to 11 digits of card numbers, in quotes")

/** The type of a message that asks or tells. */
export const MessageType = text(
  /^\d[1-8][0246]\d$/,
  'a message type of four digits that asks or tells, in quotes, such as "0820"'
)

/** An address that a partner connects from, or a network of them. */
export const AddressOrNetwork = text(
  /^[0-9a-fA-F.:]+(?:\/\d{1,3})?$/,
  "an IP address such as 192.0.2.10, or a network such as 192.0.2.0/24 (no name, no host bits)",
  isAddressOrNetwork
)

/** A name or an address of a computer. */
export const Host = text(/^[A-Za-z0-9.:_-]+$/, "a host name or an IP address")

/** A text that is not empty. */
export const Words = text(/\S/, "a text")

/** Bytes as hex digits. */
export const Hex = text(/^(?:[0-9a-fA-F]{2})*$/, "bytes as pairs of hex digits, in quotes")

/** A whole number in a range. */
export const count = (minimum: number, maximum: number) => {
  const expected = `a whole number from ${minimum} to ${maximum}`
  return Schema.Int.check(Schema.isBetween({ minimum, maximum }, { expected })).annotate({ expected })
}

/** yes or no. */
export const Truth = Schema.Boolean.annotate({ expected: "true or false" })

/** Adds what the schema means; it is in the reference. */
export const described = <S extends Schema.Top>(schema: S, description: string): S["Rebuild"] =>
  schema.annotate({ description })

/** A key that may be left out, with what it is then. */
export const option = <S extends Schema.Top>(
  schema: S,
  fallback: S["Encoded"],
  description: string
): Schema.withDecodingDefaultKey<S> => {
  const annotated = (schema as Schema.Top).annotate({ description, default: fallback }) as unknown as S
  return Schema.withDecodingDefaultKey<S>(Effect.succeed(fallback))(annotated)
}

/** A key that may be left out and is then really not there. */
export const optional = <S extends Schema.Top>(schema: S, description: string) =>
  Schema.optionalKey(schema.annotate({ description }))
