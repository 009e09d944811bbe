/**
 * Answers on their way out: at once, late, twice, held until others have left, or not at all, and the end of a connection where a
 * rule asks for it. An answer leaves on the connection of its request or nowhere.
 */
import type { Message } from "@jinka/codec"
import { chanceOf } from "../chance/Chance.ts"
import { DueQueue } from "../partner/DueQueue.ts"
import type { Connection, Timepiece } from "../partner/Session.ts"
import { bytesOf } from "./Answers.ts"
import { drawnDelay } from "./Delays.ts"
import { carriesMac } from "./Facts.ts"
import type { Zone } from "./keys/Zone.ts"
import type { Conduct, Disconnect, PartnerPlan } from "./PartnerPlan.ts"
import type { PartnerCount, PartnerRecord } from "./PartnerRecord.ts"

/** One answer, or one end of a connection. */
interface Leaving {
  readonly connection: Connection<Buffer>
  readonly bytes: Buffer | undefined
  readonly mti: string
  readonly key: string
  readonly disconnect: Disconnect | undefined
  readonly isLater: boolean
}

/** When it leaves at the earliest. */
interface Times {
  readonly leaving: Leaving
  readonly due: number
}

/** An answer that waits for others. */
interface Held {
  readonly times: ReadonlyArray<Times>
  left: number
}

/** What is due of one partner. */
export class Deliveries {
  private plan: PartnerPlan
  private zone: Zone
  private readonly time: Timepiece
  private readonly record: PartnerRecord
  private readonly count: PartnerCount
  private readonly due = new DueQueue<Leaving>()
  private held: Array<Held> = []
  private readonly gone = new Set<number>()
  /** By connection: until when a partner that serves one request after the other is busy. */
  private readonly busyUntil = new Map<number, number>()
  private drawn = 0

  constructor(plan: PartnerPlan, zone: Zone, time: Timepiece, record: PartnerRecord, count: PartnerCount) {
    this.plan = plan
    this.zone = zone
    this.time = time
    this.record = record
    this.count = count
  }

  /** Answers that wait. */
  get size(): number {
    return this.due.size + this.held.length
  }

  /** Another plan for what comes from now on. */
  replan(plan: PartnerPlan, zone: Zone): void {
    this.plan = plan
    this.zone = zone
  }

  /** Whether a rule lets its answer leave later than at once. */
  isLater(conduct: Conduct | undefined): boolean {
    return conduct !== undefined && (conduct.delay ?? conduct.lateMs ?? conduct.heldFor) !== undefined
  }

  /** The connection has fallen: what was to leave on it is lost when its time comes. */
  forget(epoch: number): void {
    this.busyUntil.delete(epoch)
    if (this.size === 0) this.gone.clear()
    else this.gone.add(epoch)
  }

  /** Sends an answer as its rule says. */
  deliver(
    connection: Connection<Buffer>,
    answer: Message,
    conduct: Conduct | undefined,
    key: string,
    seal?: (bytes: Buffer, isWrong: boolean) => Buffer
  ): void {
    if (conduct?.silence !== undefined) {
      this.count.dropped++
      return
    }
    const { mti } = answer
    const disconnect = conduct?.disconnect
    const common = { connection, mti, key, disconnect, isLater: this.isLater(conduct) }
    if (disconnect !== undefined && !disconnect.isAfterAnswer) {
      this.count.faulted++
      return this.leave({ ...common, bytes: undefined }, this.dueAt(connection.epoch, conduct))
    }
    const bytes = this.sealed(bytesOf(this.plan.form.codec, answer, conduct), Number(mti), conduct, seal)
    if (typeof bytes === "string") {
      this.count.dropped++
      return this.record.delivered(connection.epoch, "answerLost", mti, key, `the answer cannot be made: ${bytes}`)
    }
    if (isFaulty(conduct)) this.count.faulted++
    const due = this.dueAt(connection.epoch, conduct)
    const last: Times = { leaving: { ...common, bytes }, due: due + (conduct?.twiceMs ?? 0) }
    // The end of the connection is behind the last answer.
    const first: Times = { leaving: { ...common, bytes, disconnect: undefined }, due }
    const times = conduct?.twiceMs === undefined ? [last] : [first, last]
    if (conduct?.heldFor !== undefined) return void this.held.push({ times, left: conduct.heldFor })
    for (const one of times) this.leave(one.leaving, one.due)
  }

