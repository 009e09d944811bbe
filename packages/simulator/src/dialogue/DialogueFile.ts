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
import { readdirSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { cups, type Dialect, type FrameFormat } from "@jinka/codec"
import { Effect } from "effect"
import { textOfFile } from "../file/FileBytes.ts"
import { FileInvalid } from "../file/FileInvalid.ts"
import { namedDialectOf } from "../file/FormKeys.ts"
import { frameOf } from "../file/FrameFile.ts"
import { asFileInvalid, MapReader } from "../file/MapReader.ts"
import { knownNames } from "../file/Nearest.ts"
import { ParsedFiles } from "../file/ParsedFiles.ts"
import { tlsOf, tlsWrong } from "../file/TlsKeys.ts"
import { filledOf, invalidAt, textOf, type Yaml, type YamlMap, yesNoOf } from "../file/YamlNodes.ts"
import type { TlsMaterial } from "../link/TlsSide.ts"
import { reasonOf } from "../SimulatorError.ts"
import { type Case, casesOf, caseText, unrolled, withCase } from "./Cases.ts"
import type { Act, Dialogue, Partner, Step, SystemSettings, Template } from "./Dialogue.ts"
import { checkDialogue } from "./DialogueCheck.ts"
import { type DialogueKeys, readKey } from "./Keys.ts"
import { readSettings, readStep, readTemplate } from "./StepFile.ts"
import { makeWireFormat } from "./WireFormat.ts"

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

const addressOf = (yaml: Yaml): string => {
  const text = textOf(yaml)
  if (/^[\w -]+$/.test(text)) return text
  throw invalidAt(yaml, "the name of an address is expected, in words")
}

/** Whether the system can fail at a step: a partner expects something there, or the operator's act does. */
const isExpecting = (step: Step): boolean =>
  step._tag === "operator" || (step._tag === "partner" && expecting.includes(step.act._tag))

const expecting: ReadonlyArray<Act["_tag"]> = [
  "expect",
  "expectIdle",
  "expectClose",
  "expectNothing",
  "connect",
  "accept"
]

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
  readonly tls: TlsMaterial | undefined
  readonly dialect: Dialect | undefined
  readonly frame: FrameFormat | undefined
}

/** Reads one file and everything that it names, with the values of a case in all of it. */
class Reading {
  private readonly readText: ReadText
  private readonly parsed: ParsedFiles
  private readonly values: Case

  constructor(readText: ReadText, parsed: ParsedFiles, values: Case) {
    this.readText = readText
    this.parsed = parsed
    this.values = values
  }

