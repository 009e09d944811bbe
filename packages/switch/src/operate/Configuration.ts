/**
 * The configuration of a switch: one YAML file, read, checked and turned into settings, with all of its errors at once.
 *
 * It owns nothing that runs. Paths in the file are relative to the file. See docs/reference/configuration.md.
 */
import type { Dialect, FrameFormat } from "@jinka/codec"
import { Data, Effect, FileSystem, Path, Result, Stream } from "effect"
import type { HsmSettings } from "../guard/hsm/HsmSettings.ts"
import { secureRandom } from "../guard/SecureRandom.ts"
import { SoftwareModule } from "../guard/SoftwareModule.ts"
import type { Kept } from "../Retention.ts"
import type { SwitchSettings } from "../Switch.ts"
import type { AdminSettings } from "./admin/Users.ts"
import type { AlarmSettings } from "./alarm/AlarmWatch.ts"
import { type ConfigurationDocument, decodeDocument } from "./configuration/ConfigurationDocument.ts"
import { catalogueWith, readDialects } from "./configuration/DialectFiles.ts"
import { readUsers } from "./configuration/door/AdminUsers.ts"
import { tlsSettings } from "./configuration/door/DoorSettings.ts"
import { withValues } from "./configuration/Elsewhere.ts"
import { type Keys, readKey, readKeys } from "./configuration/journal/JournalKeys.ts"
import { decodePostgres } from "./configuration/journal/PostgresDocument.ts"
import { type PostgresSettings, readPostgres } from "./configuration/journal/PostgresPlan.ts"
import { relationsOf, SOCKET_PATH_MAX } from "./configuration/Relations.ts"
import type { MachineLimits } from "./configuration/ResourceRelations.ts"
import { dialectsOf, switchSettings } from "./configuration/Settings.ts"
import { hsmSettings } from "./configuration/security/HsmPlan.ts"
import type { KeyDocument } from "./configuration/security/KeyDocument.ts"
import { Draft, dialectOf, frameOf } from "./configuration/text/Draft.ts"
import { findingsOf } from "./configuration/text/Issues.ts"
import { error, type Finding, type Problem, problemText } from "./configuration/text/Problem.ts"
import { readSecret } from "./configuration/text/SecretText.ts"
import { daysMs, durationMs, sizeBytes } from "./configuration/text/Units.ts"
import { YamlText } from "./configuration/text/YamlText.ts"
import { fileBytes } from "./FileBytes.ts"
import { boundless, machineLimits } from "./Machine.ts"

/** A checked configuration. */
export interface Configuration {
  /** The file that it came from. */
  readonly file: string
  /** What the file says, defaults filled in. */
  readonly document: ConfigurationDocument
  readonly settings: SwitchSettings
  readonly journal: {
    /** Absolute. */
    readonly directory: string
    /** Free bytes below which new requests are refused. */
    readonly reserve: number
    readonly dialects: Readonly<Record<string, Dialect>>
  }
  /** How long the journal is kept, and the archive's absolute directory. */
  readonly retention: Kept
  /** Absolute path of the control socket. */
  readonly socket: string
  readonly drainTimeoutMs: number
  readonly warnings: ReadonlyArray<Problem>
}

/** Most problems of one file that are shown. */
const SHOWN_MAX = 100

/**
 * A file that cannot be used. `message` is one line for each of its first hundred problems. Warnings are among them when there
 * are errors too.
 */
export class ConfigurationInvalid extends Data.TaggedError("ConfigurationInvalid")<{
  readonly file: string
  readonly problems: ReadonlyArray<Problem>
}> {
  override get message(): string {
    const shown = this.problems.slice(0, SHOWN_MAX).map((problem) => problemText(this.file, problem))
    const more = this.problems.length - shown.length
    return [...shown, ...(more === 0 ? [] : [`${this.file}: and ${more} more problems. Correct these first.`])].join(
      "\n"
    )
  }
}

/** What a good file says, as plain values: it can go from one thread to another. */
export interface Checked {
  readonly file: string
  /** What the file's relative paths start from; absolute. */
  readonly directory: string
  readonly document: ConfigurationDocument
  /** The dialects of its own files, by the paths that links name. */
  readonly dialects: Readonly<Record<string, Dialect>>
  /** Absolute paths of the journal and of the control socket. */
  readonly journal: string
  readonly socket: string
  readonly warnings: ReadonlyArray<Problem>
}

/**
 * Checks a text. `file` names it in errors; `directory` is what its relative paths start from; `machine` is what the process may
 * have. Keys are not read.
 */
