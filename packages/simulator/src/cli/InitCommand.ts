/** `jinka-sim init DIR`: makes a folder for the regression of one's own system, which passes against the shipped switch. */
import { existsSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { Console, Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { dialectOf, makeWireFormat, wireFormatNames } from "../dialogue/WireFormat.ts"
import { knownNames } from "../file/Nearest.ts"
import { makeFolder } from "../file/TextFile.ts"
import { initFiles } from "../init/InitFolder.ts"
import { canBegin } from "../init/InitMessages.ts"
import { FileFailed, reasonOf, SettingInvalid } from "../SimulatorError.ts"

const port = (name: string, description: string, usual: number) =>
  Flag.Int(name).pipe(
    Flag.withDescription(`${description} (default ${usual})`),
    Flag.withDefault(usual),
    Flag.filter(
      (value) => value > 0 && value <= 65_535,
      () => `--${name} takes 1 to 65535`
    )
  )

const flags = {
  folder: Argument.Path("folder").pipe(
    Argument.withDescription("Where the files are written; made when it is not there")
  ),
  dialect: Flag.String("dialect").pipe(
    Flag.withDescription("The dialect of messages, partner and switch, by its name (default cups)"),
    Flag.withDefault("cups")
  ),
  acquirerPort: port("acquirer-port", "Where the system under test listens for the acquirer", 7911),
  issuerPort: port("issuer-port", "Where the stand-in for the issuer listens", 7912)
}

/** Writes the files; refuses before the first one where any of them is there. */
const write = (folder: string, files: ReadonlyMap<string, string>): Effect.Effect<void, FileFailed> =>
  Effect.gen(function* () {
    const taken = [...files.keys()].find((name) => existsSync(join(folder, name)))
    if (taken !== undefined) {
      return yield* new FileFailed({
        path: join(folder, taken),
        reason: "it is there already, and nothing was written; give an empty folder"
      })
    }
    for (const [name, text] of files) {
      const path = join(folder, name)
      yield* Effect.try({
        try: () => {
          makeFolder(dirname(path))
          writeFileSync(path, text)
        },
        catch: (error) => new FileFailed({ path, reason: reasonOf(error) })
      })
    }
  })

/** The command `jinka-sim init`. */
export const initCommand = Command.make(
  "init",
  flags,
  Effect.fn(function* ({ acquirerPort, dialect: name, folder, issuerPort }) {
    const dialect = dialectOf(name)
    if (dialect === undefined) {
      const rule = `no dialect "${name}" is known; ${knownNames(name, wireFormatNames)}`
      return yield* new SettingInvalid({ setting: "--dialect", rule })
    }
    if (!canBegin(dialect)) {
      const rule = `${name} has no sign-on, echo or reversal, which the first dialogues are about; begin from another one`
      return yield* new SettingInvalid({ setting: "--dialect", rule })
    }
    if (acquirerPort === issuerPort) {
      return yield* new SettingInvalid({ setting: "--issuer-port", rule: "the two ports have to differ" })
    }
    const { layout } = makeWireFormat(dialect).codec
    const files = initFiles({ layout, dialect: name, acquirerPort, issuerPort })
    yield* write(folder, files)
    const below = relative(".", folder) || "."
    const short = below.startsWith("..") ? folder : below
    for (const path of files.keys()) yield* Console.log(`  ${join(short, path)}`)
    yield* Console.log(`${files.size} files. Now: sh ${join(short, "run.sh")}`)
  })
).pipe(
  Command.withDescription(
    "Makes a folder with which you test whether a system keeps the rules of its links: a partner that stands in for " +
      "the issuer, dialogues, one command that runs it all, and a CI file. It passes against the shipped switch as it " +
      "is; then put your own system in the switch's place. Exit codes: 0 written, 2 a file is there already or a setting " +
      "is wrong."
  ),
  Command.withShortDescription("Makes a folder to test your own system with"),
  Command.withExamples([
    { command: "jinka-sim init links", description: "Then: sh links/run.sh" },
    { command: "jinka-sim init links --dialect iso8583v1993Ascii", description: "In another dialect" }
  ])
)
