/**
 * Partners of files in the world: `jinka-sim partner` itself, each on a machine of its own, and `jinka-sim check` over what they
 * wrote down. Their rules hold during chaos; from the end of all faults on only their accounts decide.
 */
import { Effect } from "effect"
import { check } from "../../../packages/simulator/src/checker/Checker.ts"
import type { HistoryLine } from "../../../packages/simulator/src/history/History.ts"
import type { LedgerTotals, Posting } from "../../../packages/simulator/src/issuer/Ledger.ts"
import { Sockets } from "../../../packages/simulator/src/link/Sockets.ts"
import type { PartnerPlan } from "../../../packages/simulator/src/scripted/PartnerPlan.ts"
import { type RunningPartner, startPartner } from "../../../packages/simulator/src/scripted/RunningPartner.ts"
import type { Entry } from "../../../packages/switch/src/journal/Entry.ts"
import type { History, Purchase } from "../check/History.ts"
import { coveredEntries, Ends } from "../check/JournalChecks.ts"
import { switchName } from "../Names.ts"
import type { Traders } from "../Partners.ts"
import { Machine } from "../world/Machine.ts"
import type { SimNet } from "../world/SimNet.ts"
import type { World } from "../world/World.ts"
import type { FilePartnerPlan, FilePlans } from "./FilePlans.ts"
import { socketsOf } from "./SimSockets.ts"

/** Between two looks of a partner at what is due, milliseconds. */
const TICK_MS = 20

/** A card number that is mostly one digit looks like an amount beside something else: it is not sought in the journal. */
const isZeros = /(\d)\1{5}/

class FilePartner {
  readonly own: FilePartnerPlan
  readonly lines: Array<HistoryLine> = []
  readonly postings: Array<Posting> = []
  private readonly machine: Machine
  private readonly net: SimNet
  private readonly onLine: (line: HistoryLine) => void
  private running: RunningPartner | undefined
  private plan: PartnerPlan
  private next: PartnerPlan | undefined

  constructor(world: World, net: SimNet, own: FilePartnerPlan, onLine: (line: HistoryLine) => void) {
    this.own = own
    this.plan = own.plan
    this.net = net
    this.onLine = onLine
    this.machine = new Machine(world, own.plan.name)
    net.attach(this.machine)
  }

  start(failed: (why: string) => void): void {
    this.machine.start(
      (life) => {
        const sockets = socketsOf(this.net, life, switchName, this.own.portOf)
        return Effect.scoped(Effect.provideService(this.program(), Sockets, sockets))
      },
      (exit) => failed(`${this.own.plan.name} ended: ${JSON.stringify(exit)}`)
    )
  }

  private program() {
    const onLine = (_name: string, line: HistoryLine) => {
      this.lines.push(line)
      this.onLine(line)
    }
    const onPosting = (_name: string, posting: Posting) => void this.postings.push(posting)
    return Effect.gen({ self: this }, function* () {
      const running = yield* startPartner(this.plan, { onLine, onPosting, onTrouble: () => {} })
      this.running = running
      while (true) {
        const { next } = this
        this.next = undefined
        if (next !== undefined) yield* running.replan(next)
        running.tick()
        yield* Effect.sleep(TICK_MS)
      }
    })
  }

  /** Another plan from the next tick on. */
  change(more: Partial<PartnerPlan>): void {
    this.plan = { ...this.plan, ...more }
    this.next = this.plan
  }

  get sends(): PartnerPlan["sends"] {
    return this.plan.sends
  }

  get isDrained(): boolean {
    return this.running?.isDrained() ?? false
  }

  get ledger(): LedgerTotals | undefined {
    return this.running?.totals().ledger
  }
}

export class FilePartners implements Traders {
  private readonly all: ReadonlyArray<FilePartner>
  private readonly history: History
  private readonly serviceWithin: number
  private readonly arrived = new Set<string>()

  /** Starts the issuers. */
  constructor(world: World, net: SimNet, plans: FilePlans, history: History, serviceWithin: number) {
    this.history = history
    this.serviceWithin = serviceWithin
    this.all = plans.all.map((own) => new FilePartner(world, net, own, (line) => this.take(own, line)))
    const cards = plans.all.flatMap(({ plan }) => plan.sends?.cards ?? [])
    for (const card of cards) if (!isZeros.test(card)) history.cards.add(card)
    this.start(this.of("issuer"))
  }

  startAcquirers(): void {
    this.start(this.of("acquirer"))
  }

  private start(partners: ReadonlyArray<FilePartner>): void {
    for (const partner of partners) partner.start((why) => this.history.findings.push(why))
  }

