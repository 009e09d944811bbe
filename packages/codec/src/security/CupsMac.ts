/**
 * The text that CUPS's DE 128 covers: which fields, how each is cleaned, how they are joined (domain facts 1.11; seven
 * public code bases agree). Computing the MAC over it is `Mac.ts`; taking the fields out of a message is the codec's.
 */

/** Fields covered in financial messages, in order; 0 is the MTI. Fields that are absent are left out. */
export const cupsMacFields: ReadonlyArray<number> = [
  0, 2, 3, 4, 7, 11, 18, 25, 28, 32, 33, 38, 39, 41, 42, 90, 102, 103
]

/** Fields covered in the key reset messages 0800 and 0810. One code base adds 90 to the list above instead. */
export const cupsManagementMacFields: ReadonlyArray<number> = [0, 7, 11, 39, 53, 70, 100]

/** Only the first 20 characters of DE 90 are covered. */
export const CUPS_MAC_FIELD90_LENGTH = 20

const SPACE = 0x20

/** For each byte the byte that takes its place, or 0 when it is deleted: A-Z 0-9 space comma dot stay, a-z become A-Z. */
const kept = (() => {
  const table = new Uint8Array(256)
  for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,. ") {
    table[character.charCodeAt(0)] = character.charCodeAt(0)
    table[character.toLowerCase().charCodeAt(0)] = character.charCodeAt(0)
  }
  return table
})()

/**
 * Collects the fields of one message, in order, straight from the message's bytes; for reuse from message to message.
 *
 * Each field is cleaned as it is copied: lower case to upper, other characters than A-Z 0-9 space comma dot deleted, spaces
 * at both ends cut, several spaces made one. One space is between fields; a field that becomes empty disappears with
 * its separator. Variable fields are added with their length digits.
 */
export class CupsMacBlock {
  private buffer: Buffer
  private length = 0

  /** `lengthExpected`: bytes kept ready; grows by itself beyond. All fields of a CUPS message fit in 512. */
  constructor(lengthExpected = 512) {
    this.buffer = Buffer.alloc(lengthExpected)
  }

  /** Starts the next message. */
  clear(): void {
    this.length = 0
  }

  /** Adds the field at `source[from..to)`. */
  add(source: Uint8Array, from: number, to: number): void {
    this.reserve(to - from + 1)
    const start = this.length
    let isSpacePending = start > 0
    let hasCharacters = false
    for (let i = from; i < to; i++) {
      const byte = kept[source[i]!]!
      if (byte === 0) continue
      if (byte === SPACE) {
        isSpacePending = hasCharacters || start > 0
        continue
      }
      if (isSpacePending) this.buffer[this.length++] = SPACE
      this.buffer[this.length++] = byte
      isSpacePending = false
      hasCharacters = true
    }
  }

  /** Adds a field held as text. Characters outside ASCII are deleted like all others that are not covered. */
  addText(text: string): void {
    const bytes = Buffer.from(text, "utf8")
    this.add(bytes, 0, bytes.length)
  }

  /** The text so far; a view that is valid until the next `clear` or `add`. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  private reserve(more: number): void {
    if (this.length + more <= this.buffer.length) return
    const grown = Buffer.alloc(Math.max(this.buffer.length * 2, this.length + more))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }
}

/** One field, cleaned. */
export const cleanCupsMacField = (text: string): string => cupsMacText([text])

/** The fields cleaned and joined. Variable fields are given with their length digits in front ("1662..."). */
export const cupsMacText = (fields: ReadonlyArray<string>): string => {
  const block = new CupsMacBlock()
  for (const field of fields) block.addText(field)
  return block.bytes().toString("latin1")
}
