/**
 * What was said in a dialogue, in order, and how it looks on paper: time, partner, direction, bytes and decoded fields, card
 * data covered. Prints nothing.
 */
import { coverTyped, type DescribedRow, describe, explain, explainFrame } from "@jinka/codec"
import { covered, coveredBytes } from "./Cover.ts"
import { mtiOf, type Observed, partsOf, rejectedStart } from "./Observed.ts"
import type { Happening } from "./Wire.ts"

/** One line of the transcript. Times are monotonic milliseconds. */
export type Line =
  | {
      readonly _tag: "sent"
      readonly at: number
      readonly partner: string
      readonly message: Observed
      readonly wire: Buffer
    }
  | { readonly _tag: "sentBytes"; readonly at: number; readonly partner: string; readonly wire: Buffer }
  | { readonly _tag: "received"; readonly at: number; readonly partner: string; readonly message: Observed }
  | { readonly _tag: "happened"; readonly at: number; readonly partner: string; readonly happening: Happening }
  | { readonly _tag: "noted"; readonly at: number; readonly partner: string; readonly text: string }

/** Everything that was said and seen, by time of recording. */
export type Transcript = ReadonlyArray<Line>

/** A place that is marked, with what is wrong there. */
export interface Mark {
  readonly message: Observed
  /** Row ids, the first differing one first. */
  readonly ids: ReadonlyArray<string>
  /** The earlier message that it was to be like, or to answer. */
  readonly beside: Observed | undefined
}

const BYTES_PER_LINE = 16

/** Offset, hex and text of the bytes; `marked` lines point at a range. */
const hexDump = (bytes: Buffer, marked: readonly [number, number] | undefined): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (let from = 0; from < bytes.length; from += BYTES_PER_LINE) {
    const part = bytes.subarray(from, from + BYTES_PER_LINE)
    const digits = [...part].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")
    const text = [...part].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("")
    lines.push(`${String(from).padStart(4, "0")}  ${digits.padEnd(3 * BYTES_PER_LINE - 1)}  ${text}`)
    if (marked === undefined || marked[0] >= from + BYTES_PER_LINE || marked[1] <= from) continue
    const left = Math.max(0, marked[0] - from)
    const right = Math.min(part.length, marked[1] - from)
    lines.push(`      ${" ".repeat(3 * left)}${"^".repeat(Math.max(2, 3 * (right - left) - 1))}`)
  }
  return lines
}

/** The rows of a message: masked values, one a line, the marked ones with a sign in front. */
const messageRows = (message: Observed, ids: ReadonlyArray<string>): ReadonlyArray<string> => {
  const { rows } = describe(message.form.codec, message.bytes)
  const shown = rows.filter(({ id }: DescribedRow) => (id !== "bitmap" && !id.includes(".")) || ids.includes(id))
  const lines = shown.map(({ id, name, value }) => {
    const sign = ids.includes(id) ? ">>" : "  "
    return `${sign} ${id.padEnd(4)} ${value.padEnd(24)} ${name}`
  })
  const known = new Set(shown.map(({ id }) => id))
  for (const id of ids) if (id !== "" && !known.has(id)) lines.push(`>> ${id.padEnd(4)} (not there)`)
  if (message.wrong !== undefined) lines.push(`>> ${explain(message.wrong)}`)
  return lines
}

/** Longest line of a paragraph, in characters. */
const PARAGRAPH_WIDTH = 100

/** All values in one paragraph, for messages that were as they should be. */
const messageParagraph = (message: Observed): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const { id, value } of describe(message.form.codec, message.bytes).rows) {
    if (id === "mti" || id === "bitmap" || id.includes(".")) continue
    const text = `${id}=${value.trimEnd()}`
    const line = lines.at(-1)
    if (line === undefined || line.length + text.length > PARAGRAPH_WIDTH) lines.push(text)
    else lines[lines.length - 1] = `${line} ${text}`
  }
  return message.wrong === undefined ? lines : [...lines, `(${explain(message.wrong)})`]
}

const titleOf = (message: Observed): string => {
  const reject = rejectedStart(message) < 0 ? "" : "reject of "
  return `${reject}${mtiOf(message) || "unreadable message"}, ${message.bytes.length} bytes`
}

const messageLines = (message: Observed, mark: Mark | undefined): ReadonlyArray<string> => {
  const isMarked = mark?.message === message
  const ids = isMarked ? mark.ids : []
  const part = partsOf(message).find(({ id }) => id === ids[0])
  return [
    ...(isMarked ? messageRows(message, ids) : messageParagraph(message)),
    ...hexDump(covered(message), part === undefined ? undefined : [part.from, part.to])
  ]
}

/** What happened on a connection, in words. */
export const happeningText = (happening: Happening): string => {
  switch (happening._tag) {
    case "opened":
      return `connected with ${happening.remote}`
    case "ended":
      if (happening.how === "local") return "closed by this side"
      return happening.how === "FIN"
        ? "closed by the far side (FIN)"
        : `broken by the far side (RST, ${happening.cause})`
    case "idle":
      return "<  idle frame"
    case "garbage":
      return `<  ${happening.bytes.length} bytes that are no frame: ${explainFrame(happening.error)}`
    case "message":
      return "<  message"
  }
}

const lineTexts = (line: Line, mark: Mark | undefined): readonly [string, ReadonlyArray<string>] => {
  switch (line._tag) {
    case "sent": {
      const extra = line.wire.length === line.message.bytes.length ? "" : `, ${line.wire.length} on the wire`
      return [`>  ${titleOf(line.message)}${extra}`, messageLines(line.message, mark)]
    }
    case "sentBytes":
      return [`>  ${line.wire.length} bytes`, hexDump(coveredBytes(line.wire), undefined)]
    case "received":
      return [`<  ${titleOf(line.message)}`, messageLines(line.message, mark)]
    case "happened":
      return [happeningText(line.happening), []]
    case "noted":
      return [coverTyped(line.text), []]
  }
}

/** The transcript as text. Times count from `startedAt`, in seconds. */
export const transcriptText = (transcript: Transcript, startedAt: number, mark?: Mark): string => {
  const width = Math.max(1, ...transcript.map(({ partner }) => partner.length))
  return transcript
    .flatMap((line) => {
      const [title, below] = lineTexts(line, mark)
      const time = ((line.at - startedAt) / 1000).toFixed(3).padStart(8)
      return [
        `${time}  ${line.partner.padEnd(width)}  ${title}`,
        ...below.map((text) => `${" ".repeat(13 + width)}${text}`)
      ]
    })
    .join("\n")
}
