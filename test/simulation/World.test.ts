import { Clock, Deferred, Effect, Exit, Fiber, Queue, Random, Schedule } from "effect"
import { describe, expect, it } from "vitest"
import { Machine } from "./world/Machine.ts"
import { World, WorldStopped } from "./world/World.ts"

const STARTS_AT = Date.UTC(2026, 2, 2, 1, 0, 0)
const worldOf = (seed: number) => new World({ seed, startsAt: STARTS_AT, keepTrace: true })

const value = <A, E>(exit: Exit.Exit<A, E>): A => {
  if (Exit.isFailure(exit)) throw new Error(String(exit.cause))
  return exit.value
}

describe("the world", () => {
  it("runs a day of timers, retries and queues at once, in virtual time", () => {
    const world = worldOf(1)
    const program = Effect.gen(function* () {
      const queue = yield* Queue.unbounded<number>()
      yield* Effect.forkChild(
        Effect.gen(function* () {
          for (let hour = 0; hour < 24; hour++) {
            yield* Effect.sleep("1 hour")
            yield* Queue.offer(queue, yield* Clock.currentTimeMillis)
          }
        })
      )
      const seen = yield* Effect.all(Array.from({ length: 24 }, () => Queue.take(queue)))
      return seen[23]
    })

    expect(value(world.run(program))).toBe(STARTS_AT + 86_400_000)
    expect(world.nowMs).toBe(86_400_000)
  })

  it("gives the same draws and jitter for one seed and others for another", () => {
    const program = Effect.gen(function* () {
      let attempts = 0
      yield* Effect.suspend(() => (++attempts < 6 ? Effect.fail("again") : Effect.void)).pipe(
        Effect.retry(Schedule.exponential("1 second").pipe(Schedule.jittered))
      )
      return [yield* Clock.currentTimeMillis, yield* Random.next]
    })
    const once = (seed: number) => value(worldOf(seed).run(program))

    expect(once(7)).toEqual(once(7))
    expect(once(7)).not.toEqual(once(8))
  })

  it("says that nothing is left to happen when a program waits for something outside of it", () => {
    const outside = Effect.promise(() => Promise.resolve(1))

    expect(() => worldOf(1).run(outside)).toThrow(new WorldStopped("deadlock: nothing left to happen"))
  })

  it("stops when something turns round for ever at one instant", () => {
    expect(() => worldOf(1).run(Effect.forever(Effect.yieldNow))).toThrow(/livelock/)
  })
})

describe("a machine", () => {
  const ticking = (seen: Array<string>, name: string) =>
    Effect.gen(function* () {
      for (;;) {
        yield* Effect.sleep("1 second")
        seen.push(name)
      }
    }).pipe(Effect.ensuring(Effect.sync(() => seen.push(`${name} finalizer`))))

  it("stops abruptly in a crash: no fiber goes on and no finalizer runs", () => {
    const world = worldOf(1)
    const machine = new Machine(world, "switch")
    const seen: Array<string> = []
    machine.start(
      () => ticking(seen, "first"),
      () => seen.push("ended")
    )
    world.advance(2500)

    machine.crash("process")
    world.advance(5000)
    machine.start(
      () => ticking(seen, "second"),
      () => seen.push("ended")
    )
    world.advance(1000)

    expect(seen).toEqual(["first", "first", "second"])
  })

  it("hears late what happened during a pause, and its clocks have moved on", () => {
    const world = worldOf(1)
    const machine = new Machine(world, "switch")
    const woke: Array<number> = []
    const program = Effect.gen(function* () {
      yield* Effect.sleep("1 second")
      woke.push((yield* Clock.currentTimeMillis) - STARTS_AT)
      yield* Effect.sleep("1 second")
      woke.push((yield* Clock.currentTimeMillis) - STARTS_AT)
      yield* Effect.never
    })
    machine.start(
      () => program,
      () => {}
    )

    machine.pause()
    world.advance(30_000)
    machine.unpause()
    world.advance(2000)

    expect(woke).toEqual([30_000, 31_000])
  })

  it("tells when its program ends by itself, with the reason", () => {
    const world = worldOf(1)
    const machine = new Machine(world, "switch")
    const ends: Array<Exit.Exit<unknown, string>> = []

    machine.start(
      () => Effect.andThen(Effect.sleep("1 second"), Effect.fail("disk")),
      (exit) => ends.push(exit)
    )
    world.advance(2000)

    expect(ends).toEqual([Exit.fail("disk")])
  })

  it("keeps fibers of one life waiting for a value of another life apart", () => {
    const world = worldOf(1)
    const machine = new Machine(world, "switch")
    const gate = Deferred.makeUnsafe<void>()
    const seen: Array<string> = []
    const program = (name: string) =>
      Effect.gen(function* () {
        const child = yield* Effect.forkChild(Effect.andThen(Effect.sleep("1 second"), Deferred.await(gate)))
        yield* Fiber.join(child)
        seen.push(name)
      })
    machine.start(
      () => program("first"),
      () => {}
    )
    world.advance(500)

    machine.crash("process")
    machine.start(
      () => program("second"),
      () => {}
    )
    Deferred.doneUnsafe(gate, Exit.void)
    world.advance(2000)

    expect(seen).toEqual(["second"])
  })
})
