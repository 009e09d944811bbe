/**
 * A port for a program that ends and comes again. It is none of those that the system gives to whoever asks for any: while the
 * program is down, nobody else on the machine gets it by chance, and answers its partner. Nor does another program that asks.
 */
import { readFileSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { Effect, Random } from "effect"

/** The first port that the system gives away: Linux says it (ip(7)), elsewhere it is this or a higher one. */
const firstGiven = ((): number => {
  try {
    return Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10)
  } catch {
    return 32_768
  }
})()

/** Ours are so many below it, but none that needs rights or that pages name. */
const SPAN = 12_000
const FIRST = 10_000

const isFree = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const probe = createServer()
    probe.once("error", () => resume(Effect.succeed(false)))
    probe.listen(port, "127.0.0.1", () => probe.close(() => resume(Effect.succeed(true))))
  })

/** What this process has taken, by port: a name that only one process of a machine can have (unix(7), abstract). */
const taken = new Map<number, Server>()

/** Only Linux has such names. Elsewhere a port is as free as it looks. */
const take = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    if (process.platform !== "linux") return resume(Effect.succeed(true))
    const name = createServer()
    name.once("error", () => resume(Effect.succeed(false)))
    name.listen(`\0jinka-port-${port}`, () => {
      taken.set(port, name.unref())
      resume(Effect.succeed(true))
    })
  })

/** Gives a port back before this process ends. */
export const givePortBack = (port: number): Effect.Effect<void> =>
  Effect.sync(() => {
    taken.get(port)?.close()
    taken.delete(port)
  })

/** See above; nobody listens on it now, and it is this process's until it ends or gives it back. */
export const freePort: Effect.Effect<number> = Effect.gen(function* () {
  const from = Math.max(FIRST, firstGiven - SPAN)
  for (;;) {
    const port = yield* Random.nextIntBetween(from, Math.max(firstGiven, from + SPAN) - 1)
    if (!(yield* take(port))) continue
    if (yield* isFree(port)) return port
    yield* givePortBack(port)
  }
})
