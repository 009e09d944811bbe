/**
 * The bytes that a MAC covers, out of a message with its MAC field in place: the whole message up to it, some fields, or the text
 * that CUPS makes of some fields. Pure; one message after the other.
 */
import { CUPS_MAC_FIELD90_LENGTH, CupsMacBlock, type Layout, type MessageIndex } from "@jinka/codec"
import { zeroOf } from "./FieldBytes.ts"
import type { MacSettings } from "./GuardSettings.ts"
import { fieldOfMac } from "./MacField.ts"

/** What of `MacSettings` says what is covered. */
export type Covered = Pick<MacSettings, "field" | "text" | "fields" | "isZeroed" | "isHexText">

const cleaned = new CupsMacBlock()

/** Covered bytes of one message: `buffer[from, to)`, which hold until the next message. */
export class MacText {
  buffer: Buffer = Buffer.alloc(0)
  from = 0
  to = 0
  private own = Buffer.allocUnsafeSlow(1024)

  /** Finds, or makes, the covered bytes of the message of `index`, which has its MAC field. */
  take(layout: Layout, covered: Covered, index: MessageIndex): void {
    const { text } = covered
    if (text === "cups") this.cups(layout, covered.fields, index)
    else if (text === "fields") this.listed(layout, covered.fields, index)
    else this.message(layout, covered, index)
    if (covered.isHexText) this.hex()
  }

  private message(layout: Layout, covered: Covered, index: MessageIndex): void {
    const de = fieldOfMac(layout, covered.field, index)
    const before = index.has(de) ? index.from(de) - (layout.fields[de]?.prefixBytes ?? 0) : index.end
    if (!covered.isZeroed) return this.view(index.buffer, index.body, before)
    const length = index.end - index.body
    this.room(length)
    index.buffer.copy(this.own, 0, index.body, index.end)
    if (index.has(de)) this.own.fill(zeroOf(layout, de), index.from(de) - index.body, index.to(de) - index.body)
    this.view(this.own, 0, length)
  }

  /** The fields one behind the other as they are, with their length prefixes. */
  private listed({ fields, mtiBytes }: Layout, des: ReadonlyArray<number>, index: MessageIndex): void {
    this.room(index.end - index.start)
    let to = 0
    for (const de of des) {
      if (de !== 0 && !index.has(de)) continue
      const from = de === 0 ? index.body : index.from(de) - (fields[de]?.prefixBytes ?? 0)
      to += index.buffer.copy(this.own, to, from, de === 0 ? from + mtiBytes : index.to(de))
    }
    this.view(this.own, 0, to)
  }

  /** See `CupsMacBlock`: length digits are in front of the value that they count, cleaned or not. */
  private cups(layout: Layout, des: ReadonlyArray<number>, index: MessageIndex): void {
    const { fields, mtiBytes } = layout
    const original = layout.dialect.reversal?.originalData.field
    cleaned.clear()
    for (const de of des) {
      if (de === 0) cleaned.add(index.buffer, index.body, index.body + mtiBytes)
      else if (index.has(de)) {
        const from = index.from(de)
        const to = de === original ? Math.min(index.to(de), from + CUPS_MAC_FIELD90_LENGTH) : index.to(de)
        cleaned.add(index.buffer, from - (fields[de]?.prefixBytes ?? 0), to)
      }
    }
    const bytes = cleaned.bytes()
    this.view(bytes, 0, bytes.length)
  }

  private hex(): void {
    const { buffer, from, to } = this
    const characters = buffer.toString("hex", from, to).toUpperCase()
    this.room(characters.length)
    this.own.write(characters, 0, "latin1")
    this.view(this.own, 0, characters.length)
  }

  private view(buffer: Buffer, from: number, to: number): void {
    this.buffer = buffer
    this.from = from
    this.to = to
  }

  private room(length: number): void {
    if (length > this.own.length) this.own = Buffer.allocUnsafeSlow(2 * length)
  }
}
