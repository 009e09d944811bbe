/**
 * CUPS frames and messages as the simulated partners write and read them: four ASCII digits, 46-byte header, MTI, 16-byte
 * bitmap, ASCII fields (domain facts 1.3, 1.4, 1.8b).
 *
 * Written on its own, not with `@jinka/codec`: these partners are the oracle of the simulation, and what the switch's codec
 * writes must be readable to somebody who does not share its mistakes. Values are Latin-1 text, binary ones too. It covers
 * the fields of authorizations, reversals and network management, not settlement; MACs are neither made nor checked.
 */

/** A message: MTI, fields by number, and the parts of the header that a partner uses. */
export interface CupsMessage {
  readonly mti: string
  readonly destination: string
  readonly source: string
  /** Fields 6 to 9 of the header: reserved, batch, transaction information, user. An answer echoes them. */
  readonly carried: string
  /** Field 10 of the header; "00000" is a normal message. */
  readonly rejectCode: string
  readonly fields: Readonly<Record<number, string>>
}

/** Bytes that are no message of this dialect. `place` names the rule, never a value. */
export class NotCups extends Error {
  override readonly name = "NotCups"
}

/** Digits in front of a message. */
const LENGTH = 4
const HEADER = 46
/** Characters of an institution in the header. */
const ID = 11
const BITMAP = 16
const carriedNew = `000\0${"0".repeat(8)}\0`

/** Length of each field: a number for fixed ones, "ll" or "lll" for variable ones (domain facts 1.8, column b). */
const shapes: Readonly<Record<number, number | "ll" | "lll">> = {
  ...{ 2: "ll", 3: 6, 4: 12, 5: 12, 6: 12, 7: 10, 9: 8, 10: 8, 11: 6, 12: 6, 13: 4, 14: 4, 15: 4, 16: 4, 18: 4, 19: 3 },
  ...{
    22: 3,
    23: 3,
    25: 2,
    26: 2,
    28: 9,
    32: "ll",
    33: "ll",
    35: "ll",
    36: "lll",
    37: 12,
    38: 6,
    39: 2,
    41: 8,
    42: 15
  },
  ...{ 43: 40, 44: "ll", 45: "ll", 48: "lll", 49: 3, 50: 3, 51: 3, 52: 8, 53: 16, 54: "lll", 55: "lll", 56: "lll" },
  ...{ 57: "lll", 59: "lll", 60: "lll", 61: "lll", 62: "lll", 63: "lll", 70: 3, 90: 42, 96: 8, 100: "ll" },
  ...{ 102: "ll", 103: "ll", 104: "lll", 121: "lll", 122: "lll", 123: "lll", 128: 8 }
}

/** Room for any message of these fields: a frame is written here and copied, which costs less than to join its parts. */
const room = Buffer.allocUnsafeSlow(10_000)

/** Writes Latin-1 text into the room; returns where it ends. */
const put = (text: string, from: number): number => {
  let at = from
  for (let n = 0; n < text.length; n++) room[at++] = text.charCodeAt(n)
  return at
}

const putDigits = (value: number, length: number, at: number): number => {
  let rest = value
  for (let n = length - 1; n >= 0; n--) {
    room[at + n] = 48 + (rest % 10)
    rest = Math.trunc(rest / 10)
  }
  return at + length
}

const putPadded = (text: string, at: number): number => {
  const end = put(text, at)
  room.fill(32, end, Math.max(end, at + ID))
  return Math.max(end, at + ID)
}

const putField = (de: number, value: string, at: number): number => {
  const shape = shapes[de]
  if (shape === undefined) throw new NotCups(`DE ${de} is not known here`)
  if (typeof shape !== "number") return put(value, putDigits(value.length, shape.length, at))
  if (value.length !== shape) throw new NotCups(`DE ${de} must have ${shape} characters`)
  return put(value, at)
}

/** The whole frame of a message. */
export const frameOf = ({ carried, destination, fields, mti, rejectCode, source }: CupsMessage): Buffer => {
  room[LENGTH] = HEADER
  room[LENGTH + 1] = 2
  const ends = putPadded(source, putPadded(destination, LENGTH + 6))
  const map = put(mti, put(rejectCode, put(carried, ends)))
  room.fill(0, map, map + BITMAP)
  room[map] = 0x80
  let end = map + BITMAP
  for (let de = 2; de <= 128; de++) {
    const value = fields[de]
    if (value === undefined) continue
    room[map + ((de - 1) >> 3)]! |= 0x80 >> ((de - 1) & 7)
    end = putField(de, value, end)
  }
  const length = HEADER + 4 + end - map
  putDigits(length, LENGTH, 0)
  putDigits(length, LENGTH, LENGTH + 2)
  return Buffer.from(room.subarray(0, end))
}

