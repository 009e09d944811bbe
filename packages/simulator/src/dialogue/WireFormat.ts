/**
 * How messages and frames look on the links of a dialogue or a partner: a dialect's codec and a frame. The codec is the
 * table-driven reference: the generated one is what a switch uses, and must not judge itself.
 */
import { type Codec, checkDialect, type Dialect, dialects, type FrameFormat, interpret } from "@jinka/codec"
import { frameNamed } from "../file/FrameFile.ts"

/** A dialect with its frame. */
export interface WireFormat {
  readonly codec: Codec
  readonly frame: FrameFormat
}

/** Names of the dialects that ship. */
export const wireFormatNames: ReadonlyArray<string> = Object.keys(dialects)

const codecs = new WeakMap<Dialect, Codec>()

/** The codec of a dialect, made once. */
const codecOf = (dialect: Dialect): Codec => {
  const made = codecs.get(dialect) ?? interpret(dialect)
  codecs.set(dialect, made)
  return made
}

/** The form of a dialect with a frame, or with its usual one. */
export const makeWireFormat = (dialect: Dialect, frame?: FrameFormat): WireFormat => ({
  codec: codecOf(dialect),
  frame: frame ?? frameNamed(dialect.header?.name === "cups46" ? "cups" : "binary")!
})

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
