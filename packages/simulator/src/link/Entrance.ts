/**
 * How the connections of one address come to be: dialled again and again, or taken where it listens.
 *
 * Owns dialling again after a small seeded delay, listening, and closing the entrance for a while. What comes in is its owner's.
 * Everything ends with the scope.
 */
import { Effect, Latch, Schedule, type Scope } from "effect"
import type { Chance } from "../chance/Chance.ts"
import type { ListenFailed } from "../SimulatorError.ts"
import { type Endpoint, endpointText } from "./Listener.ts"
import { type PartnerEnd, Sockets } from "./Sockets.ts"
import type { TlsMaterial } from "./TlsSide.ts"

/** Where connections come from, whatever their messages are. Times in milliseconds. */
export interface EntranceSettings {
  readonly role: "dial" | "listen"
  readonly endpoint: Endpoint
  /** TLS on top of every connection; left out: none. */
  readonly tls?: TlsMaterial
  /** The partner's FIN does not end a connection: an answer may still be due (short links). */
  readonly isHalfOpen?: boolean
  /** Before dialling again: drawn between these. */
  readonly redialFrom: number
  readonly redialTo: number
  /** Told once when dialling fails, again when it fails for another reason, and when it works again. */
  readonly onTrouble?: (text: string) => void
}

/** How connections come to be: shut makes no new ones until as many opens have followed. */
export interface Entrance {
  /** Where it listens (the port that was really taken), or what it dials. */
  readonly endpoint: Endpoint
  readonly shut: Effect.Effect<void>
  readonly open: Effect.Effect<void>
}

/** Opens an entrance; every connection that comes is given to `attach`. */
export const makeEntrance = (
  settings: EntranceSettings,
  chance: Chance,
  attach: (open: PartnerEnd) => void
): Effect.Effect<Entrance, ListenFailed, Scope.Scope> =>
  settings.role === "listen" ? makeListener(settings, attach) : makeDialer(settings, chance, attach)

/** Dials, stays until the connection falls, waits a little, and again. */
const makeDialer = (
  settings: EntranceSettings,
  chance: Chance,
  attach: (open: PartnerEnd) => void
): Effect.Effect<Entrance, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = yield* Sockets
    const isAllowed = yield* Latch.make(true)
    let shuts = 0
    const tell = troubleTeller(settings)
    yield* isAllowed.await.pipe(
      Effect.andThen(sockets.dial(settings)),
      Effect.map((dialled) => {
        tell(typeof dialled === "string" ? dialled : "")
        return typeof dialled === "string" ? undefined : dialled
      }),
      Effect.flatMap((socket) => (socket === undefined ? Effect.void : stay(socket, shuts > 0, attach))),
      Effect.andThen(Effect.suspend(() => Effect.sleep(chance.between(settings.redialFrom, settings.redialTo)))),
      Effect.forever,
      Effect.forkScoped
    )
    return {
      endpoint: settings.endpoint,
      shut: Effect.suspend(() => {
        shuts++
        return isAllowed.close
      }),
      open: Effect.suspend(() => {
        shuts--
        return shuts === 0 ? isAllowed.open : Effect.void
      })
    }
  })

/** Says why no connection comes about, once for each reason in a row; "" is no trouble. */
const troubleTeller = ({ endpoint, onTrouble }: EntranceSettings): ((why: string) => void) => {
  let last = ""
  return (why) => {
    if (why === last) return
    last = why
    const at = endpointText(endpoint)
    onTrouble?.(why === "" ? `connected to ${at}` : `no connection to ${at} (${why}); it is tried again and again`)
  }
}

/** Ends when the connection has fallen. One that came up while it was not wanted is dropped at once. */
const stay = (open: PartnerEnd, isShut: boolean, attach: (open: PartnerEnd) => void): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (open.socket.destroyed || isShut) {
      open.socket.destroy()
      return resume(Effect.void)
    }
    attach(open)
    open.socket.once("close", () => resume(Effect.void))
    return Effect.sync(() => open.socket.destroySoon())
  })

/** Listens; shut closes the port, so that connects are refused, and open takes the same port again. */
const makeListener = (
  way: EntranceSettings,
  attach: (end: PartnerEnd) => void
): Effect.Effect<Entrance, ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = yield* Sockets
    const { endpoint, onTrouble } = way
    let shuts = 0
    const refused = (why: string): void => onTrouble?.(`a connection to ${endpointText(endpoint)} was refused: ${why}`)
    let open = yield* sockets.listen(way, attach, refused)
    const taken = open.endpoint
    yield* Effect.addFinalizer(() => Effect.sync(() => open.close()))
    const reopen = Effect.gen(function* () {
      const again = sockets.listen({ ...way, endpoint: taken }, attach, refused)
      open = yield* again.pipe(Effect.retry(Schedule.spaced("50 millis")), Effect.orDie)
    })
    return {
      endpoint: taken,
      shut: Effect.sync(() => {
        shuts++
        open.close()
      }),
      open: Effect.suspend(() => {
        shuts--
        return shuts === 0 ? reopen : Effect.void
      })
    }
  })
