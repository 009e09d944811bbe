/**
 * Dialogue files: one rule in one YAML file, with the files that it names (`first`, `messages`).
 *
 *     rule: A decline is passed on.
 *     source: guarantee G3
 *     first: ../openings/both-signed-on.yaml
 *     steps:
 *       - A sends: { like: purchase, as: asked }
 *       - B expects: { same as: asked, changed: [header.destination, header.source], as: seen }
 *       - B sends: { answer to: seen, 39: 51 }
 *       - A expects: { answer to: asked, 39: 51 }
 *
 * `first` names a dialogue whose steps come before this one's, and whose settings hold where this one has none. Paths count
 * from the file that names them.
 */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { cups, type Dialect, type FrameFormat } from "@jinka/codec"
import { Effect } from "effect"
import { FileInvalid } from "../file/FileInvalid.ts"
import { frameOf } from "../file/FrameFile.ts"
import { MapReader } from "../file/MapReader.ts"
import { parseYaml, textOf, type Yaml, yesNoOf } from "../file/YamlNodes.ts"
import { reasonOf } from "../SimulatorError.ts"
import { type Case, casesOf, caseText, unrolled, withCase } from "./Cases.ts"
import type { Dialogue, Partner, Step, SystemSettings, Template } from "./Dialogue.ts"
import { checkDialogue } from "./DialogueCheck.ts"
import { type DialogueKeys, readKey } from "./Keys.ts"
import { readSettings, readStep, readTemplate } from "./StepFile.ts"
import { dialectOf, dialectOfText, isDialectFile, makeWireFormat, wireFormatNames } from "./WireFormat.ts"

/** Text of a file by its path; throws what the system says. */
export type ReadText = (path: string) => string

const keysKnown = [
  "rule",
  "source",
  "dialect",
  "frame",
  "messages",
  "keys",
  "partners",
  "system",
  "first",
  "cases",
  "steps"
]

/** How deep openings may follow each other: a ring of files would never end. */
const OPENINGS_MAX = 8

interface Opened {
  readonly dialect: Dialect | undefined
  readonly frame: FrameFormat | undefined
  readonly partners: ReadonlyMap<string, NamedPartner>
  readonly system: SystemSettings
  readonly messages: ReadonlyMap<string, Template>
  readonly steps: ReadonlyArray<Step>
  readonly keys: DialogueKeys
}

const nothing: Opened = {
  dialect: undefined,
  frame: undefined,
  partners: new Map(),
  system: {},
  messages: new Map(),
  steps: [],
  keys: new Map()
}

const isName = (name: string): boolean => /^\w+$/.test(name) && !["wait", "operator", "let"].includes(name)

const addressOf = (file: string, yaml: Yaml): string => {
  const text = textOf(file, yaml)
  if (/^[\w -]+$/.test(text)) return text
  throw new FileInvalid({ file, line: yaml.line, rule: "the name of an address is expected, in words" })
}

/** The later settings over the earlier ones, key by key at every depth. */
const merged = (earlier: SystemSettings, later: SystemSettings): SystemSettings => {
  const both: Record<string, string | SystemSettings> = { ...earlier }
  for (const [key, value] of Object.entries(later)) {
    const before = both[key]
    both[key] = typeof value === "string" || typeof before !== "object" ? value : merged(before, value)
  }
  return both
}

/** A partner as a file has it, before it is known which dialect and frame hold where it names none. */
interface NamedPartner {
  readonly name: string
  readonly side: Partner["side"]
  readonly address: string
  readonly answersEcho: boolean
  readonly dialect: Dialect | undefined
  readonly frame: FrameFormat | undefined
}

/** Reads one file and everything that it names, with the values of a case in all of it. */
class Reading {
  private readonly readText: ReadText
  private readonly values: Case

  constructor(readText: ReadText, values: Case) {
    this.readText = readText
    this.values = values
  }

  dialogue(path: string, file: string): Dialogue {
    const { top, opened } = this.open(path, file, 0)
    const needed = (key: string): string => {
      const yaml = top.entries.get(key)
      if (yaml !== undefined) return textOf(file, yaml)
      throw new FileInvalid({ file, line: 1, rule: `"${key}:" is missing` })
    }
    const dialogue: Dialogue = {
      file,
      rule: needed("rule"),
      source: needed("source"),
      caseText: caseText(this.values),
      partners: [...opened.partners.values()].map(({ dialect, frame, ...partner }) => ({
        ...partner,
        // A dialect of its own has its own usual frame.
        form: makeWireFormat(
          dialect ?? opened.dialect ?? cups,
          frame ?? (dialect === undefined ? opened.frame : undefined)
        )
      })),
      system: opened.system,
      messages: opened.messages,
      steps: opened.steps,
      keys: opened.keys
    }
    checkDialogue(dialogue)
    return dialogue
  }

