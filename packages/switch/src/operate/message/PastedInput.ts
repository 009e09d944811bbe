/**
 * What `decode` reads: `MessageInput`, and behind it the readings of a whole text (`paste/OtherReadings`) for a text in which no
 * message was found line by line. What is wrong with its lines is held until the first message, so that it is not said of a text
 * that can be read after all; then its lines of words are passed over, and counted. Pure.
 */
import type { FrameFormat } from "@jinka/codec"
import { type Input, type InputForm, MessageInput, messagesIn } from "./MessageInput.ts"
import { otherReadings, WHOLE_TEXT_MAX } from "./paste/OtherReadings.ts"
import { pastedText } from "./paste/PastedForm.ts"

/** Most that is held: whoever follows a log wants to see what is wrong with it. */
const HELD_MAX = 200

/** Takes chunks and gives messages. */
export class PastedInput {
  private readonly input: MessageInput
  private readonly frame: FrameFormat | undefined
  private readonly isMessage: (bytes: Buffer) => boolean
  private held: Array<Input> = []
  private text: Array<Buffer> = []
  private length = 0
  private isHolding: boolean
  private isFound = false
  /** Lines of words beside messages. */
  private words = 0
  private firstWords = 0

  constructor(form: InputForm, frame: FrameFormat | undefined, isMessage: (bytes: Buffer) => boolean) {
    this.input = new MessageInput(form, frame, isMessage)
    this.frame = frame
    this.isMessage = isMessage
    this.isHolding = form !== "binary"
  }

  /** What is to be said of the lines that were passed over; `undefined`: there were none. */
  get passedOver(): string | undefined {
    const { firstWords, words } = this
    if (words === 0) return undefined
    return words === 1
      ? `Line ${firstWords} holds words and no bytes; it was passed over.`
      : `${words} lines hold words and no bytes, the first of them line ${firstWords}; they were passed over.`
  }

  /** The messages that the chunk completes. */
  push(chunk: Uint8Array): ReadonlyArray<Input> {
    if (this.isHolding) {
      this.text.push(Buffer.from(chunk))
      this.length += chunk.length
    }
    return this.taken(this.input.push(chunk))
  }

  /** What is left at the end of the input. */
  end(): ReadonlyArray<Input> {
    const given = this.taken(this.input.end())
    if (!this.isHolding) return given
    const found = this.otherwise()
    return found.length > 0 ? found : this.held
  }

  private taken(found: ReadonlyArray<Input>): ReadonlyArray<Input> {
    this.isFound ||= found.some((one) => one._tag === "message" && this.isMessage(one.bytes))
    if (!this.isHolding) return this.isFound ? this.withoutWords(found) : found
    this.held.push(...found)
    if (!this.isFound && this.held.length <= HELD_MAX && this.length <= WHOLE_TEXT_MAX) return []
    this.isHolding = false
    this.text = []
    return this.isFound ? this.withoutWords(this.held) : this.held
  }

  private withoutWords(found: ReadonlyArray<Input>): ReadonlyArray<Input> {
    return found.filter((one) => {
      const isWords = one._tag === "wrong" && one.isProse === true
      if (isWords && ++this.words === 1) this.firstWords = one.at
      return !isWords
    })
  }

  /** The messages of the first reading that holds some. */
  private otherwise(): ReadonlyArray<Input> {
    for (const reading of otherReadings(pastedText(Buffer.concat(this.text)))) {
      const found = reading.flatMap((bytes) => this.wholeIn(bytes))
      if (found.length > 0) return found.map((bytes, at) => ({ _tag: "message", at: at + 1, bytes }))
    }
    return []
  }

  private wholeIn(bytes: Buffer): ReadonlyArray<Buffer> {
    const found = this.frame === undefined ? [bytes] : messagesIn(this.frame, bytes)
    return found.every((one): one is Buffer => typeof one !== "string" && this.isMessage(one)) ? found : []
  }
}
