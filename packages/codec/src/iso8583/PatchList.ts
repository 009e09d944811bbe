/**
 * Changes to an indexed message, gathered before `codec.patch` copies it. A list is made once and used again after `clear`;
 * it holds references to the values given, never copies.
 */

/** The change that takes a field away. */
export const removed: unique symbol = Symbol("removed")

/** Changes by field, in field order. */
export class PatchList {
  /** New message type, -1: unchanged. For the codec's own use, like all fields below. */
  newMti = -1
  /** Whether the header becomes that of an answer. */
  answers = false
  count = 0
  readonly des: Array<number> = []
  readonly values: Array<string | Uint8Array | typeof removed> = []
  partCount = 0
  readonly parts: Array<string> = []
  readonly partValues: Array<string | Uint8Array> = []

  /** Takes all changes out. */
  clear(): void {
    this.newMti = -1
    this.answers = false
    this.count = 0
    this.partCount = 0
  }

  /** Changes the message type. */
  mti(mti: number): void {
    this.newMti = mti
  }

  /** Sets a field to a value: text for text fields, bytes for b fields. The last change of a field counts. */
  set(de: number, value: string | Uint8Array): void {
    this.put(de, value)
  }

  /** Takes a field away; nothing happens when the message has none. */
  remove(de: number): void {
    this.put(de, removed)
  }

  /** Sets a part of the dialect's header: text, hex text for hex parts, or bytes. Its length field is kept right anyway. */
  header(part: string, value: string | Uint8Array): void {
    let at = 0
    while (at < this.partCount && this.parts[at] !== part) at++
    if (at === this.partCount) this.partCount++
    this.parts[at] = part
    this.partValues[at] = value
  }

  /** Makes the header that of an answer: addresses change places, the rest is echoed. Parts set by `header` come after. */
  answer(): void {
    this.answers = true
  }

  private put(de: number, value: string | Uint8Array | typeof removed): void {
    let at = this.count
    while (at > 0 && this.des[at - 1]! > de) at--
    if (at > 0 && this.des[at - 1] === de) {
      this.values[at - 1] = value
      return
    }
    for (let index = this.count; index > at; index--) {
      this.des[index] = this.des[index - 1]!
      this.values[index] = this.values[index - 1]!
    }
    this.des[at] = de
    this.values[at] = value
    this.count++
  }
}
