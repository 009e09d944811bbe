/**
 * What a person may see and end of the deliveries: messages that wait to be acknowledged, and what is in doubt. Every end is
 * in the journal with its user and reason, and nothing is ever deleted.
 */
import { MessageIndex, mtiText } from "@jinka/codec"
import { Effect } from "effect"
import { actText } from "./ActText.ts"
import type { Desk } from "./exchange/Desk.ts"
import type { Desks } from "./exchange/Desks.ts"
import type { InDoubt } from "./exchange/delivery/Doubts.ts"
import { OURS } from "./exchange/delivery/Due.ts"
import { type DeliveryState, type Kept, storedOf } from "./exchange/delivery/Stored.ts"
import { secretRest } from "./journal/Entry.ts"
import { EntryKind } from "./journal/EntryKind.ts"
import { noSuchLink, OperationRefused } from "./Operations.ts"

/** What a person may do to a message, by the names on the command line. */
export const pendingActs = ["close", "hold", "release", "retry"] as const
/** One of {@link pendingActs}. */
export type PendingAct = (typeof pendingActs)[number]

/** Messages that are told at once of those in doubt, and of those being delivered; the sums say how many there are. */
export const TOLD_MAX = 1000

/** States of a message, while it is delivered and in doubt; `sent`: the journal says so, and not whether it is under way. */
export const pendingStates = [
  "waiting",
  "under way",
  "resting",
  "held",
  "sent",
  "abandoned",
  "declined",
  "unreversed"
] as const
/** One of {@link pendingStates}. */
export type PendingState = (typeof pendingStates)[number]

/** Which messages are wanted; what is left out does not matter. */
export interface PendingAsked {
  /** The link that they are meant for, by name. */
  readonly link?: string | undefined
  readonly exchange?: number | undefined
  readonly state?: PendingState | undefined
  /** Accepted, or in doubt, for so many milliseconds. */
  readonly olderMs?: number | undefined
}

/** Whether a message is one of those wanted. */
export const isAsked = (
  { at, exchange, link, state }: Pick<PendingMessage, "at" | "exchange" | "link" | "state">,
  asked: PendingAsked,
  nowMs: number
): boolean =>
  (asked.link ?? link) === link &&
  (asked.exchange ?? exchange) === exchange &&
  (asked.state ?? state) === state &&
  (asked.olderMs === undefined || nowMs - at >= asked.olderMs)

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
  /** The state of its delivery, or why it is in doubt. */
  readonly state: PendingState
  /** What the partner answered last, or why it was given up; "" while it is being delivered. */
  readonly code: string
  /** Attempts so far; null of what is in doubt: nobody counts them any more, and `jinka trace` shows each. */
  readonly attempts: number | null
  /** Milliseconds since the epoch: accepted, or in doubt, since. */
  readonly at: number
}

/** What is in doubt, then what waits for each link: oldest first. The sums are of the link that was asked for, or of all. */
export interface PendingList {
  readonly messages: ReadonlyArray<PendingMessage>
  readonly inDoubt: number
  readonly waiting: number
}

/** What is in doubt, as a message of the list. */
export const inDoubtMessage = ({ about, at, code, end, exchange, link, mti, stan }: InDoubt): PendingMessage => ({
  exchange,
  about,
  link,
  mti: mti === 0 ? "" : mtiText(mti),
  stan,
  state: end,
  code,
  attempts: null,
  at
})

const deliveryStates: ReadonlyArray<DeliveryState> = ["waiting", "under way", "resting", "held"]

const pendingMessage = (desk: Desk, kept: Kept, state: DeliveryState): PendingMessage => {
  const { about, at, attempts, exchange, mti, stan } = kept
  return { exchange, about, link: desk.name, mti: mtiText(mti), stan, state, code: "", attempts, at }
}

