import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { JournalError } from "../../../packages/switch/src/journal/JournalError.ts"
import {
  beating,
  type ConnectOwners,
  haltOthers,
  handOver,
  keeping,
  type OwnerTable,
  type StandingBy,
  Tenure,
  taken
} from "../../../packages/switch/src/operate/owner/Claim.ts"

const away = JournalError.of("StoreAway", "here", "It is away.")

/** The table of owners, and what may be done to the way to it. */
class Table {
  node: string | null | undefined
  beat = 0
  halted: string | null = null
  isAway = false
  /** The journal was made. */
  isThere = true
  takes = 0
  /** Entries of the journal. */
  entries = 0

  connect(node: string): ConnectOwners {
    const answered = <A>(answer: () => A) =>
      Effect.suspend(() => (this.isAway ? Effect.fail(away) : Effect.sync(answer)))
    const table: OwnerTable = {
      look: answered(() =>
        this.node === undefined ? undefined : { node: this.node, beat: String(this.beat), halted: this.halted }
      ),
      take: (seen) =>
        answered(() => {
          this.takes++
          const isSame = this.node === undefined ? seen === undefined : seen?.beat === String(this.beat)
          if (isSame) [this.node, this.beat] = [node, this.beat + 1]
          return isSame
        }),
      beat: answered(() => {
        if (!this.isThere) return undefined
        const isCounted = this.node === undefined || this.node === node
        if (isCounted) this.beat++
        return { isCounted, node: this.node ?? null, beat: BigInt(this.beat) }
      }),
      lastEntry: answered(() => this.entries),
      handOver: answered(() => {
        if (this.node === node) this.node = null
      }),
      halt: (why) =>
        answered(() => {
          this.halted = why
        })
    }
    return answered(() => table)
  }
}

const told = () => {}

/** A node that stands by, takes the switch and beats. */
const node = (table: Table, name: string) =>
  Effect.forkScoped(
    Effect.andThen(taken(table.connect(name), 3000, false, told), beating(table.connect(name), 3000, new Tenure(3000)))
  )

