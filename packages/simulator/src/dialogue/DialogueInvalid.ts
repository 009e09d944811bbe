/** What can be wrong with a dialogue before it says anything about the system under test. */
import { Data } from "effect"

/** A file cannot be read as a dialogue. `line` counts from 1; 0 when the whole file is meant. */
export class DialogueInvalid extends Data.TaggedError("DialogueInvalid")<{
  readonly file: string
  readonly line: number
  readonly rule: string
}> {
  override get message(): string {
    return `${this.file}${this.line > 0 ? `:${this.line}` : ""}: ${this.rule}`
  }
}

/** A step asks for something that cannot be done: a message that was not named, a value that the dialect does not allow. */
export class StepInvalid extends Data.TaggedError("StepInvalid")<{ readonly rule: string }> {
  override get message(): string {
    return this.rule
  }
}

/** A step needs a part of an earlier message that did not come with it: what the system sent was not as it should be. */
export class PartMissing extends Data.TaggedError("PartMissing")<{ readonly rule: string }> {
  override get message(): string {
    return this.rule
  }
}