  private open(
    path: string,
    file: string,
    depth: number
  ): { readonly top: Yaml & { kind: "map" }; readonly opened: Opened } {
    const top = withCase(file, parseYaml(file, this.text(path, file)), this.values)
    for (const [key, { line }] of top.entries) {
      if (keysKnown.includes(key)) continue
      throw new FileInvalid({ file, line, rule: `"${key}" is not known; known are ${keysKnown.join(", ")}` })
    }
    const before = this.before(top, path, file, depth)
    const partners = new Map(before.partners)
    for (const [name, yaml] of this.map(top, "partners", file)) partners.set(name, this.partner(path, file, name, yaml))
    const names = new Set(partners.keys())
    const steps = top.entries.get("steps")
    if (steps !== undefined && steps.kind !== "list") {
      throw new FileInvalid({ file, line: steps.line, rule: "steps: needs a list, one step a line" })
    }
    const system = top.entries.get("system")
    const dialect = top.entries.get("dialect")
    const frame = top.entries.get("frame")
    const opened: Opened = {
      dialect: dialect === undefined ? before.dialect : this.dialect(dialect, path, file),
      frame: frame === undefined ? before.frame : frameOf(file, frame),
      partners,
      system: system === undefined ? before.system : merged(before.system, readSettings(file, system)),
      messages: this.messages(top, path, file, before.messages),
      keys: new Map([
        ...before.keys,
        ...[...this.map(top, "keys", file)].map(([name, yaml]) => [name, readKey(file, yaml)] as const)
      ]),
      steps: [...before.steps, ...unrolled(file, steps?.items ?? []).map((step) => readStep(file, step, names))]
    }
    return { top, opened }
  }

  private before(top: Yaml & { kind: "map" }, path: string, file: string, depth: number): Opened {
    const first = top.entries.get("first")
    if (first === undefined) return nothing
    if (depth >= OPENINGS_MAX) {
      throw new FileInvalid({ file, line: first.line, rule: `more than ${OPENINGS_MAX} openings follow each other` })
    }
    const named = textOf(file, first)
    this.found(path, file, first)
    return this.open(resolve(dirname(path), named), join(dirname(file), named), depth + 1).opened
  }

  /** `connects to acquirer, answers echo`, or the same as a map, with a dialect and a frame of its own. */
  private partner(path: string, file: string, name: string, yaml: Yaml): NamedPartner {
    if (!isName(name)) {
      throw new FileInvalid({ file, line: yaml.line, rule: `"${name}" cannot be a partner's name: use one word` })
    }
    const usual = { name, answersEcho: false, dialect: undefined, frame: undefined }
    if (yaml.kind === "map") {
      const map = new MapReader(file, yaml, "a partner")
      const connects = map.get("connects to", addressOf)
      const listens = map.get("listens for", addressOf)
      const answersEcho = map.get("answers echo", yesNoOf) ?? false
      const dialect = map.get("dialect", (_, at) => this.dialect(at, path, file))
      const frame = map.get("frame", frameOf)
      map.done()
      if ((connects === undefined) === (listens === undefined)) {
        throw map.wrong("connects to", "a partner has `connects to` or `listens for`")
      }
      const side = connects === undefined ? "listens" : "connects"
      return { name, side, address: (connects ?? listens)!, answersEcho, dialect, frame }
    }
    const text = textOf(file, yaml)
    const found = /^(connects to|listens for) ([\w -]+?)(, answers echo)?$/.exec(text)
    if (found === null) {
      const rule = `"${text}": "connects to <address>" or "listens for <address>" is expected, maybe with ", answers echo"`
      throw new FileInvalid({ file, line: yaml.line, rule })
    }
    const side = found[1] === "connects to" ? "connects" : "listens"
    return { ...usual, side, address: found[2]!, answersEcho: found[3] !== undefined }
  }