describe("the owner of a switch", () => {
  it.effect("is the first node; another one stands by for as long as the beat goes on", () =>
    Effect.gen(function* () {
      const table = new Table()
      yield* node(table, "n1")
      yield* TestClock.adjust(100)
      yield* node(table, "n2")
      yield* TestClock.adjust(60_000)

      expect(table.node).toBe("n1")
      expect(table.takes).toBe(1)
    })
  )

  it.effect("is another one when its beat has stood still for the time of a takeover, and not before", () =>
    Effect.gen(function* () {
      const table = new Table()
      const first = yield* node(table, "n1")
      yield* node(table, "n2")
      yield* TestClock.adjust(10_000)
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust(2900)

      expect(table.node).toBe("n1")

      yield* TestClock.adjust(1200)

      expect(table.node).toBe("n2")
    })
  )

  it.effect("stays while PostgreSQL is away for everybody, however long, and when it is back", () =>
    Effect.gen(function* () {
      const table = new Table()
      yield* node(table, "n1")
      yield* node(table, "n2")
      yield* TestClock.adjust(10_000)
      table.isAway = true
      yield* TestClock.adjust(600_000)
      table.isAway = false
      yield* TestClock.adjust(60_000)

      expect(table.node).toBe("n1")
      expect(table.takes).toBe(1)
    })
  )

  it.effect("is one node when two want it at once: the other one sees that something has changed", () =>
    Effect.gen(function* () {
      const table = new Table()
      table.node = "gone"
      yield* node(table, "n1")
      yield* node(table, "n2")
      yield* TestClock.adjust(30_000)

      expect(table.takes).toBeGreaterThan(0)
      expect(["n1", "n2"]).toContain(table.node)

      const { node: owner } = table
      yield* TestClock.adjust(30_000)

      expect(table.node).toBe(owner)
    })
  )

  it.effect("hands over in order: the next look of another node takes it, and its own comes last", () =>
    Effect.gen(function* () {
      const table = new Table()
      const first = yield* node(table, "n1")
      yield* TestClock.adjust(5000)
      yield* Fiber.interrupt(first)
      yield* handOver(table.connect("n1"), 1000, new Tenure(3000))

      expect(table.node).toBeNull()

      const again = yield* Effect.forkScoped(taken(table.connect("n1"), 3000, true, told))
      yield* TestClock.adjust(1000)

      expect(table.node).toBeNull()

      const second = yield* node(table, "n2")
      yield* TestClock.adjust(600)

      expect(table.node).toBe("n2")

      yield* Fiber.interrupt(second)
      yield* handOver(table.connect("n2"), 1000, new Tenure(3000))
      yield* TestClock.adjust(600)

      expect(table.node).toBe("n1")

      yield* Fiber.interrupt(again)
    })
  )

  it.effect("hands nothing over in a table that has lost its end: nobody goes on without what is gone", () =>
    Effect.gen(function* () {
      const table = new Table()
      const tenure = new Tenure(3000)
      yield* Effect.forkScoped(
        Effect.andThen(taken(table.connect("n1"), 3000, false, told), beating(table.connect("n1"), 3000, tenure))
      )
      yield* TestClock.adjust(5000)
      table.isAway = true
      yield* TestClock.adjust(1000)
      // The standby that takes the place of PostgreSQL is a few commits behind.
      table.beat -= 3
      table.isAway = false
      const error = yield* Effect.flip(handOver(table.connect("n1"), 1000, tenure))

      expect(error.reason._tag).toBe("Truncated")
      expect(table.node).toBe("n1")
      expect(table.halted).toMatch(/^Truncated: /)
    })
  )

  it.effect("hands nothing over where its journal ends before what was acknowledged, although the count is right", () =>
    Effect.gen(function* () {
      const table = new Table()
      const tenure = new Tenure(3000)
      table.node = "n1"
      table.entries = 12
      tenure.wrote(12)
      table.entries = 11
      const error = yield* Effect.flip(handOver(table.connect("n1"), 1000, tenure))
      expect(error.reason._tag).toBe("Truncated")
      expect([table.node, table.halted]).toEqual(["n1", expect.stringMatching(/^Truncated: /)])

      // Who takes the switch anew begins with what is there.
      tenure.begins()
      yield* handOver(table.connect("n1"), 1000, tenure)
      expect(table.node).toBeNull()
    })
  )

  it.effect("takes it back itself when no other node wants it", () =>
    Effect.gen(function* () {
      const table = new Table()
      table.node = null
      yield* Effect.forkScoped(taken(table.connect("n1"), 3000, true, told))
      yield* TestClock.adjust(4000)

      expect(table.node).toBe("n1")
    })
  )

  it.effect("that was overtaken hears so from its next beat, whatever kept it", () =>
    Effect.gen(function* () {
      const table = new Table()
      yield* TestClock.adjust(0)
      table.node = "n1"
      const fiber = yield* Effect.forkScoped(Effect.flip(beating(table.connect("n1"), 3000, new Tenure(3000))))
      yield* TestClock.adjust(2000)
      table.isAway = true
      yield* TestClock.adjust(10_000)
      table.node = "n2"
      table.isAway = false
      yield* TestClock.adjust(1000)

      expect(fiber.pollUnsafe()).toMatchObject({ value: { reason: { _tag: "Overtaken" } } })
    })
  )

  it.effect(
    "that PostgreSQL has forgotten, with its takeover, hears that something is lost, and not that it was overtaken",
    () =>
      Effect.gen(function* () {
        const table = new Table()
        table.node = "n1"
        table.beat = 40
        const fiber = yield* Effect.forkScoped(Effect.flip(beating(table.connect("n1"), 3000, new Tenure(3000))))
        yield* TestClock.adjust(2000)
        // What an asynchronous fail-over leaves: the table as it was under the owner before.
        table.node = "n2"
        table.beat = 39
        yield* TestClock.adjust(1000)

        expect(fiber.pollUnsafe()).toMatchObject({ value: { reason: { _tag: "Truncated" } } })
      })
  )

  it.effect("is sure of nothing before a beat was counted: its journal may be made by another node just now", () =>
    Effect.gen(function* () {
      const table = new Table()
      const tenure = new Tenure(3000)
      table.isThere = false
      yield* Effect.forkScoped(beating(table.connect("n1"), 3000, tenure))
      yield* TestClock.adjust(1000)

      expect(tenure.isSure(1000)).toBe(false)

      table.isThere = true
      yield* TestClock.adjust(1000)

      expect(tenure.isSure(2000)).toBe(true)
    })
  )

  it.effect("fails, and does not end its process, where another node makes the journal that both took", () =>
    Effect.gen(function* () {
      const table = new Table()
      const said: Array<string> = []
      const overtaken = ({ reason }: JournalError) => {
        said.push(reason.problem)
        return Effect.never
      }
      const keep = keeping(table.connect("n1"), 3000, new Tenure(3000), overtaken, Effect.never)
      table.isThere = false
      const first = yield* Effect.forkScoped(Effect.flip(keep))
      yield* TestClock.adjust(1000)
      ;[table.isThere, table.node] = [true, "n2"]
      yield* TestClock.adjust(1000)

      expect((yield* Fiber.join(first)).reason._tag).toBe("Overtaken")
      expect(table.node).toBe("n2")
      expect(said).toEqual([])

      // An owner ends: what it has in memory is of no worth any more.
      table.node = "n1"
      yield* Effect.forkScoped(Effect.flip(keep))
      yield* TestClock.adjust(1000)
      table.node = "n2"
      yield* TestClock.adjust(1000)

      expect(said).toEqual(["Node n2 has this switch now."])
    })
  )

  it.effect("that knows of a loss keeps every other node from going on without it, until a person has decided", () =>
    Effect.gen(function* () {
      const table = new Table()
      const first = yield* node(table, "n1")
      yield* node(table, "n2")
      yield* TestClock.adjust(5000)
      yield* haltOthers(table.connect("n1"), JournalError.of("DiskFull", "here", "It is full."), 1000)

      expect(table.halted).toBeNull()

      yield* haltOthers(table.connect("n1"), JournalError.of("Truncated", "here", "Groups are gone."), 1000)
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust(600_000)

      expect([table.node, table.halted]).toEqual(["n1", "Truncated: Groups are gone."])

      table.halted = null
      yield* TestClock.adjust(4000)

      expect(table.node).toBe("n2")
    })
  )

  it.effect("does not start on what a person has to put right, and waits for what passes by itself", () =>
    Effect.gen(function* () {
      const table = new Table()
      const heard: Array<StandingBy> = []
      const wrong = JournalError.of("KeyWrong", "here", "The user is not let in.")

      expect(yield* Effect.flip(taken(Effect.fail(wrong), 3000, false, told))).toBe(wrong)

      table.isAway = true
      yield* Effect.forkScoped(taken(table.connect("n1"), 3000, false, (what) => heard.push(what)))
      yield* TestClock.adjust(5000)

      expect(heard.every((what) => "blind" in what)).toBe(true)

      table.isAway = false
      yield* TestClock.adjust(1000)

      expect(table.node).toBe("n1")
    })
  )

  it.effect(
    "is sure of it for the time of a takeover from the beginning of its last beat, and never when another may have it",
    () =>
      Effect.gen(function* () {
        const table = new Table()
        const tenure = new Tenure(3000)
        const unsure: Array<number> = []

        expect(tenure.isSure(0)).toBe(false)

        table.node = "n1"
        const first = yield* Effect.forkScoped(beating(table.connect("n1"), 3000, tenure))
        yield* node(table, "n2")
        yield* TestClock.adjust(10_000)

        expect(tenure.isSure(10_000)).toBe(true)

        // It stands still from here on, like a process that was stopped.
        yield* Fiber.interrupt(first)
        for (let now = 10_100; table.node === "n1"; now += 100) {
          yield* TestClock.adjust(100)
          if (!tenure.isSure(now)) unsure.push(now)
        }

        expect(unsure.length).toBeGreaterThan(0)
        expect(tenure.isSure(unsure[0]! + 60_000)).toBe(false)
      })
  )
})
