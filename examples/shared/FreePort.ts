/**
 * A port for a program that ends and comes again. It is none of those that the system gives to whoever asks for any: while the
 * program is down, nobody else on the machine gets it by chance, and answers its partner.
 */
import { readFileSync } from "node:fs"
import { createServer } from "node:net"
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

/** See above; nobody listens on it now. */
export const freePort: Effect.Effect<number> = Effect.gen(function* () {
  const from = Math.max(FIRST, firstGiven - SPAN)
  for (;;) {
    const port = yield* Random.nextIntBetween(from, Math.max(firstGiven, from + SPAN) - 1)
    if (yield* isFree(port)) return port
  }
})
