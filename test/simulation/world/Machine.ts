/**
 * One computer of the world: it runs a program, crashes at any point, starts again, and may stand still for a while.
 *
 * A crash is abrupt: no finalizer runs, no fiber goes on, nothing that the old life still had in hand is written or
 * committed. Everything that comes from outside into a life (timers, received bytes, commits) passes `admit`, so a dead life
 * hears nothing and a paused one hears it later. What a crash does to connections and disks is theirs to say (`onCrash`).
 */
import { type Context, Effect, Exit, type Fiber } from "effect"
import type { SeededRandom } from "./SeededRandom.ts"
import type { Home, World } from "./World.ts"

/** `process`: the operating system lives on, closes the sockets and keeps what was written. `power`: everything stops. */
export type CrashKind = "process" | "power"

/** One life of a machine, from a start to a crash. */
export class Life implements Home {
  readonly machine: Machine
  /** 1 for the first life. */
  readonly number: number
  isAlive = true
  private kept: Array<() => void> = []

  constructor(machine: Machine, number: number) {
    this.machine = machine
    this.number = number
  }

  readonly admit = (task: () => void): void => {
    if (!this.isAlive) return
    if (this.machine.isPaused) this.kept.push(task)
    else task()
  }

  /** Lets the kept tasks of a pause happen, in order. */
  wake(): void {
    const kept = this.kept
    this.kept = []
    for (const task of kept) this.admit(task)
  }

  /** The seam for code that needs a plain delay (the memory store of the journal): dies with this life. */
  readonly schedule = (afterMs: number, happen: () => void): void => {
    this.machine.world.after(afterMs, () => this.admit(happen))
  }
}

export class Machine {
  readonly world: World
  readonly name: string
  readonly random: SeededRandom
  isPaused = false
  /** Difference of this machine's wall clock from the true one, milliseconds. Its monotonic clock is always right. */
  wallSkewMs = 0
  /**
   * A timer fires at the next whole multiple of so many milliseconds: a busy process looks at its timers late. 0: to the
   * microsecond. It also keeps a clock that looks fifty times a second from being most of what a run does.
   */
  timerMs = 0
  /** The running life; undefined while the machine is down. */
  life: Life | undefined
  /** Called with the life that just ended, before anything else happens. */
  readonly onCrash: Array<(life: Life, kind: CrashKind) => void> = []
  /** Called with each line that the machine's program logs. */
  readonly onLog: Array<(text: string) => void> = []
  private lives = 0
  private effectsLeft = Number.POSITIVE_INFINITY
  private crashWhenSpent: CrashKind = "process"

  constructor(world: World, name: string) {
    this.world = world
    this.name = name
    this.random = world.random.stream(`machine ${name}`)
  }

  /**
   * Starts a new life with `program`. `onEnd` is told when the program ends by itself; a crash is not an end.
   * A program that is meant to run for ever and ends is a finding of the caller.
   */
  start<A, E>(program: (life: Life) => Effect.Effect<A, E>, onEnd: (exit: Exit.Exit<A, E>) => void): Life {
    const life = this.begin()
    const fiber: Fiber.Fiber<A, E> = Effect.runForkWith(this.contextOf(life))(program(life))
    fiber.addObserver((exit) => {
      if (!life.isAlive) return
      this.world.note(`${this.name} ended by itself: ${Exit.isSuccess(exit) ? "done" : "failed"}`)
      onEnd(exit)
    })
    return life
  }

  /** Starts a new life for a program that is no Effect: whoever has the life calls it. */
  begin(): Life {
    if (this.life !== undefined) throw new Error(`${this.name} runs already`)
    const life = new Life(this, ++this.lives)
    this.life = life
    this.world.note(`${this.name} starts life ${life.number}`)
    return life
  }

  private contextOf(life: Life): Context.Context<never> {
    const log = (text: string) => {
      if (!life.isAlive) return
      this.world.note(`${this.name} log ${text}`)
      for (const each of this.onLog) each(text)
    }
    return this.world.contextFor(life, this.random, this, log)
  }

  /** This machine's wall clock, milliseconds since 1970. */
  get wallMs(): number {
    return this.world.startsAt + Math.floor(this.world.nowMs) + this.wallSkewMs
  }

  /** The life ends here and now. Nothing happens when the machine is down. */
  crash(kind: CrashKind): void {
    const { life } = this
    if (life === undefined) return
    this.world.note(`${this.name} crashes (${kind})`)
    life.isAlive = false
    this.life = undefined
    this.isPaused = false
    this.effectsLeft = Number.POSITIVE_INFINITY
    for (const each of this.onCrash) each(life, kind)
  }

  /**
   * Crashes the machine in the middle of its code: just before its `count`-th effect on the outside from now (a write to a
   * connection or a commit given to the disk). Infinity takes it back.
   */
  crashBeforeEffect(count: number, kind: CrashKind): void {
    this.effectsLeft = count
    this.crashWhenSpent = kind
  }

  /** Asked by the network and the disk before an effect of `life` becomes visible. False: the life is over, drop it. */
  mayAct(life: Life): boolean {
    if (!life.isAlive) return false
    if (--this.effectsLeft > 0) return true
    this.crash(this.crashWhenSpent)
    return false
  }

  /** Stands still: nothing of it runs, and the outside waits, until `unpause`. Nothing happens when the machine is down. */
  pause(): void {
    if (this.life === undefined) return
    this.world.note(`${this.name} pauses`)
    this.isPaused = true
  }

  unpause(): void {
    if (!this.isPaused) return
    this.world.note(`${this.name} goes on`)
    this.isPaused = false
    this.life?.wake()
  }
}
