/**
 * What has become of the answers that were put on one connection: handed to the kernel, or not when it ended.
 *
 * "Delivered" means handed to the kernel; what no write has taken, or the kernel has not, when the connection ends was heard by
 * nobody. After the partner has closed its direction more is asked for: it may be gone altogether, and then its system answers
 * what is sent with a reset; so such answers are delivered only once that had its time to come (`heard`).
 */
import { Effect } from "effect"
import type { Connection, ConnectionEnded } from "../transport/Transport.ts"

/**
 * How long the reset of a partner that is gone may take to come, in milliseconds. Where our FIN ends the message (until-close)
 * the partner waits as long, so that is shorter.
 */
const RESET_MS = 200
const RESET_BEFORE_FIN_MS = 20

/**
 * A partner that has closed its own direction (FIN) may wait for answers still, or be gone: TCP does not tell one from the other,
 * so the answers are sent. Where some have been, waits for the reset, and asks for it: fails when the partner was gone.
 */
export const heard = (
  connection: Connection,
  answers: { readonly size: number },
  isFinAwaited: boolean
): Effect.Effect<void, ConnectionEnded> =>
  Effect.suspend(() =>
    connection.probe === undefined || answers.size === 0
      ? Effect.void
      : Effect.andThen(Effect.sleep(isFinAwaited ? RESET_BEFORE_FIN_MS : RESET_MS), connection.probe)
  )

/** Whoever wants to know what becomes of an answer. Called once. */
export interface Receipt {
  readonly settle: (isDelivered: boolean) => void
}

/** Length of the list from which on what is settled is thrown away. */
const COMPACT_FROM = 1024

/** The answers of one connection, in the order in which they were put. Positions are those of its outbox. */
export class Receipts {
  private ends: Array<number> = []
  private receipts: Array<Receipt> = []
  private head = 0
  /** How far what was put has been handed over, now and when the connection broke. */
  private handedTo = 0
  private brokenAt: number | undefined
  private isHeld = false
  private heldFrom = 0
  private isOver = false

  /** Answers that are not settled. */
  get size(): number {
    return this.receipts.length - this.head
  }

  /** Answers were handed over since the partner closed its direction, and nothing has told yet whether they were heard. */
  get isHolding(): boolean {
    return this.isHeld && this.brokenAt === undefined && this.size > 0 && this.ends[this.head]! <= this.handedTo
  }

  /** The answer that ends at `position` was put. On a connection that has ended under it it is undelivered at once. */
  add(position: number, receipt: Receipt): void {
    if (this.isOver) return receipt.settle(false)
    this.ends.push(position)
    this.receipts.push(receipt)
  }

  /** The kernel has everything up to `position`. */
  handed(position: number): void {
    this.handedTo = position
    if (!this.isHeld) this.deliver(position)
  }

  /**
   * The partner has closed its direction: what is handed over from now on is delivered when the connection ends well. It may have
   * heard what the kernel has: up to `position`, or as far as it was known to have it.
   */
  hold(position = this.handedTo): void {
    this.isHeld = true
    this.heldFrom = position
  }

  /** The connection is broken: the kernel has got what ends at `position` or before. Left out: what it was known to have. */
  broken(position = this.handedTo): void {
    this.brokenAt ??= position
  }

  /** No reset came in its time: what was handed over since the partner closed its direction has been heard. */
  heard(): void {
    this.isHeld = false
    this.deliver(this.handedTo)
  }

  /** The partner was gone when it closed its direction: nothing that was handed over since has been heard. */
  unheard(): void {
    this.broken(this.heldFrom)
  }

  /** The connection has ended, and no answer comes after this. True: not all were delivered. */
  end(): boolean {
    this.isOver = true
    this.deliver(this.brokenAt ?? this.handedTo)
    const lost = this.receipts.slice(this.head)
    this.forget()
    for (const receipt of lost) receipt.settle(false)
    return lost.length > 0
  }

  private deliver(position: number): void {
    while (this.head < this.ends.length && this.ends[this.head]! <= position) this.receipts[this.head++]!.settle(true)
    if (this.head === this.ends.length) {
      this.ends.length = 0
      this.receipts.length = 0
      this.head = 0
    } else if (this.head >= COMPACT_FROM) {
      this.ends.splice(0, this.head)
      this.receipts.splice(0, this.head)
      this.head = 0
    }
  }

  private forget(): void {
    this.ends = []
    this.receipts = []
    this.head = 0
  }
}