  private of(role: FilePartnerPlan["role"]): ReadonlyArray<FilePartner> {
    return this.all.filter(({ own }) => own.role === role)
  }

  /** What the run was like is told from the partners' own lines. */
  private take({ plan, role }: FilePartnerPlan, line: HistoryLine): void {
    const { amount = 0, at, code = "", key = "", mti = "", rrn = "", what } = line
    const { purchases, receipts } = this.history
    if (role === "issuer" && what === "received") {
      this.arrived.add(rrn)
      receipts.push({ at, issuer: plan.name, mti: `0${mti.slice(1)}`, key, originalKey: line.original, rrn, amount })
    }
    if (role !== "acquirer") return
    const purchase = purchases.get(rrn)
    if (what === "sent") {
      const outcome = { answers: [], outcome: "open", reversal: undefined } as const
      purchases.set(rrn, {
        acquirer: plan.name,
        issuer: "",
        key,
        rrn,
        amount,
        startedAt: at,
        sends: 1,
        ...outcome,
        answers: []
      })
    } else if (purchase?.outcome === "open") purchase.outcome = outcomes[what] ?? "open"
    else if (what === "late") purchase?.answers.push({ at, code, rrn, amount, isLate: true })
  }

  behaveWell(): void {
    for (const partner of this.all) partner.change({ rules: [] })
  }

  settle(): void {
    for (const partner of this.all) {
      const { sends } = partner
      partner.change({ schedule: [], ...(sends === undefined ? {} : { sends: { ...sends, count: 0 } }) })
    }
  }

  pending(): ReadonlyArray<string> {
    return this.of("acquirer").flatMap(({ isDrained, own }) =>
      isDrained ? [] : [`${own.plan.name} waits for an answer or an acknowledgement`]
    )
  }

  unserved(healedAt: number): ReadonlyArray<string> {
    const { serviceWithin } = this
    const isServed = ({ at, rrn = "", what }: HistoryLine): boolean =>
      at >= healedAt &&
      at <= healedAt + serviceWithin &&
      (what === "approved" || (what === "declined" && this.arrived.has(rrn)))
    return this.of("acquirer")
      .filter(({ lines }) => !lines.some(isServed))
      .map(
        ({ own }) =>
          `liveness: ${own.plan.name} had nothing answered by an issuer within ${serviceWithin} ms of the end of all faults`
      )
  }

  findings(entries: ReadonlyArray<Entry> | undefined): ReadonlyArray<string> {
    const { cards } = this.history
    return [
      ...this.judged(),
      ...(entries === undefined ? [] : [...new Ends().follow(entries).findings, ...coveredEntries(entries, cards)])
    ]
  }

  /**
   * By the rules of `jinka-sim check`. An advice or a reversal that a partner's own rules decline is in doubt by their wish: a
   * person has to decide, and the sums are not compared.
   */
  private judged(): ReadonlyArray<string> {
    const issuer = this.of("issuer").flatMap(({ lines }) => lines)
    const { findings } = check({
      acquirer: this.of("acquirer").flatMap(({ lines }) => lines),
      issuer,
      postings: this.all.flatMap(({ postings }) => postings),
      ledger: sumOf(this.of("issuer").flatMap(({ ledger }) => ledger ?? [])),
      ...{ journal: undefined, counters: undefined }
    })
    const refused = new Set(
      issuer.flatMap(({ mti = "", rrn = "", rule }) => (rule === "declined" && isDelivered(mti) ? [rrn] : []))
    )
    return findings
      .filter(({ rule }) => rule !== "progress" && (rule !== "money-total" || refused.size === 0))
      .filter(({ rrn = "" }) => !refused.has(rrn))
      .map(({ rrn, rule, says }) => `${rule}: ${says}${rrn === undefined ? "" : `, RRN ${rrn}`}`)
  }
}

/** An advice or a reversal, in every edition. */
const isDelivered = (mti: string): boolean => mti[1] === "4" || mti[2] === "2"

const outcomes: { readonly [W in HistoryLine["what"]]?: Purchase["outcome"] } = {
  ...{ approved: "approved", declined: "declined", failed: "declined", rejected: "declined" },
  ...{ timedOut: "unknown", linkLost: "unknown" }
}

const sumOf = (all: ReadonlyArray<LedgerTotals>): LedgerTotals =>
  all.reduce((sum, one) => {
    const added = Object.entries(one).map(([name, value]) => [name, value + sum[name as keyof LedgerTotals]])
    return Object.fromEntries(added) as unknown as LedgerTotals
  })
