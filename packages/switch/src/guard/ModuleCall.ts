/**
 * One call to a security module, as a slot for use again and again: whoever needs MACs or PIN blocks makes as many as it may
 * have in hand, fills one in, submits it, reads its outcome and clears it. Nothing is allocated for a message.
 */
import type { MacAlgorithm, PinBlockFormat } from "@jinka/codec"
import type { KeyHandle } from "./KeyHandle.ts"
import type { ModuleError } from "./ModuleError.ts"

/** What a call asks for. */
export type ModuleOperation = "verifyMac" | "makeMac" | "translatePin"

/**
 * A PIN's zone on one side: the key and the form of its blocks. `opaque`: a layout that is not public (CUPS DE 63 "SM"), which
 * goes only to the same; nothing in it is checked.
 */
export interface PinSide {
  readonly key: KeyHandle
  readonly format: PinBlockFormat | "opaque"
  /** The key is one of terminals: a device translates from it, and not to it. */
  readonly isTerminal?: boolean
}

const nothing = Buffer.alloc(0)

/** Bytes of a MAC or PIN block at most. */
const LENGTH_MAX = 16

/** A call. Its owner fills it in by one of the three first methods; the module writes the outcome. */
export class ModuleCall {
  /** Two numbers of the owner, which the module does not look at. */
  link = -1
  id = -1

  operation: ModuleOperation = "makeMac"
  /** How many milliseconds the owner can wait at most. */
  withinMs = 0

  algorithm: MacAlgorithm | undefined
  /** The MAC key, or the PIN key of the source zone. */
  key: KeyHandle | undefined
  /** `verifyMac`: tried when `key` does not fit: the previous key in its window, or the current one behind a new one. */
  otherKey: KeyHandle | undefined
  /** What the MAC covers: `text[from..to)`. */
  text: Buffer = nothing
  from = 0
  to = 0

  source: PinSide | undefined
  target: PinSide | undefined
  pan: string | undefined
  mayDropPan = false

  /** The MAC to be verified, or the block to be translated: `input[0..inputLength)`. */
  readonly input = Buffer.alloc(LENGTH_MAX)
  inputLength = 0

  /** `undefined`: as asked. */
  error: ModuleError | undefined
  /** `verifyMac`: which key fitted. */
  fitted: KeyHandle | undefined
  /** The MAC made (its left `outputLength` bytes as asked) or the block translated. */
  readonly output = Buffer.alloc(LENGTH_MAX)
  outputLength = 0

  /** Asks whether `mac` is the left part of the MAC of `text[from..to)` under `key`, or else under `otherKey`. */
  verifyMac(
    algorithm: MacAlgorithm,
    key: KeyHandle,
    otherKey: KeyHandle | undefined,
    text: Buffer,
    from: number,
    to: number,
    mac: Uint8Array
  ): void {
    this.clear()
    this.operation = "verifyMac"
    this.algorithm = algorithm
    this.key = key
    this.otherKey = otherKey
    this.covers(text, from, to)
    this.takes(mac)
  }

  /** Asks for the left `length` bytes (4, 8; AES and SM4 up to 16) of the MAC of `text[from..to)`. */
  makeMac(algorithm: MacAlgorithm, key: KeyHandle, text: Buffer, from: number, to: number, length: number): void {
    this.clear()
    this.operation = "makeMac"
    this.algorithm = algorithm
    this.key = key
    this.covers(text, from, to)
    this.outputLength = length
  }

  /** Asks for a PIN block in the target's form. `pan`: all digits with the check digit, where a format holds it. */
  translatePin(source: PinSide, target: PinSide, block: Uint8Array, pan: string | undefined, mayDropPan = false): void {
    this.clear()
    this.operation = "translatePin"
    this.key = source.key
    this.source = source
    this.target = target
    this.pan = pan
    this.mayDropPan = mayDropPan
    this.takes(block)
  }

  /** Forgets all of it, and overwrites what was secret. The owner's numbers and time stay. */
  clear(): void {
    for (let i = 0; i < LENGTH_MAX; i++) this.input[i] = this.output[i] = 0
    this.inputLength = 0
    this.outputLength = 0
    this.algorithm = undefined
    this.key = undefined
    this.otherKey = undefined
    this.text = nothing
    this.source = undefined
    this.target = undefined
    this.pan = undefined
    this.error = undefined
    this.fitted = undefined
  }

  private covers(text: Buffer, from: number, to: number): void {
    this.text = text
    this.from = from
    this.to = to
  }

  private takes(bytes: Uint8Array): void {
    // What is longer than a block can be is refused by the module, by its length.
    this.inputLength = bytes.length
    const held = Math.min(bytes.length, LENGTH_MAX)
    for (let i = 0; i < held; i++) this.input[i] = bytes[i]!
  }
}
