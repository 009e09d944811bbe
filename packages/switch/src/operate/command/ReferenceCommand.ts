/** `jinka reference`: the generated pages of docs/reference, and the JSON Schema for editors. */
import { Console, Effect, FileSystem, Path } from "effect"
import { Argument, Command, type HelpDoc } from "effect/cli"
import { fileWords } from "../../journal/FileWords.ts"
import { CommandFailed } from "../Exit.ts"
import { commandPage } from "../reference/CommandPage.ts"
import { configurationPage } from "../reference/ConfigurationPage.ts"
import { errorsPage } from "../reference/ErrorsPage.ts"
import { publishedSchema } from "../reference/JsonSchema.ts"
import { metricsPage } from "../reference/MetricsPage.ts"

/** Help of the commands, the whole one first. */
export type AllHelp<R> = Effect.Effect<ReadonlyArray<HelpDoc.HelpDoc>, never, R>

/** `jinka reference DIRECTORY`. */
export const makeReference = <R>(help: () => AllHelp<R>) =>
  Command.make(
    "reference",
    {
      directory: Argument.String("directory").pipe(
        Argument.withDescription("Where the files are written; made when it is not there")
      )
    },
    ({ directory }) =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const pages: Readonly<Record<string, string>> = {
          "configuration.md": configurationPage(),
          "configuration.schema.json": publishedSchema(),
          "errors.md": errorsPage(),
          "metrics.md": metricsPage(),
          "cli.md": commandPage(yield* help())
        }
        yield* files.makeDirectory(directory, { recursive: true })
        for (const [name, text] of Object.entries(pages)) {
          yield* files.writeFileString(path.join(directory, name), text)
          yield* Console.log(path.join(directory, name))
        }
      }).pipe(
        Effect.catchTag("PlatformError", ({ reason }) =>
          Effect.fail(
            new CommandFailed({ exit: "usage", says: `${directory} cannot be written: ${fileWords(reason)}.` })
          )
        )
      )
  ).pipe(
    Command.withDescription(
      "Writes the reference as files: configuration.md, errors.md, metrics.md, cli.md, and configuration.schema.json, which lets an editor complete and check configurations."
    ),
    Command.withShortDescription("Write the reference pages and the JSON Schema for editors"),
    Command.withExamples([
      { command: "jinka reference docs/reference", description: "What this version knows, as files" }
    ])
  )
