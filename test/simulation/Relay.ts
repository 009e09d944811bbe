/**
 * A relay that passes everything on: no journal, no promises. Acquirers take back themselves what they do not know the outcome
 * of. It shows that the world works, and, spoilt in one way or another, that the checkers do.
 *
 * Acquirer n is joined to issuer n. When one half is lost, both fall.
 */
import { Effect } from "effect"
import type { Connection } from "../../packages/switch/src/transport/Transport.ts"
import { switchName } from "./Names.ts"
import { ACQUIRER_PORT, ISSUER_PORT } from "./Options.ts"
import { type CupsMessage, FrameReader, frameOf, idleFrame, readMessage } from "./partner/Cups.ts"
import type { Place, Subject } from "./Subject.ts"

/** What a relay makes of a message that it should pass on: usually the message. */
export type Passing = (message: CupsMessage) => ReadonlyArray<CupsMessage>

const pass = (from: Connection, to: Connection, passing: Passing) => {
  const reader = new FrameReader()
  const passFrame = (frame: Buffer) =>
    frame.length === 0 ? [idleFrame()] : passing(readMessage(frame)).map((message) => frameOf(message))
  return Effect.forever(
    Effect.flatMap(from.pull, (chunks) => {
      const frames = chunks.flatMap((chunk) => reader.read(chunk)).flatMap(passFrame)
      return frames.length === 0 ? Effect.void : to.write(Buffer.concat(frames))
    })
  )
}

const join = (place: Place, near: Connection, issuer: string, passing: Passing) =>
  Effect.gen(function* () {
    const far = yield* place.transport.connect({ host: issuer, port: ISSUER_PORT })
    yield* Effect.raceFirst(pass(near, far, passing), pass(far, near, passing)).pipe(
      Effect.ensuring(Effect.sync(() => far.close("fin")))
    )
  }).pipe(Effect.ignore, Effect.ensuring(Effect.sync(() => near.close("fin"))))

/** A relay with its own idea of passing on; a new one for each life. */
export const relayThat = (name: string, newPassing: () => Passing): Subject => ({
  name,
  hasJournal: false,
  start: (place) =>
    Effect.scoped(
      Effect.gen(function* () {
        const run = Effect.runForkWith(yield* Effect.context<never>())
        const passing = newPassing()
        for (const [n, { name }] of place.options.issuers.entries()) {
          const at = { host: switchName, port: ACQUIRER_PORT + n }
          yield* place.transport.listen(at, (near) => run(join(place, near, name, passing)))
        }
        return yield* Effect.never
      })
    )
})

export const relay: Subject = relayThat("relay", () => (message) => [message])
