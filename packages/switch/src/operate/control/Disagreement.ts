/**
 * Where the kernel and we differ about a connection that we hold to be up: one sentence that says what it means. Pure.
 */
import type { KernelSocket } from "./KernelSockets.ts"

/** Unread bytes that say more than that a message is just coming in. */
const UNREAD_NOTED = 65_536

/** Bytes in the send queue that are more than what is under way on a busy, healthy line. */
const UNACKNOWLEDGED_NOTED = 65_536

/** What was in the send queue at an earlier status. */
export interface Earlier {
  readonly sendQueue: number
  /** Monotonic milliseconds. */
  readonly at: number
}

/** A sentence for each difference; empty when both see the same. `now` in monotonic milliseconds. */
export const disagreements = (
  socket: KernelSocket | undefined,
  earlier: Earlier | undefined,
  now: number
): ReadonlyArray<string> => {
  if (socket === undefined) return ["Jinka counts it as up, and the kernel has no such connection"]
  const { state, sendQueue, receiveQueue, retransmits, timer } = socket
  const found: Array<string> = []
  if (state === "CLOSE_WAIT") {
    found.push(
      `the partner has closed (the kernel has its FIN: CLOSE_WAIT) and we have not: ${receiveQueue} bytes are unread`
    )
  } else if (state !== "ESTABLISHED") found.push(`Jinka counts it as up, and the kernel says ${state}`)
  if (timer === "zero window probe") {
    found.push(`the partner has stopped reading (its receive window is closed): ${sendQueue} bytes wait in the kernel`)
  } else if (retransmits > 0) {
    found.push(
      `the partner's side does not acknowledge: ${sendQueue} bytes, sent again ${retransmits} times; the line or the partner may be dead`
    )
  }
  if (earlier !== undefined && earlier.sendQueue >= UNACKNOWLEDGED_NOTED && sendQueue > earlier.sendQueue) {
    const seconds = ((now - earlier.at) / 1000).toFixed(1)
    found.push(`the kernel's send queue grows: ${earlier.sendQueue} bytes ${seconds} s ago, ${sendQueue} now`)
  }
  if (receiveQueue >= UNREAD_NOTED) found.push(`${receiveQueue} bytes have come and we do not read them`)
  return found
}