  /** With its MAC, where the partner makes one. A message that cannot be read gets none. */
  private sealed(
    bytes: Buffer | string,
    mti: number,
    conduct: Conduct | undefined,
    seal?: (bytes: Buffer, isWrong: boolean) => Buffer
  ): Buffer | string {
    if (typeof bytes === "string" || conduct?.malformed !== undefined) return bytes
    const isWrong = conduct?.wrong.includes("mac") === true
    if (seal !== undefined) return seal(bytes, isWrong)
    return carriesMac(this.plan.form.codec.dialect, mti) ? this.zone.sealed(bytes, isWrong) : bytes
  }

  /** When the next one leaves; Infinity: none waits for its time. */
  get nextDue(): number {
    return this.due.nextDue
  }

  /** Sends what is due. */
  tick(now: number): void {
    for (let next = this.due.take(now); next !== undefined; next = this.due.take(now)) this.send(next)
  }

  /** When the answer leaves. A partner of a sync mode serves one request after the other. */
  private dueAt(epoch: number, conduct: Conduct | undefined): number {
    const chance = chanceOf(this.plan.seed, "delay", ++this.drawn)
    const delay = conduct?.delay === undefined ? 0 : drawnDelay(conduct.delay, chance)
    const own = conduct?.lateMs === undefined ? delay : this.plan.timeoutMs + conduct.lateMs
    const now = this.time.monotonic()
    if (this.plan.link.mode.mode !== "sync-long") return now + own
    const until = Math.max(now, this.busyUntil.get(epoch) ?? now) + own
    this.busyUntil.set(epoch, until)
    return until
  }

  private leave(leaving: Leaving, due: number): void {
    if (due <= this.time.monotonic() && !this.isBusy(leaving)) return this.send(leaving)
    this.count.delayed++
    this.due.add(due, leaving)
  }

  /** Whether something on this connection waits that came before. */
  private isBusy({ connection }: Leaving): boolean {
    return (this.busyUntil.get(connection.epoch) ?? 0) > this.time.monotonic()
  }

  private send(leaving: Leaving): void {
    this.sendNow(leaving)
    if (this.held.length === 0) return
    for (const one of this.held) one.left--
    const free = this.held.filter(({ left }) => left <= 0)
    this.held = this.held.filter(({ left }) => left > 0)
    for (const { times } of free) for (const { due, leaving } of times) this.leaveHeld(leaving, due)
  }

  /** One that others had to leave before does not count as another one itself. */
  private leaveHeld(leaving: Leaving, due: number): void {
    if (due <= this.time.monotonic()) this.sendNow(leaving)
    else this.due.add(due, leaving)
  }

  private sendNow({ bytes, connection, disconnect, isLater, key, mti }: Leaving): void {
    if (this.gone.has(connection.epoch)) {
      this.count.answersLost++
      return this.record.delivered(connection.epoch, "answerLost", mti, key)
    }
    if (bytes !== undefined) {
      this.count.answered++
      connection.send(bytes)
      if (isLater) this.record.delivered(connection.epoch, "answered", mti, key)
    }
    if (disconnect !== undefined) connection.close("a rule of the file", disconnect.how)
  }
}

const isFaulty = (conduct: Conduct | undefined): boolean =>
  conduct !== undefined &&
  (conduct.wrong.length > 0 ||
    conduct.malformed !== undefined ||
    conduct.twiceMs !== undefined ||
    conduct.lateMs !== undefined ||
    conduct.mti !== undefined ||
    conduct.heldFor !== undefined)
