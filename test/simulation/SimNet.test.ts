import { Effect, Fiber } from "effect"
import { describe, expect, it } from "vitest"
import type { ConnectFailed, Connection, ConnectionEnded } from "../../packages/switch/src/transport/Transport.ts"
import { Machine } from "./world/Machine.ts"
import { type NetOptions, SimNet } from "./world/SimNet.ts"
import { World } from "./world/World.ts"

const calm: NetOptions = {
  latencyMs: [10, 10.001],
  splits: 0,
  joins: 0,
  kernelRoom: 65_536,
  resetLosesInFlight: 0
}

/** Two machines, `near` dialling `far:7000`, and what came of it. */
const place = (options: Partial<NetOptions> = {}, seed = 1) => {
  const world = new World({ seed, startsAt: 0, keepTrace: true })
  const net = new SimNet(world, { ...calm, ...options })
  const near = new Machine(world, "near")
  const far = new Machine(world, "far")
  net.attach(near)
  net.attach(far)
  return { world, net, near, far }
}
type Place = ReturnType<typeof place>

/** Pulls for ever; collects the text received and how it ended. */
const collect = (connection: Connection, into: { text: string; end: string; chunks: Array<number> }) =>
  Effect.forever(
    Effect.map(connection.pull, (chunks) => {
      for (const chunk of chunks) {
        into.text += chunk.toString()
        into.chunks.push(chunk.length)
      }
    })
  ).pipe(Effect.catch((ended: ConnectionEnded) => Effect.sync(() => Object.assign(into, { end: ended.how }))))

const inbox = () => ({ text: "", end: "", chunks: [] as Array<number> })

/** `far` listens and collects; `near` dials and does `then` with the connection. */
const converse = (at: Place, then: (connection: Connection) => Effect.Effect<void, ConnectionEnded>) => {
  const received = inbox()
  const accepted: Array<Connection> = []
  const failures: Array<ConnectFailed> = []
  at.far.start(
    (life) =>
      Effect.scoped(
        Effect.gen(function* () {
          const transport = at.net.transport(life)
          const run = Effect.runForkWith(yield* Effect.context<never>())
          yield* transport.listen({ host: "far", port: 7000 }, (connection) => {
            accepted.push(connection)
            run(collect(connection, received))
          })
          return yield* Effect.never
        })
      ),
    () => {}
  )
  at.near.start(
    (life) =>
      at.net
        .transport(life)
        .connect({ host: "far", port: 7000 })
        .pipe(
          Effect.flatMap(then),
          Effect.catchTag("ConnectFailed", (failed) => Effect.sync(() => void failures.push(failed))),
          Effect.andThen(Effect.never)
        ),
    () => {}
  )
  return { received, accepted, failures }
}

