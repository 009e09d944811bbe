/**
 * The bytes that wait to be written on one connection: whole frames, in order, in one buffer, and a lane for urgent ones.
 *
 * Frames are built in place and leave together: one write for all that gathered while the last write ran, cut between two frames
 * where it would be long. Urgent frames (network management, reversals of our own) leave before everything that no write has
 * taken yet, so that a slow partner's backlog does not hold them up. An outbox belongs to one connection epoch and dies with it,
 * so nothing that was meant for a broken connection can leave on the next one (docs/decisions/0002-connection-epochs.md).
 */
import { Effect } from "effect"
import { Bell } from "./Bell.ts"

/** Room of each buffer before it has to grow. */
const START_BYTES = 16 * 1024
const SHORT_START_BYTES = 1024

/** A buffer that a burst has made larger than this is not kept for the next one. */
const KEEP_BYTES = 1 << 20

/** One write takes about this much at most: what an urgent frame may have to wait for. */
const WRITE_BYTES = 64 * 1024

const nothing: ReadonlyArray<number> = []

/** Builds frames and hands them to the sender fiber. Two buffers take turns: one fills while the other is being written. */
export class Outbox {
  private readonly startBytes: number
  private filling: Buffer
  private resting: Buffer | undefined
  private used = 0
  /** Ends of frames in `filling` where a long write is cut, and the last of them. */
  private cuts: Array<number> = []
  private lastCut = 0
  /** A full buffer that leaves piece by piece: what is left of it from `left` on, and its cuts. */
  private leaving: Buffer | undefined
  private left = 0
  private leavingCuts: ReadonlyArray<number> = nothing
  private urgent: Array<Buffer> = []
  private urgentBytes = 0
  /** What was taken last were urgent frames. */
  private isUrgentOut = false
  /** Frames in `filling`. */
  private frames = 0
  /** Where the last frame that says what the journal has ends, and whether one of the urgent ones does. */
  private promisedTo = 0
  private hasUrgentPromise = false
  /** Bytes put in by `end` since the beginning, and those of them that a write has taken. */
  private appended = 0
  private gone = 0
  private readonly bell = new Bell<true>(() => (this.waiting > 0 ? true : undefined))

  /** `isShort`: it carries a message or two and is thrown away. */
  constructor(isShort = false) {
    this.startBytes = isShort ? SHORT_START_BYTES : START_BYTES
    this.filling = Buffer.allocUnsafeSlow(this.startBytes)
  }

  /** Room for a frame of at most `length` bytes; returns its offset in `buffer`, which may change with this call. */
  begin(length: number): number {
    if (this.used + length > this.filling.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (this.used + length))
      this.filling.copy(larger, 0, 0, this.used)
      this.filling = larger
    }
    return this.used
  }

  /** Where `begin` gave room. */
  get buffer(): Buffer {
    return this.filling
  }

  /** The frame begun last is whole and has `length` bytes. */
  end(length: number): void {
    this.used += length
    this.appended += length
    this.frames++
    if (this.used - this.lastCut < WRITE_BYTES) return
    this.cuts.push(this.used)
    this.lastCut = this.used
  }

  /** Puts a whole frame behind the others. */
  put(frame: Buffer): void {
    frame.copy(this.filling, this.begin(frame.length))
    this.end(frame.length)
  }

  /** Puts a whole frame in front of everything that no write has taken yet. The buffer is kept. */
  putUrgent(frame: Buffer): void {
    this.urgent.push(frame)
    this.urgentBytes += frame.length
  }

  /** The frame ended last says what the journal has: it may leave only while that is surely ours. Gives its `position`. */
  promise(): number {
    this.promisedTo = this.appended
    return this.appended
  }

  /** The same of the urgent frame that was put last. */
  promiseUrgent(): void {
    this.hasUrgentPromise = true
  }

  /** Whether such a frame waits. */
  get holdsPromise(): boolean {
    return this.hasUrgentPromise || this.gone < this.promisedTo
  }

  /** Where the frame ended last is among all of the connection; see `hasTaken`. */
  get position(): number {
    return this.appended
  }

  /** Whether a write has taken the frame that was at this position: an urgent one comes behind it then. */
  hasTaken(position: number): boolean {
    return this.gone >= position
  }

  /** Where what has been handed over ends, when the kernel has not taken `unsent` bytes of the last write. */
  handed(unsent: number): number {
    return this.isUrgentOut ? this.gone : this.gone - unsent
  }

  /** Bytes that no write has taken. */
  get waiting(): number {
    const rest = this.leaving === undefined ? 0 : this.leaving.length - this.left
    return this.used + rest + this.urgentBytes
  }

  /** Wakes the sender if there is something to write. Called once for all frames of one turn. */
  flush(): void {
    if (this.waiting > 0) this.bell.ring(true)
  }

  /** The next bytes to write, urgent ones first, or `undefined`. Give them back by `written` when the kernel has them. */
  take(): Buffer | undefined {
    if (this.urgentBytes > 0) return this.takeUrgent()
    if (this.leaving !== undefined) return this.takePiece(this.leaving)
    if (this.used === 0) return undefined
    const bytes = this.filling.subarray(0, this.used)
    this.filling = this.resting ?? Buffer.allocUnsafeSlow(this.startBytes)
    this.resting = undefined
    this.used = 0
    this.frames = 0
    if (this.cuts.length === 0) {
      this.gone += bytes.length
      return bytes
    }
    this.leavingCuts = this.cuts
    this.cuts = []
    this.lastCut = 0
    this.left = 0
    return this.takePiece(bytes)
  }

  /** The buffer of a finished write, to be filled again. */
  written(bytes: Buffer): void {
    const isUrgent = this.isUrgentOut
    this.isUrgentOut = false
    // Urgent frames have buffers of their own; of a buffer that leaves in pieces there may be more to come.
    if (isUrgent || this.leaving?.buffer === bytes.buffer || bytes.buffer.byteLength > KEEP_BYTES) return
    this.resting = Buffer.from(bytes.buffer, 0, bytes.buffer.byteLength)
  }

  /**
   * Waits until there is something to write. Several frames are part of a stream: what else this turn of the event loop brings
   * is waited for, so that all of it leaves in one write.
   */
  readonly wait: Effect.Effect<void> = Effect.flatMap(this.bell.rung, () =>
    this.frames > 1 ? Effect.yieldNow : Effect.void
  )

  private takeUrgent(): Buffer {
    const bytes = Buffer.concat(this.urgent)
    this.urgent = []
    this.urgentBytes = 0
    this.hasUrgentPromise = false
    this.isUrgentOut = true
    return bytes
  }

  private takePiece(whole: Buffer): Buffer {
    const end = this.leavingCuts.find((cut) => cut > this.left) ?? whole.length
    const piece = whole.subarray(this.left, end)
    this.left = end
    this.gone += piece.length
    this.leaving = end < whole.length ? whole : undefined
    return piece
  }
}
