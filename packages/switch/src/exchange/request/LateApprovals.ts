/**
 * Approvals that come when their request has ended without an answer and its reversal has ended, too, because the partner knew
 * no such request then. Its reversal was there before the request: the money would stay with nobody knowing. So the request is
 * reversed once more, by another message: an end is never taken back (G2).
 */
import { MessageIndex } from "@jinka/codec"
import { Effect, Schedule } from "effect"
import { type Entry, secretPan, secretRest } from "../../journal/Entry.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
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

  /** A partner has approved a request that has ended without an answer; entry `seq` says so. */
  came(exchange: number, seq: number): void {
    const { approvals, journal, runtime } = this.desks
    approvals.add(exchange)
    // The journal is asked only where something has to be done: of a slow partner every answer may come late.
    if (!approvals.takeUnseen(exchange)) return
    const asked = this.entries(exchange).pipe(
      Effect.retry({ while: ({ reason }) => reason._tag === "StoreAway", schedule: Schedule.spaced(AGAIN_MS) }),
      Effect.map((entries) => this.judge(exchange, seq, entries)),
      // A journal that has stopped ends the switch.
      Effect.catch(({ message }) => (journal.stopped() === undefined ? this.unread(exchange, message) : Effect.void))
    )
    runtime.fork(asked)
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

  private judge(exchange: number, seq: number, entries: ReadonlyArray<Entry>): void {
    const { desks } = this
    desks.tick()
    const accepted = entries.find((entry) => entry.kind === EntryKind.accepted && entry.exchange === exchange)
    const last = entries.findLast((entry) => entry.kind === EntryKind.queued && entry.about === exchange)
    const end = entries.find(
      (entry) => entry.kind === EntryKind.acknowledged && entry.exchange === last?.exchange && entry.seq < seq
    )
    if (accepted !== undefined && end !== undefined) this.reverse(accepted, end)
    desks.flush()
  }

  private reverse(accepted: Entry, { code }: Entry): void {
    const { desks } = this
    const { exchange, message, secret } = accepted
    const origin = desks.named(accepted.link)
    const target = desks.present.find(({ name }) => name === accepted.code)
    if (origin === undefined || target === undefined) return
    if (!saysUnseen(target.language, code)) return
    const isRead = origin.language.restore(message, secretPan(secret), secretRest(secret), this.index)
    if (!isRead) return this.reversals.impossible(target, exchange)
    const text = `exchange ${exchange} was approved behind its reversal, which had been answered ${code}: it is reversed once more`
    desks.note(target, target.link.epoch, text, "warning")
    const stored = this.reversals.make(origin, target, this.index, exchange)
    if (stored !== undefined) desks.after(undefined, stored.exchange, () => target.stored.add(stored))
  }
}
