/**
 * The load over time: an open model, in which requests are due by a schedule and not when the one before was answered.
 *
 *     fixed 500/s for 1m            soak 200/s for 8h
 *     ramp 100/s to 5000/s over 2m  poisson 500/s for 1m
 *     steps 100/s 200/s 400/s of 10s
 *     replay rates.csv              (lines of seconds,rate)
 *
 * Owns the texts and the instants. A phase is a rate over its time; with `poisson` before it, the gaps are drawn (exponential),
 * and the rate is their mean. Times are milliseconds from the beginning of the profile.
 */
import type { Chance } from "../chance/Chance.ts"

/** A stretch whose rate goes evenly from one to another. */
export interface Phase {
  /** As a reader calls it. */
  readonly name: string
  readonly lasts: number
  /** Requests a second. */
  readonly from: number
  readonly to: number
  readonly isPoisson: boolean
}

/** Why a text is no phase. */
export class ProfileInvalid extends Error {}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

const durationOf = (text: string | undefined): number => {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text ?? "")
  const lasts = found === null ? 0 : Number(found[1]) * units[found[2] as keyof typeof units]
  if (lasts > 0) return lasts
  throw new ProfileInvalid(`a duration like 30s, 5m or 8h is expected, not "${text ?? "the end"}"`)
}

const rateOf = (text: string | undefined): number => {
  const found = /^(\d+(?:\.\d+)?)\/s$/.exec(text ?? "")
  if (found !== null) return Number(found[1])
  throw new ProfileInvalid(`a rate like 500/s is expected, not "${text ?? "the end"}"`)
}

const expectWord = (text: string | undefined, word: string): void => {
  if (text !== word) throw new ProfileInvalid(`"${word}" is expected, not "${text ?? "the end"}"`)
}

const evenly = (name: string, rate: number, lasts: number, isPoisson: boolean): Phase => ({
  ...{ name, lasts, isPoisson, from: rate, to: rate }
})

/** Phases of a replayed profile: each line holds until the next one's second; the last for a second. */
const replayed = (text: string, isPoisson: boolean): ReadonlyArray<Phase> => {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/)
  const rows = lines.flatMap((line, at) => {
    const found = /^\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*$/.exec(line)
    if (found !== null) return [{ number: at + 1, second: Number(found[1]), rate: Number(found[2]) }]
    // The first line may name its columns.
    if (line.trim() === "" || (at === 0 && !/\d/.test(line))) return []
    throw new ProfileInvalid(`line ${at + 1} of the profile is no seconds,rate`)
  })
  if (rows.length === 0) throw new ProfileInvalid("the profile has no line of seconds,rate")
  return rows.map(({ number, rate, second }, at) => {
    const next = rows[at + 1]?.second ?? second + 1
    if (next <= second)
      throw new ProfileInvalid(`line ${number} of the profile: the next line does not have a later second`)
    return evenly(`second ${second}`, rate, (next - second) * 1000, isPoisson)
  })
}

/** Words that a phase may begin with. */
export const phaseWords: ReadonlyArray<string> = ["fixed", "soak", "poisson", "ramp", "steps", "replay"]

/** Reads one line of a profile; `readText` gives the text of a file. Throws `ProfileInvalid`. */
export const parsePhase = (text: string, readText: (path: string) => string): ReadonlyArray<Phase> => {
  const words = text.trim().split(/\s+/)
  const isPoisson = words[0] === "poisson"
  if (isPoisson) words.shift()
  const [kind = "", ...rest] = words
  const end = (used: number, phases: ReadonlyArray<Phase>): ReadonlyArray<Phase> => {
    if (rest.length > used) throw new ProfileInvalid(`"${rest[used]}" is not expected here`)
    return phases
  }
  if (kind === "ramp") {
    if (rest[0] === "from") rest.shift()
    expectWord(rest[1], "to")
    expectWord(rest[3], "over")
    const [from, to, lasts] = [rateOf(rest[0]), rateOf(rest[2]), durationOf(rest[4])]
    return end(5, [{ name: text, lasts, from, to, isPoisson }])
  }
  if (kind === "steps") {
    const of = rest.indexOf("of")
    if (of < 1) throw new ProfileInvalid("steps are rates and how long each lasts: steps 100/s 200/s of 10s")
    const lasts = durationOf(rest[of + 1])
    const rates = rest.slice(0, of).map(rateOf)
    return end(
      of + 2,
      rates.map((rate) => evenly(`${rate}/s`, rate, lasts, isPoisson))
    )
  }
  if (kind === "replay") {
    if (rest[0] === undefined) throw new ProfileInvalid("a file with lines of seconds,rate is expected after replay")
    // A file's name may have blanks.
    const path = text.trim().replace(/^(?:poisson\s+)?replay\s+/, "")
    return replayed(readText(path), isPoisson)
  }
  const isNamed = kind === "fixed" || kind === "soak"
  if (!isNamed && !isPoisson) {
    throw new ProfileInvalid(`"${kind}" is no phase; known are ${phaseWords.join(", ")}`)
  }
  if (!isNamed) rest.unshift(kind)
  expectWord(rest[1], "for")
  return end(3, [evenly(text, rateOf(rest[0]), durationOf(rest[2]), isPoisson)])
}

/** Requests of a phase before the instant `at` of it, as a number with a fraction. */
const countAt = ({ from, lasts, to }: Phase, at: number): number => {
  const seconds = at / 1000
  return from * seconds + ((to - from) * seconds * seconds * 1000) / (2 * lasts)
}

/** The instant of a phase at which so many requests have been. */
const instantOf = ({ from, lasts, to }: Phase, count: number): number => {
  const slope = ((to - from) * 1000) / lasts
  if (slope === 0) return (count / from) * 1000
  const root = Math.sqrt(Math.max(0, from * from + 2 * slope * count))
  return ((root - from) / slope) * 1000
}

/** The instants at which requests are due, one after another. */
export class Arrivals {
  private readonly phases: ReadonlyArray<Phase>
  private readonly chance: Chance
  private phase = 0
  private begins = 0
  private count = 0
  private due: number

  constructor(phases: ReadonlyArray<Phase>, chance: Chance) {
    this.phases = phases
    this.chance = chance
    this.due = this.next()
  }

  /** When the next request is due; Infinity behind the last. */
  get nextDue(): number {
    return this.due
  }

  /** Takes the next request that is due at `now`, and gives its instant; -1 when there is none. */
  take(now: number): number {
    if (this.due > now) return -1
    const { due } = this
    this.due = this.next()
    return due
  }

  private next(): number {
    for (;;) {
      const phase = this.phases[this.phase]
      if (phase === undefined) return Number.POSITIVE_INFINITY
      this.count += phase.isPoisson ? -Math.log(1 - this.chance.next()) : 1
      // The first of a fixed phase is due at its beginning: the count is that of those before it.
      const before = phase.isPoisson ? this.count : this.count - 1
      if (before < countAt(phase, phase.lasts)) return this.begins + instantOf(phase, before)
      this.begins += phase.lasts
      this.phase++
      this.count = 0
    }
  }
}

/** How long all phases last. */
export const profileLasts = (phases: ReadonlyArray<Phase>): number => phases.reduce((sum, { lasts }) => sum + lasts, 0)

/** The highest rate of all. */
export const profileMost = (phases: ReadonlyArray<Phase>): number =>
  phases.reduce((most, { from, to }) => Math.max(most, from, to), 0)
