/**
 * A PostgreSQL of the world: one machine, sessions over the simulated network, statements one after the other in each, commits
 * that take their time, and a standby of its own that has everything a moment later, or does not.
 *
 * What is committed is a change in a log; the tables are what the log makes of them. A commit is acknowledged, and seen, when the
 * standby has it; while that is away commits wait, and what waits is seen as soon as its session ends, though no standby has it.
 * A fail-over leaves what the standby had. On the wire a statement is a number: the network sees bytes, and nobody encodes any.
 */
import { type Life, Machine } from "../world/Machine.ts"
import type { SeededRandom } from "../world/SeededRandom.ts"
import type { Side } from "../world/Side.ts"
import type { SimNet } from "../world/SimNet.ts"
import type { World } from "../world/World.ts"
import { type Change, type Outcome, Tables, type Work, workOf } from "./Tables.ts"

/** Name of its machine, and its port. */
export const postgresName = "postgres"
export const POSTGRES_PORT = 5432
/** Bytes of a statement, or of an answer, on the wire. */
export const WORD = 4

/** What the seed drew for it. */
export interface PostgresOptions {
  /** Shortest and longest commit, milliseconds. */
  readonly commitMs: readonly [number, number]
}

/** What a node has sent, by its number on the wire. */
export interface Asked {
  readonly text: string
  readonly values: ReadonlyArray<unknown>
}

/** What is said first on a connection, and what ends another one: no SQL. */
export const greeting = "greeting"
export const ending = "ending"

/** A transaction that is committed on this machine, or is about to be. */
interface Transaction {
  readonly lock: string
  readonly outcome: Outcome
  readonly done: (outcome: Outcome) => void
  isInLog: boolean
}

export class SimPostgres {
  readonly world: World
  readonly net: SimNet
  readonly machine: Machine
  readonly random: SeededRandom
  tables = new Tables()
  /** Milliseconds that every commit takes longer now. */
  slowerMs = 0
  /** Numbers of statements under way, and of answers. */
  readonly asked = new Map<number, Asked>()
  readonly answers = new Map<number, Outcome>()
  /** Told of each group that is committed. */
  onCommit: (node: string, epoch: bigint) => void = () => {}
  private readonly options: PostgresOptions
  private log: Array<Change> = []
  /** Changes of the log that the standby has. */
  private replicated = 0
  private standbyGone = 0
  private readonly waiting: Array<Transaction> = []
  private readonly locks = new Map<string, Array<() => void>>()
  private readonly sessions = new Map<number, Session>()
  private numberNext = 1
  private pidNext = 100

  constructor(world: World, net: SimNet, options: PostgresOptions) {
    this.world = world
    this.net = net
    this.options = options
    this.machine = new Machine(world, postgresName)
    this.random = this.machine.random
    net.attach(this.machine)
    this.machine.onCrash.push(() => this.crashed())
    this.start()
  }

  /** A number for a statement. */
  number(asked: Asked): number {
    this.asked.set(this.numberNext, asked)
    return this.numberNext++
  }

  /** Starts it, where it is down. */
  start(): void {
    if (this.machine.life !== undefined) return
    const life = this.machine.begin()
    this.net.transport(life)
    this.net.take(life, { host: postgresName, port: POSTGRES_PORT }, (side) => this.accept(life, side))
  }

  /** Every session ends, nothing that was acknowledged is lost. Somebody starts it again. */
  crash(): void {
    this.machine.crash("process")
  }

  /**
   * Its standby takes its place. `lost`: so many changes that were acknowledged never got there, because nobody waited for them.
   */
  failOver(lost = 0): void {
    this.crash()
    this.log = this.log.slice(0, Math.max(0, this.replicated - lost))
    this.replicated = this.log.length
    this.tables = new Tables()
    for (const change of this.log) change(this.tables)
    this.world.note(`${postgresName} fails over with ${this.tables.groups.at(-1)?.last ?? 0}`)
  }

  /** Its standby goes away, or is back with everything. It may be away for several reasons at once. */
  setStandby(isGone: boolean): void {
    this.world.note(`${postgresName} standby ${isGone ? "is gone" : "is back"}`)
    this.standbyGone += isGone ? 1 : -1
    if (this.standbyGone > 0) return
    for (const transaction of this.waiting.splice(0)) this.end(transaction, true)
    this.replicated = this.log.length
  }

  /** Cuts all connections to it. */
  reset(node: string, losesInFlight: boolean): void {
    this.net.cut(node, postgresName, "rst", losesInFlight)
  }

  private accept(life: Life, side: Side): void {
    const pid = this.pidNext++
    this.sessions.set(pid, new Session(this, life, side, pid))
  }

  forget(pid: number): void {
    this.sessions.delete(pid)
  }

  /** Ends a session: what it was doing is over, one way or the other. */
  terminate(pid: number): void {
    this.sessions.get(pid)?.terminate()
  }

  private crashed(): void {
    for (const session of [...this.sessions.values()]) session.terminate()
    this.sessions.clear()
    this.locks.clear()
    if (this.standbyGone === 0) this.replicated = this.log.length
  }

