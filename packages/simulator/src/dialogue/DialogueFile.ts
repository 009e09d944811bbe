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
import { parseYaml, textOf, type Yaml } from "../file/YamlNodes.ts"
import { reasonOf } from "../SimulatorError.ts"
import type { Dialogue, Partner, Step, SystemSettings, Template } from "./Dialogue.ts"
import { checkDialogue } from "./DialogueCheck.ts"
import { readMaking, readSettings, readStep } from "./StepFile.ts"
import { dialectOf, dialectOfText, isDialectFile, makeWireFormat, wireFormatNames } from "./WireFormat.ts"

/** Text of a file by its path; throws what the system says. */
export type ReadText = (path: string) => string

const keysKnown = ["rule", "source", "dialect", "frame", "messages", "partners", "system", "first", "steps"]

/** How deep openings may follow each other: a ring of files would never end. */
const OPENINGS_MAX = 8

interface Opened {
  readonly dialect: Dialect | undefined
  readonly frame: FrameFormat | undefined
  readonly partners: ReadonlyMap<string, Partner>
  readonly system: SystemSettings
  readonly messages: ReadonlyMap<string, Template>
  readonly steps: ReadonlyArray<Step>
}

const nothing: Opened = {
  dialect: undefined,
  frame: undefined,
  partners: new Map(),
  system: {},
  messages: new Map(),
  steps: []
}

const partnerOf = (file: string, name: string, yaml: Yaml): Partner => {
  const text = textOf(file, yaml)
  const found = /^(connects to|listens for) ([\w -]+?)(, answers echo)?$/.exec(text)
  if (found === null) {
    const rule = `"${text}": "connects to <address>" or "listens for <address>" is expected, maybe with ", answers echo"`
    throw new FileInvalid({ file, line: yaml.line, rule })
  }
  if (!/^\w+$/.test(name) || name === "wait" || name === "operator") {
    throw new FileInvalid({ file, line: yaml.line, rule: `"${name}" cannot be a partner's name: use one word` })
  }
  const side = found[1] === "connects to" ? "connects" : "listens"
  return { name, side, address: found[2]!, answersEcho: found[3] !== undefined }
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

/** Reads one file and everything that it names. */
class Reading {
  private readonly readText: ReadText

  constructor(readText: ReadText) {
    this.readText = readText
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
      form: makeWireFormat(opened.dialect ?? cups, opened.frame),
      partners: [...opened.partners.values()],
      system: opened.system,
      messages: opened.messages,
      steps: opened.steps
    }
    checkDialogue(dialogue)
    return dialogue
  }

  private open(
    path: string,
    file: string,
    depth: number
  ): { readonly top: Yaml & { kind: "map" }; readonly opened: Opened } {
    const top = parseYaml(file, this.text(path, file))
    for (const [key, { line }] of top.entries) {
      if (keysKnown.includes(key)) continue
      throw new FileInvalid({ file, line, rule: `"${key}" is not known; known are ${keysKnown.join(", ")}` })
    }
    const before = this.before(top, path, file, depth)
    const partners = new Map(before.partners)
    for (const [name, yaml] of this.map(top, "partners", file)) partners.set(name, partnerOf(file, name, yaml))
    const names = new Set(partners.keys())
    const steps = top.entries.get("steps")
    if (steps !== undefined && steps.kind !== "list") {
      throw new FileInvalid({ file, line: steps.line, rule: "steps: needs a list, one step a line" })
    }
    const system = top.entries.get("system")
    const frame = top.entries.get("frame")
    const opened: Opened = {
      dialect: this.dialect(top, path, file) ?? before.dialect,
      frame: frame === undefined ? before.frame : frameOf(file, frame),
      partners,
      system: system === undefined ? before.system : merged(before.system, readSettings(file, system)),
      messages: this.messages(top, path, file, before.messages),
      steps: [...before.steps, ...(steps?.items ?? []).map((step) => readStep(file, step, names))]
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

  /** The dialect that a file names: one that ships, or a dialect file beside it. */
  private dialect(top: Yaml & { kind: "map" }, path: string, file: string): Dialect | undefined {
    const yaml = top.entries.get("dialect")
    if (yaml === undefined) return undefined
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
    const { entries } = parseYaml(messagesFile, this.found(path, file, from))
    return new Map([...before, ...[...entries].map(([name, yaml]) => [name, readMaking(messagesFile, yaml)] as const)])
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

/** Reads a dialogue; `file` is how reports call it, the path itself if left out. */
export const readDialogue = (
  path: string,
  options: { readonly file?: string; readonly readText?: ReadText } = {}
): Effect.Effect<Dialogue, FileInvalid> => {
  const { file = path, readText = fromDisk } = options
  return Effect.try({ try: () => new Reading(readText).dialogue(resolve(path), file), catch: invalid(file) })
}

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
    Effect.flatMap((paths) => Effect.forEach(paths, (path) => readDialogue(path, { file: relative(".", path) })))
  )
