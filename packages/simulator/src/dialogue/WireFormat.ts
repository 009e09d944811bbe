/**
 * How messages and frames look on the links of a dialogue: a dialect's codec and a frame. The codec is the table-driven
 * reference: the generated one is what a switch uses, and must not judge itself.
 */
import {
  binaryFrame,
  type Codec,
  checkDialect,
  cupsFrame,
  type Dialect,
  dialects,
  type FrameFormat,
  interpret,
  namedFrames
} from "@jinka/codec"

/** A dialect with its frame. */
export interface WireFormat {
  readonly codec: Codec
  readonly frame: FrameFormat
}

const frames: Readonly<Record<string, FrameFormat>> = {
  cups: cupsFrame,
  binary: binaryFrame,
  ...Object.fromEntries(namedFrames.map(({ name, format }) => [name, format]))
}

/** Names of frames that a dialogue may use. */
export const frameNames: ReadonlyArray<string> = Object.keys(frames)

/** Names of the dialects that ship. */
export const wireFormatNames: ReadonlyArray<string> = Object.keys(dialects)

/** The form of a dialect with a frame by its name, or its usual one; `undefined` when there is no such frame. */
export const makeWireFormat = (dialect: Dialect, frame?: string): WireFormat | undefined => {
  const name = frame ?? (dialect.header?.name === "cups46" ? "cups" : "binary")
  return Object.hasOwn(frames, name) ? { codec: interpret(dialect), frame: frames[name]! } : undefined
}

/** The dialect of this name, `undefined` when none ships. */
export const dialectOf = (name: string): Dialect | undefined =>
  Object.hasOwn(dialects, name) ? dialects[name] : undefined

/** Whether a dialogue's `dialect` is the path of a dialect file. */
export const isDialectFile = (name: string): boolean => /\.ya?ml$/.test(name)

/** The dialect of a file's text, or what is wrong with it. */
export const dialectOfText = (text: string): Dialect | string => {
  const { dialect, errors } = checkDialect(text)
  return dialect ?? errors.map(({ path, rule }) => (path === "" ? rule : `${path}: ${rule}`)).join("; ")
}
