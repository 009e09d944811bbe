/**
 * What was read in one go, worked on in pieces: each is one turn of its partner, and between two of them the others have theirs.
 */
import { Effect } from "effect"

/** Bytes that are worked on in one turn: some fifty messages. */
const PIECE_BYTES = 16_384

/** What is done with a piece, and what it waits for. */
export interface Turn<E> {
  /** What to wait for until so many bytes may be worked on; `undefined`: nothing. */
  readonly next: (bytes: number) => Effect.Effect<void> | undefined
  /** Works on these bytes of `chunk`, the last of what was read or not; waits when there is enough of this partner's work. */
  readonly piece: (bytes: Buffer, chunk: Buffer, isLast: boolean) => Effect.Effect<void, E>
}

/** Works on the chunks from byte `from` of chunk `n` on. */
export const inPieces = <E>(chunks: ReadonlyArray<Buffer>, turn: Turn<E>, n = 0, from = 0): Effect.Effect<void, E> => {
  const chunk = chunks[n]
  if (chunk === undefined) return Effect.void
  const to = Math.min(chunk.length, from + PIECE_BYTES)
  const isWhole = to === chunk.length
  const one = () => turn.piece(chunk.subarray(from, to), chunk, isWhole && n === chunks.length - 1)
  const rest = () => (isWhole ? inPieces(chunks, turn, n + 1, 0) : inPieces(chunks, turn, n, to))
  const wait = turn.next(to - from)
  if (wait !== undefined) return Effect.flatMap(Effect.flatMap(wait, one), rest)
  const done = one()
  return done === Effect.void ? rest() : Effect.flatMap(done, rest)
}
