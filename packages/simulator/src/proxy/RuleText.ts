/**
 * Fault rules as text: one line, one rule.
 *
 *     drop 0210 where 4 > 1000 every 7th
 *     delay 0210 by 16s jitter 2s from target with 10% chance
 *     change 11 by 1 in 0210 leaving mac wrong once
 *     black-hole to target at 30s for 10s
 *
 * Owns the grammar (docs/reference/faults.md) and its errors, which name the column. Carries nothing out.
 */
import { Data } from "effect"
import { suggestion } from "../file/Nearest.ts"
import type { Direction } from "../link/FaultProxy.ts"
import { type Comparison, type Condition, type Fault, type FaultRule, isByteFault, needsMessages } from "./FaultRule.ts"

/** A rule that cannot be read. `column` counts from 1, in the rule's own text. */
export class RuleInvalid extends Data.TaggedError("RuleInvalid")<{
  readonly text: string
  readonly column: number
  readonly rule: string
}> {
  override get message(): string {
    return `${this.says}\n    ${this.text}\n    ${" ".repeat(this.column - 1)}^`
  }

  /** The same on one line, where the rule itself is in sight. */
  get says(): string {
    return `column ${this.column} of the rule: ${this.rule}`
  }
}

interface Token {
  readonly text: string
  readonly column: number
  readonly isQuoted: boolean
}

const tokensOf = (text: string): ReadonlyArray<Token> =>
  [...text.matchAll(/"([^"]*)"|>=|<=|!=|[=<>,]|[^\s",<>=!]+|./g)]
    .filter(([whole]) => whole.trim() !== "")
    .map((found) => ({
      text: found[1] ?? found[0],
      column: found.index + 1,
      isQuoted: found[1] !== undefined
    }))

const units = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 }

const comparisons: ReadonlyArray<Comparison> = ["=", "!=", ">", ">=", "<", "<=", "begins", "holds"]

/** Verbs with how their object is read. */
type Verb = (reader: Reader) => Fault

const verbs: Readonly<Record<string, Verb>> = {
  latency: (reader) => ({ kind: "latency", ms: reader.duration(), jitterMs: reader.jitter() }),
  bandwidth: (reader) => ({ kind: "bandwidth", bytesPerSecond: reader.bytesPerSecond() }),
  slice: (reader) => {
    const bytes = reader.whole("the most bytes of a write", 1)
    reader.skip("bytes")
    return { kind: "slice", bytes }
  },
  corrupt: (reader) => {
    reader.expect("every")
    const every = reader.whole("a number of bytes", 1)
    reader.expect("bytes")
    return { kind: "corrupt", every }
  },
  hold: () => ({ kind: "hold" }),
  "black-hole": () => ({ kind: "black-hole" }),
  refuse: () => ({ kind: "refuse" }),
  reset: () => ({ kind: "reset" }),
  close: () => ({ kind: "close" }),
  "half-close": () => ({ kind: "half-close" }),
  drop: () => ({ kind: "drop" }),
  duplicate: () => ({ kind: "duplicate", times: 1 }),
  reorder: () => ({ kind: "reorder" }),
  delay: () => ({ kind: "delay", ms: -1, jitterMs: 0 }),
  change: (reader) => {
    const de = reader.element()
    if (reader.skip("by")) return { kind: "change", de, to: undefined, by: reader.signed(), wrong: noneWrong }
    reader.expect("to")
    return { kind: "change", de, to: reader.value(), by: 0, wrong: noneWrong }
  },
  remove: (reader) => ({ kind: "remove", de: reader.element(), wrong: noneWrong }),
  lie: (reader) => {
    if (reader.skip("to")) return { kind: "lie", by: 0, to: reader.whole("a length", 0) }
    reader.skip("by")
    return { kind: "lie", by: reader.signed(), to: undefined }
  },
  swallow: (reader) => {
    reader.expect("idle")
    return { kind: "swallow" }
  }
}

const noneWrong = { prefix: false, mac: false }

interface Draft {
  fault: Fault
  direction: Direction
  readonly mtis: Array<string>
  readonly conditions: Array<Condition>
  every: number
  percent: number
  after: number
  most: number
  connection: number
  from: number
  duration: number
}

type Clause = (reader: Reader, draft: Draft) => void

