/**
 * The watchdog of one link: RFC 3539 section 3.4 as a pure table.
 *
 * It knows no clock and no socket: a fiber feeds events and carries out the commands. `received` resets the timer, which the
 * fiber does by itself from the time of the last byte; the step is called for it only in a phase other than `OKAY`.
 * Differences from the RFC: nothing is resent on failover (guarantee G4), and the probes that prove a reopened connection
 * follow each other at once (docs/decisions/0005-watchdog.md).
 */

/** `OKAY` carries traffic; `SUSPECT` keeps the socket and its answers but takes no new requests; `REOPEN` must prove itself. */
export type Phase = "OKAY" | "SUSPECT" | "REOPEN" | "DOWN"

/** All that the watchdog remembers. */
export interface Watchdog {
  readonly phase: Phase
  /** A probe is on its way and not answered. A probe is never sent while one is pending, and never repeated. */
  readonly pending: boolean
  /** Probes that must be answered before a reopened connection is used. 0: used at once. */
  readonly proofsMissing: number
  /**
   * Requests in a row were not answered although bytes come (see `Doubt`): then only the answer to the probe, or to a request, is
   * a sign of life, and the timer is not restarted by bytes.
   */
  readonly doubted: boolean
}

/** What can happen. `connected.proofs` is 0 for the first connection of a link's life (RFC 3539 3.4.1). */
export type Event =
  | { readonly _tag: "connected"; readonly proofs: number }
  | { readonly _tag: "received" }
  | { readonly _tag: "probeAnswered" }
  /** Too many requests in a row were not answered. */
  | { readonly _tag: "doubted" }
  /** A request was answered. */
  | { readonly _tag: "trusted" }
  | { readonly _tag: "expired" }

/** What the link must do. Whether it takes requests follows from the phase: `failover` and `failback` of the RFC. */
export type Command = "probe" | "close"

/** The next state, and what to do. */
export interface Step {
  readonly next: Watchdog
  readonly command: Command | undefined
}

/** A link that was never connected. */
export const initial: Watchdog = { phase: "DOWN", pending: false, proofsMissing: 0, doubted: false }

const to = (next: Watchdog, command?: Command): Step => ({ next, command })

const okay: Watchdog = { phase: "OKAY", pending: false, proofsMissing: 0, doubted: false }

const expired = (now: Watchdog): Step => {
  switch (now.phase) {
    case "OKAY":
      return now.pending ? to({ ...now, phase: "SUSPECT" }) : to({ ...now, pending: true }, "probe")
    case "SUSPECT":
      return to(initial, "close")
    case "REOPEN":
      return now.pending ? to(initial, "close") : to({ ...now, pending: true }, "probe")
    case "DOWN":
      return to(now)
  }
}

const probeAnswered = (now: Watchdog): Step => {
  switch (now.phase) {
    case "OKAY":
      return to(okay)
    case "SUSPECT":
      return to(okay)
    case "REOPEN":
      return now.proofsMissing <= 1
        ? to(okay)
        : to({ ...now, pending: true, proofsMissing: now.proofsMissing - 1 }, "probe")
    case "DOWN":
      return to(now)
  }
}

/** A link that carries traffic is asked; one that is asked already has its answer awaited, whatever else comes. */
const doubted = (now: Watchdog): Step => {
  if (now.phase !== "OKAY" || now.doubted) return to(now)
  return now.pending ? to({ ...now, doubted: true }) : to({ ...now, pending: true, doubted: true }, "probe")
}

const trusted = (now: Watchdog): Step => {
  if (!now.doubted) return to(now)
  return now.phase === "SUSPECT" ? to(okay) : to({ ...now, doubted: false })
}

/** RFC 3539 3.4: state and event to state and commands. */
export const step = (now: Watchdog, event: Event): Step => {
  switch (event._tag) {
    case "connected":
      return event.proofs === 0
        ? to(okay)
        : to({ phase: "REOPEN", pending: true, proofsMissing: event.proofs, doubted: false }, "probe")
    case "received":
      return now.phase === "SUSPECT" && !now.doubted ? to({ ...okay, pending: now.pending }) : to(now)
    case "probeAnswered":
      return probeAnswered(now)
    case "doubted":
      return doubted(now)
    case "trusted":
      return trusted(now)
    case "expired":
      return expired(now)
  }
}

/** Jitter of the watchdog timer, as a part of it: RFC 3539 draws +-2 s around 30 s. */
const JITTER = 1 / 15

/** The next timer in milliseconds, drawn each time. `chance` is uniform in [0, 1). */
export const timerMs = (intervalMs: number, chance: number): number => intervalMs * (1 + JITTER * (2 * chance - 1))
