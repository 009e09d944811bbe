/**
 * The life of one request inside the switch, as a pure table.
 *
 *     free -> accepting -> open -> answering -> free          answered
 *                  |         `---> ending ----> free          timed out, connection lost (reversed when it is money)
 *                  `-------------> ending ----> free          not sent
 *
 * `accepting`, `answering` and `ending` wait for the journal, and nothing but the journal's word moves them on: so an answer
 * that arrives while an exchange is ending is late, and a deadline that passes while it is answering changes nothing (G2, G3).
 */
import { Inconsistent } from "../journal/Inconsistent.ts"

/** What state a request is in. Small integers, because there is one per slot. */
export const State = { free: 0, accepting: 1, open: 2, answering: 3, ending: 4 } as const
export type State = (typeof State)[keyof typeof State]

/** What can happen to it. */
export const Event = {
  /** The request was read, found good, and its entry handed to the journal. */
  accepted: 0,
  /** The journal has it, and its bytes are in the hands of one connection. */
  sent: 1,
  /** The journal has it, but there is no link to send it on, or its time is up before a byte left. */
  notSent: 2,
  /** Its answer arrived and was handed to the journal. */
  answered: 3,
  /** Its deadline passed. */
  deadline: 4,
  /** The connection that it was sent on ended. */
  connectionLost: 5,
  /** The journal has its end. */
  endCommitted: 6
} as const
export type Event = (typeof Event)[keyof typeof Event]

const { free, accepting, open, answering, ending } = State

/** Rows by state, columns by event. The same state says that the event does not concern it; -1 that it cannot happen. */
const table: ReadonlyArray<ReadonlyArray<State | -1>> = [
  /* free      */ [accepting, -1, -1, -1, -1, -1, -1],
  /* accepting */ [-1, open, ending, -1, accepting, accepting, -1],
  /* open      */ [-1, -1, -1, answering, ending, ending, -1],
  /* answering */ [-1, -1, -1, -1, answering, answering, free],
  /* ending    */ [-1, -1, -1, -1, ending, ending, free]
]

/** The state after `event`. An event that cannot happen in `state` is a defect of the switch and throws. */
export const step = (state: State, event: Event): State => {
  const next = table[state]![event]!
  if (next === -1) throw new Inconsistent(`exchange: event ${event} cannot happen in state ${state}`)
  return next
}
