/**
 * The dialects and frames that come with Jinka, by the names that a configuration calls them. Pure.
 */
import {
  binaryFrame,
  cups,
  cupsFrame,
  type Dialect,
  type FrameFormat,
  iso8583v1987Ascii,
  iso8583v1987AsciiRaw
} from "@jinka/codec"

/** A dialect with what usually goes with it on a link. */
export interface ShippedDialect {
  readonly dialect: Dialect
  /** Name of its usual frame. */
  readonly frame: string
  /** Offset from UTC of its transmission time (DE 7). */
  readonly timeZone: string
}

/** Dialects by name. */
export const dialects: Readonly<Record<string, ShippedDialect>> = Object.fromEntries(
  [
    { dialect: cups, frame: "cups", timeZone: "+08:00" },
    { dialect: iso8583v1987Ascii, frame: "binary", timeZone: "+00:00" },
    { dialect: iso8583v1987AsciiRaw, frame: "binary", timeZone: "+00:00" }
  ].map((one) => [one.dialect.name, one])
)

/** Names of the shipped dialects. */
export const dialectNames: ReadonlyArray<string> = Object.keys(dialects)

/** Frames by name. */
export const frames: Readonly<Record<string, FrameFormat>> = { cups: cupsFrame, binary: binaryFrame }

/** What each shipped frame is, for the reference. */
export const frameTitles: Readonly<Record<string, string>> = {
  cups: "4 ASCII digits, idle frame `0000`, messages up to 1892 bytes",
  binary: "2 bytes big-endian, idle frame of length zero, messages up to 4096 bytes"
}

/** Names of the shipped frames. */
export const frameNames: ReadonlyArray<string> = Object.keys(frames)
