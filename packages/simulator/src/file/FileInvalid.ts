/** A file written by a person (a dialogue, a partner) that cannot be read as what it should be. */
import { Data } from "effect"

/** The place and the rule, and no value of the file. `line` counts from 1; 0 when the whole file is meant. */
export class FileInvalid extends Data.TaggedError("FileInvalid")<{
  readonly file: string
  readonly line: number
  readonly rule: string
}> {
  override get message(): string {
    return `${this.file}${this.line > 0 ? `:${this.line}` : ""}: ${this.rule}`
  }
}
