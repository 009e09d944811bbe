/** A file written by a person (a dialogue, a partner, a load) that cannot be read as what it should be. */
import { coverTyped } from "@jinka/codec"
import { Data } from "effect"

/** Longest word and longest rule that an error repeats, in characters. */
const longest = { word: 160, rule: 1000 }

const shortened = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most)}…`)

/** A text in which no control character moves the terminal or begins a line. */
export const visibleText = (text: string): string =>
  text.replaceAll(
    /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069\ufeff]/gu,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

/** A text of a file as it may be printed: visible, and everything covered that may be a card's, or a key. */
export const shownText = (text: string): string => visibleText(coverTyped(text))

/** What a rule repeats of a file: no huge value fills the screen. */
const told = (rule: string): string =>
  shortened(
    shownText(rule).replaceAll(/\S+/g, (word) => shortened(word, longest.word)),
    longest.rule
  )

/**
 * The place and the rule; what it repeats of the file is covered where it may be card data. `line` counts from 1; 0 when the
 * whole file is meant.
 */
export class FileInvalid extends Data.TaggedError("FileInvalid")<{
  readonly file: string
  readonly line: number
  readonly rule: string
}> {
  override get message(): string {
    return `${this.file}${this.line > 0 ? `:${this.line}` : ""}: ${told(this.rule)}`
  }
}
