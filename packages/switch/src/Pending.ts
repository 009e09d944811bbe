/**
 * What a person may see and end of the deliveries: messages that wait to be acknowledged, and what is in doubt. Every end is
 * in the journal with its user and reason, and nothing is ever deleted.
 */
import { mtiText } from "@jinka/codec"
import { Effect } from "effect"
import type { Desks } from "./exchange/Desks.ts"
import type { InDoubt } from "./exchange/Doubts.ts"
import type { DeliveryState } from "./exchange/StoreAndForward.ts"
import { OperationRefused } from "./Operations.ts"

/** Messages that are told at once; the sum says how many there are. */
const TOLD_MAX = 1000

/** One message. */
export interface PendingMessage {
  readonly exchange: number
  /** The exchange that it reverses, 0 when there is none in this journal. */
  readonly about: number
  /** The link that it is meant for. */
  readonly link: string
  /** Message type; "" when it cannot be told any more. */
  readonly mti: string
  /** STAN as the link's partner knows it. */
  readonly stan: string
  /** The first three are the switch's to deliver, the others a person's to end. */
  readonly state: DeliveryState | InDoubt["end"]
  /** What the partner answered last, or why it was given up; "" while it is being delivered. */
  readonly code: string
  readonly attempts: number
  /** Milliseconds since the epoch: accepted, or in doubt, since. */
  readonly at: number
}

/** What is in doubt, then what waits: oldest first in each transaction. */
export interface PendingList {
  readonly messages: ReadonlyArray<PendingMessage>
  readonly inDoubt: number
  readonly waiting: number
}

const inDoubt = ({ mti, end, ...one }: InDoubt): PendingMessage => ({
  ...one,
  mti: mti === 0 ? "" : mtiText(mti),
  state: end,
  attempts: 0
})

/** The deliveries of one switch, as a person sees them. */
export class Pending {
  private readonly desks: Desks

  constructor(desks: Desks) {
    this.desks = desks
  }

  /** All of them, at most {@link TOLD_MAX}. */
  list(): PendingList {
    const { all, doubts } = this.desks
    const known = doubts.all
    const messages = known.slice(0, TOLD_MAX).map(inDoubt)
    let waiting = 0
    for (const desk of all) {
      waiting += desk.stored.size
      if (messages.length >= TOLD_MAX) continue
      for (const { stored, state } of desk.stored.undelivered()) {
        if (messages.length >= TOLD_MAX) break
        const { about, at, attempts, exchange, mti, stan } = stored
        messages.push({ exchange, about, link: desk.name, mti: mtiText(mti), stan, state, code: "", attempts, at })
      }
    }
    return { messages, inDoubt: known.length, waiting }
  }

  /** A person ends what is in doubt, and says why. */
  close(exchange: number, user: string, reason: string): Effect.Effect<PendingMessage, OperationRefused> {
    return Effect.suspend(() => {
      const { desks } = this
      const one = desks.doubts.get(exchange)
      if (one === undefined) return Effect.fail(this.refused(exchange))
      desks.doubts.close(exchange)
      desks.record.closed(exchange, desks.nameOf(one.link), `${user}: ${reason}`)
      desks.flush()
      const text = `operator ${user}: pending close exchange ${exchange} of ${one.link} (${reason})`
      desks.runtime.fork(Effect.logInfo(text))
      return Effect.succeed(inDoubt(one))
    })
  }

  private refused(exchange: number): OperationRefused {
    const waits = this.desks.all.some(({ stored }) =>
      [...stored.undelivered()].some((one) => one.stored.exchange === exchange)
    )
    const says = waits
      ? `Exchange ${exchange} is still being delivered: it ends by itself, or comes into doubt.`
      : `Exchange ${exchange} is not in doubt. \`jinka pending list\` shows what is.`
    return new OperationRefused({ reason: "NotNow", says })
  }
}
