import { Effect, Exit, Layer } from "effect"
import { describe, expect, it } from "vitest"
import { Journal } from "../../packages/switch/src/journal/Journal.ts"
import { Machine } from "./world/Machine.ts"
import { SimDisk } from "./world/SimDisk.ts"
import { World } from "./world/World.ts"

/** Writes `event` entries, one commit each, a new one every 10 ms; says when each is on disk. */
const writing = (seen: { recovered: number; acknowledged: number }) =>
  Effect.gen(function* () {
    const { writer, recovered, failed } = yield* Journal
    seen.recovered = recovered.lastSeq
    writer.onCommitted = (last) => {
      seen.acknowledged = last
    }
    const write = Effect.gen(function* () {
      for (;;) {
        writer.note("tick")
        writer.flush()
        yield* Effect.sleep(10)
      }
    })
    return yield* Effect.raceFirst(write, failed)
  })

const place = (seed: number) => {
  const world = new World({ seed, startsAt: 0, keepTrace: true })
  const machine = new Machine(world, "switch")
  const disk = new SimDisk(machine, { commitMs: [30, 60] })
  const ends: Array<Exit.Exit<unknown, unknown>> = []
  const start = () => {
    const seen = { recovered: 0, acknowledged: 0 }
    machine.start(
      (life) => Effect.provide(writing(seen), Journal.layer.pipe(Layer.provide(disk.layer(life)))),
      (exit) => ends.push(exit)
    )
    return seen
  }
  return { world, machine, disk, ends, start }
}

describe("the simulated disk", () => {
  it("keeps everything that was acknowledged, and loses or keeps what was under way, as the seed says", () => {
    const more = new Set<number>()
    for (let seed = 1; seed <= 20; seed++) {
      const { world, machine, disk, start } = place(seed)
      const first = start()
      world.advance(1000)
      machine.crash("power")

      const second = start()
      world.advance(0)
      expect(first.acknowledged).toBeGreaterThan(10)
      expect(second.recovered).toBeGreaterThanOrEqual(first.acknowledged)
      expect(disk.entries.map(({ seq }) => seq)).toEqual(disk.entries.map((_, n) => n + 1))
      more.add(second.recovered - first.acknowledged)
    }

    expect(more.size).toBeGreaterThan(1)
  })

  it("takes a machine down just before the commit that was asked for", () => {
    const { world, machine, disk, start } = place(1)
    start()
    machine.crashBeforeEffect(1, "process")
    world.advance(1000)

    expect(machine.life).toBeUndefined()
    // One entry was given to the disk when the program began, and nothing after it.
    expect(disk.entries.length).toBeLessThanOrEqual(1)
  })

  it("makes the journal, and with it the program, stop when a commit fails", () => {
    const { world, disk, ends, start } = place(1)
    start()
    world.advance(500)
    disk.failsNext = true
    world.advance(500)

    expect(disk.hasFailed).toBe(true)
    expect(ends.map((exit) => Exit.isFailure(exit))).toEqual([true])
  })
})