/** What waits at a desk, oldest first; with `exchange` that one alone, with `state` those in it. */
function* waitingAt(desk: Desk, { exchange, state: wanted }: PendingAsked): Iterable<PendingMessage> {
  if (exchange === undefined) {
    const state = deliveryStates.find((one) => one === wanted)
    if (wanted !== undefined && state === undefined) return
    for (const { kept, state: now } of desk.stored.undelivered(state)) yield pendingMessage(desk, kept, now)
    return
  }
  const found = desk.stored.find(exchange)
  if (found !== undefined) yield pendingMessage(desk, found.kept, found.state)
}

/** What a person does instead of asking for an attempt. */
const states: Readonly<Record<string, string>> = {
  "under way": "Its answer is awaited.",
  waiting: "It goes when its link is ready and what is before it has gone.",
  held: "`jinka pending release` lets it go."
}

const notNow = (says: string) => Effect.fail(new OperationRefused({ reason: "NotNow", says }))

/** The deliveries of one switch, as a person sees them. */
export class Pending {
  private readonly desks: Desks

  constructor(desks: Desks) {
    this.desks = desks
  }

  /** Those that are wanted, at most {@link TOLD_MAX} of each sort. */
  list(asked: PendingAsked = {}): PendingList {
    const { all, doubts, wallMs } = this.desks
    const isOfLink = ({ link }: { readonly link: string }) => (asked.link ?? link) === link
    const known = doubts.all.filter(isOfLink)
    const desks = all.filter(({ name }) => isOfLink({ link: name }))
    const inDoubt = known
      .map(inDoubtMessage)
      .filter((one) => isAsked(one, asked, wallMs))
      .slice(0, TOLD_MAX)
    const delivered: Array<PendingMessage> = []
    for (const desk of desks) {
      for (const message of waitingAt(desk, asked)) {
        // Oldest first: behind the first that is too young none is old enough.
        if (delivered.length >= TOLD_MAX || !isAsked(message, asked, wallMs)) break
        delivered.push(message)
      }
    }
    return {
      messages: [...inDoubt, ...delivered],
      inDoubt: known.length,
      waiting: desks.reduce((sum, { stored }) => sum + stored.size, 0)
    }
  }

  /** The same; refused where there is no such link, and nothing left of one. */
  told(asked: PendingAsked): Effect.Effect<PendingList, OperationRefused> {
    return Effect.suspend(() => {
      const { link } = asked
      if (link !== undefined && !this.isKnown(link)) return Effect.fail(noSuchLink(link, this.desks))
      return Effect.succeed(this.list(asked))
    })
  }

  private isKnown(link: string): boolean {
    const { all, doubts } = this.desks
    return all.some(({ name }) => name === link) || doubts.all.some((one) => one.link === link)
  }

  /** A person ends what is in doubt, and says why. */
  close(exchange: number, user: string, reason: string): Effect.Effect<PendingMessage, OperationRefused> {
    return Effect.suspend(() => {
      const { desks } = this
      const one = desks.doubts.get(exchange)
      if (one === undefined) return Effect.fail(this.refused(exchange))
      desks.doubts.close(exchange)
      desks.record.closed(exchange, desks.nameOf(one.link), `${user}: ${reason}`)
      this.noted(user, "close", exchange, one.link, reason)
      return Effect.succeed(inDoubtMessage(one))
    })
  }

  /** A person holds a message back, before the switch makes its next attempt. */
  hold(exchange: number, user: string, reason: string): Effect.Effect<PendingMessage, OperationRefused> {
    return this.change(exchange, "hold", user, reason, (desk, one) => {
      if (one.state === "held") return notNow(`Exchange ${exchange} is held back already.`)
      desk.stored.hold(exchange)
      this.desks.record.heldBack(true, exchange, desk.journalName, `${user}: ${reason}`)
      return Effect.void
    })
  }

  /** A person lets it go again. */
  release(exchange: number, user: string, reason: string): Effect.Effect<PendingMessage, OperationRefused> {
    return this.change(exchange, "release", user, reason, (desk, one) => {
      if (one.state !== "held") return notNow(`Exchange ${exchange} is not held back.`)
      this.desks.record.heldBack(false, exchange, desk.journalName, `${user}: ${reason}`)
      desk.stored.release(exchange)
      return Effect.void
    })
  }

