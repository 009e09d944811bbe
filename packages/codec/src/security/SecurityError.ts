/**
 * The one error shape of the security functions: a plain tagged object, returned and never thrown.
 *
 * An error states where and which rule, and never a value: no key, PIN, PAN, PIN block or part of one. Its texts are
 * constants of this package, so they may be logged.
 */

/**
 * What is wrong.
 *
 * - `KeyInvalid`: a key has the wrong length for its cipher.
 * - `InputInvalid`: bytes have the wrong length, or two arguments do not go together.
 * - `PinInvalid`: a PIN is not 4 to 12 decimal digits.
 * - `PanInvalid`: a PAN is missing, not decimal, or of a length that the format cannot carry.
 * - `PinBlockInvalid`: an opened PIN block is not of its format: wrong key, PAN or format, or a damaged block.
 * - `KsnInvalid`: a key serial number has the wrong length or a counter that never occurs.
 * - `KeyBlockInvalid`: a key block (TR-31) breaks a rule of its layout.
 * - `KeyBlockMacWrong`: a key block does not authenticate: wrong key-encryption key, or changed on the way.
 * - `RandomInvalid`: the source of random bytes gave a wrong number of bytes.
 */
export type SecurityErrorTag =
  | "KeyInvalid"
  | "InputInvalid"
  | "PinInvalid"
  | "PanInvalid"
  | "PinBlockInvalid"
  | "KsnInvalid"
  | "KeyBlockInvalid"
  | "KeyBlockMacWrong"
  | "RandomInvalid"

/** An error of the security functions. `place` is the function or part, `rule` a sentence with what was expected. */
export interface SecurityError {
  readonly _tag: SecurityErrorTag
  readonly place: string
  readonly rule: string
}

const tags: ReadonlySet<string> = new Set<SecurityErrorTag>([
  "KeyInvalid",
  "InputInvalid",
  "PinInvalid",
  "PanInvalid",
  "PinBlockInvalid",
  "KsnInvalid",
  "KeyBlockInvalid",
  "KeyBlockMacWrong",
  "RandomInvalid"
])

/** Builds an error; `place` and `rule` must be constant texts. */
export const securityError = (_tag: SecurityErrorTag, place: string, rule: string): SecurityError => ({
  _tag,
  place,
  rule
})

/** True when the result of a security function is an error. */
export const isSecurityError = (value: unknown): value is SecurityError =>
  typeof value === "object" &&
  value !== null &&
  "_tag" in value &&
  typeof value._tag === "string" &&
  tags.has(value._tag)

const advice: Record<SecurityErrorTag, string> = {
  KeyInvalid: "Check the key and the cipher in the configuration.",
  InputInvalid: "Check the arguments of the call.",
  PinInvalid: "Enter a PIN of 4 to 12 digits.",
  PanInvalid: "Check that the message carries the PAN that this format needs.",
  PinBlockInvalid:
    "Compare the check values of the PIN keys, the PIN block format (DE 53) and the PAN with the partner.",
  KsnInvalid: "Check the key serial number that the terminal sends.",
  KeyBlockInvalid: "Ask the sender for the key block again.",
  KeyBlockMacWrong: "Compare the check values of the key block protection keys, then ask for the key block again.",
  RandomInvalid: "Give a source that returns exactly the number of bytes asked for."
}

/** One sentence or two for a person: what, where, what was expected, what to do. */
export const explainSecurityError = (error: SecurityError): string =>
  `${error._tag} in ${error.place}: ${error.rule}. ${advice[error._tag]}`
