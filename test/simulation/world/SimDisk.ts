/**
 * The simulated disk of one machine: the journal's own memory store, with drawn commit times, that loses at a crash what was
 * not committed, fails when told, and survives the lives of its machine.
 *
 * What was committed but not yet acknowledged at a crash may have reached the disk or not: the seed decides.
 */
import { Effect, Layer } from "effect"
import type { Entry } from "../../../packages/switch/src/journal/Entry.ts"
import { JournalStore, type OpenStore } from "../../../packages/switch/src/journal/JournalStore.ts"
import { MemoryStore } from "../../../packages/switch/src/journal/MemoryStore.ts"
import type { Life, Machine } from "./Machine.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import { Spell } from "./Spell.ts"

/** What the seed drew for the disk. */
export interface DiskOptions {
  /** Shortest and longest commit, milliseconds; most are near the shortest. */
  readonly commitMs: readonly [number, number]
}

export class SimDisk {
  /** Milliseconds that every commit takes longer now. */
  slowerMs = 0
  /** The next commit will fail. */
  failsNext = false
  /** A commit of this life failed: its program must stop by itself (G9). */
  hasFailed = false
  /** Seq of the last entry that is on disk and acknowledged. */
  durable = 0
  /** Little room is left or the store is away: refusals may leave without being on disk. */
  readonly refusing = new Spell()
  private awayCount = 0
  /** Called when a commit failed, with the life whose commit it was. */
  readonly onFailed: Array<(life: Life) => void> = []
  private readonly machine: Machine
  private readonly random: SeededRandom
  private store: MemoryStore
  private groupsUnderWay = 0
  private isLow = false

  constructor(machine: Machine, options: DiskOptions) {
    this.machine = machine
    this.random = machine.world.random.stream(`disk ${machine.name}`)
    this.store = new MemoryStore({
      schedule: (afterMs, run) => machine.life?.schedule(afterMs, run),
      latencyMs: () => this.random.tailed(...options.commitMs) + this.slowerMs
    })
    machine.onCrash.push(() => this.crash())
  }

  /** Everything on disk now, in order. */
  get entries(): ReadonlyArray<Entry> {
    return this.store.entries
  }

  /** The journal's store for one life of the machine. */
  layer(life: Life): Layer.Layer<JournalStore> {
    const watched = Effect.map(Effect.service(JournalStore), (store) =>
      JournalStore.of({
        open: (events) =>
          Effect.map(
            store.open({
              committed: (group) => {
                this.groupsUnderWay--
                this.durable = group.last
                this.machine.world.note(`${this.machine.name} disk has ${group.last}`)
                events.committed(group)
              },
              failed: (error) => {
                this.groupsUnderWay = 0
                events.failed(error)
                for (const each of this.onFailed) each(life)
              },
              troubled: (trouble) => events.troubled(trouble)
            }),
            (open): OpenStore => {
              this.durable = open.opened.lastSeq
              return { ...open, commit: (group) => this.commit(life, open, group) }
            }
          )
      })
    )
    return Layer.effect(JournalStore, watched).pipe(Layer.provide(Layer.suspend(() => this.store.layer)))
  }

  /** Little room is left, or enough again. */
  setLowSpace(isLow: boolean): void {
    this.machine.world.note(`${this.machine.name} disk ${isLow ? "is nearly full" : "has room"}`)
    this.isLow = isLow
    this.refuse()
  }

  /** The store does not answer, or does again; it may be away for several reasons at once. */
  setAway(isAway: boolean): void {
    this.machine.world.note(`${this.machine.name} disk ${isAway ? "does not answer" : "answers again"}`)
    this.awayCount += isAway ? 1 : -1
    this.refuse()
  }

  private refuse(): void {
    const refuses = this.awayCount > 0 ? "away" : this.isLow ? "space" : undefined
    this.refusing.set(refuses !== undefined, this.machine.world.nowMs)
    this.store.refuses = refuses
  }

  /** Breaks the next commit, and with it the journal; the group may be on disk all the same. */
  private breakDown(): void {
    const isKept = this.random.chance(0.5)
    this.failsNext = false
    this.hasFailed = true
    this.machine.world.note(`${this.machine.name} disk fails${isKept ? " and keeps the group" : ""}`)
    this.store.failNext("DiskFailed", isKept)
  }

  private commit(life: Life, open: OpenStore, group: Parameters<OpenStore["commit"]>[0]): void {
    if (!this.machine.mayAct(life)) return
    if (this.failsNext) this.breakDown()
    this.groupsUnderWay++
    open.commit(group)
  }

  private crash(): void {
    const surviving = this.random.whole(0, this.groupsUnderWay)
    this.machine.world.note(`${this.machine.name} disk keeps ${surviving} of ${this.groupsUnderWay} groups under way`)
    this.groupsUnderWay = 0
    this.failsNext = false
    this.hasFailed = false
    this.store = this.store.crash(surviving)
    this.refuse()
  }
}
