/**
 * Whether a link carries traffic, as a pure state: connected, signed on, proven alive, allowed.
 *
 * A link that is up is not yet a link that may be used: many networks want a sign-on first, a reopened connection has to
 * answer probes, and an operator may have blocked it. `isReady` is the only question that the switch asks.
 */
import type { Phase } from "./Watchdog.ts"

/** A sign-on: not asked for, still missing, asked for but not needed, given, or taken back by a sign-off. */
export type SignOn = "none" | "missing" | "optional" | "done" | "off"

/** All that is so of one link. */
export interface LinkState {
  readonly connected: boolean
  /** Our sign-on to the partner, and the partner's to us. */
  readonly ours: SignOn
  readonly partners: SignOn
  readonly watchdog: Phase
  /** The sending leg has ended and the receiving leg is read on for late answers: nothing can be sent. */
  readonly collecting: boolean
  /** Being emptied: no new requests, answers still come in. */
  readonly draining: boolean
  /** Drained: it makes no connections and takes none. */
  readonly away: boolean
  /** Taken out of use by an operator. */
  readonly blocked: boolean
  /** An operator has signed us off: a new connection does not sign on by itself. */
  readonly heldOff: boolean
  /** A reload is about to remove it, or to give it another dialect: nothing new may be stored for it. */
  readonly leaving: boolean
  /** Removed by a reload: a closed place. */
  readonly gone: boolean
  /** What keeps its messages from being guarded: the security `module`, a `key`, or nothing. */
  readonly lacks: Lacks
}

/** See `LinkState`. */
export type Lacks = "" | "module" | "key"

/** What can change it. */
export type Event =
  | { readonly _tag: "opened"; readonly ours: SignOn; readonly partners: SignOn }
  | { readonly _tag: "ended" }
  | { readonly _tag: "collecting" }
  | { readonly _tag: "signedOn"; readonly side: "ours" | "partners" }
  /** The partner has signed off. */
  | { readonly _tag: "signedOff" }
  /** The partner has accepted our sign-off. */
  | { readonly _tag: "tookBack" }
  | { readonly _tag: "watchdog"; readonly phase: Phase }
  | { readonly _tag: "draining" | "away" | "blocked" | "heldOff" | "leaving"; readonly on: boolean }
  | { readonly _tag: "gone" }
  | { readonly _tag: "guard"; readonly lacks: Lacks }

/** A link before its first connection. */
export const initial: LinkState = {
  connected: false,
  ours: "none",
  partners: "none",
  watchdog: "DOWN",
  collecting: false,
  draining: false,
  away: false,
  blocked: false,
  heldOff: false,
  leaving: false,
  gone: false,
  lacks: ""
}

/** The state after `event`. An event of a connection that has ended changes nothing. */
export const step = (state: LinkState, event: Event): LinkState => {
  switch (event._tag) {
    case "opened":
      return {
        ...state,
        connected: true,
        ours: state.heldOff ? "off" : event.ours,
        partners: event.partners,
        watchdog: "DOWN",
        collecting: false
      }
    case "ended":
      return { ...state, connected: false, ours: "none", partners: "none", watchdog: "DOWN", collecting: false }
    case "collecting":
      return state.connected ? { ...state, collecting: true } : state
    case "signedOn":
      return state.connected ? { ...state, [event.side]: "done" } : state
    case "signedOff":
      return state.connected ? { ...state, partners: "off" } : state
    case "tookBack":
      return state.connected ? { ...state, ours: "off" } : state
    case "watchdog":
      return state.connected ? { ...state, watchdog: event.phase } : state
    case "heldOff":
      return { ...state, heldOff: event.on, ours: event.on && state.connected ? "off" : state.ours }
    case "draining":
    case "away":
    case "blocked":
    case "leaving":
      return state[event._tag] === event.on ? state : { ...state, [event._tag]: event.on }
    case "gone":
      return { ...state, gone: true }
    case "guard":
      return { ...state, lacks: event.lacks }
  }
}

/** Both sign-ons that were asked for are there. */
export const isSignedOn = (state: LinkState): boolean =>
  state.connected && [state.ours, state.partners].every((sign) => sign !== "missing" && sign !== "off")

/** New requests may be sent on the link now. */
export const isReady = (state: LinkState): boolean =>
  isSignedOn(state) &&
  state.watchdog === "OKAY" &&
  !state.collecting &&
  !state.draining &&
  !state.blocked &&
  state.lacks === ""

/** The link is silent and otherwise ready. */
export const isSuspect = (state: LinkState): boolean =>
  state.watchdog === "SUSPECT" && isReady({ ...state, watchdog: "OKAY" })

/** The state in one word, for a status line: the first thing that keeps the link from being used. */
export const phrase = (state: LinkState): string => {
  if (!state.connected) return state.draining ? "down, drained" : state.blocked ? "down, blocked" : "down"
  if (state.collecting) return "collecting late answers"
  if (state.blocked) return "blocked"
  if (state.draining) return "draining"
  if (state.ours === "off") return "signed off"
  if (state.lacks !== "" && state.watchdog === "OKAY") return state.lacks === "key" ? "without key" : "without module"
  if (state.ours === "missing") return "signing on"
  if (state.partners === "off") return "partner signed off"
  if (state.partners === "missing") return "waiting for sign-on"
  if (state.watchdog === "SUSPECT") return "suspect"
  if (state.watchdog === "REOPEN") return "proving"
  return state.watchdog === "OKAY" ? "ready" : "connected"
}
