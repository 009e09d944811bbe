/**
 * One run of the simulation: a seed in, findings and a trace hash out.
 *
 * Three phases: chaos (traffic and faults), calm (everything healed, issuers behave well, traffic goes on until service is back
 * for each acquirer), drain (no new traffic: everything must come to its end). Then the checkers look at the history.
 */
import { Cause, Exit } from "effect"
import type { PartnerPlan } from "../../packages/simulator/src/scripted/PartnerPlan.ts"
import { History } from "./check/History.ts"
import * as JournalChecks from "./check/JournalChecks.ts"
import { tapInto } from "./check/Tap.ts"
import { FilePartners } from "./files/FilePartners.ts"
import { backWithin, type FilePlans, plansOf } from "./files/FilePlans.ts"
import { fileSettings } from "./files/FileSettings.ts"
import { runFleet } from "./fleet/FleetRun.ts"
import { switchName } from "./Names.ts"
import { drawFileOptions, drawOptions, type Options } from "./Options.ts"
import { Partners, type Traders } from "./Partners.ts"
import { type RunResult, type RunSettings, resultOf, type Stats, statsOf } from "./Result.ts"
import { Operator, type OwnSettings, type Subject } from "./Subject.ts"
import type { Fault } from "./world/Faults.ts"
import { type Life, Machine } from "./world/Machine.ts"
import { Nemesis } from "./world/Nemesis.ts"
import { SimDisk } from "./world/SimDisk.ts"
import { SimNet } from "./world/SimNet.ts"
import { World, WorldStopped } from "./world/World.ts"

/** The time that a switch with a failed journal may take to stop by itself, milliseconds (guarantee G9, A9 row 26). */
const STOP_MAX = 1000
const HOLDS_AFTER_DRAIN = 10_000

/** Runs one seed, synchronously. */
export const runSeed = (seed: number, settings: RunSettings): RunResult => {
  const { files, keepTrace = false, subject, wishes } = settings
  if (files !== undefined) return runFiles(seed, files, settings)
  const options = drawOptions(seed, wishes)
  const { fleet } = options
  if (fleet !== undefined) return runFleet({ ...options, fleet }, settings)
  return new Run(options, subject, keepTrace, undefined).result()
}

const runFiles = (seed: number, files: ReadonlyArray<PartnerPlan>, settings: RunSettings): RunResult => {
  const { keepTrace = false, subject, wishes = {} } = settings
  const plans = plansOf(seed, files)
  const named = plans.all.map(({ plan, role }) => ({ name: plan.name, role }))
  const hasKeys = files.some(({ macKey }) => macKey !== undefined)
  return new Run(drawFileOptions(seed, wishes, named, hasKeys, backWithin(plans)), subject, keepTrace, plans).result()
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
  private readonly partners: Traders
  private readonly own: OwnSettings | undefined
  private crashes = 0
  private stops = 0

  /** `files`: partners of files, instead of those of the options. */
  constructor(options: Options, subject: Subject, keepTrace: boolean, files: FilePlans | undefined) {
    this.options = options
    this.subject = subject
    this.world = new World({ seed: options.seed, startsAt: options.startsAt, keepTrace })
    this.net = new SimNet(this.world, options.net)
    this.machine = new Machine(this.world, switchName)
    this.machine.timerMs = options.timerMs
    this.net.attach(this.machine)
    this.disk = new SimDisk(this.machine, options.disk)
    this.machine.onCrash.push(() => {
      this.crashes++
      this.history.deaths.push(this.world.startsAt + this.world.nowMs)
    })
    this.machine.onLog.push((text) => this.history.log.push(text))
    this.disk.onFailed.push((life) => this.world.after(STOP_MAX, () => this.mustHaveStopped(life)))
    const durable = () => (subject.hasJournal ? this.disk.durable : undefined)
    // Partners of files may speak any dialect, and are judged by what they wrote down.
    if (files === undefined)
      this.net.taps.push(tapInto(this.history, this.world, switchName, durable, this.disk.refusing))
    const operator = { order: (order: "stop" | "reload") => this.order(order) }
    const field = { net: this.net, machine: this.machine, disk: this.disk, restart: () => this.startSwitch(), operator }
    this.nemesis = new Nemesis(field, options.faults as ReadonlyArray<Fault>)
    this.own = files === undefined ? undefined : fileSettings(files)
    this.partners =
      files === undefined
        ? new Partners(this.world, this.net, options, this.history, [switchName])
        : new FilePartners(this.world, this.net, files, this.history, options.serviceWithin)
    this.startSwitch()
    this.partners.startAcquirers()
  }

  result(): RunResult {
    try {
      this.world.advance(this.options.chaos)
      this.nemesis.heal()
      this.partners.behaveWell()
      this.calm()
      this.drain()
      this.check()
    } catch (error) {
      if (!(error instanceof WorldStopped)) throw error
      this.find(error.message)
    }
    const { findings } = this.history
    return resultOf(this.options, this.world, this.stats(), [...findings, ...this.net.findings])
  }

  // ---------------------------------------------------------------- who takes part

  private startSwitch(): void {
    if (this.machine.life !== undefined) return
    this.machine.start(
      (life) =>
        this.subject.start({
          options: this.options,
          own: this.own,
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

  // ---------------------------------------------------------------- phases and verdict

  private find(what: string): void {
    this.world.note(`finding ${what}`)
    this.history.findings.push(what)
  }

  private calm(): void {
    const healedAt = this.world.startsAt + this.world.nowMs
    const until = this.world.nowMs + this.options.calm
    // Partners of files have schedules, which go on to the end.
    const isOver = () => this.options.files === undefined && this.partners.unserved(healedAt).length === 0
    while (this.world.nowMs < until && !isOver()) this.world.advance(Math.min(1000, until - this.world.nowMs))
    for (const named of this.partners.unserved(healedAt)) this.find(named)
  }

  private drain(): void {
    this.partners.settle()
    const until = this.world.nowMs + this.options.drainMax
    while (this.world.nowMs < until && this.pending().length > 0) this.world.advance(1000)
    for (const named of this.pending()) this.find(`liveness: ${named}`)
    this.world.advance(HOLDS_AFTER_DRAIN)
  }

  /** What keeps the run from being over, in words. */
  private pending(): ReadonlyArray<string> {
    const named = this.partners.pending()
    if (this.machine.life === undefined) return [...named, "the switch is down"]
    if (!this.subject.hasJournal) return named
    return [...named, ...this.ends.follow(this.disk.entries).missing]
  }

  private check(): void {
    const entries = this.subject.hasJournal ? this.disk.entries : undefined
    for (const finding of this.partners.findings(entries)) this.find(finding)
  }

  private stats(): Stats {
    return statsOf(this.world, this.history, {
      crashes: this.crashes,
      stops: this.stops,
      reloads: this.operator.reloads,
      takeovers: 0,
      faults: this.options.faults.length
    })
  }
}
