/**
 * Which addresses the links listen on by now: the transport with a note taken of each. A configuration with port 0 learns its
 * real port here.
 */
import { Context, Effect, Latch, Layer } from "effect"
import { type Endpoint, type Listening as Open, Transport } from "../transport/Transport.ts"

/** Which addresses are open, noted by the transport as it opens them. */
export class Listening extends Context.Service<
  Listening,
  {
    /** The real address of the one that a link was told to listen on; the very object of its settings. */
    readonly endpointOf: (asked: Endpoint) => Endpoint | undefined
    /** Waits until `count` addresses are open. */
    readonly reached: (count: number) => Effect.Effect<void>
  }
>()("@jinka/switch/operate/Listening") {}

/** Puts the note-taking in front of a transport. */
export const layer: Layer.Layer<Listening | Transport, never, Transport> = Layer.effectContext(
  Effect.gen(function* () {
    const transport = yield* Transport
    const { listenHttp } = transport
    const open = new Map<Endpoint, Endpoint>()
    const changed = Latch.makeUnsafe(false)
    const note = (asked: Endpoint) => (listening: Pick<Open, "endpoint">) =>
      Effect.andThen(
        Effect.sync(() => {
          open.set(asked, listening.endpoint)
          changed.openUnsafe()
        }),
        Effect.addFinalizer(() => Effect.sync(() => open.delete(asked)))
      )
    const reached = (count: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (open.size >= count) return Effect.void
        changed.closeUnsafe()
        return Effect.andThen(changed.await, reached(count))
      })
    return Context.make(
      Transport,
      Transport.of({
        connect: transport.connect,
        listen: (asked, accept, options) => Effect.tap(transport.listen(asked, accept, options), note(asked)),
        ...(listenHttp === undefined
          ? {}
          : { listenHttp: (asked, take, options) => Effect.tap(listenHttp(asked, take, options), note(asked)) })
      })
    ).pipe(Context.add(Listening, Listening.of({ endpointOf: (asked) => open.get(asked), reached })))
  })
)