export const checked = Effect.fnUntraced(function* (
  text: string,
  file: string,
  directory: string,
  machine: MachineLimits = boundless
) {
  const yaml = new YamlText(text)
  if (yaml.problems.length > 0) return yield* new ConfigurationInvalid({ file, problems: yaml.problems })
  const whole = wholeFinding(yaml.value)
  if (whole !== undefined) return yield* new ConfigurationInvalid({ file, problems: inOrder(yaml, [whole]) })
  const elsewhere = yield* withValues(yaml.value, directory)
  const { value } = elsewhere
  const decoded = decodeDocument(value)
  const wrong = Result.isFailure(decoded) ? findingsOf(decoded.failure.issue, value) : []
  const { dialects, findings } = yield* readDialects(new Draft(value), directory)
  const draft = new Draft(value, catalogueWith(dialects))
  const about = [...elsewhere.findings, ...wrong, ...findings, ...relationsOf(draft, machine)]
  const problems = inOrder(yaml, about.map(elsewhere.told))
  if (Result.isFailure(decoded) || problems.some(({ severity }) => severity === "error")) {
    return yield* new ConfigurationInvalid({ file, problems })
  }
  const document = decoded.success
  const path = yield* Path.Path
  const journal = path.resolve(directory, document.journal.directory)
  const control = document.control === undefined ? journal : path.resolve(directory, document.control.directory)
  const socket = path.join(control, "control.sock")
  if (Buffer.byteLength(socket) > SOCKET_PATH_MAX) {
    const tooLong = inOrder(yaml, [longSocket(document, socket)])
    return yield* new ConfigurationInvalid({ file, problems: tooLong })
  }
  return { file, directory, document, dialects, journal, socket, warnings: problems } satisfies Checked
})

/** The configuration that a checked file makes. In slices: it may be for a switch that runs. */
export const configured = Effect.fnUntraced(function* (
  checked: Checked
): Effect.fn.Return<Configuration, never, Path.Path> {
  const path = yield* Path.Path
  const { file, directory, document, dialects, journal, socket, warnings } = checked
  const catalogue = catalogueWith(dialects)
  return {
    file,
    document,
    socket,
    settings: yield* switchSettings(document, catalogue, (place) => path.resolve(directory, place)),
    journal: {
      directory: journal,
      reserve: sizeBytes(document.journal.reserve)!,
      dialects: dialectsOf(document, catalogue)
    },
    retention: {
      keepMs: daysMs(document.journal.keep),
      archive: document.journal.archive === undefined ? undefined : path.resolve(directory, document.journal.archive)
    },
    drainTimeoutMs: durationMs(document.drainTimeout)!,
    warnings
  }
})

/** The configuration of a text; see {@link checked}. */
export const parse = (text: string, file: string, directory: string) =>
  Effect.flatMap(checked(text, file, directory), configured)

const longSocket = ({ control }: ConfigurationDocument, socket: string): Finding =>
  error(
    [control === undefined ? "journal" : "control", "directory"],
    `the path of the control socket, ${socket}, has at most ${SOCKET_PATH_MAX} bytes`,
    "Give `control.directory` a shorter path, such as one below /run.",
    `${Buffer.byteLength(socket)} bytes`
  )

/** What is wrong with a file that holds no keys at all. */
const wholeFinding = (value: unknown): Finding | undefined => {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return undefined
  const rule =
    value === null || value === undefined ? "the file is empty" : "the file is no configuration: it has no keys"
  return error([], rule, "Begin with a copy of examples/01-first-link/switch.yaml.", "")
}

/** Puts findings at their lines, top down. */
const inOrder = (yaml: YamlText, findings: ReadonlyArray<Finding>): ReadonlyArray<Problem> =>
  findings.map((finding) => yaml.locate(finding)).sort((a, b) => a.line - b.line || a.column - b.column)

/** Longest configuration file, in bytes: some 20,000 links. */
const FILE_MAX = 8 * 1024 * 1024

/** The text of a file; a finding when there is none. */
const textOf = Effect.fnUntraced(function* (file: string) {
  const chunks: Array<Uint8Array> = []
  let length = 0
  // Read piece by piece: a device or a pipe has no size to ask for.
  yield* fileBytes(file).pipe(
    Stream.runForEachWhile((chunk) =>
      Effect.sync(() => {
        chunks.push(chunk)
        length += chunk.length
        return length <= FILE_MAX
      })
    ),
    Effect.mapError((why) => error([], why, "Give the path of a configuration file.", ""))
  )
  if (length <= FILE_MAX) return Buffer.concat(chunks).toString()
  const rule = `a configuration has at most ${FILE_MAX / 1024 ** 2} MiB`
  return yield* Effect.fail(error([], rule, "Give the path of a configuration file.", ""))
})

