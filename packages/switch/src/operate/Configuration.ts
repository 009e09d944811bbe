/**
 * The configuration of a switch: one YAML file, read, checked and turned into settings, with all of its errors at once.
 *
 * It owns nothing that runs. Paths in the file are relative to the file. See docs/reference/configuration.md.
 */
import type { Dialect } from "@jinka/codec"
import { Data, Effect, FileSystem, Path, Result } from "effect"
import type { SwitchSettings } from "../Switch.ts"
import { type ConfigurationDocument, decodeDocument } from "./configuration/ConfigurationDocument.ts"
import { readDialects } from "./configuration/DialectFiles.ts"
import type { Place } from "./configuration/DoorSettings.ts"
import { Draft } from "./configuration/Draft.ts"
import { findingsOf } from "./configuration/Issues.ts"
import { type Keys, readKeys } from "./configuration/JournalKeys.ts"
import { error, type Finding, type Problem, problemText } from "./configuration/Problem.ts"
import { relationsOf, socketPathMax } from "./configuration/Relations.ts"
import { dialectsOf, switchSettings } from "./configuration/Settings.ts"
import type { Catalogue } from "./configuration/Shipped.ts"
import { durationMs, sizeBytes } from "./configuration/Units.ts"
import { YamlText } from "./configuration/YamlText.ts"
import { fileWords } from "./FileWords.ts"

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
  /** Absolute path of the control socket. */
  readonly socket: string
  readonly drainTimeoutMs: number
  readonly warnings: ReadonlyArray<Problem>
}

/** A file that cannot be used. `message` is one line for each problem. Warnings are among them when there are errors too. */
export class ConfigurationInvalid extends Data.TaggedError("ConfigurationInvalid")<{
  readonly file: string
  readonly problems: ReadonlyArray<Problem>
}> {
  override get message(): string {
    return this.problems.map((problem) => problemText(this.file, problem)).join("\n")
  }
}

/** Checks a text. `file` names it in errors; `directory` is what its relative paths start from. Keys are not read. */
export const parse = Effect.fnUntraced(function* (text: string, file: string, directory: string) {
  const yaml = new YamlText(text)
  if (yaml.problems.length > 0) return yield* new ConfigurationInvalid({ file, problems: yaml.problems })
  const whole = wholeFinding(yaml.value)
  if (whole !== undefined) return yield* new ConfigurationInvalid({ file, problems: inOrder(yaml, [whole]) })
  const decoded = decodeDocument(yaml.value)
  const wrong = Result.isFailure(decoded) ? findingsOf(decoded.failure.issue, yaml.value) : []
  const { catalogue, findings } = yield* readDialects(new Draft(yaml.value), directory)
  const problems = inOrder(yaml, [...wrong, ...findings, ...relationsOf(new Draft(yaml.value, catalogue))])
  if (Result.isFailure(decoded) || problems.some(({ severity }) => severity === "error")) {
    return yield* new ConfigurationInvalid({ file, problems })
  }
  const document = decoded.success
  const path = yield* Path.Path
  const journal = path.resolve(directory, document.journal.directory)
  const control = document.control === undefined ? journal : path.resolve(directory, document.control.directory)
  const socket = path.join(control, "control.sock")
  if (Buffer.byteLength(socket) > socketPathMax) {
    const tooLong = inOrder(yaml, [longSocket(document, socket)])
    return yield* new ConfigurationInvalid({ file, problems: tooLong })
  }
  return {
    file,
    document,
    socket,
    ...settingsOf(document, catalogue, journal, (place) => path.resolve(directory, place)),
    warnings: problems
  } satisfies Configuration
})

const settingsOf = (document: ConfigurationDocument, catalogue: Catalogue, directory: string, place: Place) => ({
  settings: switchSettings(document, catalogue, place),
  journal: { directory, reserve: sizeBytes(document.journal.reserve)!, dialects: dialectsOf(document, catalogue) },
  drainTimeoutMs: durationMs(document.drainTimeout)!
})

const longSocket = ({ control }: ConfigurationDocument, socket: string): Finding =>
  error(
    [control === undefined ? "journal" : "control", "directory"],
    `the path of the control socket, ${socket}, has at most ${socketPathMax} bytes`,
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

/** Reads and checks a file; the journal's keys are not read. */
export const load = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const text = yield* files.readFileString(file).pipe(
    Effect.mapError(({ reason }) => {
      const finding = error([], fileWords(reason), "Give the path of a configuration file.", "")
      return new ConfigurationInvalid({ file, problems: [{ ...finding, line: 1, column: 1 }] })
    })
  )
  return yield* parse(text, file, path.dirname(path.resolve(file)))
})

/** The control socket that a file names, also when something else in it is wrong. `undefined` when it cannot be told. */
export const socketOfDraft = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const text = yield* Effect.orElseSucceed(files.readFileString(file), () => "")
  const draft = new Draft(new YamlText(text).value)
  const control = draft.part("control", "directory").text ?? draft.part("journal", "directory").text
  return control === undefined
    ? undefined
    : path.join(path.resolve(path.dirname(path.resolve(file)), control), "control.sock")
})

/** Reads the keys that a configuration refers to. */
export const loadKeys = (
  configuration: Configuration
): Effect.Effect<Keys, ConfigurationInvalid, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const { file, document } = configuration
    const directory = path.dirname(path.resolve(file))
    return yield* readKeys(document.journal.key, document.journal.previousKeys, directory).pipe(
      Effect.catch((findings) =>
        Effect.flatMap(
          Effect.orElseSucceed(files.readFileString(file), () => ""),
          (text) => Effect.fail(new ConfigurationInvalid({ file, problems: inOrder(new YamlText(text), findings) }))
        )
      )
    )
  })
