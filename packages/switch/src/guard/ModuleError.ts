/**
 * What a security module answers instead of a result: plain tagged values, made without a stack because a wrong MAC is an
 * everyday answer. None holds a key, a PIN, a PAN, a MAC or a block, so all of it may be logged.
 */

/**
 * What is wrong, by what has to be done about it.
 *
 * - `MacFailed`: neither key gives this MAC.
 * - `KeyUnusable`: the module cannot use a key of the call: parity, other storage key or LMK, other purpose. Alarm for this key.
 * - `KeyRefused`: a key to be taken in is not taken: length, parity, check value, weak or published.
 * - `FormatRefused`: PIN block, PAN or format is not as said, or the pair of formats is not allowed.
 * - `RequestWrong`: the module does not understand our request: a defect of Jinka or of the device family's data.
 * - `NotSupported`: this module has no such operation, algorithm or format.
 * - `ModuleAway`: no device takes calls, or the module is closing.
 * - `TooLate`: no answer within the call's time.
 */
export type ModuleErrorTag =
  | "MacFailed"
  | "KeyUnusable"
  | "KeyRefused"
  | "FormatRefused"
  | "RequestWrong"
  | "NotSupported"
  | "ModuleAway"
  | "TooLate"

/** An error of a security module. */
export interface ModuleError {
  readonly _tag: ModuleErrorTag
  /** The operation, with the key's name where there is one. */
  readonly place: string
  /** A sentence with what was expected. */
  readonly rule: string
  /** The device's own code, when a device said it. */
  readonly code?: string | undefined
}

/** Builds an error. */
export const moduleError = (_tag: ModuleErrorTag, place: string, rule: string, code?: string): ModuleError => ({
  _tag,
  place,
  rule,
  code
})

/** What to do about each. Part of the generated errors page. */
export const moduleAdvice: Readonly<Record<ModuleErrorTag, string>> = {
  MacFailed: "Compare the check values of the MAC keys, and the MAC's algorithm and fields, with the partner.",
  KeyUnusable: "Look the key up in `jinka key list`; ask the partner for a new one, or import it again.",
  KeyRefused: "Compare the check value with the partner, then ask for the key again.",
  FormatRefused: "Compare the PIN keys' check values, the PIN block format and the PAN with the partner.",
  RequestWrong: "Compare the device's family and firmware with the configuration, and report it.",
  NotSupported: "Choose an algorithm or format that this module has, or another module.",
  ModuleAway: "Look at `jinka status`: it says for each device why it takes no calls.",
  TooLate: "Look at the devices' answer times in `jinka status`."
}

/** True when a result of a security module is an error. */
export const isModuleError = (value: unknown): value is ModuleError =>
  typeof value === "object" &&
  value !== null &&
  "_tag" in value &&
  String(value._tag) in moduleAdvice &&
  "rule" in value

/** One sentence or two for a person: what, where, what was expected, what to do. */
export const explainModuleError = (error: ModuleError): string => {
  const code = error.code === undefined ? "" : ` (the device says ${error.code})`
  return `${error._tag} in ${error.place}: ${error.rule}${code}. ${moduleAdvice[error._tag]}`
}
