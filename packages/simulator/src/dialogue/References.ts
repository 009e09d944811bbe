/**
 * Values with references in braces: `{asked.11}`, `{now:MMDDhhmmss}`, `{stan}`. Pure, given the messages told so far.
 *
 *     {name.4} {name.mti} {name.header.source}   copied from an earlier message; `{name.32:n11}` with zeros in front to 11,
 *                                                `{name.2:1-6}` the characters 1 to 6, `{name.4+100}` a sum of the same width
 *     {total}                                    a value of an earlier `let`, with the same endings
 *     {now:MMDDhhmmss} {now-2m:hhmmss}           the time, in the partner's zone: YYYY YY MM DD hh mm ss
 *     {stan} {rrn}                               numbers that this run has not used: 6 and 12 digits
 *     {random:8} {card:621999}                   digits; a card number of 16 digits with its check digit
 *
 * Braces may be in braces, the inner ones first: `{asked.4+{again.4}}`.
 */
import { luhnDigit } from "../chance/Cards.ts"
import { chanceOf } from "../chance/Chance.ts"
import type { DialogueKeys } from "./Keys.ts"
import { fieldText, headerStart, headerText, mtiOf, type Observed } from "./Observed.ts"
import { PartMissing, StepInvalid } from "./StepInvalid.ts"
import type { WireFormat } from "./WireFormat.ts"

/** What references can refer to. */
export interface Scope {
  readonly form: WireFormat
  readonly named: ReadonlyMap<string, Observed>
  /** Keys of the dialogue. */
  readonly keys: DialogueKeys
  /** Values of `let` steps. */
  readonly values: ReadonlyMap<string, string>
  /** Milliseconds since the epoch with the partner's offset from UTC added. */
  readonly localMs: number
  /** The next number of this run, from 1. */
  readonly number: () => number
}

/** A message by its name. Throws `StepInvalid`. */
export const namedMessage = ({ named }: Scope, name: string): Observed => {
  const message = named.get(name)
  if (message !== undefined) return message
  const known = [...named.keys()].join(", ")
  throw new StepInvalid({ rule: `no message was named "${name}"${known === "" ? "" : `; named were ${known}`}` })
}

const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time in a picture of YYYY, YY, MM, DD, hh, mm and ss. */
export const timeText = (localMs: number, picture: string): string => {
  const iso = new Date(localMs).toISOString()
  const parts: Readonly<Record<string, string>> = {
    YYYY: iso.slice(0, 4),
    YY: iso.slice(2, 4),
    MM: iso.slice(5, 7),
    DD: iso.slice(8, 10),
    hh: iso.slice(11, 13),
    mm: iso.slice(14, 16),
    ss: iso.slice(17, 19)
  }
  return picture.replace(/YYYY|YY|MM|DD|hh|mm|ss/g, (part) => parts[part]!)
}

const nowText = (scope: Scope, shift: string, picture: string): string => {
  const found = /^([+-])(\d+)(ms|s|m|h|d)$/.exec(shift)
  const by = found === null ? 0 : Number(`${found[1]}${found[2]}`) * unit[found[3] as keyof typeof unit]
  return timeText(scope.localMs + by, picture)
}

const messagePart = (scope: Scope, name: string, part: string): string => {
  const message = namedMessage(scope, name)
  const value =
    part === "mti"
      ? mtiOf(message)
      : part.startsWith("header.")
        ? headerText(message, headerStart(message), part.slice("header.".length))
        : fieldText(message, Number(part))
  if (value !== undefined) return value
  const rule = `the message "${name}" has no ${/^\d+$/.test(part) ? `DE ${part}` : part}`
  throw message.isOurs === true ? new StepInvalid({ rule }) : new PartMissing({ rule })
}

/** One reference, read. */
export type Reference =
  | { readonly _tag: "now"; readonly shift: string; readonly picture: string }
  | { readonly _tag: "stan" | "rrn" }
  | { readonly _tag: "random"; readonly digits: number }
  | { readonly _tag: "card"; readonly bin: string }
  | { readonly _tag: "copy"; readonly name: string; readonly part: string; readonly cut: Cut }
  | { readonly _tag: "value"; readonly name: string; readonly cut: Cut }

