/** What the commands about a running switch share: its control socket, its links by name, who asks. */
import { Effect } from "effect"
import { Argument, Flag } from "effect/cli"
import { load, socketOfDraft } from "../Configuration.ts"
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

/**
 * The control socket of a configuration file. A file that was spoilt while its switch runs must not keep an operator from it:
 * only a file that does not even name the socket is refused.
 */
export const socketOf = (file: string) =>
  Effect.map(load(file), ({ socket }) => socket).pipe(
    Effect.catchTag("ConfigurationInvalid", (invalid) =>
      Effect.flatMap(socketOfDraft(file), (socket) =>
        socket === undefined ? Effect.fail(failedBy(invalid)) : Effect.succeed(socket)
      )
    )
  )

/** The failure of a command that names a link which is not there. */
export const noSuchLink = (name: string, names: ReadonlyArray<string>): CommandFailed =>
  new CommandFailed({ exit: "usage", says: `There is no link ${name}. The links are: ${names.join(", ")}.` })
