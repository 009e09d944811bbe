/**
 * The load itself: every request at its instant, whatever became of those before it.
 *
 * Owns the order of requests, the mix, and when the load is over. Synchronous: it is told the time at every tick.
 */
import { type Chance, chanceOf } from "../chance/Chance.ts"
import { transmissionTime } from "../partner/Numbering.ts"
import type { Timepiece } from "../partner/Session.ts"
import { Caller } from "./Caller.ts"
import type { LoadSettings } from "./LoadFile.ts"
import type { Measure } from "./Measure.ts"
import { Arrivals, type Phase, profileLasts, profileMost } from "./Profile.ts"
import { type Draws, Template } from "./Template.ts"

/** Milliseconds that DE 7's own zone is ahead, which `transmissionTime` adds by itself. */
const OWN_ZONE_MS = 8 * 3_600_000

/** A line of the mix on one link. */
interface Choice {
  readonly link: number
  readonly template: number
}

/** A load that runs; see the module header. */
export class Generator {
  private readonly settings: LoadSettings
  private readonly measure: Measure
  private readonly time: Timepiece
  private readonly callers: ReadonlyArray<ReadonlyArray<Caller>>
  private readonly choices: ReadonlyArray<Choice>
  private readonly weights: ReadonlyArray<number>
  private readonly weight: number
  private readonly chance: Chance
  private readonly draws: Draws = { stan: 1, time: "", row: [], reference: 0 }
  private readonly turns: Array<number>
  private arrivals: Arrivals
  private begunAt = -1
  private endsAt = Number.POSITIVE_INFINITY
  private second = -1
  private nextSecond = 0
  private isStopped = false

  constructor(settings: LoadSettings, measure: Measure, time: Timepiece, tell: (text: string) => void) {
    this.settings = settings
    this.measure = measure
    this.time = time
    this.chance = chanceOf(settings.seed, "mix")
    this.arrivals = new Arrivals([], this.chance)
    this.turns = settings.links.map(() => 0)
    const choices: Array<Choice> = []
    const weights: Array<number> = []
    const shared = { measure, now: time.monotonic, timeoutMs: settings.timeoutMs, tell }
    this.callers = settings.links.map((link, at) => {
      const lines = settings.mix.filter((line) => line.link < 0 || line.link === at)
      const templates = lines.map(
        ({ message }) => new Template(message, link.form, settings.rows, settings.seed, link.mac)
      )
      const series = lines.map(({ message }) => measure.newSeries(message.name, link.name))
      for (const [template, { link: only, weight }] of lines.entries()) {
        choices.push({ link: at, template })
        weights.push(only < 0 ? weight / settings.links.length : weight)
      }
      const { seed, rows } = settings
      const signOn = link.signOn === undefined ? undefined : new Template(link.signOn, link.form, rows, seed, link.mac)
      const shares = { ...shared, series, templates }
      return Array.from(
        { length: link.connections },
        (_, place) => new Caller(link, place, signOn, this.slots(), shares)
      )
    })
    this.choices = choices
    this.weights = weights
    this.weight = weights.reduce((sum, one) => sum + one, 0)
  }

  /** Whether every link has a connection that may be used. */
  get isReady(): boolean {
    return this.callers.every((callers) => callers.some((caller) => caller.isUp))
  }

  /** Whether the load is over and nothing is waited for. */
  get isOver(): boolean {
    if (this.isStopped) return true
    const isDone = this.begunAt >= 0 && this.time.monotonic() >= this.endsAt && this.arrivals.nextDue === Infinity
    return isDone && this.callers.every((callers) => callers.every((caller) => caller.outstanding === 0))
  }

  /** Milliseconds since the load began. */
  get elapsed(): number {
    return this.begunAt < 0 ? 0 : this.time.monotonic() - this.begunAt
  }

  /** Begins these phases now; those of a run before are over. */
  begin(phases: ReadonlyArray<Phase>, warmUpMs: number): void {
    const now = this.time.monotonic()
    this.arrivals = new Arrivals(phases, chanceOf(this.settings.seed, "arrivals"))
    this.begunAt = now
    this.endsAt = now + profileLasts(phases)
    this.second = 0
    this.nextSecond = now + 1000
    this.measure.measureFrom(now + warmUpMs)
  }

  /** No more requests. */
  stop(): void {
    this.isStopped = true
  }

  /** Sends what is due, and looks after the connections. */
  tick(): void {
    const now = this.time.monotonic()
    this.renewTime()
    if (this.begunAt >= 0) this.sendDue(now)
    for (const callers of this.callers) for (const caller of callers) caller.tick(now, this.draws)
    while (this.begunAt >= 0 && now >= this.nextSecond) {
      this.measure.tickSecond(this.second)
      this.second++
      this.nextSecond += 1000
    }
  }

  close(): void {
    for (const callers of this.callers) for (const caller of callers) caller.close()
  }

  private sendDue(now: number): void {
    if (this.isStopped) return
    const since = now - this.begunAt
    for (let due = this.arrivals.take(since); due >= 0; due = this.arrivals.take(since))
      this.open(this.begunAt + due, now)
  }

  private open(intendedAt: number, now: number): void {
    const { draws, settings } = this
    const { link, template } = this.choose()
    const { rows } = settings.rows
    draws.reference++
    draws.row = rows[draws.reference % rows.length]!
    const caller = this.callerOf(link)
    if (caller?.send(template, draws, intendedAt, now) === true) return
    const line = this.choices.findIndex((one) => one.link === link && one.template === template)
    this.measure.series[line]!.counts.notSent++
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
  private callerOf(link: number): Caller | undefined {
    const callers = this.callers[link]!
    for (let tried = 0; tried < callers.length; tried++) {
      const turn = this.turns[link]!
      this.turns[link] = turn + 1 >= callers.length ? 0 : turn + 1
      if (callers[turn]!.isReady) return callers[turn]
    }
    return undefined
  }

  private renewTime(): void {
    this.draws.time = transmissionTime(this.time.wall() + this.settings.utcOffsetMs - OWN_ZONE_MS)
  }

  /** Room for what may be outstanding on one connection, a power of two; no more than STANs there are. */
  private slots(): number {
    const { links, phases, timeoutMs } = this.settings
    const share = profileMost(phases) / Math.min(...links.map(({ connections }) => connections))
    const most = Math.ceil((share * timeoutMs) / 1000) * 2 + 1024
    return Math.min(524_288, 2 ** Math.ceil(Math.log2(most)))
  }
}
