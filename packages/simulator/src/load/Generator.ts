/**
 * The load itself: every request at its instant, whatever became of those before it.
 *
 * Owns the order of requests, the mix, those that wait for a free connection, and when the load is over. Synchronous: it is told
 * the time at every tick.
 */
import { Effect, type Scope } from "effect"
import { type Chance, chanceOf } from "../chance/Chance.ts"
import { transmissionTime } from "../partner/Numbering.ts"
import type { Timepiece } from "../partner/Session.ts"
import type { ListenFailed } from "../SimulatorError.ts"
import { type AnswerCodes, answerCodesOf } from "./AnswerCodes.ts"
import type { Caller, CallerShares } from "./Caller.ts"
import { type OpenLink, openLink } from "./Links.ts"
import type { LoadSettings } from "./LoadFile.ts"
import type { LoadLinkSettings } from "./LoadLinkSettings.ts"
import { Measure } from "./Measure.ts"
import { Arrivals, type Phase, profileLasts, profileMost } from "./Profile.ts"
import { type Draws, Template } from "./Template.ts"

/** Milliseconds that DE 7's own zone is ahead, which `transmissionTime` adds by itself. */
const OWN_ZONE_MS = 8 * 3_600_000

/** A line of the mix on one link. */
interface Choice {
  readonly link: number
  readonly template: number
}

/** A request that found no free connection. */
interface Waiter {
  readonly template: number
  readonly intendedAt: number
  readonly triedAt: number
  readonly reference: number
}

/** One link of a load, with what waits for it. */
interface Place {
  readonly link: OpenLink
  readonly shares: CallerShares
  readonly messages: ReadonlyArray<{ readonly name: string; readonly codes: AnswerCodes }>
  readonly name: string
  waiters: Array<Waiter>
  /** How many of the waiters have gone. */
  gone: number
  /** Whose turn it is. */
  turn: number
}

/** Opens the links of a load; they close with the scope. */
export const makeGenerator = (
  settings: LoadSettings,
  time: Timepiece,
  tell: (text: string) => void
): Effect.Effect<Generator, ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const places: Array<Place> = []
    const slots = slotsOf(settings, settings.phases)
    for (const link of settings.links) {
      const lines = linesOf(settings, link)
      const { rows, seed } = settings
      const made = (source: ConstructorParameters<typeof Template>[0]) =>
        new Template(source, link.form, rows, seed, link.mac)
      const shares: CallerShares = {
        ...{ slots, tell: withoutRepeats(tell), isOver: false, timeoutMs: settings.timeoutMs, now: time.monotonic },
        measure: new Measure(),
        series: [],
        templates: lines.map(({ message }) => made(message)),
        signOn: link.signOn === undefined ? undefined : made(link.signOn)
      }
      const open = yield* openLink(link, shares, chanceOf(seed, "redial", link.name))
      // The last finalizer is the first to run: what ends after it ends by our own doing.
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          shares.isOver = true
        })
      )
      const messages = lines.map(({ message }) => ({
        name: message.name,
        codes: answerCodesOf(link.form.codec.dialect, message.codes)
      }))
      places.push({ link: open, shares, messages, name: link.name, waiters: [], gone: 0, turn: 0 })
    }
    return new Generator(settings, places, time)
  })

/** Many connections of a link say the same, one after another. */
const withoutRepeats = (tell: (text: string) => void): ((text: string) => void) => {
  let last = ""
  return (text) => {
    if (text !== last) tell(text)
    last = text
  }
}

const linesOf = ({ links, mix }: LoadSettings, link: LoadLinkSettings) =>
  mix.filter((line) => line.link < 0 || links[line.link] === link)

/** Room for what may be outstanding on one connection, a power of two; no more than STANs there are. */
const slotsOf = ({ links, timeoutMs }: LoadSettings, phases: ReadonlyArray<Phase>): number => {
  const fewest = Math.min(...links.map(({ connections, mode }) => (mode.mode === "async-short" ? 1 : connections)))
  const most = Math.ceil(((profileMost(phases) / fewest) * timeoutMs) / 1000) * 2 + 1024
  return Math.min(524_288, 2 ** Math.ceil(Math.log2(most)))
}

/** A load that runs; see the module header. */
export class Generator {
  private readonly settings: LoadSettings
  private readonly places: ReadonlyArray<Place>
  private readonly time: Timepiece
  private readonly choices: ReadonlyArray<Choice>
  private readonly weights: ReadonlyArray<number>
  private readonly weight: number
  private readonly chance: Chance
  private readonly draws: Draws = { stan: 1, time: "", row: [], reference: 0 }
  private measure = new Measure()
  private reference = 0
  private arrivals: Arrivals
  private begunAt = -1
  private endsAt = Number.POSITIVE_INFINITY
  private second = -1
  private nextSecond = 0

  constructor(settings: LoadSettings, places: ReadonlyArray<Place>, time: Timepiece) {
    this.settings = settings
    this.places = places
    this.time = time
    this.chance = chanceOf(settings.seed, "mix")
    this.arrivals = new Arrivals([], this.chance)
    const choices: Array<Choice> = []
    const weights: Array<number> = []
    for (const [at, link] of settings.links.entries()) {
      for (const [template, { link: only, weight }] of linesOf(settings, link).entries()) {
        choices.push({ link: at, template })
        weights.push(only < 0 ? weight / settings.links.length : weight)
      }
    }
    this.choices = choices
    this.weights = weights
    this.weight = weights.reduce((sum, one) => sum + one, 0)
  }

