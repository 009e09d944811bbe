/**
 * One direction of a proxied connection.
 *
 * Owns the bytes between reading them on one side and writing them on the other, and what faults do to them in between. A stage,
 * where there is one, sees them first and may change, lose or hold back whole messages. Behind it order is always kept; only a
 * black hole loses bytes, and a stream that lost bytes never carries any again.
 */
import type { Socket } from "node:net"
import { type Chance, chanceOf } from "../chance/Chance.ts"
import { DueQueue } from "../partner/DueQueue.ts"

/** What is done to the bytes of one direction now. */
export interface FlowFaults {
  /** Milliseconds that every byte is held back. */
  readonly delay: number
  /** Milliseconds that may come on top, drawn for each read. */
  readonly jitter: number
  /** Largest write in bytes, one write a tick; 0: as they come. */
  readonly slice: number
  /** Most bytes a second; 0: no limit. */
  readonly bytesPerSecond: number
  /** One byte in so many is changed, in the mean; 0: none. Which ones depends on the seed and the place in the stream alone. */
  readonly corruptEvery: number
  /** Bytes wait until this ends: a partition that heals. */
  readonly isHeld: boolean
  /** Bytes disappear: a partition that does not heal. */
  readonly isBlackHole: boolean
}

/** No fault. */
export const noFlowFaults: FlowFaults = {
  delay: 0,
  jitter: 0,
  slice: 0,
  bytesPerSecond: 0,
  corruptEvery: 0,
  isHeld: false,
  isBlackHole: false
}

/** Where a stage puts what goes on. */
export interface StageOut {
  /** Bytes that go on now, in this order. */
  readonly pass: (bytes: Buffer) => void
  /** A whole frame that goes on between two others, so many milliseconds from now. */
  readonly later: (frame: Buffer, milliseconds: number) => void
}

/** What looks at the messages of one direction before its bytes go on. */
export interface Stage {
  /** Takes bytes as they were read. */
  readonly take: (bytes: Buffer) => void
  /** Gives on what it holds, for any reason that time brings. */
  readonly tick: (now: number) => void
  /** The stream has ended: everything that is held goes on. */
  readonly end: () => void
  /** Whether a frame may be put in now: no other one is half given on. */
  readonly isBetweenFrames: () => boolean
}

/** What a flow needs to know of its surroundings. */
export interface FlowSettings {
  readonly faults: () => FlowFaults
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Where draws come from: the same seed draws the same. */
  readonly chance: Chance
  readonly stage: ((out: StageOut) => Stage) | undefined
  /** Told the place in the stream of every byte that was changed. */
  readonly onCorrupted: (at: number) => void
}

/** Nothing is looked at, nothing is told. */
export const plainFlow = (faults: () => FlowFaults, now: () => number): FlowSettings => ({
  faults,
  now,
  chance: chanceOf(1, "flow"),
  stage: undefined,
  onCorrupted: () => undefined
})

/** Bytes that wait in a flow before its source is no longer read. */
const WAITING_MAX = 4 * 1024 * 1024

/** Moves bytes from one socket to another. Times in monotonic milliseconds. */
export class FaultFlow {
  private readonly source: Socket
  private readonly target: Socket
  private readonly settings: FlowSettings
  private readonly stage: Stage | undefined
  private readonly queue: Array<{ readonly due: number; bytes: Buffer }> = []
  private readonly late = new DueQueue<Buffer>()
  private lastDue = 0
  private waiting = 0
  private isEnded = false
  private isEndSent = false
  private lost = 0
  private allowance = 0
  private allowedAt: number
  private place = 0
  private corruptAt = Number.POSITIVE_INFINITY
  private corruptEvery = 0

  constructor(source: Socket, target: Socket, settings: FlowSettings) {
    this.source = source
    this.target = target
    this.settings = settings
    this.allowedAt = settings.now()
    this.stage = settings.stage?.({
      pass: (bytes) => this.push(bytes),
      later: (frame, milliseconds) => this.late.add(settings.now() + milliseconds, frame)
    })
    source.on("data", (bytes: Buffer) => this.take(bytes))
    source.on("end", () => {
      this.stage?.end()
      this.isEnded = true
      this.pump()
    })
    target.on("drain", () => this.resume())
  }