  /** Runs with the lock in hand, behind those who asked for it before. */
  locked(name: string, run: () => void): void {
    const queue = this.locks.get(name)
    if (queue !== undefined) return void queue.push(run)
    this.locks.set(name, [])
    run()
  }

  unlock(name: string): void {
    const next = this.locks.get(name)?.shift()
    if (next === undefined) this.locks.delete(name)
    else next()
  }

  /** How long the next commit takes, milliseconds. */
  commitMs(): number {
    return this.random.tailed(...this.options.commitMs) + this.slowerMs
  }

  /** The transaction is on this machine's disk. */
  commit(transaction: Transaction): void {
    transaction.isInLog = true
    this.log.push(transaction.outcome.change!)
    if (this.standbyGone > 0) return void this.waiting.push(transaction)
    this.replicated = this.log.length
    this.end(transaction, true)
  }

  /** It can be seen from now on. `isDone`: and its session is told. */
  private end(transaction: Transaction, isDone: boolean): void {
    const { lock, outcome } = transaction
    outcome.change!(this.tables)
    this.unlock(lock)
    if (isDone) transaction.done(outcome)
  }

  /** Its session is over: a commit on disk stands, and one under way may. */
  abandon(transaction: Transaction): void {
    const at = this.waiting.indexOf(transaction)
    if (at >= 0) {
      this.waiting.splice(at, 1)
      return this.end(transaction, false)
    }
    if (transaction.isInLog) return
    if (this.random.chance(0.5)) {
      this.log.push(transaction.outcome.change!)
      if (this.standbyGone === 0) this.replicated = this.log.length
      this.end(transaction, false)
    } else this.unlock(transaction.lock)
  }
}

/** One connection, at the server. */
class Session {
  private readonly server: SimPostgres
  private readonly life: Life
  private readonly side: Side
  private readonly pid: number
  private readonly queue: Array<number> = []
  private readonly words = new Words((word) => this.take(word))
  private transaction: Transaction | undefined
  private isBusy = false
  private isOver = false

  constructor(server: SimPostgres, life: Life, side: Side, pid: number) {
    this.server = server
    this.life = life
    this.side = side
    this.pid = pid
    side.hear(
      (chunks) => this.words.read(chunks),
      () => this.left()
    )
  }

  private take(word: number): void {
    this.queue.push(word)
    this.next()
  }

  /** The client has gone. What it has sent is still read, unless its end came first. */
  private left(): void {
    if (this.server.random.chance(0.5)) this.queue.length = 0
    if (!this.isBusy && this.queue.length === 0) this.end()
  }

  private end(): void {
    this.isOver = true
    this.server.forget(this.pid)
    this.side.close("fin")
  }

  terminate(): void {
    if (this.isOver) return
    this.queue.length = 0
    this.end()
    if (this.transaction !== undefined) this.server.abandon(this.transaction)
    this.transaction = undefined
  }

  private next(): void {
    while (!this.isBusy && !this.isOver && this.life.isAlive) {
      const word = this.queue.shift()
      if (word === undefined) return this.side.isOpen ? undefined : this.end()
      const { text, values } = this.server.asked.get(word)!
      this.server.asked.delete(word)
      this.isBusy = true
      if (text === greeting) this.answer(word, { rows: [{ pid: this.pid }], count: 1 })
      else if (text === ending) {
        this.server.terminate(Number(values[0]))
        this.answer(word, { rows: [], count: 0 })
      } else this.work(word, workOf(text, values, this.side.peerHost))
    }
  }

  private work(word: number, { fits, lock, run }: Work): void {
    const { server } = this
    if (lock === undefined) return this.answer(word, run(server.tables))
    if (fits?.(server.tables) === false) return this.answer(word, { rows: [], count: 0 })
    server.locked(lock, () => {
      if (this.isOver) return server.unlock(lock)
      const outcome = run(server.tables)
      if (outcome.change === undefined) {
        server.unlock(lock)
        return this.answer(word, outcome)
      }
      const done = (out: Outcome) => this.answer(word, out)
      const transaction: Transaction = { lock, outcome, done, isInLog: false }
      this.transaction = transaction
      server.world.after(server.commitMs(), () => {
        if (this.transaction === transaction) server.commit(transaction)
      })
    })
  }

  private answer(word: number, { rows, count }: Outcome): void {
    this.transaction = undefined
    this.isBusy = false
    if (!this.isOver && this.side.isOpen) {
      this.server.answers.set(word, { rows, count })
      this.side.send(wordOf(word))
    }
    this.next()
  }
}

/** A number as its bytes. */
export const wordOf = (word: number): Buffer => {
  const bytes = Buffer.allocUnsafe(WORD)
  bytes.writeUInt32BE(word)
  return bytes
}

/** Takes numbers out of chunks of bytes. */
export class Words {
  private rest: Buffer = Buffer.alloc(0)
  private readonly each: (word: number) => void

  constructor(each: (word: number) => void) {
    this.each = each
  }

  read(chunks: ReadonlyArray<Buffer>): void {
    let bytes = chunks.length === 1 && this.rest.length === 0 ? chunks[0]! : Buffer.concat([this.rest, ...chunks])
    for (; bytes.length >= WORD; bytes = bytes.subarray(WORD)) this.each(bytes.readUInt32BE())
    this.rest = bytes
  }
}
