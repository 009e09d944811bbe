/** What the rest of the exchanges asks of the gate at the exit; `Seals` is it. */
import type { MessageIndex } from "@jinka/codec"
import type { Guard } from "../../guard/Guard.ts"
import type { Sealing } from "../../guard/Sealing.ts"
import type { Receipt } from "../../link/Receipts.ts"
import type { Desk } from "../Desk.ts"
import type { Slot } from "../request/Outstanding.ts"

/** See `Seals`. */
export interface ExitGate {
  /** Whether something of a request between the two has to be sealed or taken out. */
  readonly isBetween: (origin: Desk, target: Desk) => boolean
  /** The request in the slot was taken: with a device in the network it is sealed while the journal writes. */
  readonly ahead: (target: Desk, slot: Slot) => void
  /** The request in the slot, sealed or refused or on its way to that; give it back. */
  readonly request: (target: Desk, slot: Slot) => Sealing
  /**
   * What was sealed ahead has to be sealed again, because the key has changed since: true while that is waited for, and then its
   * slot is told again.
   */
  readonly renews: (sealing: Sealing) => boolean
  /** The answer in the slot of desk `holder` goes to `origin`: with a device in the network it is sealed beside its commit. */
  readonly answer: (origin: Desk, holder: number, slot: Slot) => void
  /** Sends an answer of ours: see `WayOut.send`. `sealing`: the same answer, sealed ahead for the origin's own link. */
  readonly send: (
    desk: Desk,
    epoch: number,
    message: Buffer,
    length: number,
    receipt?: Receipt,
    sealing?: Sealing
  ) => boolean
  /** Seals a message of ours; `then` hears of it in this turn or a later one, and gives the slot back. */
  readonly rare: (
    guard: Guard,
    length: number,
    write: (out: Buffer) => number,
    then: (sealing: Sealing) => void
  ) => void
  /** The message without the MAC of its partner, whose guard this is; see `Sealer`. */
  readonly bare: (guard: Guard, index: MessageIndex) => MessageIndex
  /** What was sealed, or is on its way to that, does not leave any more. */
  readonly drop: (sealing: Sealing) => void
  /** The slot is not needed any more. */
  readonly give: (sealing: Sealing) => void
}
