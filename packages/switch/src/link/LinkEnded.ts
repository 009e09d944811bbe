/** Why a connection of a link ended: stable names, for the status line, the journal and docs/reference/errors.md. */
import { explainFrame, type FrameError } from "@jinka/codec"
import { Data } from "effect"
import type { Connection, ConnectionEnded } from "../transport/Transport.ts"

/** The end of one connection epoch. `first` shows the first bytes of a frame that could not be read, in hexadecimal, masked. */
export class LinkEnded extends Data.TaggedClass("LinkEnded")<{
  readonly reason:
    | "ConnectFailed"
    | "PeerClosed"
    | "PeerReset"
    | "PeerSilent"
    | "EchoUnanswered"
    | "FrameError"
    | "FrameTimeout"
    | "SlowPeer"
    | "WrongLeg"
    | "HalfOpen"
    | "SignOnRefused"
    | "SignOnTimeout"
    | "Replaced"
    | "Done"
    | "AnswerOverdue"
    | "IdleTimeout"
    | "GroupFell"
    | "Operator"
    | "Reloaded"
    | "Stopping"
    | "Defect"
  /** One sentence for the operator: what was seen, and what to look at. */
  readonly why: string
  readonly frameError?: FrameError
}> {}

/** What the operator should look at, by reason. Part of the generated errors page. */
export const advice: Readonly<Record<LinkEnded["reason"], string>> = {
  ConnectFailed:
    "The partner's address did not accept the connection. Check host, port, firewall and whether the partner is up.",
  PeerClosed: "The partner closed the connection in order. Ask the partner why; the link comes back by itself.",
  PeerReset: "The connection broke (RST, or the network gave up). Look at firewalls and at the partner's log.",
  PeerSilent: "Nothing came for as long as the watchdog waits. The line or the partner is dead.",
  EchoUnanswered:
    "Bytes came, but our echo had no answer that proves anything: under another number, with another code than success, or none. If the reason names a field, the partner does not echo it: ask it to, or take the field out of the dialect's `match.networkManagement`. Otherwise its system behind the line is dead. For a partner without an echo set `watchdog.probe: false`.",
  FrameError:
    "The bytes do not make a whole frame of the form that is configured. Compare `frame` with the partner's specification.",
  FrameTimeout:
    "A frame was begun and not finished in time. The partner is stuck, or the end of its frames is not where `frame` says.",
  SlowPeer:
    "The partner stopped reading: more is unsent than `unsent` allows, or a write made no progress for `writeTimeout`.",
  WrongLeg:
    "Bytes came on the sending leg, which carries nothing from the partner. The legs are crossed, or the partner uses the connection in both directions: compare `legs` and `mode` with the partner.",
  HalfOpen:
    "One leg was up and the other did not come in `legs.timeout`. Ask the partner why it does not make, or accept, the other connection.",
  SignOnRefused: "The partner did not accept our sign-on. Ask it why.",
  SignOnTimeout: "No sign-on, or no answer to ours, came in time.",
  Replaced: "The partner opened a second connection, which took the place of the first, as `second` says.",
  Done: "A short connection has served its exchange. Nothing to look at.",
  AnswerOverdue:
    "No answer came in time on a connection that carries one request at a time. It was closed, so that a late answer cannot be taken for the next one's. Look at the partner's host.",
  IdleTimeout:
    "A short connection carried no message, or no further one. If it came from outside, look for a partner, a probe or a stranger that connects and sends nothing. If it was ours, the journal's disk lags.",
  GroupFell: "Another connection of the link's group ended, and the group has `fall: together`. Look at that one.",
  Operator: "This side closed the connection, because an operator asked: the log says who and why.",
  Reloaded: "A reload of the configuration changed or removed the link; the log says who asked for it.",
  Stopping: "The switch is stopping.",
  Defect:
    "The switch met a defect of its own with a message of this connection. The log names the place: report it. The link comes back by itself."
}

/** How serious a note of a link is: `warning` is what a person should look at, and what `--log-level warn` shows. */
export type Severity = "info" | "warning"

/** Ends that were asked for: nobody has to look at them. */
const askedFor: ReadonlySet<LinkEnded["reason"]> = new Set(["Done", "Operator", "Reloaded", "Stopping"])

/** Whether somebody should look at the end. */
export const severityOf = ({ reason }: LinkEnded): Severity => (askedFor.has(reason) ? "info" : "warning")

/** The end of a connection that carries one request at a time, when its answer did not come. */
export const answerOverdue = new LinkEnded({ reason: "AnswerOverdue", why: "no answer came in time" })

/** The end of a link's connection, as the transport says it. */
export const endedBy = (ended: ConnectionEnded): LinkEnded =>
  new LinkEnded({
    reason: ended.how === "fin" ? "PeerClosed" : ended.how === "reset" ? "PeerReset" : "Operator",
    why: ended.cause
  })

/** The end of a connection on which bytes came that are no frame. */
export const frameWrong = (wrong: FrameError): LinkEnded =>
  new LinkEnded({ reason: "FrameError", why: explainFrame(wrong), frameError: wrong })

/** Who ended a connection, and by what. */
export interface Closing {
  readonly by: "partner" | "network" | "us" | "operator"
  readonly how: string
}

const closings: Readonly<Record<LinkEnded["reason"], Closing>> = {
  ConnectFailed: { by: "network", how: "no connection came about" },
  PeerClosed: { by: "partner", how: "FIN" },
  PeerReset: { by: "network", how: "the network gave up" },
  PeerSilent: { by: "us", how: "silence" },
  EchoUnanswered: { by: "us", how: "echo not answered" },
  FrameError: { by: "us", how: "frame error" },
  FrameTimeout: { by: "us", how: "frame deadline" },
  SlowPeer: { by: "us", how: "unsent bytes" },
  WrongLeg: { by: "us", how: "bytes on the sending leg" },
  HalfOpen: { by: "us", how: "one leg alone" },
  SignOnRefused: { by: "us", how: "sign-on refused" },
  SignOnTimeout: { by: "us", how: "no sign-on in time" },
  Replaced: { by: "partner", how: "second connection" },
  Done: { by: "us", how: "exchange over" },
  AnswerOverdue: { by: "us", how: "no answer in time" },
  IdleTimeout: { by: "us", how: "idle" },
  GroupFell: { by: "us", how: "its group fell" },
  Operator: { by: "operator", how: "command" },
  Reloaded: { by: "operator", how: "reload" },
  Stopping: { by: "us", how: "stop" },
  Defect: { by: "us", how: "RST" }
}

/** Causes that mean that the partner itself has gone: system codes, and an HTTP caller that did not wait. */
const resets = new Set(["ECONNRESET", "EPIPE", "the caller has gone"])

/** Who did it and how, for the status line. */
export const closing = ({ reason, why }: LinkEnded): Closing => {
  const code = /\((\w+)\)$/.exec(why)?.[1] ?? why
  return reason === "PeerReset" && resets.has(code) ? { by: "partner", how: "RST" } : closings[reason]
}

/** The end of a connection whose partner does not read what is written. Of two legs the sending one is meant. */
export const slow = ({ legs }: Connection, why: string): LinkEnded =>
  new LinkEnded({ reason: "SlowPeer", why: legs === undefined ? why : `send leg: ${why}` })
