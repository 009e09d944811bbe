/**
 * Rules of a partner file: when they apply, and what they do. Owns their words, which docs/reference/partners.md lists.
 *
 *     - when: { card: "621999*", amount: "> 500000", every: 7 }
 *       answer: amount limit
 *       delay: 200ms..2s
 */
import { type Codec, explain, isMessageError, isSuccess, messageFromJson, mtiText } from "@jinka/codec"
import { MapReader } from "../file/MapReader.ts"
import { knownNames } from "../file/Nearest.ts"
import {
  durationOf,
  eachOf,
  invalidAt,
  listOf,
  numberOf,
  saidBy,
  textOf,
  type Yaml,
  yesNoOf
} from "../file/YamlNodes.ts"
import { codeOfText } from "./Codes.ts"
import { typeNames } from "./Facts.ts"
import type { KeyPlan } from "./keys/KeyPlan.ts"
import { keyConductOf } from "./keys/KeyPlanFile.ts"
import type { Conditions, Conduct, Delay, Disconnect, Pattern, PlannedRule, Verdict } from "./PartnerPlan.ts"

const patternOf = (yaml: Yaml): Pattern => {
  const text = textOf(yaml)
  if (text === "") throw invalidAt(yaml, "a value is expected, with * for any characters")
  const parts = text.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"))
  const expression = new RegExp(`^${parts.join(".*")}$`, "s")
  return { text, fits: (value) => expression.test(value) }
}

/** `> 1000`, `100..200`, `= 5`, `*99`: minor units. */
const amountOf = (yaml: Yaml): ((minor: number) => boolean) => {
  const text = textOf(yaml)
  const compared = /^(>=|<=|>|<|=)? ?(\d+)$/.exec(text)
  if (compared !== null) {
    const limit = Number(compared[2])
    switch (compared[1]) {
      case ">":
        return (minor) => minor > limit
      case ">=":
        return (minor) => minor >= limit
      case "<":
        return (minor) => minor < limit
      case "<=":
        return (minor) => minor <= limit
      default:
        return (minor) => minor === limit
    }
  }
  const range = /^(\d+) ?\.\. ?(\d+)$/.exec(text)
  if (range !== null) {
    const [from, to] = [Number(range[1]), Number(range[2])]
    if (from > to) throw invalidAt(yaml, `the larger amount comes after the dots: "${to}..${from}"`)
    return (minor) => minor >= from && minor <= to
  }
  if (/^\*\d+$/.test(text)) return (minor) => String(minor).endsWith(text.slice(1))
  throw invalidAt(yaml, `"${text}" is no amount in minor units: "> 100000", "100..200", "= 1" or "*99" are`)
}

const typeOf = (yaml: Yaml): string => {
  const text = textOf(yaml)
  if (typeNames.includes(text) || /^[0-2x][1-9x][0-9x]{2}$/.test(text)) return text
  const rule = `"${text}" is no type: an MTI such as 0200 or 02xx, or a name; ${knownNames(text, typeNames)}`
  throw invalidAt(yaml, rule)
}

/** Minutes of a day from "22:00". */
export const minuteOfDay = (yaml: Yaml, text: string = textOf(yaml)): number => {
  const found = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text)
  if (found !== null) return Number(found[1]) * 60 + Number(found[2])
  throw invalidAt(yaml, `"${text}" is no time of the day: "22:00" is`)
}

const DAY_MINUTES = 1440

const timeOf = (yaml: Yaml): Conditions["time"] => {
  const [from = "", to = "", ...more] = textOf(yaml).split("-")
  if (more.length > 0 || to === "") throw invalidAt(yaml, 'a time of the day is expected, from and to: "22:00-06:00"')
  // The end of the day is a time as an end alone.
  const time = { from: minuteOfDay(yaml, from), to: to === "24:00" ? DAY_MINUTES : minuteOfDay(yaml, to) }
  if (time.from === time.to) throw invalidAt(yaml, "that is no time at all: from and to are the same minute")
  return time
}

const nthOf = (yaml: Yaml): { readonly from: number; readonly to: number } => {
  const found = /^([1-9]\d*)(?:\.\.([1-9]\d*)|(\.\.))?$/.exec(textOf(yaml))
  if (found === null) throw invalidAt(yaml, 'which of them is expected, from 1: "3", "5..10" or "5.."')
  const from = Number(found[1])
  const to = found[3] !== undefined ? Number.POSITIVE_INFINITY : Number(found[2] ?? from)
  if (to < from) throw invalidAt(yaml, `the larger number comes after the dots: "${to}..${from}"`)
  return { from, to }
}

const atLeast1 = (yaml: Yaml): number => {
  const number = numberOf(yaml)
  if (number > 0) return number
  throw invalidAt(yaml, "a whole number from 1 on is expected")
}

