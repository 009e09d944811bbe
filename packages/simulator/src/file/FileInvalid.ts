/** A file written by a person (a dialogue, a partner) that cannot be read as what it should be. */
import { coverTyped } from "@jinka/codec"
import { Data } from "effect"

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
    return `${this.file}${this.line > 0 ? `:${this.line}` : ""}: ${coverTyped(this.rule)}`
  }
}
