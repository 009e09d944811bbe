/** What leaves for partners: answers of our own on the link that carries them, sealed where a security module is configured. */
import type { Receipt } from "../../link/Receipts.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { ExitGate } from "./ExitGate.ts"

/** The way out of one switch. */
export class WayOut {
  /** The gate; `undefined`: no security module is configured, and everything leaves as it is. */
  readonly seals: ExitGate | undefined
  private readonly desks: Desks

  constructor(desks: Desks, seals: ExitGate | undefined) {
    this.desks = desks
    this.seals = seals
  }

  /**
   * Sends an answer of our own to a message that came on connection `epoch`: a long link gives it on the connection that is up, a
   * short one as its mode says; else another of the same partner does. False when none can, or when there is no answer to send;
   * else `receipt` hears what became of it.
   *
   * On the connection that the message came on its answer is wanted, even after a sign-off; a new one has to sign on first.
   */
  send(
    desk: Desk,
    epoch: number,
    message: Buffer | undefined,
    length = message?.length ?? 0,
    receipt?: Receipt
  ): boolean {
    const { link } = desk
    if (message === undefined) {
      link.release(epoch)
      return false
    }
    if (this.seals !== undefined) return this.seals.send(desk, epoch, message, length, receipt)
    const way = this.desks.wayBackOn(link, epoch)
    return way !== undefined && this.desks.put(way, epoch, message, length, receipt)
  }
}
