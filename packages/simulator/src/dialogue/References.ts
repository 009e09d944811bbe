/**
 * Values with references in braces: `{asked.11}`, `{now:MMDDhhmmss}`, `{stan}`. Pure, given the messages told so far.
 *
 *     {name.4} {name.mti} {name.header.source}   copied from an earlier message; `{name.32:n11}` with zeros in front to 11
 *     {now:MMDDhhmmss} {now-2m:hhmmss}           the time, in the partner's zone: YYYY YY MM DD hh mm ss
 *     {stan} {rrn}                               numbers that this run has not used: 6 and 12 digits
 */

import { fieldText, headerStart, headerText, mtiOf, type Observed } from "./Observed.ts"
import { PartMissing, StepInvalid } from "./StepInvalid.ts"
import type { WireFormat } from "./WireFormat.ts"

/** What references can refer to. */
export interface Scope {
  readonly form: WireFormat
  readonly named: ReadonlyMap<string, Observed>
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
        ? headerText(scope.form, message.bytes, headerStart(message), part.slice("header.".length))
        : fieldText(scope.form, message, Number(part))
  if (value !== undefined) return value
  throw new PartMissing({ rule: `the message "${name}" has no ${/^\d+$/.test(part) ? `DE ${part}` : part}` })
}

/** One reference, read. */
export type Reference =
  | { readonly _tag: "now"; readonly shift: string; readonly picture: string }
  | { readonly _tag: "stan" | "rrn" }
  | { readonly _tag: "copy"; readonly name: string; readonly part: string; readonly width: number }

/** What references look like, for error texts. */
export const referenceForms = "{name.11}, {name.mti}, {name.header.source}, {now:MMDDhhmmss}, {stan}, {rrn}"

/** What stands between braces, read; `undefined` when it refers to nothing. */
export const referenceOf = (text: string): Reference | undefined => {
  const now = /^now([+-]\d+(?:ms|s|m|h|d))?:([YMDhms]+)$/.exec(text)
  if (now !== null) return { _tag: "now", shift: now[1] ?? "", picture: now[2]! }
  if (text === "stan" || text === "rrn") return { _tag: text }
  const copied = /^(\w+)\.(mti|header\.\w+|\d{1,3})(?::n(\d+))?$/.exec(text)
  return copied === null
    ? undefined
    : { _tag: "copy", name: copied[1]!, part: copied[2]!, width: Number(copied[3] ?? 0) }
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
    case "copy":
      return messagePart(scope, reference.name, reference.part).padStart(reference.width, "0")
    default:
      throw new StepInvalid({ rule: `{${text}} refers to nothing; references look like ${referenceForms}` })
  }
}

/** The text with every reference replaced. Throws `StepInvalid`. */
export const fill = (scope: Scope, text: string): string =>
  text.replace(/\{([^{}]*)\}/g, (_, reference: string) => resolved(scope, reference))