  /** A person wants the next attempt now: of what rests, or one more of what was given up. */
  retry(exchange: number, user: string, reason: string): Effect.Effect<PendingMessage, OperationRefused> {
    return Effect.suspend(() => {
      const doubt = this.desks.doubts.get(exchange)
      if (doubt !== undefined && this.waiting(exchange) === undefined) return this.onceMore(doubt, user, reason)
      return this.change(exchange, "retry", user, reason, (desk, { state }) =>
        desk.stored.retry(exchange)
          ? Effect.void
          : notNow(
              `Exchange ${exchange} is ${state}: it does not wait for its next attempt. ${states[state] ?? ""}`.trimEnd()
            )
      )
    })
  }

  /** What was given up is read from the journal, and sent once more as a repeat; until that is acknowledged it stays in doubt. */
  private onceMore(doubt: InDoubt, user: string, reason: string): Effect.Effect<PendingMessage, OperationRefused> {
    const { desks } = this
    const { about, end, exchange, link } = doubt
    const desk = desks.present.find(({ name }) => name === link)
    if (end !== "abandoned" || desk === undefined) {
      const why = desk === undefined ? "its link is gone" : `it is ${end}, and to send it again settles nothing`
      return notNow(`Exchange ${exchange} cannot be sent once more: ${why}. Settle it with the partner and close it.`)
    }
    return desks.journal.read(exchange, { secrets: true }).pipe(
      Effect.mapError(({ message }) => new OperationRefused({ reason: "NotNow", says: message })),
      Effect.flatMap((entries) => {
        const queued = entries.find((entry) => entry.kind === EntryKind.queued && entry.exchange === exchange)
        const bytes = queued === undefined ? Buffer.alloc(0) : Buffer.from(secretRest(queued.secret))
        const index = new MessageIndex()
        const { language } = desk
        const isReadable = bytes.length > 0 && language.index(bytes, 0, bytes.length, index) === undefined
        if (!isReadable) return notNow(`The message of exchange ${exchange} cannot be read any more.`)
        const stored = storedOf(language, index, { exchange, about, origin: OURS, bytes, at: queued!.at })
        if (!desk.stored.tryOnceMore(stored)) {
          return notNow(
            `Another message about the same transaction has not ended: exchange ${exchange} would overtake it.`
          )
        }
        this.noted(user, "retry", exchange, link, reason)
        return Effect.succeed(inDoubtMessage(doubt))
      })
    )
  }

  private waiting(
    exchange: number
  ): { readonly desk: Desk; readonly kept: Kept; readonly state: DeliveryState } | undefined {
    for (const desk of this.desks.all) {
      const found = desk.stored.find(exchange)
      if (found !== undefined) return { desk, ...found }
    }
    return undefined
  }

  private change(
    exchange: number,
    act: string,
    user: string,
    reason: string,
    carryOut: (desk: Desk, message: PendingMessage) => Effect.Effect<void, OperationRefused>
  ): Effect.Effect<PendingMessage, OperationRefused> {
    return Effect.suspend(() => {
      const found = this.waiting(exchange)
      if (found === undefined) {
        return notNow(`Exchange ${exchange} is not being delivered. \`jinka pending list\` shows what is.`)
      }
      const { desk, kept, state } = found
      const message = pendingMessage(desk, kept, state)
      return Effect.map(carryOut(desk, message), () => {
        this.noted(user, act, exchange, desk.name, reason)
        return message
      })
    })
  }

  private noted(user: string, act: string, exchange: number, link: string, reason: string): void {
    const { desks } = this
    const text = actText({ user, what: `pending ${act} exchange ${exchange} of ${link}`, why: reason })
    if (act === "retry") return desks.acted(undefined, text)
    desks.flush()
    desks.runtime.fork(Effect.logInfo(text))
  }

  private refused(exchange: number): OperationRefused {
    const says =
      this.waiting(exchange) !== undefined
        ? `Exchange ${exchange} is still being delivered: it ends by itself, or is in doubt then.`
        : `Exchange ${exchange} is not in doubt. \`jinka pending list\` shows what is.`
    return new OperationRefused({ reason: "NotNow", says })
  }
}
