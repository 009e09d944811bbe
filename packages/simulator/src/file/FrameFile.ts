/** Frames as files write them: a name, or the parts of one that has no name. Checked by the codec that will read with it. */
import { binaryFrame, cupsFrame, type FrameFormat, Framer, type LengthHeader, namedFrames } from "@jinka/codec"
import { MapReader } from "./MapReader.ts"
import { knownNames } from "./Nearest.ts"
import { hexOf, invalidAt, numberOf, oneOf, textOf, type Yaml, yesNoOf } from "./YamlNodes.ts"

const frames: Readonly<Record<string, FrameFormat>> = {
  cups: cupsFrame,
  binary: binaryFrame,
  ...Object.fromEntries(namedFrames.map(({ name, format }) => [name, format]))
}

/** Names of frames that a file may use. */
export const frameNames: ReadonlyArray<string> = Object.keys(frames)

/** The frame of this name, `undefined` when there is none. */
export const frameNamed = (name: string): FrameFormat | undefined =>
  Object.hasOwn(frames, name) ? frames[name] : undefined

const kinds = ["length", "fixed", "delimiter", "until-close", "single-read"] as const
const encodings = ["ascii", "bcd", "binary", "binary-le", "hex"] as const
const idles = ["none", "zero-length"] as const

/** Longest message where a file does not say, in bytes. */
const USUAL_MAX = 4096

/** A frame is data, and its bytes are hex digits there. */
const digitsOf = (yaml: Yaml): string => hexOf(yaml).toString("hex")

const trailerOf = (yaml: Yaml): string => {
  const text = textOf(yaml)
  return text === "none" || text === "etx-lrc" ? text : digitsOf(yaml)
}

const idleOf = (yaml: Yaml): LengthHeader["idle"] => {
  const text = textOf(yaml)
  const known = idles.find((one) => one === text)
  return known ?? { text: digitsOf(yaml) }
}

const countsOf = (yaml: Yaml): NonNullable<LengthHeader["counts"]> => {
  const map = new MapReader(yaml, "counts")
  const counts = {
    itself: map.get("itself", yesNoOf) ?? false,
    before: map.get("before", yesNoOf) ?? false,
    after: map.get("after", yesNoOf) ?? false,
    trailer: map.get("trailer", yesNoOf) ?? false
  }
  map.done()
  return counts
}

const lengthOf = (map: MapReader): LengthHeader => {
  const parts = {
    counts: map.get("counts", countsOf),
    uncounted: map.get("uncounted", numberOf),
    times: map.get("times", numberOf),
    before: map.get("before", digitsOf),
    after: map.get("after", digitsOf),
    trailer: map.get("trailer", trailerOf)
  }
  const said = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined))
  return {
    kind: "length",
    encoding: map.need("encoding", oneOf(encodings)),
    bytes: map.need("bytes", numberOf),
    lengthMax: map.get("lengthMax", numberOf) ?? USUAL_MAX,
    idle: map.get("idle", idleOf) ?? "zero-length",
    ...said
  }
}

const formatOf = (map: MapReader): FrameFormat => {
  const kind = map.get("kind", oneOf(kinds)) ?? "length"
  if (kind === "length") return lengthOf(map)
  if (kind === "fixed") return { kind, bytes: map.need("bytes", numberOf) }
  const lengthMax = map.get("lengthMax", numberOf) ?? USUAL_MAX
  if (kind !== "delimiter") return { kind, lengthMax }
  return { kind, delimiter: map.need("delimiter", digitsOf), lengthMax, idle: map.get("idle", oneOf(idles)) ?? "none" }
}

/** Reads a frame. Throws `FileInvalid`. */
export const frameOf = (yaml: Yaml): FrameFormat => {
  if (yaml.kind === "text") {
    const known = frameNamed(yaml.text)
    if (known !== undefined) return known
    const rule = `no frame "${yaml.text}" is known; ${knownNames(yaml.text, frameNames)}`
    throw invalidAt(yaml, rule)
  }
  const map = new MapReader(yaml, "frame")
  const format = formatOf(map)
  map.done()
  try {
    new Framer(format)
    return format
  } catch (error) {
    throw invalidAt(yaml, error instanceof Error ? error.message : String(error))
  }
}