  /** What the load cannot begin without yet, by link. */
  awaits(): ReadonlyArray<string> {
    return this.said(({ link }) => link.awaits())
  }

  /** Why figures say nothing of the system under test, by link. */
  invalid(): ReadonlyArray<string> {
    return this.said(({ link }) => link.invalid())
  }

  /** Whether the load is over and nothing is waited for. */
  get isOver(): boolean {
    const isDone = this.begunAt >= 0 && this.time.monotonic() >= this.endsAt && this.arrivals.nextDue === Infinity
    return isDone && this.places.every(({ gone, link, waiters }) => gone === waiters.length && isIdle(link))
  }

  /** Milliseconds since the load began. */
  get elapsed(): number {
    return this.begunAt < 0 ? 0 : this.time.monotonic() - this.begunAt
  }

  /** Begins these phases now; those of a run before are over. Gives what is measured from here on. */
  begin(phases: ReadonlyArray<Phase>, warmUpMs: number): Measure {
    const now = this.time.monotonic()
    this.measure = new Measure()
    for (const { link, messages, name, shares } of this.places) {
      shares.measure = this.measure
      shares.series = messages.map((message) => this.measure.newSeries(message.name, name, message.codes))
      shares.slots = slotsOf(this.settings, phases)
      for (const caller of link.callers) caller.grow()
    }
    this.arrivals = new Arrivals(phases, chanceOf(this.settings.seed, "arrivals"))
    this.begunAt = now
    this.endsAt = now + profileLasts(phases)
    this.second = 0
    this.nextSecond = now + 1000
    this.measure.measureFrom(now + warmUpMs)
    return this.measure
  }

  /** Sends what is due, and looks after the connections. */
  tick(): void {
    const now = this.time.monotonic()
    this.renewTime()
    if (this.begunAt >= 0) this.sendDue(now)
    for (const { link } of this.places) link.tick(now, this.draws)
    while (this.begunAt >= 0 && now >= this.nextSecond) {
      this.measure.tickSecond(this.second)
      this.second++
      this.nextSecond += 1000
    }
  }

  private said(of: (place: Place) => string | undefined): ReadonlyArray<string> {
    return this.places.flatMap((place) => {
      const text = of(place)
      return text === undefined ? [] : [`link ${place.name}: ${text}`]
    })
  }

  private sendDue(now: number): void {
    for (const place of this.places) if (place.waiters.length > 0) this.sendWaiting(place, now)
    const since = now - this.begunAt
    for (let due = this.arrivals.take(since); due >= 0; due = this.arrivals.take(since))
      this.open(this.begunAt + due, now)
  }

  private open(intendedAt: number, now: number): void {
    const { link, template } = this.choose()
    const place = this.places[link]!
    const reference = ++this.reference
    // Nobody overtakes those that wait.
    const isFirst = place.gone === place.waiters.length
    if (isFirst && this.sendOn(place, template, reference, intendedAt, now, now)) return
    if (!place.link.callers.some(({ isUp }) => isUp)) return this.neverSent(place, template, intendedAt)
    this.measure.waited++
    place.waiters.push({ template, reference, intendedAt, triedAt: now })
  }

  private neverSent({ shares: { series } }: Place, template: number, intendedAt: number): void {
    this.measure.wasNotSent(series[template]!, intendedAt, this.settings.timeoutMs)
  }

  /** Sends those that wait, in their order, as far as connections are free; gives up those that waited for too long. */
  private sendWaiting(place: Place, now: number): void {
    const { waiters } = place
    for (; place.gone < waiters.length; place.gone++) {
      const { intendedAt, reference, template, triedAt } = waiters[place.gone]!
      if (now - intendedAt >= this.settings.timeoutMs) this.neverSent(place, template, intendedAt)
      else if (!this.sendOn(place, template, reference, intendedAt, triedAt, now)) return
    }
    place.waiters = []
    place.gone = 0
  }

  private sendOn(
    place: Place,
    template: number,
    reference: number,
    intendedAt: number,
    triedAt: number,
    now: number
  ): boolean {
    const { draws, settings } = this
    const { rows } = settings.rows
    draws.reference = reference
    draws.row = rows[reference % rows.length]!
    return this.callerOf(place)?.send(template, draws, intendedAt, triedAt, now) === true
  }

  private choose(): Choice {
    if (this.choices.length === 1) return this.choices[0]!
    let drawn = this.chance.next() * this.weight
    for (const [at, weight] of this.weights.entries()) {
      drawn -= weight
      if (drawn < 0) return this.choices[at]!
    }
    return this.choices.at(-1)!
  }

  /** The next connection of a link that is ready, in turn. */
  private callerOf(place: Place): Caller | undefined {
    const { callers } = place.link
    for (let tried = 0; tried < callers.length; tried++) {
      const turn = place.turn < callers.length ? place.turn : 0
      place.turn = turn + 1
      if (callers[turn]!.isReady) return callers[turn]
    }
    return undefined
  }

  private renewTime(): void {
    this.draws.time = transmissionTime(this.time.wall() + this.settings.utcOffsetMs - OWN_ZONE_MS)
  }
}

const isIdle = ({ callers }: OpenLink): boolean => callers.every(({ outstanding }) => outstanding === 0)