  dialogue(path: string, file: string): Dialogue {
    const { top, opened, ownSteps } = this.open(path, file, 0)
    const needed = (key: string): string => {
      const yaml = top.entries.get(key)
      if (yaml !== undefined) return textOf(yaml)
      throw invalidAt(top, `"${key}:" is missing`)
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
    const own = top.entries.get("steps")
    if (own?.kind !== "list" || own.items.length === 0) {
      throw invalidAt(
        own ?? top,
        "a rule without steps says nothing: write under `steps:` what partners send and expect"
      )
    }
    checkDialogue(dialogue)
    if (!ownSteps.some(isExpecting)) {
      throw invalidAt(
        own,
        "the steps expect nothing, and would be kept whatever the system does: say what has to come (`A expects: ...`)"
      )
    }
    return dialogue
  }

  private open(
    path: string,
    file: string,
    depth: number
  ): { readonly top: YamlMap; readonly opened: Opened; readonly ownSteps: ReadonlyArray<Step> } {
    const top = withCase(this.parsed.of(file, this.text(path, file)), this.values)
    for (const [key, yaml] of top.entries) {
      if (keysKnown.includes(key)) continue
      throw invalidAt(yaml, `"${key}" is not known; ${knownNames(key, keysKnown)}`)
    }
    const before = this.before(top, path, file, depth)
    const partners = new Map(before.partners)
    for (const [name, yaml] of this.map(top, "partners")) partners.set(name, this.partner(path, name, yaml))
    const names = new Set(partners.keys())
    const steps = top.entries.get("steps")
    if (steps !== undefined && steps.kind !== "list") {
      throw invalidAt(steps, "steps: needs a list, one step a line")
    }
    const system = top.entries.get("system")
    const dialect = top.entries.get("dialect")
    const frame = top.entries.get("frame")
    const ownSteps = unrolled(steps?.items ?? []).map((step) => readStep(step, names))
    const opened: Opened = {
      dialect: dialect === undefined ? before.dialect : namedDialectOf((yaml) => this.found(path, yaml))(dialect),
      frame: frame === undefined ? before.frame : frameOf(frame),
      partners,
      system: system === undefined ? before.system : merged(before.system, readSettings(system)),
      messages: this.messages(top, path, file, before.messages),
      keys: new Map([
        ...before.keys,
        ...[...this.map(top, "keys")].map(([name, yaml]) => [name, readKey(yaml)] as const)
      ]),
      steps: [...before.steps, ...ownSteps]
    }
    return { top, opened, ownSteps }
  }

  private before(top: YamlMap, path: string, file: string, depth: number): Opened {
    const first = top.entries.get("first")
    if (first === undefined) return nothing
    if (depth >= OPENINGS_MAX) {
      throw invalidAt(first, `more than ${OPENINGS_MAX} openings follow each other`)
    }
    const named = textOf(first)
    this.found(path, first)
    return this.open(resolve(dirname(path), named), join(dirname(file), named), depth + 1).opened
  }

  /** `connects to acquirer, answers echo`, or the same as a map, with a dialect and a frame of its own. */
  private partner(path: string, name: string, yaml: Yaml): NamedPartner {
    if (!isName(name)) {
      throw invalidAt(yaml, `"${name}" cannot be a partner's name: use one word`)
    }
    const usual = { name, answersEcho: false, tls: undefined, dialect: undefined, frame: undefined }
    if (yaml.kind === "map") {
      const map = new MapReader(yaml, "a partner")
      const connects = map.get("connects to", addressOf)
      const listens = map.get("listens for", addressOf)
      const answersEcho = map.get("answers echo", yesNoOf) ?? false
      const dialect = map.get(
        "dialect",
        namedDialectOf((yaml) => this.found(path, yaml))
      )
      const frame = map.get("frame", frameOf)
      const tls = map.get(
        "tls",
        tlsOf((named) => Buffer.from(this.readText(resolve(dirname(path), named))))
      )
      map.done()
      if ((connects === undefined) === (listens === undefined)) {
        throw map.wrong("connects to", "a partner has `connects to` or `listens for`")
      }
      const side = connects === undefined ? "listens" : "connects"
      const wrong = tls === undefined ? undefined : tlsWrong(side === "listens" ? "listen" : "dial", tls)
      if (wrong !== undefined) throw map.wrong("tls", wrong)
      return { name, side, address: (connects ?? listens)!, answersEcho, tls, dialect, frame }
    }
    const text = textOf(yaml)
    const found = /^(connects to|listens for) ([\w -]+?)(, answers echo)?$/.exec(text)
    if (found === null) {
      const rule = `"${text}": "connects to <address>" or "listens for <address>" is expected; ", answers echo" may follow`
      throw invalidAt(yaml, rule)
    }
    const side = found[1] === "connects to" ? "connects" : "listens"
    return { ...usual, side, address: found[2]!, answersEcho: found[3] !== undefined }
  }

  private messages(
    top: YamlMap,
    path: string,
    file: string,
    before: ReadonlyMap<string, Template>
  ): ReadonlyMap<string, Template> {
    const from = top.entries.get("messages")
    if (from === undefined) return before
    const named = textOf(from)
    const messagesFile = join(dirname(file), named)
    const { entries } = withCase(this.parsed.of(messagesFile, this.found(path, from)), this.values)
    return new Map([...before, ...[...entries].map(([name, yaml]) => [name, readTemplate(yaml)] as const)])
  }

  private map(top: YamlMap, key: string): ReadonlyMap<string, Yaml> {
    const yaml = top.entries.get(key)
    if (yaml === undefined) return new Map()
    if (yaml.kind === "map") return yaml.entries
    throw invalidAt(yaml, `${key}: needs a map`)
  }

  /** Text of the file that `named` names, seen from `path`; where it cannot be read, the line that names it is wrong. */
  private found(path: string, named: Yaml): string {
    const name = textOf(named)
    try {
      return this.readText(resolve(dirname(path), name))
    } catch (error) {
      throw invalidAt(named, `${name} cannot be read: ${reasonOf(error)}`)
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

const fromDisk: ReadText = textOfFile

/** The cases of a file, before anything else of it is read; a table may be in a file of its own. */
const casesIn = (path: string, file: string, readText: ReadText, parsed: ParsedFiles): ReadonlyArray<Case> => {
  const cases = parsed.of(file, readText(path)).entries.get("cases")
  if (cases?.kind !== "text") return casesOf(cases)
  const tableFile = join(dirname(file), cases.text)
  const table = parsed.of(tableFile, tableText(path, cases, readText)).entries.get("cases")
  if (table !== undefined) return casesOf(table)
  throw new FileInvalid({ file: tableFile, line: 1, rule: '"cases:" is missing: a file with a table has it' })
}

const tableText = (path: string, named: Yaml, readText: ReadText): string => {
  const name = filledOf(named)
  try {
    return readText(resolve(dirname(path), name))
  } catch (error) {
    throw invalidAt(named, `${name} cannot be read: ${reasonOf(error)}`)
  }
}

/** How to read a file: `file` is how reports call it, the path itself if left out; `parsed` has what others have named. */
interface ReadOptions {
  readonly file?: string
  readonly readText?: ReadText
  readonly parsed?: ParsedFiles
}

/** Reads the dialogues of a file: one for each case of its table, or the only one. */
export const readDialogues = (
  path: string,
  { file = path, readText = fromDisk, parsed = new ParsedFiles() }: ReadOptions = {}
): Effect.Effect<ReadonlyArray<Dialogue>, FileInvalid> =>
  Effect.try({
    try: () =>
      casesIn(resolve(path), file, readText, parsed).map((values) =>
        new Reading(readText, parsed, values).dialogue(resolve(path), file)
      ),
    catch: asFileInvalid(file)
  })

const yamlFiles = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

/** What a file must have somewhere at the beginning of a line to be looked at more closely. */
const perhapsRule = /^[\s{]*["']?rule["']?\s*:/m
const perhapsSteps = /^[\s{]*["']?steps["']?\s*:/m

/**
 * Whether a file is a dialogue of its own: openings and messages files have no `rule:`. One with steps and a word that is none of
 * ours is rather a dialogue whose `rule:` was written wrong, and an empty one a dialogue that was lost.
 */
const hasRule = (path: string, parsed: ParsedFiles): boolean => {
  const text = fromDisk(path)
  const file = relative(".", path)
  if (text.trim() === "")
    throw new FileInvalid({ file, line: 1, rule: "the file is empty: write a rule, or remove it" })
  const mayRule = perhapsRule.test(text)
  if (!mayRule && !perhapsSteps.test(text)) return false
  const entries = entriesOf(file, text, parsed)
  // What is no YAML is some other program's, unless it says a rule: then reading it says what is wrong.
  if (entries === undefined) return mayRule
  if (entries.has("rule")) return true
  if (!entries.has("steps")) return false
  return entries.has("source") || [...entries.keys()].some((key) => !keysKnown.includes(key))
}

const entriesOf = (file: string, text: string, parsed: ParsedFiles): YamlMap["entries"] | undefined => {
  try {
    return parsed.of(file, text).entries
  } catch {
    return undefined
  }
}

/** All dialogues of a folder and the folders in it, by path: every YAML file that has a `rule:`. */
export const readFolder = (folder: string): Effect.Effect<ReadonlyArray<Dialogue>, FileInvalid> =>
  Effect.gen(function* () {
    const parsed = new ParsedFiles()
    const ofDialogues = () => yamlFiles(folder).filter((path) => hasRule(path, parsed))
    const paths = yield* Effect.try({ try: ofDialogues, catch: asFileInvalid(folder) })
    const files = yield* Effect.forEach(paths, (path) => readDialogues(path, { file: relative(".", path), parsed }))
    return files.flat()
  })
