/**
 * Values with references in braces: `{asked.11}`, `{now:MMDDhhmmss}`, `{stan}`. Pure, given the messages told so far.
 *
 *     {name.4} {name.mti} {name.header.source}   copied from an earlier message; `{name.32:n11}` with zeros in front to 11
 *     {now:MMDDhhmmss} {now-2m:hhmmss}           the time, in the partner's zone: YYYY YY MM DD hh mm ss
 *     {stan} {rrn}                               numbers that this run has not used: 6 and 12 digits
 */
import { StepInvalid } from "./DialogueInvalid.ts"
import type { Form } from "./Form.ts"
import { fieldText, headerStart, headerText, mtiOf, type Told } from "./Told.ts"

/** What references can refer to. */
export interface Scope {
  readonly form: Form
  readonly named: ReadonlyMap<string, Told>
  /** Milliseconds since the epoch with the partner's offset from UTC added. */
  readonly localMs: number
  /** The next number of this run, from 1. */
  readonly number: () => number
}

/** A message by its name. Throws `StepInvalid`. */
export const namedMessage = ({ named }: Scope, name: string): Told => {
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
        ? headerText(scope.form, message.bytes, headerStart(message), part.slice("header.".length))
        : fieldText(scope.form, message, Number(part))
  if (value !== undefined) return value
  throw new StepInvalid({ rule: `the message "${name}" has no ${/^\d+$/.test(part) ? `DE ${part}` : part}` })
}

const resolved = (scope: Scope, reference: string): string => {
  const now = /^now([+-]\d+(?:ms|s|m|h|d))?:([YMDhms]+)$/.exec(reference)
  if (now !== null) return nowText(scope, now[1] ?? "", now[2]!)
  if (reference === "stan") return String(((scope.number() - 1) % 999_999) + 1).padStart(6, "0")
  if (reference === "rrn")
    return timeText(scope.localMs, "DDhhmm") + String(scope.number() % 1_000_000).padStart(6, "0")
  const copied = /^(\w+)\.(mti|header\.\w+|\d{1,3})(?::n(\d+))?$/.exec(reference)
  if (copied === null) {
    const forms = "{name.11}, {name.mti}, {name.header.source}, {now:MMDDhhmmss}, {stan}, {rrn}"
    throw new StepInvalid({ rule: `{${reference}} refers to nothing; references look like ${forms}` })
  }
  const value = messagePart(scope, copied[1]!, copied[2]!)
  return copied[3] === undefined ? value : value.padStart(Number(copied[3]), "0")
}

/** The text with every reference replaced. Throws `StepInvalid`. */
export const fill = (scope: Scope, text: string): string =>
  text.replace(/\{([^{}]*)\}/g, (_, reference: string) => resolved(scope, reference))
