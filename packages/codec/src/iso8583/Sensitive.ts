/**
 * Card data in a decoded message cannot be printed by accident: it is held in a `Sensitive`, whose text, JSON and inspected
 * forms are masks. Only `reveal()` gives the value. Rules: PCI DSS 4.0.1 3.3.1, 3.4.1 (docs/domain.md 3.9).
 */

/**
 * How a field is covered.
 * - `none`: shown as it is.
 * - `pan`: a card number; first 6 and last 4 digits are shown.
 * - `hidden`: cardholder data or keys that are never shown but may be kept sealed (expiry date, name, DE 48, 104).
 * - `sad`: sensitive authentication data (tracks, PIN block, CVN2, session keys); never shown, never kept.
 * - `emv`: BER-TLV chip data; the tags that repeat card data are covered, the rest is shown.
 */
export type Sensitivity = "none" | "pan" | "hidden" | "sad" | "emv"

/**
 * A card number with only its first 6 and last 4 characters shown, in its own length. Shorter than 13: only the last 4, and
 * shorter than 8: nothing.
 */
export const maskPan = (pan: string): string => {
  const head = pan.length >= 13 ? 6 : 0
  const tail = pan.length >= 8 ? pan.length - 4 : pan.length
  return pan.slice(0, head) + "*".repeat(tail - head) + pan.slice(tail)
}

/** What is shown of a value: for text a mask of the same length, for bytes their number. */
export const maskValue = (value: string | Uint8Array, sensitivity: Sensitivity): string => {
  if (typeof value !== "string") return `[${value.length} bytes]`
  return sensitivity === "pan" ? maskPan(value) : "*".repeat(value.length)
}

const inspect = Symbol.for("nodejs.util.inspect.custom")

/**
 * A covered value of a message. It may be a part `[from, to)` of a longer text or buffer, cut out when it is asked for: most
 * card data of most messages is never looked at.
 */
export class Sensitive {
  readonly sensitivity: Sensitivity
  // Private to the language and not only to the compiler: no inspection and no structured clone has them.
  readonly #source: string | Uint8Array
  readonly #from: number
  readonly #to: number

  constructor(source: string | Uint8Array, sensitivity: Sensitivity, from = 0, to = source.length) {
    this.sensitivity = sensitivity
    this.#source = source
    this.#from = from
    this.#to = to
  }

  /** The value itself. Every call of this is a place to review: nothing from it may reach a log, an error or a screen. */
  reveal(): string | Uint8Array {
    const source = this.#source
    if (typeof source === "string") return source.substring(this.#from, this.#to)
    return source.subarray(this.#from, this.#to)
  }

  toString(): string {
    return maskValue(this.reveal(), this.sensitivity)
  }

  toJSON(): string {
    return this.toString()
  }

  [inspect](): string {
    return `Sensitive(${this.toString()})`
  }
}

/** The plain value of a field of a decoded message, covered or not. */
export const reveal = (value: string | Uint8Array | Sensitive): string | Uint8Array =>
  value instanceof Sensitive ? value.reveal() : value