/** What is done to a copied value: widened, cut out, added to. */
interface Cut {
  readonly width: number
  /** Characters from 1; all of them where `to` is 0. */
  readonly from: number
  readonly to: number
  readonly add: bigint
}

/** What references look like, for error texts. */
export const referenceForms =
  "{name.11}, {name.mti}, {name.header.source}, {name.32:n11}, {name.2:1-6}, {name.4+100}, {now:MMDDhhmmss}, {stan}, {rrn}, " +
  "{random:8}, {card:621999}, and names of `let`"

/** What is between braces, read; `undefined` when it refers to nothing. */
export const referenceOf = (text: string): Reference | undefined => {
  const now = /^now([+-]\d+(?:ms|s|m|h|d))?:([YMDhms]+)$/.exec(text)
  if (now !== null) return { _tag: "now", shift: now[1] ?? "", picture: now[2]! }
  if (text === "stan" || text === "rrn") return { _tag: text }
  const random = /^random:([1-9]\d?)$/.exec(text)
  if (random !== null) return { _tag: "random", digits: Number(random[1]) }
  const card = /^card:(\d{6,8})$/.exec(text)
  if (card !== null) return { _tag: "card", bin: card[1]! }
  const found = /^(\w+)(?:\.(mti|header\.\w+|\d{1,3}))?(?::(?:n(\d+)|(\d+)-(\d+)))?([+-]\d+)?$/.exec(text)
  if (found === null) return undefined
  const [, name = "", part, width = "0", from = "1", to = "0", add = "0"] = found
  const cut: Cut = { width: Number(width), from: Number(from), to: Number(to), add: BigInt(add) }
  return part === undefined ? { _tag: "value", name, cut } : { _tag: "copy", name, part, cut }
}

const withCut = (value: string, { add, from, to, width }: Cut): string => {
  const chosen = to === 0 ? value : value.slice(from - 1, to)
  if (add === 0n) return chosen.padStart(width, "0")
  const sum = /^\d+$/.test(chosen) ? BigInt(chosen) + add : -1n
  if (sum < 0n) throw new StepInvalid({ rule: "only a number can be added to, and not below zero" })
  return sum.toString().padStart(Math.max(width, chosen.length), "0")
}

const namedValue = ({ values }: Scope, name: string): string => {
  const value = values.get(name)
  if (value !== undefined) return value
  throw new StepInvalid({ rule: `{${name}} refers to nothing; references look like ${referenceForms}` })
}

const CARD_DIGITS = 16

const cardNumber = (bin: string, number: number): string => {
  const digits = bin + chanceOf(number, "card").digits(CARD_DIGITS - 1 - bin.length)
  return digits + luhnDigit(digits)
}

const resolved = (scope: Scope, text: string): string => {
  const reference = referenceOf(text)
  switch (reference?._tag) {
    case "now":
      return nowText(scope, reference.shift, reference.picture)
    case "stan":
      return String(((scope.number() - 1) % 999_999) + 1).padStart(6, "0")
    case "rrn":
      return timeText(scope.localMs, "DDhhmm") + String(scope.number() % 1_000_000).padStart(6, "0")
    case "random":
      return chanceOf(scope.number(), "random").digits(reference.digits)
    case "card":
      return cardNumber(reference.bin, scope.number())
    case "copy":
      return withCut(messagePart(scope, reference.name, reference.part), reference.cut)
    case "value":
      return withCut(namedValue(scope, reference.name), reference.cut)
    default:
      throw new StepInvalid({ rule: `{${text}} refers to nothing; references look like ${referenceForms}` })
  }
}

/** How deep braces may be in braces. */
const NESTED_MAX = 8

/** The text with every reference replaced, the inner ones first. Throws `StepInvalid`. */
export const fill = (scope: Scope, text: string): string => {
  let filled = text
  for (let depth = 0; depth < NESTED_MAX && /\{[^{}]*\}/.test(filled); depth++) {
    filled = filled.replace(/\{([^{}]*)\}/g, (_, reference: string) => resolved(scope, reference))
  }
  return filled
}
