/**
 * The dialects and frames that a configuration may name: those that come with Jinka, and dialect files of its own. Pure.
 */
import { binaryFrame, cupsFrame, type Dialect, type FrameFormat, namedFrames, dialects as shipped } from "@jinka/codec"

/** A dialect with what usually goes with it on a link. */
export interface KnownDialect {
  readonly dialect: Dialect
  /** Name of its usual frame. */
  readonly frame: string
  /** Offset from UTC of its transmission time (DE 7). */
  readonly timeZone: string
}

/** Dialects by what a configuration calls them: a name, or the path of a file. */
export type Catalogue = Readonly<Record<string, KnownDialect>>

/** What usually goes with a dialect: its header tells the network. */
export const known = (dialect: Dialect): KnownDialect => ({
  dialect,
  frame: dialect.header?.name === "cups46" ? "cups" : "binary",
  timeZone: dialect.header?.name === "cups46" || dialect.header?.name === "tpdu6" ? "+08:00" : "+00:00"
})

/** The shipped dialects. */
export const shippedDialects: Catalogue = Object.fromEntries(
  Object.entries(shipped).map(([name, dialect]) => [name, known(dialect)])
)

/** Their names. */
export const dialectNames: ReadonlyArray<string> = Object.keys(shippedDialects)

/** Whether a link's `dialect` is the path of a file. */
export const isDialectFile = (text: string): boolean => /\.ya?ml$/.test(text)

/** Frames by name: those that dialects usually have, and the named shapes that the doctor finds. */
export const frames: Readonly<Record<string, FrameFormat>> = {
  cups: cupsFrame,
  binary: binaryFrame,
  ...Object.fromEntries(namedFrames.map(({ name, format }) => [name, format]))
}

/** What each shipped frame is, for the reference. */
export const frameTitles: Readonly<Record<string, string>> = {
  cups: "4 ASCII digits, idle frame `0000`, messages up to 1892 bytes",
  binary: "2 bytes big-endian, idle frame of length zero, messages up to 4096 bytes",
  ...Object.fromEntries(
    namedFrames.map(({ name, title, format }) => [
      name,
      `${title}, messages up to ${format.kind === "length" ? format.lengthMax : ""} bytes`
    ])
  )
}

/** Names of the shipped frames. */
export const frameNames: ReadonlyArray<string> = Object.keys(frames)