/** Reads and checks a file; see {@link checked}. */
export const loadChecked = Effect.fnUntraced(function* (file: string) {
  const path = yield* Path.Path
  const text = yield* Effect.mapError(
    textOf(file),
    (finding) => new ConfigurationInvalid({ file, problems: [{ ...finding, line: 0, column: 0 }] })
  )
  return yield* checked(text, file, path.dirname(path.resolve(file)), yield* machineLimits)
})

/** Reads and checks a file; the journal's keys are not read. */
export const load = (file: string) => Effect.flatMap(loadChecked(file), configured)

/** A file as far as it is one: what is asked of it when something else in it is wrong. */
const draftText = (file: string) =>
  Effect.map(
    Effect.orElseSucceed(textOf(file), () => ""),
    (text) => new YamlText(text)
  )

/**
 * The control socket that a file names, also when something else in it is wrong or it is no good YAML. `undefined` when it
 * cannot be told.
 */
export const socketOfDraft = Effect.fnUntraced(function* (file: string) {
  const path = yield* Path.Path
  const draft = new Draft((yield* draftText(file)).guess)
  const control = draft.part("control", "directory").text ?? draft.part("journal", "directory").text
  return control === undefined
    ? undefined
    : path.join(path.resolve(path.dirname(path.resolve(file)), control), "control.sock")
})

/** How the messages of a link are written. */
export interface LinkWire {
  readonly dialect: Dialect
  readonly frame: FrameFormat
}

/**
 * The dialect and frame of a link in a file that has mistakes elsewhere: messages can be looked at all the same. `undefined` when
 * one of the mistakes is about them, or the file has no such link.
 */
export const wireOfDraft = Effect.fnUntraced(function* (
  { file, problems }: ConfigurationInvalid,
  name: string
): Effect.fn.Return<LinkWire | undefined, never, FileSystem.FileSystem | Path.Path> {
  const path = yield* Path.Path
  const yaml = yield* draftText(file)
  if (yaml.problems.length > 0) return undefined
  const { dialects } = yield* readDialects(new Draft(yaml.value), path.dirname(path.resolve(file)))
  const links = new Draft(yaml.value, catalogueWith(dialects)).part("links").entries
  const place = links.findIndex((link) => link.part("name").text === name)
  const link = links[place]
  const isAboutIt = ({ path: [list, at, key], severity }: Problem): boolean =>
    severity === "error" && list === "links" && at === place && (key === "dialect" || key === "frame")
  if (link === undefined || problems.some(isAboutIt)) return undefined
  const dialect = dialectOf(link)?.dialect
  const frame = frameOf(link)
  return dialect === undefined || frame === undefined ? undefined : { dialect, frame }
})

/** Reads the keys that a configuration refers to. */
export const loadKeys = (
  configuration: Configuration
): Effect.Effect<Keys, ConfigurationInvalid, FileSystem.FileSystem | Path.Path> => {
  const { key, previousKeys } = configuration.document.journal
  return inItsFile(configuration, (directory) => readKeys(key, previousKeys, directory))
}

/** Where the journal is when it is in PostgreSQL; `undefined`: it is in SQLite. Nothing is connected to. */
export const loadPostgres = (
  configuration: Configuration
): Effect.Effect<PostgresSettings | undefined, ConfigurationInvalid, FileSystem.FileSystem | Path.Path> => {
  const { name, journal } = configuration.document
  const { postgres } = journal
  if (postgres === undefined) return Effect.succeed(undefined)
  return inItsFile(configuration, (directory) => readPostgres(postgres, name, directory))
}

/**
 * The same of a file that has mistakes elsewhere. `undefined` when one of them is about the name or about `journal.postgres`, or
 * the file has none.
 */
export const postgresOfDraft = Effect.fnUntraced(function* ({
  file,
  problems
}: ConfigurationInvalid): Effect.fn.Return<PostgresSettings | undefined, never, FileSystem.FileSystem | Path.Path> {
  const path = yield* Path.Path
  const yaml = yield* draftText(file)
  const draft = new Draft(yaml.value)
  const name = draft.part("name").text
  const isAboutIt = ({ path: [part, key], severity }: Problem): boolean =>
    severity === "error" && (part === undefined || part === "name" || (part === "journal" && key === "postgres"))
  if (yaml.problems.length > 0 || name === undefined || problems.some(isAboutIt)) return undefined
  const document = decodePostgres(draft.part("journal", "postgres").raw)
  if (Result.isFailure(document)) return undefined
  const directory = path.dirname(path.resolve(file))
  return yield* Effect.orElseSucceed(readPostgres(document.success, name, directory), () => undefined)
})

