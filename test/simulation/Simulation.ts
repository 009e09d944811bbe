/**
 * One run of the simulation: a seed in, findings and a trace hash out.
 *
 * Three phases: chaos (traffic and faults), calm (everything healed, issuers behave well, traffic goes on: service
 * must come back), drain (no new
 * traffic: everything must come to its end). Then the checkers look at the history.
 */
import { Cause, Exit } from "effect"
import * as Checks from "./check/Checks.ts"
import { History } from "./check/History.ts"
import * as JournalChecks from "./check/JournalChecks.ts"
import { tapInto } from "./check/Tap.ts"
import { drawOptions, type Options, switchName, type Wishes } from "./Options.ts"
import { Acquirer } from "./partner/Acquirer.ts"
import { Host } from "./partner/Host.ts"
import { Issuer } from "./partner/Issuer.ts"
import { Operator, type Subject } from "./Subject.ts"
import { type Life, Machine } from "./world/Machine.ts"
import { Nemesis } from "./world/Nemesis.ts"
import { SimDisk } from "./world/SimDisk.ts"
import { SimNet } from "./world/SimNet.ts"
import { World, WorldStopped } from "./world/World.ts"

/** What came out of a run. The same seed, wishes and code give the same result, hash included. */
export interface RunResult {
  readonly seed: number
  readonly options: Options
  /** Hash over the whole trace: events, times and bytes. */
  readonly hash: string
  /** Lines of the trace. */
  readonly events: number
  readonly stats: Stats
  /** Broken promises; empty is what we want. */
  readonly findings: ReadonlyArray<string>
  /** The end of the trace, or all of it when asked for. */
  readonly trace: string
}

export interface Stats {
  readonly virtualSeconds: number
  readonly tasks: number
  readonly purchases: number
  readonly approved: number
  readonly declined: number
  readonly unknown: number
  readonly lateAnswers: number
  readonly reversalsSeen: number
  readonly crashes: number
  /** Orderly stops that an operator has ordered, and reloads that were done. */
  readonly stops: number
  readonly reloads: number
  readonly faults: number
  /** Messages in another acquirer's name. */
  readonly lies: number
  /** PIN blocks that reached an issuer, and messages of acquirers with a wrong MAC. */
  readonly pins: number
  readonly spoilt: number
  readonly keyChanges: number
}

/** How to run. */
export interface RunSettings {
  readonly subject: Subject
  readonly wishes?: Wishes
  readonly keepTrace?: boolean
}

/** The time that a switch with a failed journal may take to stop by itself, milliseconds (guarantee G9, A9 row 26). */
const STOP_MAX = 1000
const HOLDS_AFTER_DRAIN = 10_000

/** Runs one seed, synchronously. */
export const runSeed = (seed: number, settings: RunSettings): RunResult => {
  const run = new Run(drawOptions(seed, settings.wishes), settings.subject, settings.keepTrace ?? false)
  return run.result()
}

class Run {
  private readonly options: Options
  private readonly subject: Subject
  private readonly world: World
  private readonly net: SimNet
  private readonly machine: Machine
  private readonly disk: SimDisk
  private readonly nemesis: Nemesis
  private readonly history = new History()
  private readonly ends = new JournalChecks.Ends()
  private readonly operator = new Operator()
  /** The operator has ordered a stop of this life. */
  private stopping: Life | undefined
  private readonly acquirers: ReadonlyArray<Acquirer>
  private readonly issuers: ReadonlyArray<Issuer>
  private crashes = 0
  private stops = 0

