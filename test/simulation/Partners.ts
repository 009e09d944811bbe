/** The partners of a run, and what is judged of what they saw: the same for one switch and for a fleet. */
import type { Entry } from "../../packages/switch/src/journal/Entry.ts"
import * as Checks from "./check/Checks.ts"
import * as DayChecks from "./check/DayChecks.ts"
import type { History } from "./check/History.ts"
import * as JournalChecks from "./check/JournalChecks.ts"
import type { Options } from "./Options.ts"
import { Acquirer } from "./partner/Acquirer.ts"
import { readMessage } from "./partner/Cups.ts"
import { Host } from "./partner/Host.ts"
import { Issuer } from "./partner/Issuer.ts"
import { Machine } from "./world/Machine.ts"
import type { SimNet } from "./world/SimNet.ts"
import type { World } from "./world/World.ts"

/** Partners of a run, whatever they are made of. */
export interface Traders {
  readonly startAcquirers: () => void
  /** From now on no partner does anything wrong. */
  readonly behaveWell: () => void
  /** Nothing new from now on. */
  readonly settle: () => void
  /** What keeps the run from being over, in words. */
  readonly pending: () => ReadonlyArray<string>
  /** Acquirers that had no service since `healedAt` (wall time), although there was time. */
  readonly unserved: (healedAt: number) => ReadonlyArray<string>
  /** Broken promises, when all is over. `entries`: of the journal; `undefined`: there is none. */
  readonly findings: (entries: ReadonlyArray<Entry> | undefined) => ReadonlyArray<string>
}

export class Partners implements Traders {
  private readonly world: World
  private readonly net: SimNet
  private readonly options: Options
  private readonly history: History
  /** The machines that have the switch's name, each in its turn. */
  private readonly addresses: ReadonlyArray<string>
  readonly issuers: ReadonlyArray<Issuer>
  private acquirers: ReadonlyArray<Acquirer> = []

  /** Starts the issuers. */
  constructor(world: World, net: SimNet, options: Options, history: History, addresses: ReadonlyArray<string>) {
    this.world = world
    this.net = net
    this.options = options
    this.history = history
    this.addresses = addresses
    net.answered.push((request, status, isHanded) => {
      const rrn = readMessage(request).fields[37] ?? ""
      if (isHanded && status === 200) history.heard.add(rrn)
      else if (!isHanded) history.unheard.set(rrn, world.startsAt + world.nowMs)
    })
    this.issuers = options.issuers.map((each) => this.startIssuer(each))
  }

  private startIssuer(options: Options["issuers"][number]): Issuer {
    const issuer = new Issuer(this.hostOf(options.name), options, this.history)
    issuer.start()
    if (options.second !== undefined) issuer.join(this.hostOf(options.second.name), options.second.line)
    return issuer
  }

  startAcquirers(): void {
    this.acquirers = this.options.acquirers.map((each) => this.startAcquirer(each))
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
    return new Host(this.net, machine, machine.begin(), this.addresses)
  }

  behaveWell(): void {
    for (const issuer of this.issuers) issuer.behaveWell()
  }

  /** Nothing new from now on. */
  settle(): void {
    for (const acquirer of this.acquirers) acquirer.stopTrading()
    for (const partner of [...this.acquirers, ...this.issuers]) partner.settle()
  }

  /** What keeps the run from being over, in words. */
  pending(): ReadonlyArray<string> {
    return this.acquirers.flatMap((acquirer) => acquirer.pending())
  }

  /** Acquirers that had nothing approved since `healedAt` (wall time), although there was time. */
  unserved(healedAt: number): ReadonlyArray<string> {
    const { serviceWithin } = this.options
    return this.acquirers
      .filter(
        ({ options }) =>
          ![...this.history.purchases.values()].some(
            ({ acquirer, outcome, startedAt }) =>
              acquirer === options.name &&
              outcome === "approved" &&
              startedAt >= healedAt &&
              startedAt <= healedAt + serviceWithin
          )
      )
      .map(
        ({ options }) =>
          `liveness: ${options.name} had nothing approved within ${serviceWithin} ms of the end of all faults`
      )
  }

  /** Broken promises, when all is over. `entries`: of the journal; `undefined`: there is none. */
  findings(entries: ReadonlyArray<Entry> | undefined): ReadonlyArray<string> {
    const { history } = this
    const kept = new Map(this.issuers.map(({ options, ledger }) => [options.name, ledger.net()]))
    const keeps = (issuer: string, rrn: string) => kept.get(issuer)?.get(rrn) ?? 0
    return [
      ...this.wireFindings(),
      ...Checks.moneyAgrees(history, keeps),
      ...Checks.unheardTakenBack(history, keeps),
      ...Checks.coveredCards(history),
      ...(entries === undefined ? [] : this.journalFindings(entries))
    ]
  }

  /** Those that hold at every moment, whatever comes later. */
  wireFindings(): ReadonlyArray<string> {
    const { history } = this
    const acquirers = new Set(this.options.acquirers.map(({ name }) => name))
    return [
      ...Checks.oneAnswer(history),
      ...Checks.atMostOnce(history, acquirers),
      ...Checks.markedRepeats(history, acquirers),
      ...Checks.rightAnswer(history, acquirers)
    ]
  }

  private journalFindings(entries: ReadonlyArray<Entry>): ReadonlyArray<string> {
    const { history } = this
    const daysKnown = [...this.acquirers, ...this.issuers].flatMap((partner) => partner.daysKnown)
    const keysInUse = [...this.acquirers, ...this.issuers].flatMap((partner) => partner.keysInUse)
    return [
      ...new JournalChecks.Ends().follow(entries).findings,
      ...JournalChecks.coveredEntries(entries, history.cards),
      ...JournalChecks.withoutPins(entries, history.pinBlocks),
      ...JournalChecks.commonKeys(entries, keysInUse),
      ...DayChecks.daysDurable(entries, history.daysAnswered),
      ...DayChecks.commonDays(entries, daysKnown),
      ...JournalChecks.durableBeforeVisible(history, entries)
    ]
  }
}
