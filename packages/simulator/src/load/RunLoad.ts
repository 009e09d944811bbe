/** A load from its first dial to its last answer, and the search for the highest rate that a system carries. */
import { Clock, Effect, type Scope } from "effect"
import { counted } from "../file/Counted.ts"
import { timepieceOf } from "../partner/Session.ts"
import { type ListenFailed, SettingInvalid } from "../SimulatorError.ts"
import { makeGenerator } from "./Generator.ts"
import type { LoadSettings } from "./LoadFile.ts"
import { type Measure, type Second, spreadOf } from "./Measure.ts"
import { type Phase, profileLasts } from "./Profile.ts"

/** What a load came to. Times in milliseconds. */
export interface LoadResult {
  readonly settings: LoadSettings
  readonly measure: Measure
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** From the first request to the end, answers included. */
  readonly lasted: number
  /** Why the figures say nothing of the system under test; empty when they do. */
  readonly invalid: ReadonlyArray<string>
  readonly isStopped: boolean
}

/** How a load is watched. */
export interface LoadWatch {
  readonly tell: (text: string) => void
  /** Called once a second. */
  readonly onSecond: (second: Second, generator: { readonly elapsed: number; readonly lasts: number }) => void
  /** Ends when somebody wants the load to stop. */
  readonly stop: Effect.Effect<void>
}

/** Below this a generator's own lateness is no matter, in milliseconds; above it, it may be a tenth of what is measured. */
const LAG_MIN_MS = 5
const LAG_SHARE = 0.1

/** Share of the requests that may go without an answer, or be answered with an error, in a load that went well. */
const FAILED_SHARE = 0.001

/** Whether the generator was the limit, and not the system under test. */
const isGeneratorLimit = (measure: Measure): boolean => measure.starved > 0 || isGeneratorLate(measure)

const isGeneratorLate = (measure: Measure): boolean => {
  const lag = spreadOf(measure.lag).p99
  return lag > LAG_MIN_MS && lag > spreadOf(measure.all).p99 * LAG_SHARE
}

/** Why the generator was the limit, or nothing was measured. */
export const invalidBecause = (measure: Measure): ReadonlyArray<string> => {
  const lag = spreadOf(measure.lag)
  const all = spreadOf(measure.all)
  const reasons: Array<string> = []
  if (all.count === 0) reasons.push("nothing was measured: no request after the warm-up came to an end")
  if (measure.starved > 0) {
    reasons.push(
      `the generator was the limit: this machine had no port or file for ${counted(measure.starved, "connection")}. Take a lower rate`
    )
  }
  if (isGeneratorLate(measure)) {
    reasons.push(
      `the generator was the limit: one request in a hundred left ${lag.p99.toFixed(1)} ms late or more, ` +
        `beside a p99 of ${all.p99.toFixed(1)} ms. Take a faster or quieter machine, or a lower rate`
    )
  }
  return reasons
}

/** A load whose links are up: its runs, one after another. */
interface OpenLoad {
  readonly run: (phases: ReadonlyArray<Phase>, warmUpMs: number) => Effect.Effect<LoadResult>
}

