/** Files with one value a line (histories, ledgers, traffic): reads each line, and says which one is none. Pure. */
import { Data } from "effect"

/** A line that is not what its file should hold. Lines count from 1. */
export class LineInvalid extends Data.TaggedError("LineInvalid")<{ readonly line: number; readonly rule: string }> {
  override get message(): string {
    return `line ${this.line}: ${this.rule}`
  }
}

/** The values of a text's lines; empty ones are passed over. Throws `LineInvalid` for the first that `decode` throws at. */
export const eachLine = <A>(text: string, decode: (line: string) => A): ReadonlyArray<A> =>
  text.split("\n").flatMap((line, at) => {
    if (line.trim() === "") return []
    try {
      return [decode(line)]
    } catch (error) {
      throw new LineInvalid({ line: at + 1, rule: ruleOf(error instanceof Error ? error.message : String(error)) })
    }
  })

/** What a decoder says, with the member that it means: the line behind its first one has the way to it. Never a value. */
const ruleOf = (message: string): string => {
  const [rule = "", place = ""] = message.split("\n")
  const way = [...place.matchAll(/\["?([\w-]+)"?\]/g)].map(([, name]) => name).join(".")
  return way === "" ? rule : `${rule} (${way})`
}
