/**
 * Why the watchdog gave a connection up, in a sentence that says what was seen and no more. Pure; times are monotonic
 * milliseconds.
 */
import type { Connection } from "../transport/Transport.ts"
import { LinkEnded } from "./LinkEnded.ts"

/** What was seen. */
export interface Seen {
  readonly now: number
  /** When the last byte came, or the connection. */
  readonly lastReceived: number
  /** We have written since. */
  readonly hasWritten: boolean
  /** When our last echo was sent; 0: none was, or none can be. */
  readonly echoAt: number
  /** What came in place of its answer, as the end of a sentence; empty: nothing. */
  readonly cameInstead: string
  /** Which of the proofs that a reopened connection gives was not given. */
  readonly proof: { readonly number: number; readonly of: number } | undefined
  /** It was asked because requests in a row were not answered. */
  readonly isDoubted: boolean
}

const why = ({ now, echoAt, cameInstead, proof, isDoubted }: Seen): string => {
  const echo =
    proof === undefined ? "our echo" : `echo ${proof.number} of the ${proof.of} that prove a connection again`
  const waited = `${Math.round(now - echoAt)} ms`
  if (cameInstead !== "") return `${echo} was not answered well in ${waited}${cameInstead}`
  if (isDoubted) return `requests in a row were not answered, nor was our echo in ${waited}`
  return `${echo} was not answered in ${waited}, though other bytes came`
}

/**
 * The end of a connection that proved nothing in time. Of two legs the receiving one is meant: an echo that has left says nothing
 * against the other.
 */
export const unproved = ({ legs }: Connection, seen: Seen): LinkEnded => {
  const { now, lastReceived, echoAt, hasWritten } = seen
  const isSilent = lastReceived <= echoAt || echoAt === 0
  const leg = legs === undefined ? "" : "receive leg: "
  if (!isSilent) return new LinkEnded({ reason: "EchoUnanswered", why: leg + why(seen) })
  const asked = echoAt === 0 ? "" : ", not even an answer to our echo"
  const written = legs !== undefined && hasWritten ? ", though we have written: this leg or the partner is dead" : ""
  const silence = `nothing was received for ${Math.round(now - lastReceived)} ms${asked}${written}`
  return new LinkEnded({ reason: "PeerSilent", why: leg + silence })
}
