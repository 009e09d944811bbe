/** The one error of reading and building tagged values: a plain object, returned and never thrown, without any value. */

/**
 * What is wrong.
 *
 * - `input-too-long`: more bytes than `tlvLengthMax`.
 * - `tag-truncated`, `length-truncated`, `value-truncated`: the bytes end too early.
 * - `tag-too-long`: a BER tag of more than 4 bytes. `length-too-long`: a BER length of more than 4 bytes.
 * - `length-indefinite`: BER length 80, which EMV does not allow.
 * - `length-not-digits`: a length in characters that are not decimal digits.
 * - `tag-unknown`: a tag whose value's length is not known, in the style of known lengths.
 * - `tag-invalid`: building: not a tag of this style. `value-invalid`: building: a value of a length that does not fit.
 * - `too-deep`: building: more levels than `tlvDepthMax`.
 */
export type TlvRule =
  | "input-too-long"
  | "tag-truncated"
  | "length-truncated"
  | "value-truncated"
  | "tag-too-long"
  | "length-too-long"
  | "length-indefinite"
  | "length-not-digits"
  | "tag-unknown"
  | "tag-invalid"
  | "value-invalid"
  | "too-deep"

/** `offset`: where in the bytes that were read; 0 in building. */
export interface TlvInvalid {
  readonly _tag: "TlvInvalid"
  readonly offset: number
  readonly rule: TlvRule
}

/** Builds the error. */
export const tlvInvalid = (offset: number, rule: TlvRule): TlvInvalid => ({ _tag: "TlvInvalid", offset, rule })

/** True when the result of a function of this folder is an error. */
export const isTlvInvalid = (value: unknown): value is TlvInvalid =>
  typeof value === "object" && value !== null && "_tag" in value && value._tag === "TlvInvalid"

const sentences: Record<TlvRule, string> = {
  "input-too-long": "more bytes than are taken at once",
  "tag-truncated": "the field ends inside a tag",
  "length-truncated": "the field ends inside a length",
  "value-truncated": "a value is longer than the rest of the field",
  "tag-too-long": "a tag has more than 4 bytes",
  "length-too-long": "a length has more than 4 bytes",
  "length-indefinite": "an indefinite length (80) is not allowed",
  "length-not-digits": "a length is not decimal digits",
  "tag-unknown": "the length of this tag's value is not known: add the tag to the dialect",
  "tag-invalid": "not a tag of this style",
  "value-invalid": "the value's length does not fit this tag",
  "too-deep": "too many levels of constructed values"
}

/** One sentence for a person. */
export const explainTlvInvalid = (error: TlvInvalid): string =>
  `Tagged value at byte ${error.offset}: ${sentences[error.rule]}.`