/** Reads the message of one frame, without its four digits. A rejected message gives the reject code and no fields. */
export const readMessage = (frame: Buffer): CupsMessage => {
  const text = frame.toString("latin1")
  if (frame.length < HEADER + 4 + BITMAP || frame[0] !== HEADER) throw new NotCups("header length")
  if (Number(text.slice(2, 6)) !== frame.length) throw new NotCups("total length in the header")
  const head = {
    mti: text.slice(HEADER, HEADER + 4),
    destination: text.slice(6, 17).trimEnd(),
    source: text.slice(17, 28).trimEnd(),
    carried: text.slice(28, 41),
    rejectCode: text.slice(41, HEADER)
  }
  if (head.rejectCode !== "00000") return { ...head, mti: "", fields: {} }
  const fields: Record<number, string> = {}
  let at = HEADER + 4 + BITMAP
  for (let de = 2; de <= 128; de++) {
    const flags = frame[HEADER + 4 + ((de - 1) >> 3)]!
    if ((flags & (0x80 >> ((de - 1) & 7))) === 0) {
      // Nothing in the whole byte of the bitmap: on to the next one.
      if (flags === 0) de = (de + 7) & ~7
      continue
    }
    const shape = shapes[de]
    if (shape === undefined) throw new NotCups(`DE ${de} is not known here`)
    const prefix = typeof shape === "number" ? 0 : shape.length
    const length = typeof shape === "number" ? shape : Number(text.slice(at, at + prefix))
    if (!Number.isInteger(length) || at + prefix + length > frame.length) throw new NotCups(`length of DE ${de}`)
    fields[de] = text.slice(at + prefix, at + prefix + length)
    at += prefix + length
  }
  if (at !== frame.length) throw new NotCups("bytes behind the last field")
  return { ...head, fields }
}

/** The four characters that say nothing but "I am here". */
export const idleFrame = (): Buffer => Buffer.from("0000", "latin1")

/** Splits a stream into frames; idle frames come out empty. Throws `NotCups` for a length that is no number. */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0)

  read(chunk: Buffer): Array<Buffer> {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    const frames: Array<Buffer> = []
    while (this.rest.length >= 4) {
      const text = this.rest.toString("latin1", 0, 4)
      if (!/^\d{4}$/.test(text)) throw new NotCups("length header")
      const end = 4 + Number(text)
      if (this.rest.length < end) break
      frames.push(this.rest.subarray(4, end))
      this.rest = this.rest.subarray(end)
    }
    return frames
  }
}

/** A message that starts a dialogue. */
export const newMessage = (
  mti: string,
  ends: { readonly source: string; readonly destination: string },
  fields: Readonly<Record<number, string>>
): CupsMessage => ({ mti, ...ends, carried: carriedNew, rejectCode: "00000", fields })

/** The answer to a message: response MTI, ends swapped, header echoed, the named fields echoed, `more` added. */
export const answerTo = (
  request: CupsMessage,
  echoed: ReadonlyArray<number>,
  more: Readonly<Record<number, string>>
): CupsMessage => {
  const fields: Record<number, string> = {}
  for (const de of echoed) if (request.fields[de] !== undefined) fields[de] = request.fields[de]
  // 0421 is answered like 0420: the last digit of an answer is the original's (ISO 8583, function digit).
  const mti = `${request.mti.slice(0, 2)}${Number(request.mti[2]) + 1}0`
  const { carried, destination, rejectCode, source } = request
  for (const de in more) fields[de] = more[de]!
  return { carried, rejectCode, mti, source: destination, destination: source, fields }
}

const withoutZeros = (id: string | undefined): string => {
  if (id === undefined) return ""
  const text = id.trim()
  let at = 0
  while (text.charCodeAt(at) === 48) at++
  return text.slice(at)
}

/** DE 7, 11, 32 and 33 identify a transaction (domain facts 1.13); leading zeros of identifiers do not count. */
export const keyOf = ({ fields }: CupsMessage): string =>
  `${fields[7] ?? ""}.${fields[11] ?? ""}.${withoutZeros(fields[32])}.${withoutZeros(fields[33])}`

/** The key of the message that DE 90 names: MTI 4, STAN 6, DE 7 10, DE 32 11, DE 33 11. Undefined without a DE 90. */
export const originalKeyOf = ({ fields }: CupsMessage): string | undefined => {
  const original = fields[90]
  if (original === undefined) return undefined
  const acquirer = withoutZeros(original.slice(20, 31))
  return [original.slice(10, 20), original.slice(4, 10), acquirer, withoutZeros(original.slice(31))].join(".")
}

/** DE 90 that names `original`. */
export const originalDataOf = ({ mti, fields }: CupsMessage): string =>
  mti + fields[11] + fields[7] + (fields[32] ?? "").padStart(11, "0") + (fields[33] ?? "").padStart(11, "0")
