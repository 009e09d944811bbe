/** What the commands about a running switch share: its control socket, its links by name, who asks. */
import { Effect, Option, Path, Redacted } from "effect"
import { Argument, Flag } from "effect/cli"
import { type Configuration, load, loadPostgres, socketOfDraft } from "../Configuration.ts"
import { listed } from "../configuration/text/Problem.ts"
import { askSocket } from "../control/HttpSocket.ts"
import { peerOf, proof } from "../control/Peer.ts"
import { CommandFailed, failedBy } from "../Exit.ts"
import { ownedBy } from "../owner/NodeAt.ts"
import { rowOf } from "../owner/Stopped.ts"
import { ProcessEdge } from "../ProcessEdge.ts"

/** `--json`. */
export const asJson = Flag.Boolean("json").pipe(
  Flag.withDescription("Print JSON"),
  Flag.withDefault(false),
  Flag.withoutNegation
)

/** `--reason` of an act that may be urgent: without it the journal says that none was given. */
export const reason = Flag.String("reason").pipe(
  Flag.withDescription(
    "Why, for the journal: up to 120 ASCII characters, without a run of 8 digits (no card number is in an event)"
  ),
  Flag.optional
)

/** The same as it travels. */
export const because = (given: Option.Option<string>): { readonly reason?: string } =>
  Option.isSome(given) ? { reason: given.value } : {}

/** The name of a link. */
export const linkName = Argument.String("link").pipe(
  Argument.withDescription("The link's name, as in the configuration")
)

/** Which running switch is meant: by its configuration file, or by where it takes commands. */
export const whichSwitch = {
  file: Argument.String("file").pipe(
    Argument.withDescription("The switch's configuration file; may be left out with --control"),
    Argument.optional
  ),
  control: Flag.String("control").pipe(
    Flag.withDescription(
      "Directory of the running switch's control.sock, as its `ready` line and `jinka check` say it; for a file that is damaged or gone"
    ),
    Flag.optional
  )
}

/** The same with the name of a link behind the file. */
export const whichLink = { ...whichSwitch, link: Argument.optional(linkName) }

/** How a command says which switch it means. */
export interface Which {
  readonly file: Option.Option<string>
  readonly control: Option.Option<string>
}

const usage = (says: string): CommandFailed => new CommandFailed({ exit: "usage", says })

/** With `--control` the file may be left out, and what is in its place is the link. */
export const withoutFile = <W extends Which & { readonly link: Option.Option<string> }>(which: W): W =>
  Option.isSome(which.control) && Option.isNone(which.link) && Option.isSome(which.file) && !isFile(which.file.value)
    ? { ...which, file: Option.none(), link: which.file }
    : which

/** Link names hold no `/`, and a configuration is a YAML file. */
const isFile = (text: string): boolean => text.includes("/") || /\.ya?ml$/.test(text)

/** The link that a command needs. */
export const linkOf = (link: Option.Option<string>): Effect.Effect<string, CommandFailed> =>
  Option.isSome(link)
    ? Effect.succeed(link.value)
    : Effect.fail(usage("Which link? Give its name behind the file; `jinka status FILE` shows the names."))

/**
 * The control socket of a running switch. A file that was spoilt while its switch runs must not keep an operator from it: only
 * one that does not even name the socket is refused.
 */
export const socketOf = Effect.fnUntraced(function* ({ file, control }: Which) {
  const path = yield* Path.Path
  if (Option.isSome(control)) {
    const place = path.resolve(control.value)
    return place.endsWith(".sock") ? place : path.join(place, "control.sock")
  }
  if (Option.isNone(file)) return yield* usage("Which switch? Give its configuration file, or --control DIRECTORY.")
  const { configuration, socket } = yield* found(file.value)
  if (configuration !== undefined) yield* ownedHere(configuration)
  return socket
})

/** Refuses, and names the node to ask, where no process of a switch that several nodes share answers on this one. */
const ownedHere = Effect.fnUntraced(function* (configuration: Configuration) {
  if (configuration.document.journal.postgres === undefined) return
  const limitMs = LIVING_MS
  const living = yield* Effect.result(
    askSocket(configuration.socket, { method: "GET", url: "/", headers: {}, body: undefined, limitMs })
  )
  if (living._tag === "Success" || !nobody.has(living.failure.code)) return
  const shared = yield* Effect.option(loadPostgres(configuration))
  const settings = Option.getOrUndefined(shared)
  if (settings === undefined) return
  const row = yield* Effect.result(Effect.timeout(rowOf(Redacted.value(settings.place), "read"), LIVING_MS))
  const seen = row._tag === "Success" ? ownedBy(row.success, settings.takeoverAfterMs) : unseen
  const { node } = Redacted.value(settings.place)
  return yield* new CommandFailed({
    exit: "network",
    says: `No switch runs on this node, ${node}. ${seen} Nothing was changed.`
  })
})

/** How long a process on this node, or PostgreSQL, may take to say that it is there, in milliseconds. */
const LIVING_MS = 3000

/** What the system says where nobody listens. */
const nobody = new Set(["ENOENT", "ECONNREFUSED"])

const unseen = "Which node runs it is not known: PostgreSQL does not answer. `jinka owners` asks it again."

/** The control socket that a file names, and what the file says unless it is spoilt. */
const found = (file: string) =>
  Effect.map(load(file), (configuration): Found => ({ socket: configuration.socket, configuration })).pipe(
    Effect.catchTag("ConfigurationInvalid", (invalid) =>
      Effect.flatMap(socketOfDraft(file), (socket) =>
        socket === undefined
          ? Effect.fail(usage(`${failedBy(invalid).says}\n${noPlace}`))
          : Effect.succeed<Found>({ socket, configuration: undefined })
      )
    )
  )

interface Found {
  readonly socket: string
  readonly configuration: Configuration | undefined
}

/** The control socket that a file names, spoilt or not. */
export const socketOfFile = (file: string) => Effect.map(found(file), ({ socket }) => socket)

const noPlace =
  "Without what the file says, name the place where its switch takes commands with --control: the directory of control.sock, which is the journal's unless the switch was started with another one."

/** The failure of a command that names a link which is not there. */
export const noSuchLink = (name: string, names: ReadonlyArray<string>): CommandFailed =>
  new CommandFailed({ exit: "usage", says: `There is no link ${name}. The links are: ${listed(names)}.` })

/** The user, as a running switch would see him: by a file that he makes in the journal's directory. */
export const whoAsks = Effect.fnUntraced(function* (directory: string) {
  const socket = (yield* Path.Path).join(directory, "control.sock")
  const { pid } = yield* ProcessEdge
  return yield* Effect.scoped(Effect.map(proof(socket, pid), (shown) => peerOf(socket, shown)))
})
