/**
 * Approvals that come when their request has ended otherwise: the money would stay with nobody knowing.
 *
 * One ended without an answer, and so did its reversal, because the partner knew no such request then: the reversal was there
 * before the request, and the request is reversed once more, by another message: an end is never taken back (G2). The other was
 * declined by its partner, who approves it now: it is reversed.
 */
import { MessageIndex } from "@jinka/codec"
import { Effect, Schedule } from "effect"
import { type Entry, secretPan, secretRest } from "../../journal/Entry.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import { saysUnseen } from "../delivery/Approvals.ts"
import type { Reversals } from "./Reversals.ts"

/** Between two questions to a journal that does not answer, in milliseconds. */
const AGAIN_MS = 1000

/** The late approvals of one switch. */
export class LateApprovals {
  private readonly desks: Desks
  private readonly reversals: Reversals
  private readonly index = new MessageIndex()

  constructor(desks: Desks, reversals: Reversals) {
    this.desks = desks
    this.reversals = reversals
  }

  /** The partner of `desk` has approved a request that has ended without an answer; entry `seq` says so. */
  came(desk: Desk, exchange: number, seq: number): void {
    const { approvals } = this.desks
    approvals.add(exchange)
    // The journal is asked only where something has to be done: of a slow partner every answer may come late.
    if (!approvals.takeUnseen(exchange)) return
    this.ask(exchange, seq, (entries) => this.judge(desk, exchange, seq, entries))
  }

  /** The partner of `desk` approves a request that it has declined, and whose origin was told so; entry `seq` says it. */
  afterDecline(desk: Desk, exchange: number, seq: number): void {
    const { approvals } = this.desks
    // Once, however often it comes.
    if (approvals.has(exchange)) return
    approvals.add(exchange)
    this.ask(exchange, seq, (entries) => {
      const accepted = entries.find((entry) => entry.kind === EntryKind.accepted && entry.exchange === exchange)
      const isReversed = entries.some((entry) => entry.kind === EntryKind.queued && entry.about === exchange)
      const text = `exchange ${exchange} was declined, and then approved: it is reversed, for its origin was told that it is declined`
      if (accepted !== undefined && !isReversed) this.reverse(desk, accepted, text)
    })
  }

  /** Reads the exchange's entries once `seq` is on disk. */
  private ask(exchange: number, seq: number, then: (entries: ReadonlyArray<Entry>) => void): void {
    const { desks } = this
    const { journal, runtime } = desks
    const asked = this.entries(exchange).pipe(
      Effect.retry({ while: ({ reason }) => reason._tag === "StoreAway", schedule: Schedule.spaced(AGAIN_MS) }),
      Effect.map((entries) => {
        desks.tick()
        then(entries)
        desks.flush()
      }),
      // A journal that has stopped ends the switch.
      Effect.catch(({ message }) => (journal.stopped() === undefined ? this.unread(exchange, message) : Effect.void))
    )
    desks.after(undefined, seq, () => runtime.fork(asked))
  }

  /** All entries of the exchange, and of those about it. */
  private entries(exchange: number) {
    const { journal } = this.desks
    return Effect.gen(function* () {
      const own = yield* journal.read(exchange, { secrets: true })
      const about = own.filter(({ kind }) => kind === EntryKind.queued).map((entry) => entry.exchange)
      const others = yield* Effect.forEach(about, (one) => journal.read(one))
      return [...own, ...others.flat()]
    })
  }

  private unread(exchange: number, why: string): Effect.Effect<void> {
    const text = `exchange ${exchange} was approved when it had ended, and what became of its reversal cannot be read: ${why}`
    return Effect.logWarning(text)
  }

  private judge(desk: Desk, exchange: number, seq: number, entries: ReadonlyArray<Entry>): void {
    const accepted = entries.find((entry) => entry.kind === EntryKind.accepted && entry.exchange === exchange)
    const last = entries.findLast((entry) => entry.kind === EntryKind.queued && entry.about === exchange)
    const end = entries.find(
      (entry) => entry.kind === EntryKind.acknowledged && entry.exchange === last?.exchange && entry.seq < seq
    )
    const language = this.desks.named(end?.link ?? 0)?.language
    if (accepted === undefined || end === undefined || language === undefined || !saysUnseen(language, end.code)) return
    const text = `exchange ${exchange} was approved behind its reversal, which had been answered ${end.code}: it is reversed once more`
    this.reverse(desk, accepted, text)
  }

  /** Reverses the request of the entry, which the partner of `desk` has approved: on its link, or on that which it has now. */
  private reverse(desk: Desk, { code, exchange, link, message, secret }: Entry, text: string): void {
    const { desks } = this
    const origin = desks.named(link)
    const named = desks.called(code)
    // Another institution's link may have that name now.
    const target = named !== undefined && desks.kin.isOfOne(named, desk) ? named : desk
    const { reversed } = target.language
    const isRead =
      origin?.language.restore(message, secretPan(secret), secretRest(secret), this.index, reversed) === true
    if (!isRead || target.link.isGone) return this.reversals.impossible(target, exchange)
    desks.note(target, target.link.epoch, text, "warning")
    const stored = this.reversals.make(origin, target, this.index, exchange, "late")
    if (stored !== undefined) desks.after(undefined, stored.exchange, () => target.stored.add(stored))
  }
}
