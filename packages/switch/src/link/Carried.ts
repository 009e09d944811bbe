/** What a connection has carried, or all of a short link's together. Pure; times are monotonic milliseconds, 0: never. */

/** Bytes, and when the last ones came and went. */
export interface Carried {
  readonly lastReceived: number
  readonly lastSent: number
  readonly bytesReceived: number
  readonly bytesSent: number
}

/** Nothing yet. */
export const nothing: Carried = { lastReceived: 0, lastSent: 0, bytesReceived: 0, bytesSent: 0 }

/** What one connection has carried. */
export const carriedBy = ({ lastReceived, lastSent, bytesReceived, bytesSent }: Carried): Carried => ({
  lastReceived,
  lastSent,
  bytesReceived,
  bytesSent
})

/** Both together. */
export const together = (one: Carried, other: Carried): Carried => ({
  lastReceived: Math.max(one.lastReceived, other.lastReceived),
  lastSent: Math.max(one.lastSent, other.lastSent),
  bytesReceived: one.bytesReceived + other.bytesReceived,
  bytesSent: one.bytesSent + other.bytesSent
})
