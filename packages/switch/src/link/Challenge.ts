/** Who a connection belongs to, and whether it lives: its certificate, and a sign of life when a second one has come. */
import type { Connection } from "../transport/Transport.ts"
import type { Session } from "./Session.ts"

/**
 * Asks by an echo where the link has one; `told` hears of its answer. Returns what tells whether anything was received since. A
 * connection that this side does not read now is not to blame for its silence.
 */
export const challenge = (session: Session, isProbed: boolean, told: () => void): (() => boolean) => {
  const since = session.lastReceived
  if (isProbed) session.ask("echo", told)
  session.outbox.flush()
  return () => session.lastReceived > since || session.clocks.isHeld
}

/** Whose certificate the partner showed, for a line about its connection; empty without one. */
export const shownBy = ({ identity }: Connection): string =>
  identity === undefined ? "" : `, certificate of ${identity.names.join(", ")}`
