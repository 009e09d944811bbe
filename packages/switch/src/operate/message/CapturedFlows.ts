/**
 * What `jinka doctor` looks at: the bytes of each direction of a connection, from whatever people paste or capture. Pure.
 */
import { captureOf } from "./paste/CaptureFile.ts"
import { bytesInNotation, bytesOfBase64 } from "./paste/Notation.ts"
import { formOf, pastedText } from "./paste/PastedForm.ts"
import { PastedText } from "./paste/PastedText.ts"
import { type Segment, segmentIn } from "./paste/Segment.ts"
import { streamsOf } from "./paste/TcpStreams.ts"

/** Bytes of one direction. */
export interface Flow {
  /** `10.0.0.1:5000 > 10.0.0.2:7001`; empty where there is one only. */
  readonly title: string
  readonly bytes: Buffer
  /** The same read in other ways: digits alone are hex or a message that is text, and words may have digits behind them. */
  readonly others: ReadonlyArray<Buffer>
}

/** The directions in a capture, or what is wrong with it. */
export const flowsOf = (bytes: Buffer): ReadonlyArray<Flow> | string => {
  switch (formOf(bytes)) {
    case "binary":
      return ofProse(bytes)
    case "capture": {
      const flows = ofSegments(captureOf(bytes).packets.flatMap((packet) => segmentIn(packet) ?? []))
      return flows.length > 0 ? flows : "it holds no TCP packet with bytes in it, or none in a form that is read here"
    }
    case "packed":
      return "it is a packed file: unpack it first (gunzip, unzip, unzstd, bunzip2 or unxz)"
    case "hex":
      return ofText(bytes)
  }
}

/** Bytes as they are; where they are text, also what base64, digits among words or another notation say. */
const ofProse = (bytes: Buffer): ReadonlyArray<Flow> => {
  const coded = bytesOfBase64(pastedText(bytes))
  const flows = coded === undefined && formOf(bytes, true) === "hex" ? ofText(bytes) : []
  const read =
    typeof flows === "string" || flows.length > 1 ? [] : flows.flatMap((flow) => [flow.bytes, ...flow.others])
  return [{ title: "", bytes, others: coded === undefined ? read : [coded] }]
}

/** What follows a gap begins in the middle of a frame: only the bytes in front of it are looked at. */
const ofSegments = (segments: ReadonlyArray<Segment>): ReadonlyArray<Flow> =>
  streamsOf(segments).map(({ title, runs }) => ({
    title,
    bytes: Buffer.concat(runs[0]?.pieces ?? []),
    others: []
  }))

const ofText = (bytes: Buffer): ReadonlyArray<Flow> | string => {
  const text = pastedText(bytes)
  const paste = new PastedText(undefined)
  const lines = text.split("\n")
  const found = [...lines.flatMap((line, at) => paste.line(line, at + 1)), ...paste.end()]
  const plain = /^[0-9A-Fa-f]+$/.test(text.trim()) ? [Buffer.from(text.trim(), "latin1")] : []
  const others = text.trim().includes("\n") ? [] : [...plain, ...bytesInNotation(text.trim())]
  const wrong = found.find((one) => one._tag === "wrong")
  if (wrong !== undefined) {
    // An odd number of digits is no hex: the message is the text itself.
    return plain[0] === undefined ? `line ${wrong.at}: ${wrong.why}` : [{ title: "", bytes: plain[0], others: [] }]
  }
  const segments = found.flatMap((one) => (one._tag === "segment" ? [one.segment] : []))
  const parts = new Map<string, Array<Buffer>>()
  for (const one of found) {
    if (one._tag !== "bytes" && one._tag !== "flow") continue
    const flow = one._tag === "flow" ? one.flow : ""
    parts.set(flow, [...(parts.get(flow) ?? []), one.bytes])
  }
  const flows = [...parts].map(([title, those]) => ({ title, bytes: Buffer.concat(those), others }))
  return [...ofSegments(segments), ...flows]
}
