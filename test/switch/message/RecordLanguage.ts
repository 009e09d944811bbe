/**
 * A fixed-length record of a core system as the language of a link: kind, key, receiver, response code and a repeat flag at their
 * places, and nothing else that a switch could read. It shows that the exchanges know no data elements.
 *
 *     0..1 kind   2..9 key   10..17 receiver   18..19 response code   20 repeat flag   21..47 whatever the core system says
 */
import {
  cups,
  type FrameFormat,
  frameTakes,
  type Message,
  type MessageError,
  type MessageIndex,
  mtiClass,
  RecordCodec,
  responseMti
} from "@jinka/codec"
import type { Language, Original } from "../../../packages/switch/src/message/Language.ts"

/** Message types of the record's kinds, in the words of the exchanges. */
const types: Readonly<Record<string, number>> = { RQ: 200, RS: 210, AD: 220, AA: 230 }
const kindOf = (mti: number): string => Object.keys(types).find((kind) => types[kind] === mti)!

const format = {
  name: "core",
  bytes: 48,
  key: [{ offset: 2, bytes: 8 }],
  kind: {
    offset: 0,
    bytes: 2,
    kinds: [
      { text: "RQ", class: "request" },
      { text: "RS", class: "response" },
      { text: "AD", class: "advice" },
      { text: "AA", class: "adviceResponse" }
    ]
  },
  responseCode: { offset: 18, bytes: 2 },
  repeat: { offset: 20, bytes: 1, text: "1" }
} as const

const codec = new RecordCodec(format)
const isAnswer = (mti: number): boolean => mtiClass(mti) === "response" || mtiClass(mti) === "adviceResponse"

/** The record of `RQ`, `RS`, `AD` or `AA`. */
export const record = (kind: string, key: string, receiver: string, code = "  ", says = ""): Buffer =>
  Buffer.from(`${kind}${key.padEnd(8)}${receiver.padEnd(8)}${code}0${says.padEnd(27)}`, "latin1")

/** See above. */
export class RecordLanguage implements Language {
  readonly name = format.name
  readonly form = format
  readonly frame: FrameFormat
  readonly refusal = cups.refusal
  readonly approved = "00"
  readonly hasOwnStan = false
  readonly receivedFields: ReadonlyArray<number> = []
  readonly isKeyNamed = false
  readonly sentFields: ReadonlyArray<number> = []
  readonly reversed = undefined

  constructor(frame: FrameFormat) {
    this.frame = frame
  }

  remains(): string {
    return ""
  }

  index(bytes: Buffer, start: number, end: number, into: MessageIndex): MessageError | undefined {
    into.buffer = bytes
    into.start = start
    into.end = end
    into.rejectCode = 0
    into.words.fill(0)
    into.mti = 0
    if (codec.check(bytes, start, end) !== undefined) return { _tag: "TrailingBytes", offset: 0 } as MessageError
    into.mti = types[codec.kind(bytes, start, end)!.text]!
    return undefined
  }

  takes(bytes: Buffer, from = 0, to = bytes.length): boolean {
    return frameTakes(this.frame, bytes, from, to)
  }

  isIdentified(): boolean {
    return true
  }

  readonly receivedManagementFields = []
  readonly sentManagementFields = []

  managementCode(): string {
    return ""
  }

  missing(): undefined {
    return undefined
  }

  elsewhere(): undefined {
    return undefined
  }

  misnamed(): undefined {
    return undefined
  }

  key({ buffer, end, start }: MessageIndex, _: ReadonlyArray<number>, out: Buffer): number {
    return codec.matchKey(buffer, start, end, out, 0)
  }

  ownTransaction(index: MessageIndex): string {
    return this.transaction(index)
  }

  transaction({ buffer, start }: MessageIndex): string {
    return buffer.toString("latin1", start + 2, start + 10)
  }

  original(): Original | undefined {
    return undefined
  }

  sinceSent(): undefined {
    return undefined
  }

  age(): number {
    return 0
  }

  keyTime(): number {
    return 0
  }

  originalKey(): number {
    return 0
  }

  stan(): string {
    return ""
  }

  withStan(): MessageIndex | undefined {
    return undefined
  }

  receiver({ buffer, start }: MessageIndex): string {
    return buffer.toString("latin1", start + 10, start + 18).trimEnd()
  }

  leadingDigits(): number {
    return -1
  }

  cardNumber(): number {
    return 0
  }

  code({ buffer, end, mti, start }: MessageIndex): string | undefined {
    return isAnswer(mti) ? codec.responseCode(buffer, start, end) : undefined
  }

  isSuccess(code: string): boolean {
    return code === "00"
  }

  isAcknowledged(_: number, code: string): boolean {
    return code === "00"
  }

  isFinal(code: string): boolean {
    return code !== "96"
  }

  difference(): string | undefined {
    return undefined
  }

  isAboutSame(): boolean {
    return true
  }

  answer({ buffer, end, mti, start }: MessageIndex, code: string): Buffer | undefined {
    const answer = Buffer.from(buffer.subarray(start, end))
    answer.write(kindOf(responseMti(mti)), 0)
    answer.write(code, 18)
    return answer
  }

  answerAgain(_: MessageIndex, { buffer, end, start }: MessageIndex): Buffer | undefined {
    return Buffer.from(buffer.subarray(start, end))
  }

  formatError(): Buffer | undefined {
    return undefined
  }

  pass(bytes: Buffer, from: number, to: number, out: Buffer, at: number): void {
    codec.copy(bytes, from, to, false, out, at)
  }

  keep({ buffer, end, start }: MessageIndex): Buffer {
    return Buffer.from(buffer.subarray(start, end))
  }

  resentLength(): number {
    return format.bytes
  }

  resend({ buffer, end, start }: MessageIndex, again: boolean, out: Buffer, at: number): number {
    return codec.copy(buffer, start, end, again, out, at)
  }

  fields(): Message | undefined {
    return undefined
  }

  translate(): Buffer | undefined {
    return undefined
  }

  isReversible(): boolean {
    return false
  }

  isMoney(): boolean {
    return false
  }

  reversal(): Buffer | undefined {
    return undefined
  }

  redact({ buffer, end, start }: MessageIndex, out: Buffer, at: number): number {
    return codec.redact(buffer, start, end, out, at)
  }

  seal(): number {
    return 0
  }

  restore(redacted: Buffer, _pan: string, _sealed: Buffer, into: MessageIndex): boolean {
    return this.index(redacted, 0, redacted.length, into) === undefined
  }
}