/** Opens the links of a load and waits until they are up. */
const openLoad = (
  settings: LoadSettings,
  watch: LoadWatch
): Effect.Effect<OpenLoad, SettingInvalid | ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const time = timepieceOf(yield* Clock.Clock)
    const generator = yield* makeGenerator(settings, time, watch.tell)
    const tick = Effect.sync(() => generator.tick())
    const ticking = (until: () => boolean) => Effect.repeat(Effect.andThen(tick, Effect.sleep(1)), { until })
    const isUp = yield* ticking(() => generator.awaits().length === 0).pipe(
      Effect.as(true),
      Effect.timeoutOrElse({ duration: settings.upMs, orElse: () => Effect.succeed(false) }),
      Effect.raceFirst(Effect.as(watch.stop, true))
    )
    if (!isUp) {
      const rule = `not up and signed on in ${settings.upMs / 1000} seconds: ${generator.awaits().join("; ")}`
      return yield* new SettingInvalid({ setting: "links", rule })
    }
    const run = (phases: ReadonlyArray<Phase>, warmUpMs: number) =>
      Effect.gen(function* () {
        const startedAt = time.wall()
        const lasts = profileLasts(phases)
        const measure = generator.begin(phases, warmUpMs)
        let told = 0
        const isStopped = yield* ticking(() => {
          for (; told < measure.seconds.length; told++) {
            watch.onSecond(measure.seconds[told]!, { elapsed: generator.elapsed, lasts })
          }
          return generator.isOver
        }).pipe(Effect.as(false), Effect.raceFirst(Effect.as(watch.stop, true)))
        const lasted = generator.elapsed
        measure.tickSecond(measure.seconds.length)
        const invalid = [...generator.invalid(), ...invalidBecause(measure)]
        return { settings: { ...settings, phases, warmUpMs }, measure, startedAt, lasted, isStopped, invalid }
      })
    return { run }
  })

/** Runs a load. Fails when its links do not come up. */
export const runLoad = (
  settings: LoadSettings,
  watch: LoadWatch
): Effect.Effect<LoadResult, SettingInvalid | ListenFailed> =>
  openLoad(settings, watch).pipe(
    Effect.flatMap(({ run }) => run(settings.phases, settings.warmUpMs)),
    Effect.scoped
  )

/** A bound on latencies: `p99.9 < 50 ms`. */
export interface Bound {
  readonly text: string
  /** 0 to 100; above: the mean. */
  readonly percentile: number
  readonly ms: number
}

/** Reads `p99.9 < 50 ms`, `max < 2 s` or `mean < 10 ms`; `undefined` for anything else, and for zero, which nothing can keep. */
export const parseBound = (text: string): Bound | undefined => {
  const found = /^(?:p(\d{1,2}(?:\.\d{1,3})?)|(max)|(mean))\s*<\s*(\d+(?:\.\d+)?)\s*(ms|s)$/.exec(text.trim())
  if (found === null || Number(found[4]) === 0) return undefined
  const percentile = found[2] !== undefined ? 100 : found[3] !== undefined ? 101 : Number(found[1])
  return { text: text.trim(), percentile, ms: Number(found[4]) * (found[5] === "s" ? 1000 : 1) }
}

/** What a bound is held against, in milliseconds. */
const valueOfBound = ({ percentile }: Bound, { all }: Measure): number => {
  if (all.totalCount === 0) return Number.POSITIVE_INFINITY
  return (percentile > 100 ? all.mean : percentile === 100 ? all.maxValue : all.getValueAtPercentile(percentile)) / 1000
}

/** One rate that was tried. */
export interface KneeStep {
  readonly rate: number
  /** Of the bound. */
  readonly value: number
  readonly isKept: boolean
  /** Why it was not kept; "" when it was. */
  readonly says: string
  /** It was not kept, and the generator was the limit: that says nothing of the system under test. */
  readonly isInvalid: boolean
}

/** What a search came to. */
export interface Knee {
  readonly bound: Bound
  /** Requests a second: the highest rate that kept the bound; 0 when none did. */
  readonly rate: number
  readonly steps: ReadonlyArray<KneeStep>
  readonly isStopped: boolean
  /** Above the rate the generator was the limit: the system may well carry more. */
  readonly isInvalid: boolean
  /** Why the search ended where it did. */
  readonly says: string
  readonly last: LoadResult | undefined
}

/** The rate at which a search begins. */
const firstRate = (phases: ReadonlyArray<Phase>): number => Math.max(10, phases[0]?.from ?? 0)