  constructor(options: Options, subject: Subject, keepTrace: boolean) {
    this.options = options
    this.subject = subject
    this.world = new World({ seed: options.seed, startsAt: options.startsAt, keepTrace })
    this.net = new SimNet(this.world, options.net)
    this.machine = new Machine(this.world, switchName)
    this.machine.timerMs = options.timerMs
    this.net.attach(this.machine)
    this.disk = new SimDisk(this.machine, options.disk)
    this.machine.onCrash.push(() => this.crashes++)
    this.machine.onLog.push((text) => this.history.log.push(text))
    this.disk.onFailed.push((life) => this.world.after(STOP_MAX, () => this.mustHaveStopped(life)))
    const durable = () => (subject.hasJournal ? this.disk.durable : undefined)
    this.net.taps.push(tapInto(this.history, this.world, switchName, durable, () => this.disk.wasLow))
    const operator = { order: (order: "stop" | "reload") => this.order(order) }
    const field = { net: this.net, machine: this.machine, disk: this.disk, restart: () => this.startSwitch(), operator }
    this.nemesis = new Nemesis(field, options.faults)
    this.issuers = options.issuers.map((each) => this.startIssuer(each))
    this.startSwitch()
    this.acquirers = options.acquirers.map((each) => this.startAcquirer(each))
  }

  result(): RunResult {
    try {
      this.world.advance(this.options.chaos)
      this.nemesis.heal()
      for (const issuer of this.issuers) issuer.behaveWell()
      this.calm()
      this.drain()
      this.check()
    } catch (error) {
      if (!(error instanceof WorldStopped)) throw error
      this.find(error.message)
    }
    const { seed } = this.options
    const { trace } = this.world
    return {
      ...{ seed, options: this.options, hash: trace.digest(), events: trace.count, stats: this.stats() },
      ...{ findings: [...this.history.findings, ...this.net.findings], trace: trace.text() }
    }
  }

  // ---------------------------------------------------------------- who takes part

  private startSwitch(): void {
    if (this.machine.life !== undefined) return
    this.machine.start(
      (life) =>
        this.subject.start({
          options: this.options,
          life,
          transport: this.net.transport(life),
          disk: this.disk,
          operator: this.operator
        }),
      (exit) => this.stoppedByItself(exit)
    )
  }

  private order(order: "stop" | "reload"): void {
    const { life } = this.machine
    if (order === "stop" && life !== undefined) {
      this.stopping = life
      this.stops++
    }
    this.operator.order(order)
  }

  /** Nothing of its requests may be open after an orderly stop, but for what it says itself. */
  private stoppedInOrder(unfinished: ReadonlyArray<string>): void {
    const open = this.ends.follow(this.disk.entries).missing.filter((named) => named.startsWith("request"))
    if (open.length > unfinished.length) {
      this.find(`G2: a stop in order left ${open.join(", ")}, and said ${unfinished.join(", ") || "nothing"}`)
    }
  }

  /** Only an order or a failed journal is a reason to stop; then an operator starts it again. */
  private stoppedByItself(exit: Exit.Exit<ReadonlyArray<string>, unknown>): void {
    if (Exit.isSuccess(exit) && this.stopping === this.machine.life) this.stoppedInOrder(exit.value)
    else if (!this.disk.hasFailed) {
      const why = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "without a reason"
      this.find(`the switch stopped by itself at ${this.world.nowMs} ms: ${why}`)
    }
    this.machine.crash("process")
  }

  private mustHaveStopped(life: Life): void {
    if (!life.isAlive || this.machine.isPaused) return
    this.find(`G9: the switch still runs ${STOP_MAX} ms after its journal failed`)
    this.machine.crash("process")
  }

  private startIssuer(options: Options["issuers"][number]): Issuer {
    const issuer = new Issuer(this.hostOf(options.name), options, this.history)
    issuer.start()
    if (options.second !== undefined) issuer.join(this.hostOf(options.second.name), options.second.line)
    return issuer
  }

  private startAcquirer(options: Options["acquirers"][number]): Acquirer {
    const cards = this.options.issuers.map(({ name, bin }) => ({ issuer: name, bin }))
    const acquirer = new Acquirer(this.hostOf(options.name), options, cards, this.history)
    acquirer.start()
    if (options.second !== undefined) acquirer.join(this.hostOf(options.second.name), options.second.line)
    return acquirer
  }

