/**
 * TCP streams put together again, each direction of each connection by itself: segments in order, repeats dropped, gaps named.
 * Pure.
 */
import type { Segment } from "./Segment.ts"

/** A run of bytes without a gap, in the pieces in which they were sent. */
export interface Run {
  readonly pieces: ReadonlyArray<Buffer>
  /** Bytes that are missing in front of it; of the first run those of the connection's beginning, where that was seen. */
  readonly missing: number
}

/** One direction of one connection. */
export interface TcpStream {
  /** `10.0.0.1:5000 > 10.0.0.2:7001`. */
  readonly title: string
  readonly runs: ReadonlyArray<Run>
}

interface Gathered {
  readonly title: string
  readonly base: number
  /** Its beginning was seen: its first byte has the number `base`. */
  readonly isBegun: boolean
  readonly segments: Array<Segment>
}

/** The streams of segments, in the order of their first bytes; those without bytes are left out. */
export const streamsOf = (segments: Iterable<Segment>): ReadonlyArray<TcpStream> => {
  const all: Array<Gathered> = []
  const open = new Map<string, Gathered>()
  for (const segment of segments) {
    const title = `${segment.from} > ${segment.to}`
    let stream = open.get(title)
    // The same two ports again, with another first number: another connection.
    if (stream === undefined || (segment.isSyn && stream.base !== segment.seq)) {
      stream = { title, base: segment.seq, isBegun: segment.isSyn, segments: [] }
      all.push(stream)
      open.set(title, stream)
    }
    if (segment.bytes.length > 0) stream.segments.push(segment)
  }
  return all
    .filter((stream) => stream.segments.length > 0)
    .map(({ title, base, isBegun, segments: those }) => ({
      title,
      runs: runsOf(those, base, isBegun)
    }))
}

/** Numbers go around at 2^32: the distance from the first one orders them (RFC 9293 3.4). */
const runsOf = (segments: ReadonlyArray<Segment>, base: number, isBegun: boolean): ReadonlyArray<Run> => {
  const placed = segments.map(({ seq, bytes }) => ({ at: (seq - base) | 0, bytes })).sort((a, b) => a.at - b.at)
  const runs: Array<{ readonly pieces: Array<Buffer>; readonly missing: number }> = []
  const first = placed[0]?.at ?? 0
  let next = isBegun ? Math.min(first, 0) : first
  for (const { at, bytes } of placed) {
    // A probe of keepalive repeats the byte before the next one, with a byte of its own.
    if (at + bytes.length <= next) continue
    if (runs.length === 0 || at > next) runs.push({ pieces: [], missing: at - next })
    runs.at(-1)!.pieces.push(bytes.subarray(Math.max(0, next - at)))
    next = at + bytes.length
  }
  return runs
}