const clauses: Readonly<Record<string, Clause>> = {
  in: (reader, draft) => reader.mtis(draft.mtis),
  to: (reader, draft) => {
    reader.expect("target")
    draft.direction = "toTarget"
  },
  from: (reader, draft) => {
    reader.expect("target")
    draft.direction = "fromTarget"
  },
  where: (reader, draft) => {
    do draft.conditions.push(reader.condition())
    while (reader.skip("and"))
  },
  every: (reader, draft) => {
    draft.every = reader.ordinal()
  },
  with: (reader, draft) => {
    draft.percent = reader.percent()
    reader.expect("chance")
  },
  once: (_, draft) => {
    draft.most = 1
  },
  first: (reader, draft) => {
    draft.most = reader.whole("how many messages", 1)
  },
  after: (reader, draft) => {
    draft.after = reader.whole("how many messages", 1)
  },
  on: (reader, draft) => {
    reader.expect("connection")
    draft.connection = reader.whole("the number of a connection", 1)
  },
  at: (reader, draft) => {
    draft.from = reader.duration()
  },
  for: (reader, draft) => {
    draft.duration = reader.duration()
  },
  by: (reader, draft) => {
    if (draft.fault.kind !== "delay") throw reader.wrong("only a delay takes a time after its messages", -1)
    draft.fault = { kind: "delay", ms: reader.duration(), jitterMs: reader.jitter() }
  },
  times: (reader, draft) => {
    if (draft.fault.kind !== "duplicate") throw reader.wrong("only duplicate takes a number of times", -1)
    draft.fault = { kind: "duplicate", times: reader.whole("how many more times", 1) }
  },
  leaving: (reader, draft) => {
    const { fault } = draft
    if (fault.kind !== "change" && fault.kind !== "remove")
      throw reader.wrong("only a change leaves something wrong", -1)
    let { mac, prefix } = fault.wrong
    do {
      const what = reader.oneOf(["mac", "prefix"])
      if (what === "mac") mac = true
      else prefix = true
    } while (reader.skip("and"))
    reader.expect("wrong")
    draft.fault = { ...fault, wrong: { mac, prefix } }
  }
}

/** Reads the tokens of one rule from left to right. */
class Reader {
  private readonly text: string
  private readonly tokens: ReadonlyArray<Token>
  private at = 0

  constructor(text: string) {
    this.text = text
    this.tokens = tokensOf(text)
  }

  get isDone(): boolean {
    return this.at >= this.tokens.length
  }

  /** The error at the token that comes next, or `back` tokens from there. */
  wrong(rule: string, back = 0): RuleInvalid {
    const column = this.tokens[this.at + back]?.column ?? this.text.trimEnd().length + 1
    return new RuleInvalid({ text: this.text, column, rule })
  }

  private next(what: string): Token {
    const token = this.tokens[this.at]
    if (token === undefined) throw this.wrong(`${what} is expected at the end`)
    this.at++
    return token
  }

  word(names: ReadonlyArray<string>, what: string): string {
    const { text, isQuoted } = this.next(`a ${what}`)
    if (!isQuoted && names.includes(text)) return text
    throw this.wrong(`"${text}" is no ${what}; ${suggestion(text, names)}`, -1)
  }

  oneOf(names: ReadonlyArray<string>): string {
    const { text } = this.next(names.join(" or "))
    if (names.includes(text)) return text
    throw this.wrong(`${names.join(" or ")} is expected, not "${text}"`, -1)
  }

  expect(word: string): void {
    this.oneOf([word])
  }

  skip(word: string): boolean {
    const token = this.tokens[this.at]
    if (token === undefined || token.isQuoted || token.text !== word) return false
    this.at++
    return true
  }