describe("the simulated network", () => {
  it("brings bytes over in order, however it cuts and joins them", () => {
    const text = "0123456789".repeat(500)
    const sizes = new Set<string>()
    for (let seed = 1; seed <= 20; seed++) {
      const at = place({ splits: 0.6, joins: 0.5, latencyMs: [1, 80] }, seed)
      const { received } = converse(at, (connection) =>
        Effect.forEach(text.match(/.{1,77}/g) ?? [], (part) => connection.write(Buffer.from(part)), { discard: true })
      )
      at.world.advance(5000)
      expect(received.text).toBe(text)
      sizes.add(received.chunks.join())
    }

    expect(sizes.size).toBe(20)
  })

  it("delivers what was sent before a FIN, then the FIN", () => {
    const at = place()
    const { received } = converse(at, (connection) =>
      Effect.map(connection.write(Buffer.from("0210")), () => connection.close("fin"))
    )
    at.world.advance(100)

    expect(received).toMatchObject({ text: "0210", end: "fin" })
  })

  it("loses bytes in flight to a RST, or does not, as the seed says", () => {
    const texts = new Set<string>()
    for (let seed = 1; seed <= 20; seed++) {
      const at = place({ resetLosesInFlight: 0.5 }, seed)
      const { received } = converse(at, (connection) =>
        Effect.map(connection.write(Buffer.from("0210")), () => connection.close("reset"))
      )
      at.world.advance(100)
      expect(received.end).toBe("reset")
      texts.add(received.text)
    }

    expect(texts).toEqual(new Set(["", "0210"]))
  })

  it("holds bytes back during a partition and brings them after it", () => {
    const at = place()
    const { received } = converse(at, (connection) =>
      Effect.andThen(Effect.sleep("1 second"), connection.write(Buffer.from("0200")))
    )
    at.world.advance(500)
    at.net.block("near", "far")
    at.world.advance(60_000)

    expect(received.text).toBe("")

    at.net.unblock("near", "far")
    at.world.advance(5000)
    expect(received.text).toBe("0200")
  })

  it("lets a one-way partition swallow answers only", () => {
    const at = place()
    const answers = inbox()
    const { accepted, received } = converse(at, (connection) =>
      Effect.gen(function* () {
        yield* Effect.forkDetach(collect(connection, answers))
        yield* Effect.sleep("1 second")
        yield* connection.write(Buffer.from("0200"))
      })
    )
    at.world.advance(500)
    at.net.block("far", "near")
    at.world.advance(1000)
    Effect.runFork(accepted[0]!.write(Buffer.from("0210")))
    at.world.advance(10_000)

    expect(received.text).toBe("0200")
    expect(answers.text).toBe("")
  })

  it("answers with a RST what reaches a machine that crashed, also after a loss of power", () => {
    for (const kind of ["process", "power"] as const) {
      const at = place()
      const answers = inbox()
      converse(at, (connection) =>
        Effect.gen(function* () {
          yield* Effect.forkDetach(collect(connection, answers))
          yield* Effect.sleep("10 seconds")
          yield* connection.write(Buffer.from("0200"))
        })
      )
      at.world.advance(500)
      at.far.crash(kind)
      at.world.advance(5000)
      expect(answers.end).toBe(kind === "process" ? "fin" : "")

      at.far.start(
        (life) =>
          Effect.andThen(
            Effect.sync(() => at.net.transport(life)),
            Effect.never
          ),
        () => {}
      )
      at.world.advance(20_000)
      expect(answers.end).toBe(kind === "process" ? "fin" : "reset")
    }
  })

  it("refuses a connect where nobody listens, times out where nothing gets through, and knows no strangers", () => {
    const reasonOf = (to: string, prepare: (at: Place) => void) => {
      const at = place()
      prepare(at)
      const reasons: Array<string> = []
      const connecting = (life: Parameters<SimNet["transport"]>[0]) =>
        at.net
          .transport(life)
          .connect({ host: to, port: 7000 })
          .pipe(
            Effect.match({ onFailure: (failed) => reasons.push(failed.reason), onSuccess: () => reasons.push("open") })
          )
      at.near.start(connecting, () => {})
      at.world.advance(200_000)
      return reasons
    }

    expect(reasonOf("far", () => {})).toEqual(["Refused"])
    expect(reasonOf("far", (at) => at.net.block("far", "near"))).toEqual(["Timeout"])
    expect(reasonOf("nowhere", () => {})).toEqual(["NameUnknown"])
  })

  it("leaves no half-open connection behind when a connect is given up", () => {
    const at = place()
    const { received, accepted } = converse(at, () => Effect.void)
    at.near.crash("process")
    at.near.start(
      (life) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(at.net.transport(life).connect({ host: "far", port: 7000 }))
          yield* Effect.sleep(15)
          yield* Fiber.interrupt(fiber)
          yield* Effect.never
        }),
      () => {}
    )
    at.world.advance(1000)

    expect(accepted).toHaveLength(1)
    expect(received.end).toBe("reset")
  })

  it("makes a writer wait while the partner does not read", () => {
    const at = place({ kernelRoom: 100 })
    let written = 0
    at.far.start(
      (life) =>
        Effect.scoped(
          Effect.andThen(
            at.net.transport(life).listen({ host: "far", port: 7000 }, () => {}),
            Effect.never
          )
        ),
      () => {}
    )
    at.near.start(
      (life) =>
        Effect.gen(function* () {
          const connection = yield* at.net.transport(life).connect({ host: "far", port: 7000 })
          for (;;) {
            yield* connection.write(Buffer.alloc(20))
            written += 20
          }
        }),
      () => {}
    )
    at.world.advance(10_000)

    expect(written).toBe(100)
  })

  it("wakes a writer each time that the partner reads on", () => {
    const at = place({ kernelRoom: 10 })
    const { received } = converse(at, (connection) =>
      Effect.gen(function* () {
        for (let n = 0; n < 20; n++) yield* connection.write(Buffer.alloc(3000, "0"))
        connection.close("fin")
      })
    )
    at.world.advance(60_000)

    expect(received.text.length).toBe(60_000)
    expect(received.end).toBe("fin")
  })

  it("notices a program that changes bytes before the kernel has taken them, or writes twice at once", () => {
    const findings = (meanwhile: (bytes: Buffer, connection: Connection) => Effect.Effect<void, ConnectionEnded>) => {
      const at = place({ kernelRoom: 10 })
      converse(at, (connection) => {
        const bytes = Buffer.alloc(3000, "0")
        const later = Effect.andThen(Effect.sleep(1), meanwhile(bytes, connection))
        return Effect.asVoid(Effect.all([connection.write(bytes), later], { concurrency: "unbounded" }))
      })
      at.world.advance(100)
      return new Set(at.net.findings)
    }

    expect(findings((bytes) => Effect.sync(() => bytes.fill("1")))).toEqual(
      new Set(["near:32768 changed bytes before the kernel had taken them"])
    )
    expect(findings((bytes, connection) => connection.write(bytes.subarray(0, 4)))).toEqual(
      new Set(["near:32768 wrote while a write was under way"])
    )
    expect(findings(() => Effect.void)).toEqual(new Set())
  })

  it("swallows everything on a connection that a middlebox forgot, while a new one works", () => {
    const at = place()
    const { received, accepted } = converse(at, (connection) =>
      Effect.gen(function* () {
        yield* Effect.sleep("1 second")
        yield* connection.write(Buffer.from("lost"))
      })
    )
    at.world.advance(500)
    at.net.swallow("near", "far")
    at.world.advance(600_000)

    expect(received).toMatchObject({ text: "", end: "" })
    expect(accepted).toHaveLength(1)
  })
})
