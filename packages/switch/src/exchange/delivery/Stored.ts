/** A message that was accepted for delivery: what its link's queue knows of it, and the message itself when it is about to go. */
import type { MessageIndex } from "@jinka/codec"
import type { Language } from "../../message/Language.ts"
import { KEY_LENGTH_MAX } from "../request/Outstanding.ts"

/** How a delivery ends. Only with the first is nothing left to be done. */
export type DeliveryEnd = "acknowledged" | "abandoned" | "declined"

/** Of a message that has not ended: not sent yet, sent and not answered, between two attempts, held by a person. */
export type DeliveryState = "waiting" | "under way" | "resting" | "held"

/** What the queue of its link knows of a message, however many wait. */
export interface Kept {
  /** Number of its exchange: the sequence number of its `queued` entry. */
  readonly exchange: number
  /** The exchange that it is about, 0 when there is none in this journal. */
  readonly about: number
  /** Number of the partner that it came from; `OURS`: the switch made it. */
  readonly origin: number
  /** MTI as accepted, as a number. */
  readonly mti: number
  /** STAN as the link's partner knows it. */
  readonly stan: string
  /** When it was accepted, milliseconds since the epoch. */
  readonly at: number
  /** Attempts made so far. */
  readonly attempts: number
}

/** The message whole; out of the journal, where it was not kept in memory. */
export interface Stored extends Kept {
  /** The message as it goes out, with its header, without a length header. */
  readonly bytes: Buffer
  /** Match key of its answer. */
  readonly key: string
  /** Key of the transaction that it belongs to, and the one by which a message about itself names it. */
  readonly transaction: string
  readonly own: string
  attempts: number
  /**
   * For a reversal of our own that may overtake: the connection of its original and its position there. It never leaves before
   * its original, which may still wait in the outbox of a slow partner. What comes out of the journal overtakes nothing.
   */
  behind?: { readonly desk: number; readonly epoch: number; readonly at: number }
  /**
   * For a partner's message about a request of its own that had not ended here: at which desk and in which slot that is. The
   * message waits for its end, or it could get there first, over another connection or past the waiting line.
   */
  original?: { readonly desk: number; readonly slot: number; readonly exchange: number }
}

/** Room for one key at a time. */
const key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)

/** The message of `index` with the bytes `bytes`, of which `known` is known. */
export const storedOf = (
  language: Language,
  index: MessageIndex,
  known: Pick<Stored, "exchange" | "about" | "origin" | "bytes" | "at"> & { readonly attempts?: number }
): Stored => ({
  attempts: 0,
  ...known,
  mti: index.mti,
  key: key.toString("latin1", 0, language.key(index, language.sentFields, key)),
  stan: language.stan(index),
  transaction: language.transaction(index),
  own: language.ownTransaction(index)
})
