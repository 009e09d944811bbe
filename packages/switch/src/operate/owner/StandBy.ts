/**
 * A node that stands by: it says so to operators and monitoring, listens for no partner, and waits for its turn.
 */
import { Clock, Console, Deferred, Effect, type FileSystem, type Path } from "effect"
import type { JournalError } from "../../journal/JournalError.ts"
import * as Credentials from "../../transport/Credentials.ts"
import type { ListenFailed } from "../../transport/Transport.ts"
import { serveStandbyAdmin } from "../admin/Admin.ts"
import type { AdminSettings } from "../admin/Users.ts"
import { serveRoutes } from "../control/Control.ts"
import { ownerSeen, type Standby, standbyRoutes, standbyWords } from "../control/StandbyRoutes.ts"
import type { CommandFailed } from "../Exit.ts"
import { ProcessEdge } from "../ProcessEdge.ts"
import { sayReady } from "../Supervised.ts"
import { type ConnectOwners, type StandingBy, taken } from "./Claim.ts"

/** Where a node stands by, and for what. */
export interface Place {
  readonly name: string
  readonly node: string
  /** The control socket. */
  readonly socket: string
  readonly admin: AdminSettings | undefined
  readonly connect: ConnectOwners
  readonly takeoverAfterMs: number
}

/**
 * Stands by until this node has the switch (`undefined`), or is told to end (the reason). `hasLeft`: it has just handed the
 * switch over. `signal`: see `ProcessEdge.takeSignals`.
 */
export const standBy = Effect.fnUntraced(function* (
  place: Place,
  hasLeft: boolean,
  signal: Effect.Effect<string>
): Effect.fn.Return<
  string | undefined,
  CommandFailed | JournalError | ListenFailed,
  FileSystem.FileSystem | Path.Path | ProcessEdge
> {
  const { pid } = yield* ProcessEdge
  const { admin, connect, name, node, socket, takeoverAfterMs } = place
  let last: StandingBy = { seen: undefined }
  const news = makeNews(node)
  const identity = { name, pid, startedAt: yield* Clock.currentTimeMillis }
  const standby: Standby = { identity, node, last: () => last, stop: Deferred.makeUnsafe<string>() }
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const told = (what: StandingBy) => {
    last = what
    const line = news(what)
    if (line !== undefined) fork(line)
  }
  return yield* Effect.gen(function* () {
    yield* serveRoutes(socket, (user) => standbyRoutes(standby, user))
    if (admin !== undefined) yield* serveStandbyAdmin(admin, () => standbyWords(standby))
    yield* Console.log(JSON.stringify({ event: "standby", name, pid, node, control: socket }))
    yield* sayReady("stands by")
    return yield* Effect.raceAllFirst<Effect.Effect<string | undefined, JournalError>>([
      Effect.as(taken(connect, takeoverAfterMs, hasLeft, told), undefined),
      ending(signal),
      Deferred.await(standby.stop)
    ])
  }).pipe(Effect.scoped, Effect.provide(Credentials.layer))
})

/** The next signal that means the end. A node that stands by reads its configuration again when it takes over, and not before. */
const ending = (signal: Effect.Effect<string>): Effect.Effect<string> =>
  Effect.flatMap(signal, (name) => (name === "SIGHUP" ? ending(signal) : Effect.succeed(name)))

/** What of all looks is worth a line of the log: who has the switch, and when that is not seen any more. */
const makeNews = (node: string) => {
  let said: string | undefined
  return (what: StandingBy): Effect.Effect<void> | undefined => {
    const words = standbyWords({ last: () => what, node })
    const key = "blind" in what ? "blind" : `sees ${ownerSeen(what)}`
    if (key === said) return undefined
    said = key
    return key === "blind" ? Effect.logWarning(words) : Effect.logInfo(words)
  }
}