  /** A running machine for a partner's program. */
  private hostOf(name: string): Host {
    const machine = new Machine(this.world, name)
    this.net.attach(machine)
    return new Host(this.net, machine, machine.begin())
  }

  // ---------------------------------------------------------------- phases and verdict

  private find(what: string): void {
    this.world.note(`finding ${what}`)
    this.history.findings.push(what)
  }

  private calm(): void {
    const healedAt = this.world.startsAt + this.world.nowMs
    this.world.advance(this.options.calm)
    const by = healedAt + this.options.serviceWithin
    for (const { options } of this.acquirers) {
      const isServed = [...this.history.purchases.values()].some(
        ({ acquirer, outcome, startedAt }) =>
          acquirer === options.name && outcome === "approved" && startedAt >= healedAt && startedAt <= by
      )
      if (!isServed)
        this.find(
          `liveness: ${options.name} had nothing approved within ${this.options.serviceWithin} ms of the end of all faults`
        )
    }
  }

  private drain(): void {
    for (const acquirer of this.acquirers) acquirer.stopTrading()
    for (const partner of [...this.acquirers, ...this.issuers]) partner.settle()
    const until = this.world.nowMs + this.options.drainMax
    while (this.world.nowMs < until && this.pending().length > 0) this.world.advance(1000)
    for (const named of this.pending()) this.find(`liveness: ${named}`)
    this.world.advance(HOLDS_AFTER_DRAIN)
  }

  /** What keeps the run from being over, in words. */
  private pending(): ReadonlyArray<string> {
    const named = this.acquirers.flatMap((acquirer) => acquirer.pending())
    if (this.machine.life === undefined) return [...named, "the switch is down"]
    if (!this.subject.hasJournal) return named
    return [...named, ...this.ends.follow(this.disk.entries).missing]
  }

  private check(): void {
    const { history } = this
    const acquirers = new Set(this.options.acquirers.map(({ name }) => name))
    const kept = new Map(this.issuers.map(({ options, ledger }) => [options.name, ledger.net()]))
    const keeps = (issuer: string, rrn: string) => kept.get(issuer)?.get(rrn) ?? 0
    const entries = this.subject.hasJournal ? this.disk.entries : []
    for (const finding of [
      ...Checks.oneAnswer(history),
      ...Checks.atMostOnce(history, acquirers),
      ...Checks.markedRepeats(history, acquirers),
      ...Checks.rightAnswer(history, acquirers),
      ...Checks.moneyAgrees(history, keeps),
      ...Checks.coveredCards(history),
      ...new JournalChecks.Ends().follow(entries).findings,
      ...JournalChecks.coveredEntries(entries, history.cards),
      ...JournalChecks.withoutPins(entries, history.pinBlocks),
      ...(this.subject.hasJournal
        ? JournalChecks.commonKeys(
            entries,
            [...this.acquirers, ...this.issuers].flatMap(({ keysInUse }) => keysInUse)
          )
        : []),
      ...(this.subject.hasJournal ? JournalChecks.durableBeforeVisible(history, entries) : [])
    ]) {
      this.find(finding)
    }
  }

  private stats(): Stats {
    const purchases = [...this.history.purchases.values()]
    const count = (outcome: string) => purchases.filter((purchase) => purchase.outcome === outcome).length
    return {
      virtualSeconds: Math.round(this.world.nowMs / 1000),
      tasks: this.world.tasks,
      purchases: purchases.length,
      approved: count("approved"),
      declined: count("declined"),
      unknown: count("unknown"),
      lateAnswers: purchases.reduce((sum, { answers }) => sum + answers.filter(({ isLate }) => isLate).length, 0),
      reversalsSeen: this.history.receipts.filter(({ mti }) => mti.startsWith("042")).length,
      crashes: this.crashes,
      stops: this.stops,
      reloads: this.operator.reloads,
      faults: this.options.faults.length,
      lies: this.history.lies,
      pins: this.history.pins,
      spoilt: this.history.spoilt,
      keyChanges: this.history.keyChanges
    }
  }
}