  whole(what: string, least: number): number {
    const { text } = this.next(what)
    if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text)
    throw this.wrong(`${what} is expected, a whole number from ${least} up, not "${text}"`, -1)
  }

  signed(): number {
    const { text } = this.next("a number like +1 or -2")
    if (/^[+-]?\d{1,9}$/.test(text) && Number(text) !== 0) return Number(text)
    throw this.wrong(`a number like +1 or -2 is expected, not "${text}"`, -1)
  }

  ordinal(): number {
    const { text } = this.next("an ordinal like 7th")
    const found = /^(\d{1,9})(st|nd|rd|th)?$/.exec(text)
    if (found !== null && Number(found[1]) > 0) return Number(found[1])
    throw this.wrong(`an ordinal like 7th is expected, not "${text}"`, -1)
  }

  percent(): number {
    const { text } = this.next("a share like 10%")
    const found = /^(\d+(?:\.\d+)?)%$/.exec(text)
    if (found !== null && Number(found[1]) <= 100) return Number(found[1])
    throw this.wrong(`a share like 10% is expected, not "${text}"`, -1)
  }

  duration(): number {
    const { text } = this.next("a duration like 200ms")
    const found = /^(\d+(?:\.\d+)?)(ms|s|min|m|h)$/.exec(text)
    if (found !== null) return Number(found[1]) * units[found[2] as keyof typeof units]
    throw this.wrong(`a duration like 200ms, 2s, 1m or 1h is expected, not "${text}"`, -1)
  }

  jitter(): number {
    return this.skip("jitter") ? this.duration() : 0
  }

  bytesPerSecond(): number {
    const { text } = this.next("bytes a second like 64kB/s")
    const found = /^(\d+(?:\.\d+)?)(B|kB|MB)\/s$/.exec(text)
    const times = { B: 1, kB: 1000, MB: 1_000_000 }
    const rate = found === null ? 0 : Number(found[1]) * times[found[2] as keyof typeof times]
    if (rate >= 1) return rate
    throw this.wrong(`bytes a second like 500B/s, 64kB/s or 1MB/s are expected, not "${text}"`, -1)
  }

  element(): number {
    const { text } = this.next("a data element number")
    if (/^\d{1,3}$/.test(text) && Number(text) >= 2 && Number(text) <= 192) return Number(text)
    throw this.wrong(`a data element number from 2 to 192 is expected, not "${text}"`, -1)
  }

  value(): string {
    return this.next("a value").text
  }

  /** `4 > 1000`, `mti begins 02`, `52 present`. */
  condition(): Condition {
    const de = this.skip("mti") ? 0 : this.element()
    const { text } = this.next("a comparison")
    if (text === "present" || text === "absent") return { de, is: text }
    const is = comparisons.find((one) => one === text)
    if (is === undefined) {
      throw this.wrong(`"${text}" is no comparison; known are ${comparisons.join(" ")} present absent`, -1)
    }
    return { de, is, value: this.value() }
  }

  mtis(into: Array<string>): void {
    do {
      const { text } = this.next("an MTI")
      if (!/^[\dx]{4}$/.test(text)) throw this.wrong(`an MTI like 0210 or 02xx is expected, not "${text}"`, -1)
      into.push(text)
    } while (this.skip(","))
  }

  /** MTIs that are straight behind a verb. */
  ownMtis(into: Array<string>): void {
    const token = this.tokens[this.at]
    if (token !== undefined && !token.isQuoted && /^\d/.test(token.text)) this.mtis(into)
  }
}

/** Words that a rule may begin with, and those that follow. */
export const ruleWords = { verbs: Object.keys(verbs), clauses: Object.keys(clauses) }

/** Reads a rule. Throws `RuleInvalid`. */
export const parseRule = (text: string): FaultRule => {
  const reader = new Reader(text)
  const verb = reader.word(ruleWords.verbs, "fault")
  const draft: Draft = {
    fault: verbs[verb]!(reader),
    direction: "both",
    mtis: [],
    conditions: [],
    every: 1,
    percent: 100,
    after: 0,
    most: Number.POSITIVE_INFINITY,
    connection: 0,
    from: 0,
    duration: Number.POSITIVE_INFINITY
  }
  reader.ownMtis(draft.mtis)
  while (!reader.isDone) clauses[reader.word(ruleWords.clauses, "part of a rule")]!(reader, draft)
  const { after, connection, conditions, direction, every, fault, from, most, mtis, percent } = draft
  const until = from + draft.duration
  const rule: FaultRule = {
    ...{ text, fault, direction, mtis, conditions, connection, from, until },
    frequency: { every, percent, after, most }
  }
  const sense = senseless(rule)
  if (sense !== undefined) throw new RuleInvalid({ text, column: 1, rule: sense })
  return rule
}

/** What is good grammar and no good rule. */
const senseless = (rule: FaultRule): string | undefined => {
  const { fault, frequency, mtis, conditions, connection, until } = rule
  if (fault.kind === "delay" && fault.ms < 0) return "a delay says how long: delay 0210 by 16s"
  if (isByteFault(fault)) {
    const { every, percent, after, most } = frequency
    const isChosen = every > 1 || percent < 100 || after > 0 || Number.isFinite(most)
    if (mtis.length > 0 || conditions.length > 0 || isChosen || connection > 0)
      return `${fault.kind} is about all bytes of a direction: it takes to target, from target, at and for`
  }
  if (!needsMessages(rule) && !isByteFault(fault) && Number.isFinite(until))
    return `${fault.kind} happens at a moment: it takes at, not for`
  return undefined
}