const shareOf = (yaml: Yaml): number => {
  const found = /^(\d+(?:\.\d+)?) ?%$/.exec(textOf(yaml))
  if (found !== null && Number(found[1]) <= 100) return Number(found[1])
  throw invalidAt(yaml, 'a share is expected: "10%", "0.5%"')
}

const fieldOf = (codec: Codec, yaml: Yaml, text: string): number => {
  if (codec.layout.fields[Number(text)] !== undefined) return Number(text)
  throw invalidAt(yaml, `the dialect ${codec.dialect.name} has no DE ${text}`)
}

const conditionsOf =
  (codec: Codec) =>
  (yaml: Yaml): Conditions => {
    const map = new MapReader(yaml, "when")
    const conditions: Conditions = {
      cards: map.get("card", eachOf(patternOf)),
      amount: map.get("amount", amountOf),
      types: map.get("type", eachOf(typeOf)),
      time: map.get("time", timeOf),
      isRepeat: map.get("repeat", yesNoOf),
      nth: map.get("nth", eachOf(nthOf)),
      every: map.get("every", atLeast1),
      share: map.get("share", shareOf),
      fields: map.fields().map(([de, value]) => ({
        de: fieldOf(codec, value, de),
        patterns: eachOf(patternOf)(value)
      }))
    }
    map.done()
    return conditions
  }

const always: Conditions = {
  cards: undefined,
  amount: undefined,
  types: undefined,
  fields: [],
  time: undefined,
  isRepeat: undefined,
  nth: undefined,
  every: undefined,
  share: undefined
}

/** A code that approves is booked like every approval: an answer must not say what the ledger does not know. */
const verdictOfCode = (codec: Codec, yaml: Yaml, code: string, isDecline: boolean): Verdict => {
  if (!isSuccess(codec.dialect, code)) return { _tag: "decline", code }
  if (isDecline) throw invalidAt(yaml, `${code} approves: say a code that declines`)
  if (codec.layout.answers.partialApproval.includes(code)) {
    throw invalidAt(yaml, `${code} approves a part: say how much, like "approve 40%"`)
  }
  return { _tag: "approve", code }
}

const verdictOf =
  (codec: Codec) =>
  (yaml: Yaml): Verdict => {
    const text = textOf(yaml)
    if (text === "ledger" || text === "approve") return { _tag: text }
    const part = /^approve ([1-9]\d?)%$/.exec(text)?.[1]
    if (part !== undefined && codec.layout.answers.partialApproval.length > 0)
      return { _tag: "part", percent: Number(part) }
    const found = codeOfText(codec.dialect, text.replace(/^decline /, ""))
    if ("code" in found) return verdictOfCode(codec, yaml, found.code, text.startsWith("decline "))
    throw invalidAt(yaml, `${found.wrong}; or say approve or ledger`)
  }

const duration = (yaml: Yaml, text: string): number =>
  durationOf({ kind: "text", file: yaml.file, line: yaml.line, key: yaml.key, text: text.trim() })

/** `300ms`, `200ms..2s`, `about 300ms`, `median 200ms, p99 2s`. */
const delayOf = (yaml: Yaml): Delay => {
  const text = textOf(yaml)
  const range = text.split("..")
  if (range.length === 2) {
    const [fromMs, toMs] = range.map((part) => duration(yaml, part)) as [number, number]
    if (toMs >= fromMs) return { _tag: "uniform", fromMs, toMs }
    throw invalidAt(yaml, "the longer time comes after the dots: 200ms..2s")
  }
  if (text.startsWith("about ")) return { _tag: "exponential", meanMs: duration(yaml, text.slice("about ".length)) }
  const shape = /^median (.+), ?p99 (.+)$/.exec(text)
  if (shape === null) return { _tag: "fixed", ms: duration(yaml, text) }
  const medianMs = duration(yaml, shape[1]!)
  const p99Ms = duration(yaml, shape[2]!)
  if (medianMs > 0 && p99Ms >= medianMs) return { _tag: "logNormal", medianMs, p99Ms }
  throw invalidAt(yaml, "the 99th percentile is at least the median, and both are more than nothing")
}

const silences = { yes: "answer", lost: "lost" } as const

const silenceOf = (yaml: Yaml): Conduct["silence"] => {
  const text = textOf(yaml)
  if (text === "no") return undefined
  if (Object.hasOwn(silences, text)) return silences[text as keyof typeof silences]
  throw invalidAt(yaml, "yes (it is booked and not answered), lost (as if it had never come) or no is expected")
}

const twiceOf = (yaml: Yaml): number | undefined => {
  const text = textOf(yaml)
  if (text === "no") return undefined
  return text === "yes" ? 0 : durationOf(yaml)
}

