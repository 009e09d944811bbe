/** What can be wrong with a step of a dialogue when its turn comes. */
import { Data } from "effect"

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
