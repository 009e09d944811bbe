/** What the commands about a running switch share: its control socket, its links by name, who asks. */
import { Effect } from "effect"
import { Argument, Flag } from "effect/cli"
import { load } from "../Configuration.ts"
import { CommandFailed, failedBy } from "../Exit.ts"

/** `--json`. */
export const asJson = Flag.Boolean("json").pipe(
  Flag.withDescription("Print JSON"),
  Flag.withDefault(false),
  Flag.withoutNegation
)

/** The name of a link. */
export const linkName = Argument.String("link").pipe(
  Argument.withDescription("The link's name, as in the configuration")
)

/** The control socket of a configuration file. */
export const socketOf = (file: string) => Effect.mapError(load(file), failedBy).pipe(Effect.map(({ socket }) => socket))

/** The failure of a command that names a link which is not there. */
export const noSuchLink = (name: string, names: ReadonlyArray<string>): CommandFailed =>
  new CommandFailed({ exit: "usage", says: `There is no link ${name}. The links are: ${names.join(", ")}.` })
