/** Why a connection of a link ended: stable names, for the status line, the journal and docs/reference/errors.md. */
import { explainFrame, type FrameError } from "@jinka/codec"
import { Data } from "effect"
import type { ConnectionEnded } from "../transport/Transport.ts"

/** The end of one connection epoch. `first` shows the first bytes of a frame that could not be read, in hexadecimal, masked. */
export class LinkEnded extends Data.TaggedError("LinkEnded")<{
  readonly reason:
    | "ConnectFailed"
    | "PeerClosed"
    | "PeerReset"
    | "PeerSilent"
    | "FrameError"
    | "FrameTimeout"
    | "SlowPeer"
    | "SignOnRefused"
    | "SignOnTimeout"
    | "Replaced"
    | "Operator"
    | "Stopping"
  /** One sentence for the operator: what was seen, and what to look at. */
  readonly why: string
  readonly frameError?: FrameError
}> {}

/** What the operator should look at, by reason. Part of the generated errors page. */
export const advice: Readonly<Record<LinkEnded["reason"], string>> = {
  ConnectFailed:
    "The partner's address did not take the connection. Check host, port, firewall and whether the partner is up.",
  PeerClosed: "The partner closed the connection in order. Ask the partner why; the link comes back by itself.",
  PeerReset: "The connection broke (RST, or the network gave up). Look at firewalls and at the partner's log.",
  PeerSilent:
    "Nothing came for three watchdog intervals, not even an answer to an echo. The line or the partner is dead.",
  FrameError:
    "The bytes do not fit the length header that is configured. Compare `frame` with the partner's specification.",
  FrameTimeout: "A frame was begun and not finished in time. The partner is stuck, or its length field says too much.",
  SlowPeer: "The partner stopped reading: more is unsent than allowed, or a write made no progress.",
  SignOnRefused: "The partner answered our sign-on with another code than 00.",
  SignOnTimeout: "No sign-on, or no answer to ours, came in time.",
  Replaced: "The partner opened a second connection and `second: replace` gave it the link.",
  Operator: "An operator closed the link.",
  Stopping: "The switch is stopping."
}

/** The end of a link's connection, as the transport says it. */
export const endedBy = (ended: ConnectionEnded): LinkEnded =>
  new LinkEnded({
    reason: ended.how === "fin" ? "PeerClosed" : ended.how === "reset" ? "PeerReset" : "Operator",
    why: ended.cause
  })

/** The end that bytes make which are no frame. */
export const frameWrong = (wrong: FrameError): LinkEnded =>
  new LinkEnded({ reason: "FrameError", why: explainFrame(wrong), frameError: wrong })
