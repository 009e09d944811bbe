/**
 * What a link and its sessions tell the switch. A session tells it directly: nothing goes a way round by the link.
 *
 * All calls are synchronous, on the receiver's or the keeper's fiber.
 */
import type { MessageError, MessageIndex } from "@jinka/codec"
import type { Effect } from "effect"
import { Change } from "./Bell.ts"
import type { LinkEnded, Severity } from "./LinkEnded.ts"

/** One session, as the switch needs to know it. */
export interface SessionEpoch {
  /** The number of its connection. */
  readonly epoch: number
  /** Monotonic milliseconds. */
  readonly lastReceived: number
  /** When what is being worked on arrived, at the earliest; monotonic milliseconds. */
  readonly arrivedAt: number
}

/** What links of type `Link` tell the switch. */
export interface LinkEvents<Link> {
  /** Whether a network management message passes through the switch: then it comes as a `message`, else it ends at the link. */
  readonly passes: (link: Link, index: MessageIndex) => boolean
  /** Whether a network management request belongs to an exchange of keys: then it is taken, and answered when that is done. */
  readonly exchangesKeys: (link: Link, index: MessageIndex) => boolean
  /** Whether a network management request is a cut-over that is taken: then it is answered when it is on disk. */
  readonly cutsOver: (link: Link, index: MessageIndex) => boolean
  /** Whether a network management message is held against its MAC first: then it comes as a `message`, too. */
  readonly guards: (link: Link, index: MessageIndex) => boolean
  /** A network management message of ours is about to leave: `put` writes it, as it is or with its MAC, now or later. */
  readonly leaving: (link: Link, message: Buffer, put: (message: Buffer) => void) => void
  /** A message that is not network management, or passes through. The index is used again after the call. */
  readonly message: (link: Link, session: SessionEpoch, index: MessageIndex) => void
  /** Whether what the journal has may leave; asked right before each write. It waits else, with all that is behind it. */
  readonly mayLeave: () => boolean
  /** Bytes in a good frame that are not a message of the dialect. The link stays up. */
  readonly unreadable: (
    link: Link,
    session: SessionEpoch,
    wrong: MessageError,
    bytes: Buffer,
    start: number,
    end: number
  ) => void
  /** So many bytes of the link's partner are to be worked on: what to wait for until it is its turn; `undefined`: it is. */
  readonly nextTurn: (link: Link, bytes: number) => Effect.Effect<void> | undefined
  /** All messages of one read were handed over. Returns something to wait for when the switch has enough work. */
  readonly turn: (link: Link) => Effect.Effect<void> | undefined
  /** Happens at the end of each turn of the switch. */
  readonly turned: Change
  /** The link may be used for requests, or no longer. */
  readonly readiness: (link: Link, ready: boolean) => void
  /** The connection `epoch` has ended: what was sent on it and not answered has an unknown outcome. */
  readonly ended: (link: Link, epoch: number, ended: LinkEnded) => void
  /** Gives what tells whether an answer is still to come to something that the partner has sent until now. */
  readonly owing: (link: Link) => () => boolean
  /** `what` was given up because of `thrown`, which may stop the switch; the link goes on. */
  readonly defect: (link: Link, session: SessionEpoch, what: string, thrown: unknown) => void
  /** Something worth a line in the journal and in the log. */
  readonly noted: (link: Link, epoch: number, text: string, severity: Severity) => void
}

/**
 * The events of a link that belongs to no switch: your program gets the messages, and whatever other events it names. Network
 * management ends at the link, what was put into its outbox leaves at the end of each turn, and a defect of your program is
 * thrown where it happens.
 */
export const eventsOf = <Link extends { readonly flush: () => void }>(
  own: Pick<LinkEvents<Link>, "message"> & Partial<LinkEvents<Link>>
): LinkEvents<Link> => ({
  passes: () => false,
  exchangesKeys: () => false,
  cutsOver: () => false,
  guards: () => false,
  leaving: (_link, message, put) => put(message),
  mayLeave: () => true,
  unreadable: () => undefined,
  nextTurn: () => undefined,
  turn: (link) => {
    link.flush()
    return undefined
  },
  turned: new Change(),
  readiness: () => undefined,
  ended: () => undefined,
  owing: () => () => false,
  defect: (_link, _session, _what, thrown) => {
    throw thrown
  },
  noted: () => undefined,
  ...own
})

/** What a session of one link tells the switch; see {@link LinkEvents}. */
export interface SessionEvents {
  readonly passes: (index: MessageIndex) => boolean
  readonly exchangesKeys: (index: MessageIndex) => boolean
  readonly cutsOver: (index: MessageIndex) => boolean
  readonly guards: (index: MessageIndex) => boolean
  readonly leaving: (message: Buffer, put: (message: Buffer) => void) => void
  readonly mayLeave: () => boolean
  readonly message: (session: SessionEpoch, index: MessageIndex) => void
  readonly unreadable: (session: SessionEpoch, wrong: MessageError, bytes: Buffer, start: number, end: number) => void
  readonly nextTurn: (bytes: number) => Effect.Effect<void> | undefined
  readonly turn: (session: SessionEpoch) => Effect.Effect<void> | undefined
  /** Happens when what a session owes may have changed: at the end of each turn, or of an exchange of its own. */
  readonly turned: (session: SessionEpoch) => Change
  readonly owing: (session: SessionEpoch) => () => boolean
  readonly defect: (session: SessionEpoch, what: string, thrown: unknown) => void
}

/** The events of one link's sessions. */
export const sessionEvents = <Link>(link: Link, events: LinkEvents<Link>): SessionEvents => ({
  passes: (index) => events.passes(link, index),
  exchangesKeys: (index) => events.exchangesKeys(link, index),
  cutsOver: (index) => events.cutsOver(link, index),
  guards: (index) => events.guards(link, index),
  leaving: (message, put) => events.leaving(link, message, put),
  mayLeave: events.mayLeave,
  message: (session, index) => events.message(link, session, index),
  unreadable: (session, wrong, bytes, start, end) => events.unreadable(link, session, wrong, bytes, start, end),
  nextTurn: (bytes) => events.nextTurn(link, bytes),
  turn: () => events.turn(link),
  turned: () => events.turned,
  owing: () => events.owing(link),
  defect: (session, what, thrown) => events.defect(link, session, what, thrown)
})
