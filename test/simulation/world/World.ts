/**
 * The deterministic world: one run queue, one event heap, one seed. Virtual time moves only when nothing is left to do now.
 *
 * It runs synchronously: no Promise, no timer of the process, no date. Whatever waits for something outside (a Promise, a
 * socket, a worker) is never resumed, and `run` says "deadlock: nothing left to happen". Machines (`Machine.ts`), the network
 * (`SimNet.ts`) and disks (`SimDisk.ts`) are built on it; the world itself knows none of them.
 */
import { Clock, Context, Duration, Effect, type Exit, Logger, Random, Scheduler } from "effect"
import { type Event, EventHeap } from "./EventHeap.ts"
import { SeededRandom } from "./SeededRandom.ts"
import { Trace } from "./Trace.ts"

/** Tasks at one instant above which the world stops: something turns round without waiting. No seed tried came to a tenth. */
const TASKS_PER_INSTANT_MAX = 200_000

/** Effect operations after which a fiber lets others run; Effect's own default. */
const OPERATIONS_PER_TURN = 2048

/** The run stopped before its program ended. */
export class WorldStopped extends Error {
  override readonly name = "WorldStopped"
}

/** Where the code of one fiber runs: the world itself or one life of a machine. Decides whether a task still may run. */
export interface Home {
  /** Runs a task now, keeps it (paused) or forgets it (dead). */
  readonly admit: (task: () => void) => void
}

/** The clock of code in a home: how far its wall clock is off, and how coarse its timers are, milliseconds. */
export interface HomeClock {
  readonly wallSkewMs: number
  readonly timerMs: number
}

const exactClock: HomeClock = { wallSkewMs: 0, timerMs: 0 }

export interface WorldSettings {
  readonly seed: number
  /** Wall time at the beginning, milliseconds since 1970. */
  readonly startsAt: number
  readonly keepTrace: boolean
}

export class World {
  readonly seed: number
  readonly startsAt: number
  /** Virtual microseconds since the beginning. */
  now = 0
  /** Tasks of fibers run so far. */
  tasks = 0
  readonly random: SeededRandom
  readonly trace: Trace
  private readonly events = new EventHeap()
  private nanosAt = 0
  private nanos = 0n
  /** Something in the queue is not of the usual priority, 0. */
  private hasPriorities = false
  private queue: Array<{ readonly priority: number; readonly home: Home; readonly task: () => void }> = []

  constructor(settings: WorldSettings) {
    this.seed = settings.seed
    this.startsAt = settings.startsAt
    this.random = new SeededRandom(settings.seed)
    this.trace = new Trace(settings.keepTrace)
  }

  /** Virtual milliseconds since the beginning. */
  get nowMs(): number {
    return this.now / 1000
  }

  /** Writes one line of the trace. `bytes` are hashed, never shown. */
  note(text: string, bytes?: Uint8Array): void {
    this.trace.line(this.now, text, bytes)
  }

  /** Lets something happen `delayMs` from now (rounded to microseconds; negative is now). */
  after(delayMs: number, happen: () => void): Event {
    return this.events.add(this.now + Math.max(0, Math.round(delayMs * 1000)), happen)
  }

  /** The Effect services of code that lives in `home`: scheduler, clock, chance and log of this world. */
  contextFor(home: Home, random: SeededRandom, clock: HomeClock, log: (text: string) => void) {
    return Context.make(Clock.Clock, this.clockFor(home, clock)).pipe(
      Context.add(Scheduler.Scheduler, this.schedulerFor(home)),
      Context.add(Random.Random, random),
      Context.add(Logger.CurrentLoggers, new Set([Logger.make((entry) => log(`${entry.logLevel} ${entry.message}`))]))
    )
  }

  /** Runs until virtual time has moved on by `durationMs`, or `isDone` holds (asked between events). */
  advance(durationMs: number, isDone: () => boolean = () => false): void {
    const end = this.now + Math.round(durationMs * 1000)
    for (;;) {
      this.runTasks()
      if (isDone()) return
      const event = this.events.peek()
      if (event === undefined || event.due > end) break
      this.happen(event)
    }
    this.now = end
  }

  /** Runs an Effect program in the world itself to its end, and everything else meanwhile. */
  run<A, E>(program: Effect.Effect<A, E>): Exit.Exit<A, E> {
    const home: Home = { admit: (task) => task() }
    const context = this.contextFor(home, this.random.stream("world"), exactClock, (text) => this.note(`log ${text}`))
    let exit: Exit.Exit<A, E> | undefined
    Effect.runForkWith(context)(program).addObserver((ended) => {
      exit = ended
    })
    for (;;) {
      this.runTasks()
      if (exit !== undefined) return exit
      const event = this.events.peek()
      if (event === undefined) throw new WorldStopped("deadlock: nothing left to happen")
      this.happen(event)
    }
  }

  private happen(event: Event): void {
    this.events.take()
    this.now = event.due
    event.happen()
  }

  private runTasks(): void {
    let atThisInstant = 0
    while (this.queue.length > 0) {
      const turn = this.queue
      this.queue = []
      if (this.hasPriorities) turn.sort((a, b) => a.priority - b.priority)
      this.hasPriorities = false
      for (const { home, task } of turn) home.admit(task)
      this.tasks += turn.length
      atThisInstant += turn.length
      if (atThisInstant > TASKS_PER_INSTANT_MAX) {
        throw new WorldStopped(`livelock: ${atThisInstant} tasks at ${this.nowMs} ms and time does not move`)
      }
    }
  }

  private schedulerFor(home: Home): Scheduler.Scheduler {
    const scheduleTask = (task: () => void, priority: number) => {
      if (priority !== 0) this.hasPriorities = true
      this.queue.push({ priority, home, task })
    }
    const dispatcher: Scheduler.SchedulerDispatcher = { scheduleTask, flush: () => this.runTasks() }
    return {
      executionMode: "async",
      shouldYield: (fiber) => fiber.currentOpCount >= OPERATIONS_PER_TURN,
      makeDispatcher: () => dispatcher
    }
  }

  private clockFor(home: Home, clock: HomeClock): Clock.Clock {
    const wall = () => this.startsAt + Math.floor(this.now / 1000) + clock.wallSkewMs
    const wallNanos = () => BigInt(wall()) * 1_000_000n
    const monotonic = () => this.monotonicNanos()
    return {
      currentTimeMillisUnsafe: wall,
      currentTimeMillis: Effect.sync(wall),
      currentTimeNanosUnsafe: wallNanos,
      currentTimeNanos: Effect.sync(wallNanos),
      monotonicTimeNanosUnsafe: monotonic,
      monotonicTimeNanos: Effect.sync(monotonic),
      sleep: (duration) =>
        Effect.callback<void>((resume) => {
          const ms = Duration.toMillis(duration)
          if (ms === Number.POSITIVE_INFINITY) return
          const event = this.after(this.untilTimer(ms, clock.timerMs), () => home.admit(() => resume(Effect.void)))
          return Effect.sync(() => {
            event.cancelled = true
          })
        })
    }
  }

  /** How long a timer of `ms` really takes where timers fire at whole multiples of `timerMs`. */
  private untilTimer(ms: number, timerMs: number): number {
    if (timerMs === 0) return ms
    const due = this.nowMs + ms
    return Math.ceil(due / timerMs) * timerMs - this.nowMs
  }

  /** Asked many times at one instant, and a big integer is dear. */
  private monotonicNanos(): bigint {
    if (this.nanosAt !== this.now) {
      this.nanosAt = this.now
      this.nanos = BigInt(this.now) * 1000n
    }
    return this.nanos
  }
}
