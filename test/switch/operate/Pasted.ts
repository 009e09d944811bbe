/** Reading what is pasted as `decode` does, for tests. */
import { compile, cups, type FrameFormat, isMessageError } from "@jinka/codec"
import type { Input, InputForm } from "../../../packages/switch/src/operate/message/MessageInput.ts"
import { PastedInput } from "../../../packages/switch/src/operate/message/PastedInput.ts"
import { purchase } from "./Line.ts"

const codec = compile(cups)
const encoded = codec.encode(purchase(1))
if (isMessageError(encoded)) throw new Error(encoded._tag)
/** A purchase of CUPS. */
export const message = encoded
const isMessage = (bytes: Buffer): boolean => !isMessageError(codec.decode(bytes))

/** All that is found in a text or a file, given in chunks. */
export const read = (
  text: string | Buffer,
  options: {
    readonly form?: InputForm
    readonly frame?: FrameFormat
    readonly is?: (bytes: Buffer) => boolean
    readonly chunk?: number
  } = {}
) => {
  const { form = "auto", frame, is = isMessage, chunk = 65_536 } = options
  const input = new PastedInput(form, frame, is)
  const bytes = Buffer.from(text as string, "latin1")
  const found: Array<Input> = []
  for (let at = 0; at < bytes.length; at += chunk) found.push(...input.push(bytes.subarray(at, at + chunk)))
  return [...found, ...input.end()]
}

/** The messages in hex, and what is wrong in words. */
export const hexOf = (found: ReadonlyArray<Input>) =>
  found.map((one) => (one._tag === "message" ? one.bytes.toString("hex") : `${one.at}: ${one.why}`))
