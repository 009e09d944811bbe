/** `jinka dialect show` and `jinka dialect check`: what a dialect says, and what is wrong in a dialect file. */
import { checkDialect, coverTyped, type DialectInvalid, fieldSummaries } from "@jinka/codec"
import { Console, Effect, FileSystem } from "effect"
import { Argument, Command } from "effect/cli"
import { fileWords } from "../../journal/FileWords.ts"
import { dialectNames } from "../configuration/Shipped.ts"
import { CommandFailed } from "../Exit.ts"
import { dialectText } from "../message/DialectText.ts"
import { asJson } from "./Asked.ts"
import { codecOf } from "./WireFlags.ts"

const show = Command.make(
  "show",
  {
    dialect: Argument.String("dialect").pipe(
      Argument.withDescription(`A dialect: ${dialectNames.join(", ")}, or a dialect file`)
    ),
    json: asJson
  },
  ({ dialect: name, json }) =>
    Effect.gen(function* () {
      const { dialect } = yield* codecOf(name)
      yield* Console.log(json ? JSON.stringify({ ...dialect, summary: fieldSummaries(dialect) }) : dialectText(dialect))
    })
).pipe(
  Command.withDescription(
    "Shows a dialect: header, fields with their parts, English and Chinese names, formats and sensitivity, network management codes, match key, reversal."
  ),
  Command.withShortDescription("Show a dialect"),
  Command.withExamples([
    { command: "jinka dialect show cups", description: "The CUPS centre interface" },
    { command: "jinka dialect show partner.yaml --json", description: "What a dialect file makes of its base" }
  ])
)

const line = ({ path, rule }: DialectInvalid): string => (path === "" ? rule : `${path}: ${rule}`)

const check = Command.make(
  "check",
  { file: Argument.String("file").pipe(Argument.withDescription("A dialect file, YAML")) },
  ({ file }) =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const text = yield* Effect.mapError(
        files.readFileString(file),
        ({ reason }) => new CommandFailed({ exit: "usage", says: `${file} cannot be read: ${fileWords(reason)}.` })
      )
      const { dialect, errors } = checkDialect(text)
      if (dialect !== undefined && !dialectNames.includes(dialect.name)) {
        const count = Object.keys(dialect.fields).length
        return yield* Console.log(`${dialect.name}: good, ${count} fields, header ${dialect.header?.name ?? "none"}`)
      }
      const lines = dialect === undefined ? errors.map(line) : [`name: ${dialect.name} is a shipped dialect's name`]
      for (const one of lines) yield* Console.log(coverTyped(one))
      return yield* new CommandFailed({
        exit: "bad",
        says: `${file}: ${lines.length} ${lines.length === 1 ? "mistake" : "mistakes"}.`
      })
    })
).pipe(
  Command.withDescription("Reads a dialect file and shows all its mistakes, each with its place and what is expected."),
  Command.withShortDescription("Check a dialect file"),
  Command.withExamples([{ command: "jinka dialect check partner.yaml", description: "Is this file good?" }])
)

/** `jinka dialect`. */
export const dialect = Command.make("dialect").pipe(
  Command.withDescription("Shows message formats, and says whether a file is a good one."),
  Command.withShortDescription("Look at message formats"),
  Command.withSubcommands([show, check])
)