  /** Whether nothing waits here, and nothing was lost: without faults it has no need to be pumped. */
  get isIdle(): boolean {
    const isEmpty = this.stage === undefined && this.queue.length === 0 && this.late.size === 0
    return isEmpty && this.lost === 0 && this.isEnded === this.isEndSent
  }

  /** Bytes that a black hole has swallowed. */
  get swallowed(): number {
    return this.lost
  }

  /** Ends this direction with a FIN behind what waits in it; what comes after is read and lost. */
  halfClose(): void {
    this.isEnded = true
    this.pump()
  }

  /** Writes what is due; called every tick. */
  pump(): void {
    const faults = this.settings.faults()
    const now = this.settings.now()
    this.stage?.tick(now)
    this.putLate(now)
    if (faults.isHeld || faults.isBlackHole) return
    this.earn(faults, now)
    while (this.queue.length > 0 && this.queue[0]!.due <= now) {
      const most = faults.bytesPerSecond > 0 ? Math.floor(this.allowance) : Number.POSITIVE_INFINITY
      if (most < 1) return
      if (faults.slice > 0) {
        this.writeFirst(Math.min(faults.slice, most))
        return
      }
      this.writeFirst(most)
    }
    this.resume()
    if (!this.isEnded || this.isEndSent || this.queue.length > 0 || this.late.size > 0) return
    this.isEndSent = true
    this.target.end()
  }

  private take(bytes: Buffer): void {
    if (this.isEnded) return
    if (this.settings.faults().isBlackHole || this.lost > 0) {
      this.lost += bytes.length
      return
    }
    if (this.stage === undefined) this.push(bytes)
    else this.stage.take(bytes)
    // With a slice the tick sets the pace, otherwise reads would be joined again.
    if (this.settings.faults().slice === 0) this.pump()
  }

  private push(bytes: Buffer): void {
    const faults = this.settings.faults()
    const jitter = faults.jitter > 0 ? this.settings.chance.next() * faults.jitter : 0
    this.lastDue = Math.max(this.lastDue, this.settings.now() + faults.delay + jitter)
    this.queue.push({ due: this.lastDue, bytes: this.corrupted(bytes, faults.corruptEvery) })
    this.waiting += bytes.length
    if (this.waiting > WAITING_MAX) this.source.pause()
  }

  /** Frames that a stage held back, between two others. */
  private putLate(now: number): void {
    while (this.late.nextDue <= now && this.stage?.isBetweenFrames() !== false) this.push(this.late.take(now)!)
  }

  private earn({ bytesPerSecond }: FlowFaults, now: number): void {
    // A tenth of a second may be saved up: what a slow line has in its buffers.
    const most = Math.max(1, bytesPerSecond / 10)
    this.allowance = Math.min(most, this.allowance + ((now - this.allowedAt) / 1000) * bytesPerSecond)
    this.allowedAt = now
  }

  private corrupted(bytes: Buffer, every: number): Buffer {
    const from = this.place
    this.place += bytes.length
    if (every !== this.corruptEvery) {
      this.corruptEvery = every
      this.corruptAt = every > 0 ? from + this.draw(every) : Number.POSITIVE_INFINITY
    }
    if (this.corruptAt >= this.place) return bytes
    const copy = Buffer.from(bytes)
    while (this.corruptAt < this.place) {
      copy[this.corruptAt - from]! ^= this.settings.chance.between(1, 255)
      this.settings.onCorrupted(this.corruptAt)
      this.corruptAt += this.draw(every)
    }
    return copy
  }

  /** Bytes to the next one that is changed. */
  private draw(every: number): number {
    return Math.max(1, Math.round(-Math.log(1 - this.settings.chance.next()) * every))
  }

  private writeFirst(most: number): void {
    const first = this.queue[0]!
    const bytes = first.bytes.subarray(0, most)
    first.bytes = first.bytes.subarray(bytes.length)
    if (first.bytes.length === 0) this.queue.shift()
    this.waiting -= bytes.length
    this.allowance -= bytes.length
    if (this.target.writable && !this.target.write(bytes)) this.source.pause()
  }

  private resume(): void {
    if (this.waiting <= WAITING_MAX && !this.target.writableNeedDrain && this.source.isPaused()) this.source.resume()
  }
}
