/**
 * How messages and frames look on the links of a dialogue: a dialect's codec and its usual frame, by name. The codec is the
 * table-driven reference: the generated one is what a switch uses, and must not judge itself.
 */
import {
  binaryFrame,
  type Codec,
  cups,
  cupsFrame,
  type Dialect,
  type FrameFormat,
  interpret,
  iso8583v1987Ascii,
  iso8583v1987AsciiRaw,
  iso8583v1993Ascii,
  iso8583v1993Bcd,
  iso8583v2003
} from "@jinka/codec"

/** A dialect with its frame. */
export interface Form {
  readonly codec: Codec
  readonly frame: FrameFormat
}

const shipped: ReadonlyArray<readonly [Dialect, FrameFormat]> = [
  [cups, cupsFrame],
  [iso8583v1987Ascii, binaryFrame],
  [iso8583v1987AsciiRaw, binaryFrame],
  [iso8583v1993Ascii, binaryFrame],
  [iso8583v1993Bcd, binaryFrame],
  [iso8583v2003, binaryFrame]
]

const forms = new Map<string, Form>()

/** A form made for a dialect of one's own. */
export const makeForm = (dialect: Dialect, frame: FrameFormat): Form => ({ codec: interpret(dialect), frame })

/** The form with this dialect name, `undefined` when none is shipped. Made once. */
export const formOf = (name: string): Form | undefined => {
  const known = forms.get(name)
  if (known !== undefined) return known
  const found = shipped.find(([dialect]) => dialect.name === name)
  if (found === undefined) return undefined
  const form = makeForm(...found)
  forms.set(name, form)
  return form
}

/** Names that `formOf` knows. */
export const formNames: ReadonlyArray<string> = shipped.map(([dialect]) => dialect.name)
