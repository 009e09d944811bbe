/**
 * The gate at the exit: what leaves on a guarded link leaves sealed, or not at all.
 *
 * A request is sealed when it is written, or, with a device in the network, as soon as it is on its way to the journal; an
 * answer to a partner beside its commit; both ahead of that, where `Foresight` knows what they will be. Everything else is
 * sealed when its turn to be written has come. A message that cannot be sealed was not sent: a request ends as such, an answer is
 * not delivered, a stored message waits for its next attempt.
 */
import { MessageIndex } from "@jinka/codec"
import type { Guard } from "../../guard/Guard.ts"
import { Sealer } from "../../guard/Sealer.ts"
import type { OnSealed, Sealing } from "../../guard/Sealing.ts"
import type { SharedModule } from "../../guard/SharedModule.ts"
import type { Link } from "../../link/Link.ts"
import type { Receipt } from "../../link/Receipts.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { Originals } from "../entry/Originals.ts"
import type { Slot } from "../request/Outstanding.ts"
import type { HotActions } from "../turns/Commits.ts"
import type { ExitGate } from "./ExitGate.ts"
import { GuardedCrossing } from "./GuardedCrossing.ts"

/** An answer of ours that waits for its MAC. */
interface Parked {
  readonly epoch: number
  readonly receipt: Receipt | undefined
}

/** The seals of one switch. */
export class Seals implements ExitGate {
  readonly module: SharedModule
  private readonly sealer: Sealer
  private readonly desks: Desks
  private readonly index = new MessageIndex()
  /** Answers that wait, by the numbers of their slots. */
  private readonly parked = new Map<number, Parked>()
  private readonly crossing: GuardedCrossing
  /** Sealed ahead of the verdict on the message that is being taken, for whoever takes it. */
  private offered: Sealing | undefined

  constructor(desks: Desks, originals: Originals, module: SharedModule, budgetMs: number) {
    this.desks = desks
    this.module = module
    this.sealer = new Sealer(module, budgetMs, (guard, error) => desks.keyUnusable(guard.link, error))
    this.crossing = new GuardedCrossing(this.sealer, originals)
  }

  /** The call of slot `id` is done; `requests` go on with what waited for it. */
  done(id: number, requests: HotActions): void {
    const sealing = this.sealer.at(id)
    if (this.safely(sealing, () => this.sealer.resume(sealing))) sealing.told(sealing, requests)
  }

  /** Whether an answer of ours to the desk's partner waits here. */
  holds(desk: number): boolean {
    for (const id of this.parked.keys()) if (this.sealer.at(id).desk === desk) return true
    return false
  }

  /** See `ExitGate`. */
  isBetween(origin: Desk, target: Desk): boolean {
    return origin.guard !== undefined || target.guard !== undefined
  }

  /** See `ExitGate`. */
  ahead(target: Desk, slot: Slot): void {
    const origin = this.desks.at(slot.origin)
    if (this.module.isSynchronous || !this.isBetween(origin, target)) return
    const offered = this.taken(target.id, target.guard, 0)
    if (offered === undefined) slot.sealing = this.request(target, slot, this.requestSealed)
    else {
      offered.place = slot.id
      offered.told = this.requestSealed
      slot.sealing = offered
      this.crossing.wipePin(origin, target, slot)
    }
  }

  /** Seals a request of `origin` as `target` will get it, should it be taken; `target` has a guard. */
  foreseen(origin: Desk, target: Desk, index: MessageIndex): Sealing {
    const { crossing, sealer } = this
    const sealing = sealer.take()
    sealing.desk = target.id
    this.safely(
      sealing,
      () => !crossing.message(origin, target, index, "", sealing) || sealer.begin(sealing, target.guard!)
    )
    return sealing
  }

  /** The same for the answer to the request in the slot of desk `holder`; `origin` has a guard. */
  foreseenAnswer(origin: Desk, holder: number, slot: Slot, length: number, write: (out: Buffer) => number): Sealing {
    const sealing = this.sealer.take()
    sealing.desk = holder
    sealing.place = slot.id
    sealing.exchange = slot.exchange
    this.safely(sealing, () => {
      sealing.length = write(sealing.room(length))
      return this.sealer.begin(sealing, origin.guard!)
    })
    return sealing
  }

  /** What was sealed ahead is there for whoever takes its message within `take`, and for nobody else. */
  offering(sealing: Sealing | undefined, take: () => void): void {
    this.offered = sealing
    try {
      take()
    } finally {
      const left = this.offered
      this.offered = undefined
      if (left !== undefined) this.drop(left)
    }
  }

  /** See `ExitGate`; also what was sealed ahead and is for nobody. */
  drop(sealing: Sealing): void {
    if (sealing.isDone) this.sealer.give(sealing)
    else sealing.told = this.dropped
  }

  private readonly dropped = (sealing: Sealing): void => this.sealer.give(sealing)

  /** What is offered, if it is this; the caller has it then. */
  private taken(desk: number, guard: Guard | undefined, exchange: number): Sealing | undefined {
    const { offered } = this
    if (offered?.desk !== desk || offered.guard !== guard || offered.exchange !== exchange) return undefined
    this.offered = undefined
    return offered
  }

