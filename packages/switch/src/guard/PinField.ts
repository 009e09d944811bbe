/**
 * The PIN block of a message: which format it has, which formats may become which, and what the message says about it. Pure; it
 * sees blocks under keys only, never a PIN.
 */
import type { Cipher, MessageIndex, PatchList, PinBlockFormat, PinRules, PinStatement } from "@jinka/codec"
import type { PinSettings } from "./GuardSettings.ts"

/** Formats that hold the card number: it is given to the module, and must be the message's own. */
const withPan: ReadonlySet<PinBlockFormat> = new Set(["iso0", "iso3", "iso4"])

/** Whether the format holds the card number. */
export const holdsPan = (format: PinBlockFormat): boolean => withPan.has(format)

/**
 * Whether a block of one format may become one of another (ISO 9564-1:2017, 9.5, as an HSM has it): those that hold the card
 * number among themselves, those without it to any, and from the first to the second only where it is agreed.
 */
export const mayBecome = (from: PinBlockFormat, to: PinBlockFormat, mayDropPan: boolean): boolean =>
  mayDropPan || !holdsPan(from) || holdsPan(to)

/** What the character at the statement's position means; `undefined`: nothing that is known. */
const said = <Meaning extends string>({ at, values }: PinStatement<Meaning>, text: string): Meaning | undefined =>
  values[text.charAt(at)]

/** The format of the message's block: as it says itself, or as it was agreed. */
export const formatOf = ({ control, format }: PinSettings, index: MessageIndex): PinBlockFormat => {
  if (control === undefined || !index.has(control.field)) return format
  return said(control.format, index.text(control.field)) ?? format
}

/** The character that means this; `undefined`: none does. */
const characterOf = <Meaning extends string>({ values }: PinStatement<Meaning>, meaning: string): string | undefined =>
  Object.keys(values).find((value) => values[value] === meaning)

const placed = (text: string, at: number, character: string | undefined): string =>
  character === undefined ? text : text.slice(0, at) + character + text.slice(at + 1)

/**
 * Fills in the change that makes the message say what block it has now. `digits`: characters of the field, for a message that has
 * none yet.
 */
export const setControl = (
  { control }: PinRules,
  index: MessageIndex,
  format: PinBlockFormat,
  cipher: Cipher,
  digits: number,
  patches: PatchList
): void => {
  if (control === undefined) return
  const text = index.has(control.field) ? index.text(control.field) : "0".repeat(digits)
  const stated = placed(text, control.format.at, characterOf(control.format, format))
  const whole =
    control.cipher === undefined ? stated : placed(stated, control.cipher.at, characterOf(control.cipher, cipher))
  if (whole !== text || !index.has(control.field)) patches.set(control.field, whole)
}

const DIGITS_MAX = 24

/** The card number as text, for the module alone: it is kept nowhere. `undefined`: the message has none. */
export const panOf = (index: MessageIndex, de: number): string | undefined => {
  const text = index.text(de)
  return text === "" || text.length > DIGITS_MAX ? undefined : text
}
