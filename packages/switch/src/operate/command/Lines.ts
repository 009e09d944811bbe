/** Long output of a command: lines that are printed some at a time. */
import { Effect, Stdio, Stream } from "effect"

/** Lines on their way to standard output. */
export interface Lines {
  /** One more; false once nobody reads: then no more is written. */
  readonly add: (line: string) => boolean
  /** Writes what has gathered. A pipe takes long output piece by piece: what waits must not gather in memory. */
  readonly print: Effect.Effect<void>
}

/** Lines that begin with these. */
export const makeLines = (first: ReadonlyArray<string> = []): Effect.Effect<Lines, never, Stdio.Stdio> =>
  Effect.map(Stdio.Stdio, ({ stdout }) => {
    const held = [...first]
    let isRead = true
    const print = Effect.suspend(() => {
      const lines = held.splice(0)
      if (lines.length === 0) return Effect.void
      return Effect.catch(Stream.run(Stream.succeed(`${lines.join("\n")}\n`), stdout()), () =>
        Effect.sync(() => {
          isRead = false
        })
      )
    })
    const add = (line: string): boolean => {
      held.push(line)
      return isRead
    }
    return { add, print }
  })
