/**
 * How messages are written: the flags with which `decode` and `encode` are told, a dialect and a frame by name or those of a link
 * in a configuration.
 */
import { type Codec, compile, type FrameFormat } from "@jinka/codec"
import { Console, Effect, FileSystem, Option, type Path, Result } from "effect"
import { Flag } from "effect/cli"
import { fileWords } from "../../journal/FileWords.ts"
import { type ConfigurationInvalid, load, wireOfDraft } from "../Configuration.ts"
import type { ConfigurationDocument } from "../configuration/ConfigurationDocument.ts"
import { dialectOfText } from "../configuration/DialectFiles.ts"
import { dialectNames, frameNames, frames, isDialectFile, shippedDialects } from "../configuration/Shipped.ts"
import { nearest } from "../configuration/text/Problem.ts"
import { CommandFailed, failedBy } from "../Exit.ts"

const refuse = (says: string) => new CommandFailed({ exit: "usage", says })

/** The codec of a dialect by its name or the path of its file; fails with what is wrong. */
export const codecOf = Effect.fnUntraced(function* (
  name: string
): Effect.fn.Return<Codec, CommandFailed, FileSystem.FileSystem> {
  const shipped = Object.hasOwn(shippedDialects, name) ? shippedDialects[name] : undefined
  if (shipped !== undefined) return compile(shipped.dialect)
  const meant = nearest(name, dialectNames)
  const hint = meant === undefined ? `The dialects are ${dialectNames.join(", ")}.` : `Did you mean ${meant}?`
  if (!isDialectFile(name)) return yield* refuse(`There is no dialect ${name}. ${hint}`)
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(files.readFileString(name), ({ reason }) =>
    refuse(`${name} cannot be read: ${fileWords(reason)}.`)
  )
  const read = dialectOfText(text)
  return typeof read === "string" ? yield* refuse(`${name} is no dialect file: ${read}.`) : compile(read)
})

/** The flags that say how messages are written: dialect, frame, or those of a link. */
export const wireFlags = {
  dialect: Flag.String("dialect").pipe(
    Flag.withDescription(`The message format: ${dialectNames.join(", ")}, or a dialect file; cups when left out`),
    Flag.optional
  ),
  frame: Flag.Literals("frame", ["none", ...frameNames]).pipe(
    Flag.withDescription(
      "The length header around each message: taken off by decode, put on by encode; none when left out; `jinka doctor` finds its name"
    ),
    Flag.optional
  ),
  link: Flag.String("link").pipe(
    Flag.withDescription(
      "FILE:NAME, in place of --dialect and --frame: those of a link in a configuration, such as switch.yaml:issuer"
    ),
    Flag.optional
  )
}

/** What the flags say. */
export interface WireGiven {
  readonly dialect: Option.Option<string>
  readonly frame: Option.Option<string>
  readonly link: Option.Option<string>
}

/** How messages are written. */
export interface Wire {
  readonly codec: Codec
  /** `undefined`: bare messages. */
  readonly frame: FrameFormat | undefined
}

const wireOfLink = Effect.fnUntraced(function* (
  place: string
): Effect.fn.Return<Wire, CommandFailed, FileSystem.FileSystem | Path.Path> {
  const colon = place.lastIndexOf(":")
  if (colon < 1 || colon === place.length - 1)
    return yield* refuse(
      `--link ${place}: write the configuration's file and the link's name, like switch.yaml:issuer.`
    )
  const file = place.slice(0, colon)
  const name = place.slice(colon + 1)
  const given = yield* Effect.result(load(file))
  if (Result.isFailure(given)) return yield* wireBeside(given.failure, name)
  const { document, settings } = given.success
  const link = settings.links.find((one) => one.name === name)
  if (link !== undefined) return { codec: link.codec, frame: link.frame }
  const names = settings.links.map((one) => one.name)
  const others = linksUnder(document, name)
  if (others.length > 0)
    return yield* refuse(
      `${file} has no link ${name}, and it is the name of a group or a door: say ${others.join(" or ")}.`
    )
  const meant = nearest(name, names)
  const hint = meant === undefined ? `It has ${names.join(", ")}.` : `Did you mean ${meant}?`
  return yield* refuse(`${file} has no link ${name}. ${hint}`)
})

/** What a file says of a link where its mistakes are elsewhere; says so beside the messages. */
const wireBeside = Effect.fnUntraced(function* (
  invalid: ConfigurationInvalid,
  name: string
): Effect.fn.Return<Wire, CommandFailed, FileSystem.FileSystem | Path.Path> {
  const wire = yield* wireOfDraft(invalid, name)
  if (wire === undefined) return yield* failedBy(invalid)
  yield* Console.error(
    `${invalid.file} has mistakes, which \`jinka check\` shows; none of them is about the dialect and frame of ${name}.`
  )
  return { codec: compile(wire.dialect), frame: wire.frame }
})

/** The links of a group, or behind a door. */
const linksUnder = ({ groups, links }: ConfigurationDocument, name: string): ReadonlyArray<string> => [
  ...groups.filter((group) => group.name === name).flatMap(({ members }) => members.map(({ link }) => link)),
  ...links.filter(({ door }) => door?.name === name).map((link) => link.name)
]

/** The wire that the flags say; fails with what is wrong. */
export const wireOf = Effect.fnUntraced(function* ({
  dialect,
  frame,
  link
}: WireGiven): Effect.fn.Return<Wire, CommandFailed, FileSystem.FileSystem | Path.Path> {
  if (Option.isSome(link)) {
    if (Option.isSome(dialect) || Option.isSome(frame))
      return yield* refuse("--link says dialect and frame: leave out --dialect and --frame.")
    return yield* wireOfLink(link.value)
  }
  const name = Option.getOrElse(frame, () => "none")
  return { codec: yield* codecOf(Option.getOrElse(dialect, () => "cups")), frame: frames[name] }
})