/** What holds the keys: a module in this process, or devices that have to be connected (`openHsm`). */
export type ModulePlan =
  | { readonly _tag: "software"; readonly module: SoftwareModule }
  | { readonly _tag: "hsm"; readonly settings: HsmSettings }

/** The security module that a configuration asks for; `undefined`: none. Opens no connection. */
export const loadModule = (
  configuration: Configuration
): Effect.Effect<ModulePlan | undefined, ConfigurationInvalid, FileSystem.FileSystem | Path.Path> => {
  const { hsm, software } = configuration.document.security ?? {}
  if (hsm !== undefined) {
    return Effect.map(Path.Path, (path) => {
      const directory = path.dirname(path.resolve(configuration.file))
      return { _tag: "hsm" as const, settings: hsmSettings(hsm, (place) => path.resolve(directory, place)) }
    })
  }
  if (software === undefined) return Effect.succeed(undefined)
  const { allowTestKeys, previousStorageKeys, storageKey } = software
  const at = ["security", "software"]
  return inItsFile(configuration, (directory) =>
    Effect.gen(function* () {
      const read = (key: KeyDocument, ...place: ReadonlyArray<string | number>) =>
        Effect.mapError(readKey(key, directory), (failure) => [failure([...at, ...place])])
      const key = yield* read(storageKey, "storageKey")
      const before = yield* Effect.forEach(previousStorageKeys, (one, n) => read(one, "previousStorageKeys", n))
      const settings = { storageKey: key, previousStorageKeys: before, random: secureRandom, allowTestKeys }
      return { _tag: "software" as const, module: new SoftwareModule(settings) }
    })
  )
}

/** Reads what the administrative listener needs; `undefined`: there is none. */
export const loadAdmin = (
  configuration: Configuration
): Effect.Effect<AdminSettings | undefined, ConfigurationInvalid, FileSystem.FileSystem | Path.Path> => {
  const { admin } = configuration.document
  if (admin === undefined) return Effect.succeed(undefined)
  return Effect.gen(function* () {
    const path = yield* Path.Path
    const directory = path.dirname(path.resolve(configuration.file))
    const users = yield* inItsFile(configuration, () => readUsers(admin.users, directory))
    const { from, host, port, tls } = admin.listen
    return { at: { host, port }, tls: tlsSettings(tls, (place) => path.resolve(directory, place)), from, users }
  })
}

/** The alarms, with the secret of their webhook. */
export const loadAlarms = (
  configuration: Configuration
): Effect.Effect<AlarmSettings, ConfigurationInvalid, FileSystem.FileSystem | Path.Path> => {
  const { clock, linkDown, macFailures, noTraffic, queueAge, refusals, remind, successRate, timeouts, webhook } =
    configuration.document.alarms
  const ms = (text: string) => durationMs(text) ?? Number.POSITIVE_INFINITY
  const limits = {
    linkDownMs: ms(linkDown),
    noTrafficMs: ms(noTraffic),
    isTrafficUsual: noTraffic === "usual",
    timeoutsPercent: timeouts,
    refusalsPercent: refusals,
    queueAgeMs: ms(queueAge),
    macFailures,
    clockMs: ms(clock)
  }
  const settings = { limits, remindMs: ms(remind), successPercent: successRate, webhook: undefined }
  if (webhook === undefined) return Effect.succeed(settings)
  return inItsFile(configuration, (directory) =>
    Effect.mapError(readSecret(webhook.secret, ["alarms", "webhook", "secret"], "secret", directory), (finding) => [
      finding
    ])
  ).pipe(Effect.map((secret) => ({ ...settings, webhook: { url: webhook.url, secret } })))
}

/** Reads what a configuration refers to; what is wrong with it is shown at its line. */
const inItsFile = <A, R>(
  { file }: Configuration,
  read: (directory: string) => Effect.Effect<A, ReadonlyArray<Finding>, R>
) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    return yield* read(path.dirname(path.resolve(file))).pipe(
      Effect.catch((findings) =>
        Effect.flatMap(
          Effect.orElseSucceed(files.readFileString(file), () => ""),
          (text) => Effect.fail(new ConfigurationInvalid({ file, problems: inOrder(new YamlText(text), findings) }))
        )
      )
    )
  })
