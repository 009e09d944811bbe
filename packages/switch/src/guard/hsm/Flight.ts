/**
 * A command on its way to a device and back: its request, when it has to be back, and whom its answer is for. Flights are used
 * again and again. A request may hold an encrypted PIN block: it is overwritten when the flight is over.
 */
import type { ModuleCall } from "../ModuleCall.ts"
import type { ModuleError } from "../ModuleError.ts"
import type { Answer } from "./CommandText.ts"
import type { DeviceCommand } from "./DeviceFamily.ts"

/** Room that a request has before it must grow. */
const START_BYTES = 1024

/** Whom a command of a key's life tells how it ended: the answer is read before the call returns. */
export type Told = (answer: Answer | undefined, error: ModuleError | undefined) => void

/** A command under way. */
export class Flight {
  command!: DeviceCommand
  /** The request is `body[0..length)`. */
  body = Buffer.alloc(START_BYTES)
  length = 0
  /** `verifyMac`: the same request with the other key, `other[0..otherLength)`; 0: there is none. */
  other = Buffer.alloc(START_BYTES)
  otherLength = 0
  isOther = false
  /** One of these is whom it is for. */
  call: ModuleCall | undefined
  told: Told | undefined
  /** Keys, for errors. */
  place = ""
  /** Monotonic milliseconds: when it went out, when this attempt and when the whole has to be back. */
  sentAt = 0
  attemptUntil = 0
  until = 0
  attemptMs = 0
  /** It may go out once more: it changes nothing in the device, and it has not gone out twice. */
  mayRepeat = false
  /** Where it went last, and what came of it there. */
  device: object | undefined
  lastError: ModuleError | undefined

  /** Makes room for a request of `length` bytes in `body`, or in `other`. */
  room(length: number, isOther: boolean): Buffer {
    const held = isOther ? this.other : this.body
    if (held.length >= length) return held
    const larger = Buffer.alloc(2 * length)
    if (isOther) this.other = larger
    else this.body = larger
    return larger
  }

  /** Over: nothing of it stays. */
  clear(): void {
    this.body.fill(0, 0, this.length)
    this.other.fill(0, 0, this.otherLength)
    this.length = this.otherLength = 0
    this.isOther = this.mayRepeat = false
    this.call = this.told = this.device = this.lastError = undefined
  }
}
