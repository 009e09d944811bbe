/**
 * One message that is being made ready to leave: its bytes, the call to the security module, and what is done when it is ready.
 * Slots for use again and again; the bytes grow to the longest message and stay there.
 */
import type { Cipher, PinBlockFormat } from "@jinka/codec"
import type { Guard } from "./Guard.ts"
import type { KeyHandle } from "./KeyHandle.ts"
import { ModuleCall } from "./ModuleCall.ts"

/** Why a message cannot leave; names of the dialect's refusals. No byte of it has. */
export type SealRefusal = "pinFailed" | "keyFailed" | "issuerDown" | "malfunction" | "formatError"

/** What is waited for. */
export type SealStep = "pin" | "mac" | "done"

/** Who goes on with what was waited for, by two numbers of theirs: a request goes out, an answer goes to its origin. */
export interface GoOn {
  readonly forward: (desk: number, place: number) => void
  readonly deliver: (desk: number, place: number) => void
}

/** Hears that a message is ready. */
export type OnSealed = (sealing: Sealing, goOn: GoOn) => void

/** A slot; see above. */
export class Sealing {
  /** Position among all slots. */
  readonly id: number
  readonly call = new ModuleCall()
  /** The message: `bytes[0, length)`. */
  bytes = Buffer.allocUnsafeSlow(1024)
  length = 0
  private spare = Buffer.allocUnsafeSlow(1024)
  /** As much of both buffers has held a message. */
  private most = 0
  /** The guard of the link that it leaves on. */
  guard: Guard | undefined
  step: SealStep = "done"
  refusal: SealRefusal | undefined
  /** The exchange that it is the answer of, where it was sealed ahead of the verdict on that answer; 0: it is none. */
  exchange = 0
  /** The key that its MAC is made with; `undefined`: it has none. */
  macKey: KeyHandle | undefined
  /** Field of the MAC, while it is made. */
  macField = 0
  /** What its PIN block becomes. */
  format: PinBlockFormat = "iso0"
  cipher: Cipher = "tdes"
  /** The source zone's key before, while its window lasts: tried once where the current one does not open the block. */
  otherKey: KeyHandle | undefined
  /** Who is told when it is ready, where that is not at once; and two numbers of theirs. */
  told: OnSealed = ignored
  desk = 0
  place = 0

  constructor(id: number) {
    this.id = id
    this.call.link = SEALING
    this.call.id = id
  }

  /** It is as it will be: ready to leave, or refused. */
  get isDone(): boolean {
    return this.step === "done"
  }

  /** Room for a message of at most `length` bytes. */
  room(length: number): Buffer {
    this.most = Math.max(this.most, length)
    if (length > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(2 * length)
    return this.bytes
  }

  /** Room for the message with changes; `changed` puts it in the place of the message as it was. */
  roomBeside(length: number): Buffer {
    this.most = Math.max(this.most, length)
    if (length > this.spare.length) this.spare = Buffer.allocUnsafeSlow(2 * length)
    return this.spare
  }

  /** `roomBeside` holds the message now, in `length` bytes. */
  changed(length: number): void {
    const { bytes } = this
    this.bytes = this.spare
    this.spare = bytes
    this.length = length
  }

  /** Overwrites what was in it. */
  wipe(): void {
    this.call.clear()
    this.bytes.fill(0, 0, this.most)
    this.spare.fill(0, 0, this.most)
    this.length = this.most = this.exchange = 0
    this.guard = this.macKey = undefined
    this.refusal = undefined
    this.otherKey = undefined
    this.step = "done"
    this.told = ignored
  }
}

/** What a call's `link` says of whose it is. */
export const SEALING = 1

const ignored = (): void => {}