  /** See `ExitGate`. `told`: who hears of it when it is ready, where it is not at once. */
  request(target: Desk, slot: Slot, told?: OnSealed): Sealing {
    const { sealer } = this
    const sealing = sealer.take()
    if (told !== undefined) sealing.told = told
    sealing.desk = target.id
    sealing.place = slot.id
    const origin = this.desks.at(slot.origin)
    this.safely(sealing, () => {
      if (!this.crossing.request(origin, target, slot, sealing)) return true
      return target.guard === undefined || sealer.begin(sealing, target.guard)
    })
    return sealing
  }

  /** See `ExitGate`. */
  renews(sealing: Sealing): boolean {
    const { sealer } = this
    return sealer.isStale(sealing) && !this.safely(sealing, () => sealer.renew(sealing))
  }

  /** Whatever is thrown for a message that is being sealed costs this message, which does not leave. */
  private safely(sealing: Sealing, step: () => boolean): boolean {
    try {
      return step()
    } catch (thrown) {
      this.desks.defects.met(this.desks.at(sealing.desk), 0, "a message could not be sealed", thrown)
      this.sealer.refuse(sealing, "malfunction")
      return true
    }
  }

  private readonly requestSealed: OnSealed = ({ desk, place }, requests) => {
    const slot = this.desks.at(desk).outstanding.at(place)
    if (slot.isDue) requests.forward(desk, place)
  }

  /** See `ExitGate`. */
  answer(origin: Desk, holder: number, slot: Slot): void {
    const { guard } = origin
    if (guard === undefined || this.module.isSynchronous) return
    const offered = this.taken(holder, guard, slot.exchange)
    const sealing = offered ?? this.filled(slot.answer, slot.answerLength)
    sealing.desk = holder
    sealing.place = slot.id
    sealing.told = this.answerSealed
    slot.sealing = sealing
    slot.isDue = false
    if (offered === undefined) this.safely(sealing, () => this.sealer.begin(sealing, guard))
  }

  private readonly answerSealed: OnSealed = ({ desk, place }, requests) => {
    const slot = this.desks.at(desk).outstanding.at(place)
    if (slot.isDue) requests.deliver(desk, place)
  }

  /** See `ExitGate`. */
  send(
    { guard: _, id, link }: Desk,
    epoch: number,
    message: Buffer,
    length: number,
    receipt?: Receipt,
    sealing?: Sealing
  ): boolean {
    const way = this.desks.wayBackOn(link, epoch)
    const guard = way === undefined ? undefined : this.desks.of(way).guard
    if (sealing !== undefined && (way === undefined || sealing.guard !== guard)) {
      this.sealer.give(sealing)
      return this.send(this.desks.at(id), epoch, message, length, receipt)
    }
    if (way === undefined) return false
    if (guard === undefined) return this.desks.put(way, epoch, message, length, receipt)
    const ready = sealing ?? this.filled(message, length)
    ready.desk = id
    if (sealing !== undefined || this.safely(ready, () => this.sealer.begin(ready, guard)))
      return this.leave(way, epoch, ready, receipt)
    this.parked.set(ready.id, { epoch, receipt })
    ready.told = this.parkedSealed
    return true
  }

  private readonly parkedSealed = (sealing: Sealing): void => {
    const { epoch, receipt } = this.parked.get(sealing.id)!
    this.parked.delete(sealing.id)
    const way = this.desks.wayBackOn(this.desks.at(sealing.desk).link, epoch)
    const isSame = way !== undefined && this.desks.of(way).guard === sealing.guard
    if (!isSame) this.sealer.give(sealing)
    if (!isSame || !this.leave(way, epoch, sealing, receipt)) receipt?.settle(false)
  }

  /** Puts a sealed answer out; false when it was refused, or nothing carries it. */
  private leave(way: Link, epoch: number, sealing: Sealing, receipt?: Receipt): boolean {
    const isSent = sealing.refusal === undefined && this.desks.put(way, epoch, sealing.bytes, sealing.length, receipt)
    if (sealing.refusal !== undefined) way.release(epoch)
    this.sealer.give(sealing)
    return isSent
  }

  /** See `ExitGate`. */
  rare(guard: Guard, length: number, write: (out: Buffer) => number, then: (sealing: Sealing) => void): void {
    const sealing = this.sealer.take()
    sealing.told = then
    sealing.desk = guard.link
    const begin = () => {
      sealing.length = write(sealing.room(length))
      return this.sealer.begin(sealing, guard)
    }
    if (this.safely(sealing, begin)) then(sealing)
  }

  /** Whether a message of ours of this form, `bytes[from, to)`, gets a MAC on the guard's link. */
  seals(guard: Guard, bytes: Buffer, from = 0, to = bytes.length): boolean {
    return guard.codec.index(bytes, from, to, this.index) === undefined && guard.seals(this.index.mti)
  }

  /** See `ExitGate`. */
  bare(guard: Guard, index: MessageIndex): MessageIndex {
    return this.sealer.bare(guard, index)
  }

  /** See `ExitGate`. */
  give(sealing: Sealing): void {
    this.sealer.give(sealing)
  }

  private filled(message: Buffer, length: number): Sealing {
    const sealing = this.sealer.take()
    message.copy(sealing.room(length), 0, 0, length)
    sealing.length = length
    return sealing
  }
}
