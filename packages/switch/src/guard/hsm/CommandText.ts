/**
 * Writes a command's request from a family's fields, and reads its answer. Pure; nothing here knows connections. What is read is
 * kept for the next answer to overwrite.
 */
import type { AnswerField, AnswerValue, BytesValue, DeviceCommand, DeviceFamily, TextValue } from "./DeviceFamily.ts"

const nothing = Buffer.alloc(0)

/** What a request is made of; filled in for each command. */
export class CommandValues {
  readonly text: Record<TextValue, string> = {
    keyType: "",
    key: "",
    target: "",
    kek: "",
    wrapped: "",
    scheme: "",
    kekScheme: "",
    algorithm: "",
    padding: "",
    size: "",
    lengthFlag: "",
    checkSize: "",
    sourceFormat: "",
    targetFormat: "",
    account: ""
  }
  readonly bytes: Record<BytesValue, Buffer> = { message: nothing, mac: nothing, block: nothing }

  /** Lets go of a call's bytes. */
  clear(): void {
    this.bytes.message = this.bytes.mac = this.bytes.block = nothing
    this.text.account = ""
  }
}

/** Most bytes that the fields of a request take beside the message. */
export const REQUEST_ROOM = 512

/** The key's own digits, without a scheme letter. */
const digitsOf = (key: string): string => (/^[XYUTS]/.test(key) ? key.slice(1) : key)

/** Writes the request at `at` of `out`, which has room for the message and `REQUEST_ROOM` more; returns where it ends. */
export const writeRequest = ({ request }: DeviceCommand, values: CommandValues, out: Buffer, at: number): number => {
  let end = at
  for (const field of request) {
    if (typeof field === "string") {
      end += out.write(field, end, "latin1")
      continue
    }
    switch (field.put) {
      case "text":
        end += out.write(values.text[field.of], end, "latin1")
        break
      case "unhex":
        end += out.write(digitsOf(values.text[field.of]), end, "hex")
        break
      case "unhexLength":
        end = out.writeUInt8(digitsOf(values.text[field.of]).length / 2, end)
        break
      case "hex":
        end += out.write(values.bytes[field.of].toString("hex").toUpperCase(), end, "latin1")
        break
      case "bytes":
        end += values.bytes[field.of].copy(out, end)
        break
      case "length": {
        const { length } = values.bytes[field.of]
        if (field.as === "u16") end = out.writeUInt16BE(length, end)
        else end += out.write(length.toString(16).toUpperCase().padStart(4, "0"), end, "latin1")
      }
    }
  }
  return end
}

/** Characters of a key text that begins so. Key blocks (`S`): the letter, and what the block says of itself. */
const keyLength = (text: string, family: DeviceFamily): number => {
  switch (text[0]) {
    case "U":
    case "X":
      return 33
    case "T":
    case "Y":
      return 49
    case "S":
      return family.keyBlockType === undefined ? 33 : 1 + Number(text.slice(2, 6))
    default:
      return 16
  }
}

/** What the last answer told. */
export class Answer {
  /** The device's error code; `00`: none. */
  code = ""
  readonly told: Partial<Record<AnswerValue, string>> = {}

  /**
   * Reads the answer of a command at `body[from..to)`: its two letters, its error code, its fields. False when it is not one, or
   * is too short: then nothing of it counts.
   */
  read(family: DeviceFamily, command: DeviceCommand, body: Buffer, from: number, to: number): boolean {
    for (const key in this.told) delete this.told[key as AnswerValue]
    const isBare = family.frame === "bare"
    if (isBare) {
      if (to - from < 1) return false
      if (body[from] === 0x45) {
        this.code = body.toString("hex", from + 1, from + 2).toUpperCase()
        return to - from >= 2
      }
      this.code = "00"
      return body[from] === 0x41 && this.fields(command.answer, family, body, from + 1, to)
    }
    if (to - from < 4 || body.toString("latin1", from, from + 2) !== command.code) return false
    this.code = body.toString("latin1", from + 2, from + 4)
    const isDone = this.code === "00" || this.code === command.warning
    return !isDone || this.fields(command.answer, family, body, from + 4, to)
  }

  private fields(fields: ReadonlyArray<AnswerField>, family: DeviceFamily, body: Buffer, from: number, to: number) {
    let at = from
    for (const field of fields) {
      if (field.take === "bytes" || field.take === "counted") {
        const begin = field.take === "bytes" ? at : at + 1
        const length = field.take === "bytes" ? field.length : (body[at] ?? 0)
        if (begin + length > to) return false
        this.told[field.to] = body.toString("hex", begin, begin + length).toUpperCase()
        at = begin + length
        continue
      }
      const rest = body.toString("latin1", at, to)
      if (field.take === "rest") {
        const isCounted = rest.length === 12 || rest.length === 20
        this.told[field.to] = isCounted ? rest.slice(4) : rest
        return true
      }
      const length = field.take === "key" ? keyLength(rest, family) : field.characters
      if (!(length <= rest.length)) return false
      if (field.to !== "nothing") this.told[field.to] = rest.slice(0, length)
      at += length
    }
    return true
  }
}

/**
 * Bytes of the answer that begins at `body[from..to)`, for families without a length in front; 0 while it cannot be told. Such an
 * answer is `A` and the command's fields, or `E` and one byte.
 */
export const bareLength = ({ answer }: DeviceCommand, body: Buffer, from: number, to: number): number => {
  if (to <= from) return 0
  if (body[from] !== 0x41) return 2
  let length = 1
  for (const field of answer) {
    if (field.take === "counted") {
      const count = body[from + length]
      if (from + length >= to || count === undefined) return 0
      length += 1 + count
    } else if (field.take === "bytes") length += field.length
  }
  return length
}