  /** A dialect that a file names: one that ships, or a dialect file beside it. */
  private dialect(yaml: Yaml, path: string, file: string): Dialect {
    const name = textOf(file, yaml)
    const refuse = (rule: string) => new FileInvalid({ file, line: yaml.line, rule })
    if (!isDialectFile(name)) {
      const dialect = dialectOf(name)
      if (dialect !== undefined) return dialect
      throw refuse(
        `no dialect "${name}" is known; known are ${wireFormatNames.join(", ")}, and dialect files (./ours.yaml)`
      )
    }
    const dialect = dialectOfText(this.found(path, file, yaml))
    if (typeof dialect === "string") throw refuse(`${name} is no dialect file: ${dialect}`)
    return dialect
  }

  private messages(
    top: Yaml & { kind: "map" },
    path: string,
    file: string,
    before: ReadonlyMap<string, Template>
  ): ReadonlyMap<string, Template> {
    const from = top.entries.get("messages")
    if (from === undefined) return before
    const named = textOf(file, from)
    const messagesFile = join(dirname(file), named)
    const { entries } = withCase(messagesFile, parseYaml(messagesFile, this.found(path, file, from)), this.values)
    return new Map([
      ...before,
      ...[...entries].map(([name, yaml]) => [name, readTemplate(messagesFile, yaml)] as const)
    ])
  }

  private map(top: Yaml & { kind: "map" }, key: string, file: string): ReadonlyMap<string, Yaml> {
    const yaml = top.entries.get(key)
    if (yaml === undefined) return new Map()
    if (yaml.kind === "map") return yaml.entries
    throw new FileInvalid({ file, line: yaml.line, rule: `${key}: needs a map` })
  }

  /** Text of the file that `named` names, seen from `path`; where it cannot be read, the line that names it is wrong. */
  private found(path: string, file: string, named: Yaml): string {
    const name = textOf(file, named)
    try {
      return this.readText(resolve(dirname(path), name))
    } catch (error) {
      throw new FileInvalid({ file, line: named.line, rule: `${name} cannot be read: ${reasonOf(error)}` })
    }
  }

  private text(path: string, file: string): string {
    try {
      return this.readText(path)
    } catch (error) {
      throw new FileInvalid({ file, line: 0, rule: reasonOf(error) })
    }
  }
}

const invalid = (file: string) => (error: unknown) =>
  error instanceof FileInvalid ? error : new FileInvalid({ file, line: 0, rule: reasonOf(error) })

const fromDisk: ReadText = (path) => readFileSync(path, "utf8")

/** The cases of a file, before anything else of it is read; a table may stand in a file of its own. */
const casesIn = (path: string, file: string, readText: ReadText): ReadonlyArray<Case> => {
  const cases = parseYaml(file, readText(path)).entries.get("cases")
  if (cases?.kind !== "text") return casesOf(file, cases)
  const tableFile = join(dirname(file), cases.text)
  const table = parseYaml(tableFile, tableText(path, file, cases, readText)).entries.get("cases")
  if (table !== undefined) return casesOf(tableFile, table)
  throw new FileInvalid({ file: tableFile, line: 1, rule: '"cases:" is missing: a file with a table has it' })
}

const tableText = (path: string, file: string, named: Yaml & { kind: "text" }, readText: ReadText): string => {
  try {
    return readText(resolve(dirname(path), named.text))
  } catch (error) {
    throw new FileInvalid({ file, line: named.line, rule: `${named.text} cannot be read: ${reasonOf(error)}` })
  }
}

/** How to read a file: `file` is how reports call it, the path itself if left out. */
interface ReadOptions {
  readonly file?: string
  readonly readText?: ReadText
}

/** Reads the dialogues of a file: one for each case of its table, or the only one. */
export const readDialogues = (
  path: string,
  { file = path, readText = fromDisk }: ReadOptions = {}
): Effect.Effect<ReadonlyArray<Dialogue>, FileInvalid> =>
  Effect.try({
    try: () =>
      casesIn(resolve(path), file, readText).map((values) =>
        new Reading(readText, values).dialogue(resolve(path), file)
      ),
    catch: invalid(file)
  })

const yamlFiles = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

/** Whether a file is a dialogue of its own: openings and messages files have no `rule:`. */
const hasRule = (path: string): boolean => /^rule:/m.test(fromDisk(path))

/** All dialogues of a folder and the folders in it, by path: every YAML file that has a `rule:`. */
export const readFolder = (folder: string): Effect.Effect<ReadonlyArray<Dialogue>, FileInvalid> =>
  Effect.try({ try: () => yamlFiles(folder).filter(hasRule), catch: invalid(folder) }).pipe(
    Effect.flatMap((paths) => Effect.forEach(paths, (path) => readDialogues(path, { file: relative(".", path) }))),
    Effect.map((files) => files.flat())
  )