const wrongs = ["stan", "amount", "mac"] as const

const wrongOf = (yaml: Yaml): (typeof wrongs)[number] => {
  const text = textOf(yaml)
  const found = wrongs.find((one) => one === text)
  if (found !== undefined) return found
  throw invalidAt(yaml, `"${text}" cannot be made wrong; ${knownNames(text, wrongs)}`)
}

const mtiOf = (yaml: Yaml): string => {
  const text = textOf(yaml)
  if (/^\d{4}$/.test(text)) return text
  throw invalidAt(yaml, "four digits are expected")
}

const disconnectOf = (yaml: Yaml): Disconnect => {
  const found = /^(FIN|RST)( after the answer)?$/.exec(textOf(yaml))
  if (found !== null) return { how: found[1] === "FIN" ? "fin" : "reset", isAfterAnswer: found[2] !== undefined }
  throw invalidAt(yaml, 'FIN or RST is expected; "after the answer" may follow')
}

const withoutOf =
  (codec: Codec) =>
  (yaml: Yaml): ReadonlyArray<number> =>
    listOf(yaml).map((text) => fieldOf(codec, yaml, text))

/** Why the dialect cannot write a value that a rule says; `undefined`: it can. */
const unwritable = (codec: Codec, de: string, value: string): string | undefined => {
  const message = messageFromJson(codec, { mti: mtiText(codec.dialect.version * 1000 + 210), fields: { [de]: value } })
  const bytes = isMessageError(message) ? message : codec.encode(message)
  return isMessageError(bytes) ? explain(bytes) : undefined
}

const writtenOf = (codec: Codec, [text, yaml]: readonly [string, Yaml]): readonly [string, string] => {
  const value = textOf(yaml)
  const de = String(fieldOf(codec, yaml, text))
  const wrong = unwritable(codec, de, value)
  if (wrong !== undefined) throw invalidAt(yaml, wrong)
  return [de, value]
}

/** Keys about the form of an answer, and about its way. */
const formKeys = ["wrong", "mti", "malformed", "without"]
const wayKeys = ["delay", "late", "twice", "out of order"]

/** Pairs of which only one could have an effect: a key, those that say nothing beside it, and why. */
const contradictions = (conduct: Conduct): ReadonlyArray<readonly [string, boolean, ReadonlyArray<string>, string]> => [
  ["silence", conduct.silence !== undefined, [...formKeys, ...wayKeys, "disconnect"], "no answer leaves"],
  [
    "disconnect",
    conduct.disconnect?.isAfterAnswer === false,
    [...formKeys, "twice", "out of order"],
    'no answer leaves: "after the answer" says that one does'
  ],
  ["late", conduct.lateMs !== undefined, ["delay"], "it counts from the timeout: say one of them, not both"]
]

/** Refuses a rule of which a part would have no effect. */
const withoutContradiction = (map: MapReader, conduct: Conduct): void => {
  for (const [key, isSaid, others, why] of contradictions(conduct)) {
    if (!isSaid) continue
    const field = Object.keys(conduct.fields)[0]
    const other = others.find((one) => map.has(one)) ?? (others.includes("wrong") ? field : undefined)
    if (other !== undefined) throw map.wrong(other, `says nothing beside \`${key}\`: ${why}`)
  }
}

/** Reads one rule. Throws `FileInvalid`. */
export const ruleOf =
  (codec: Codec, keyPlan: KeyPlan | undefined) =>
  (yaml: Yaml): PlannedRule => {
    const map = new MapReader(yaml, "a rule")
    const when = map.get("when", conditionsOf(codec)) ?? always
    const conduct: Conduct = {
      verdict: map.get("answer", verdictOf(codec)) ?? { _tag: "ledger" },
      delay: map.get("delay", delayOf),
      lateMs: map.get("late", durationOf),
      silence: map.get("silence", silenceOf),
      twiceMs: map.get("twice", twiceOf),
      heldFor: map.get("out of order", atLeast1),
      wrong: map.get("wrong", eachOf(wrongOf)) ?? [],
      mti: map.get("mti", mtiOf),
      without: map.get("without", withoutOf(codec)) ?? [],
      malformed: map.get("malformed", (at) => fieldOf(codec, at, textOf(at))),
      disconnect: map.get("disconnect", disconnectOf),
      key: map.get("key", keyConductOf(keyPlan)),
      fields: Object.fromEntries(map.fields().map((field) => writtenOf(codec, field)))
    }
    map.done()
    withoutContradiction(map, conduct)
    return { when, conduct, place: `${yaml.file}:${yaml.line}`, text: saidBy(yaml) }
  }
