/** What is wrong with a call of a command, in one sentence that repeats nothing of what may be card data. Pure. */
import { coverTyped } from "@jinka/codec"
import type { CliError } from "effect/cli"

/** A word that may be repeated: what looks like the name of a command or flag. */
const isName = (word: string): boolean => /^-{0,2}[A-Za-z][A-Za-z-]{0,30}$/.test(word)

const nearestOf = (suggestions: ReadonlyArray<string>): string =>
  suggestions.length === 0 ? "" : ` Did you mean ${suggestions.join(" or ")}?`

/** The same of a word that begins like a flag and is none. */
export const wrongFlagCall = (word: string): string => `Unrecognized flag${isName(word) ? `: ${word}` : ""}.`

const placeOf = ({ kind, option }: CliError.InvalidValue): string =>
  kind === "flag" ? `flag --${option}` : `argument <${option}>`

/** Why the system may not say whether there is a file. */
const pathWrong = "a name in it is too long for the file system, or this user may not look into a directory of it."

/** The sentence. A value is not repeated: it may be a card number that was typed at the wrong place. */
export const wrongCall = (error: CliError.CliError): string => {
  switch (error._tag) {
    case "InvalidValue": {
      if (error.expected.includes("check path existence"))
        return `The path of ${placeOf(error)} cannot be looked at: ${pathWrong}`
      const expected = error.expected.replace(/^Expected:? /, "").replace(/[.]?$/, ".")
      return `${error.value === "" ? "Missing" : "Invalid"} value for ${placeOf(error)}. Expected: ${coverTyped(expected)}`
    }
    case "UnexpectedArgument": {
      const many = error.arguments.length
      return many === 1 ? "An argument is not expected here." : `${many} arguments are not expected here.`
    }
    case "UnknownSubcommand": {
      const word = isName(error.subcommand) ? ` "${error.subcommand}"` : ""
      const parent = error.parent === undefined ? "" : ` for "${error.parent.join(" ")}"`
      return `Unknown subcommand${word}${parent}.${nearestOf(error.suggestions)}`
    }
    case "UnrecognizedOption": {
      const flag = isName(error.option) ? `: ${error.option}` : ""
      const command = error.command === undefined ? "" : ` in command ${error.command.join(" ")}`
      return `Unrecognized flag${flag}${command}.${nearestOf(error.suggestions)}`
    }
    default:
      return coverTyped(error.message.replaceAll(/\s+/g, " ").replace(/[.?]?$/, "."))
  }
}