const codesText = ({ series }: Measure): string => {
  const all = new Map<string, number>()
  for (const { codes } of series) for (const [code, times] of codes) all.set(code, (all.get(code) ?? 0) + times)
  return [...all]
    .sort((one, other) => other[1] - one[1])
    .map(([code, times]) => `${code === "" ? "none" : code}: ${times}`)
    .join(", ")
}

/** Why a load went wrong, whatever its latencies; `undefined` when it did not. */
export const wentWrong = (measure: Measure): string | undefined => {
  const { answered, errors, lost, notSent, timedOut } = measure.totals()
  const all = answered + lost + notSent + timedOut
  const failed = all - answered + errors
  // A system that answers with errors is as fast as one that is well.
  if (failed > all * FAILED_SHARE) {
    const how = errors === 0 ? "no answer" : errors === failed ? "an error code" : "no answer or an error code"
    return `${failed} of ${all} requests had ${how}${errors === 0 ? "" : ` (${codesText(measure)})`}`
  }
  const said = codesText(measure)
  if (said === "" || measure.series.some(({ right }) => right > 0)) return undefined
  return `no request was approved (${said}); where that is right, name the codes with the message: codes: [...]`
}

/** Whether a load kept a bound. Requests without an answer break it, too: what was never sent has no latency to be measured. */
export const judged = (bound: Bound, { invalid, measure }: LoadResult): Omit<KneeStep, "rate"> => {
  const value = valueOfBound(bound, measure)
  const wrong = wentWrong(measure)
  // A generator that was late makes a latency larger, never smaller: a bound that was kept all the same was kept.
  const isKept = wrong === undefined && value < bound.ms
  const slow = `${bound.text.split("<")[0]!.trim()} was ${value.toFixed(value < 10 ? 3 : 1)} ms`
  const isInvalid = !isKept && isGeneratorLimit(measure)
  const why = isInvalid ? "the generator was the limit" : (invalid[0] ?? (value < bound.ms ? wrong : slow) ?? slow)
  return { value, isKept, says: isKept ? "" : why, isInvalid }
}

/** How often a rate is tried at which the generator was the limit: a bad moment of its machine says nothing of the rate. */
const TRIES = 3

/** Doubles the rate until the bound breaks, then halves what is between until two rates are a twentieth apart. */
export const findKnee = (
  settings: LoadSettings,
  bound: Bound,
  stepMs: number,
  watch: LoadWatch,
  onStep: (step: KneeStep) => void
): Effect.Effect<Knee, SettingInvalid | ListenFailed> =>
  Effect.gen(function* () {
    // One opening for all rates: a far side that connects to us may take its time to do it again.
    const { run } = yield* openLoad(settings, watch)
    const steps: Array<KneeStep> = []
    let last: LoadResult | undefined
    let good = 0
    let bad = Number.POSITIVE_INFINITY
    let rate = firstRate(settings.phases)
    let says = "no rate kept the bound"
    let isInvalid = false
    let tries = 0
    while (bad / Math.max(good, 1) > 1.05 && rate >= 1) {
      const phase: Phase = {
        name: `${rate}/s`,
        lasts: stepMs,
        from: rate,
        to: rate,
        isPoisson: settings.phases[0]?.isPoisson === true
      }
      const result = yield* run([phase], stepMs / 5)
      if (result.isStopped)
        return { bound, rate: good, steps, isStopped: true, isInvalid: false, says: "the search was stopped", last }
      const step: KneeStep = { rate, ...judged(bound, result) }
      steps.push(step)
      onStep(step)
      tries++
      if (step.isInvalid && tries < TRIES) continue
      tries = 0
      if (step.isKept) {
        good = rate
        last = result
      } else {
        bad = rate
        says = step.says
        isInvalid = step.isInvalid
      }
      rate = Math.round(bad === Number.POSITIVE_INFINITY ? good * 2 : good === 0 ? bad / 2 : (good + bad) / 2)
    }
    return { bound, rate: good, steps, isStopped: false, isInvalid, says, last }
  }).pipe(Effect.scoped)
