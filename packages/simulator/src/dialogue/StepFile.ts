/**
 * One step of a dialogue file: `A sends: {...}`, `B expects close: RST`, `wait: 200ms`. Owns the steps' words and keys, which
 * docs/reference/dialogues.md lists; what they do is the runner's.
 */

import { FileInvalid } from "../file/FileInvalid.ts"
import { MapReader } from "../file/MapReader.ts"
import { durationOf, listOf, numberOf, textOf, textsOf, type Yaml } from "../file/YamlNodes.ts"
import type {
  Act,
  Corruption,
  Expectation,
  Place,
  Sending,
  Step,
  SystemSettings,
  Template,
  Timing,
  Values
} from "./Dialogue.ts"

const isFieldNumber = (key: string): boolean => /^\d{1,3}$/.test(key)

const fieldNumbers = (file: string, yaml: Yaml): ReadonlyArray<number> =>
  listOf(file, yaml).map((text) => {
    if (isFieldNumber(text)) return Number(text)
    throw new FileInvalid({ file, line: yaml.line, rule: `"${text}" is no data element number` })
  })

const hexOf = (file: string, yaml: Yaml): Buffer => {
  const digits = textOf(file, yaml).replaceAll(/\s/g, "")
  if (/^([0-9A-Fa-f]{2})*$/.test(digits)) return Buffer.from(digits, "hex")
  throw new FileInvalid({ file, line: yaml.line, rule: "pairs of hex digits are expected" })
}

const template = (file: string, keys: MapReader): Template => ({
  like: keys.get("like", textOf),
  answerTo: keys.get("answer to", textOf),
  again: keys.get("again", textOf),
  mti: keys.get("mti", textOf),
  fields: Object.fromEntries(keys.fields().map(([de, yaml]) => [de, textOf(file, yaml)])),
  without: keys.get("without", fieldNumbers) ?? [],
  header: keys.get("header", textsOf) ?? {},
  rejected: keys.get("rejected", textsOf),
  mac: keys.get("mac", textOf),
  pin: keys.get("pin", textOf)
})

const corruption = (keys: MapReader): Corruption => ({
  damage: keys.get("damage", textsOf) ?? {},
  bitsOn: keys.get("bits on", fieldNumbers) ?? [],
  append: keys.get("append", hexOf)?.toString("hex") ?? "",
  length: keys.get("length", textOf),
  cutAt: keys.get("cut at", numberOf),
  splitAt: keys.get("split at", (file, yaml) => listOf(file, yaml).map(Number)) ?? [],
  pauseMs: keys.get("pause", durationOf) ?? 20,
  slowlyMs: keys.get("slowly", durationOf)
})

const timing = (keys: MapReader): Timing => ({
  withinMs: keys.get("within", durationOf),
  notBeforeMs: keys.get("not before", durationOf) ?? 0,
  since: keys.get("since", textOf)
})

/** Several messages in a list leave in one write. */
const sends = (file: string, yaml: Yaml): Act =>
  yaml.kind === "list"
    ? { _tag: "sendTogether", messages: yaml.items.map((item) => sending(file, new MapReader(file, item, "sends"))) }
    : sendsOne(file, yaml)

const sending = (file: string, keys: MapReader): Sending => {
  const message: Sending = {
    _tag: "send",
    as: keys.get("as", textOf),
    template: template(file, keys),
    corruption: corruption(keys)
  }
  keys.done()
  return message
}

const sendsOne = (file: string, yaml: Yaml): Act => {
  const keys = new MapReader(file, yaml, "sends")
  const bytes = keys.get("bytes", hexOf) ?? keys.get("text", (_, text) => Buffer.from(textOf(file, text), "latin1"))
  const message = keys.get("message bytes", hexOf)
  if (bytes !== undefined || message !== undefined) {
    const act: Act = {
      _tag: "sendBytes",
      bytes: (bytes ?? message)!,
      framed: message !== undefined,
      corruption: corruption(keys)
    }
    keys.done()
    return act
  }
  return sending(file, keys)
}

const expressionsOf = (file: string, yaml: Yaml): Values => {
  const texts = textsOf(file, yaml)
  for (const text of Object.values(texts)) {
    try {
      new RegExp(text)
    } catch {
      throw new FileInvalid({ file, line: yaml.line, rule: `${text} is no regular expression` })
    }
  }
  return texts
}

const expects = (file: string, yaml: Yaml): Act => {
  const keys = new MapReader(file, yaml, "expects")
  const expectation: Expectation = {
    as: keys.get("as", textOf),
    mti: keys.get("mti", listOf),
    fields: Object.fromEntries(keys.fields().map(([de, value]) => [de, listOf(file, value)])),
    header: keys.get("header", textsOf) ?? {},
    present: keys.get("present", fieldNumbers) ?? [],
    absent: keys.get("absent", fieldNumbers) ?? [],
    differs: keys.get("differs", textsOf) ?? {},
    matches: keys.get("matches", expressionsOf) ?? {},
    sameAs: keys.get("same as", textOf),
    changed: keys.get("changed", listOf) ?? [],
    answerTo: keys.get("answer to", textOf),
    rejected: keys.get("rejected", textsOf),
    mac: keys.get("mac", textOf),
    pin: keys.get("pin", textOf),
    ...timing(keys)
  }
  keys.done()
  return { _tag: "expect", expectation }
}

const ends = ["FIN", "RST", "any"] as const

const endOf = (file: string, yaml: Yaml): (typeof ends)[number] => {
  const end = ends.find((one) => one === textOf(file, yaml))
  if (end !== undefined) return end
  throw new FileInvalid({ file, line: yaml.line, rule: "FIN, RST or any is expected" })
}

const noBounds: Timing = { withinMs: undefined, notBeforeMs: 0, since: undefined }

const expectsClose = (file: string, yaml: Yaml): Act => {
  if (yaml.kind === "text") return { _tag: "expectClose", how: endOf(file, yaml), timing: noBounds }
  const keys = new MapReader(file, yaml, "expects close")
  const act: Act = { _tag: "expectClose", how: keys.get("how", endOf) ?? "any", timing: timing(keys) }
  keys.done()
  return act
}

const expectsIdle = (file: string, yaml: Yaml): Act => {
  if (yaml.kind === "text") {
    const withinMs = yaml.text === "" ? undefined : durationOf(file, yaml)
    return { _tag: "expectIdle", timing: { ...noBounds, withinMs } }
  }
  const keys = new MapReader(file, yaml, "expects idle frame")
  const act: Act = { _tag: "expectIdle", timing: timing(keys) }
  keys.done()
  return act
}

const closes = (file: string, yaml: Yaml): Act => {
  const how = endOf(file, yaml)
  if (how !== "any") return { _tag: "close", how }
  throw new FileInvalid({ file, line: yaml.line, rule: "FIN or RST is expected" })
}

/** What partners can do, by the words behind the partner's name. */
const acts: Readonly<Record<string, (file: string, yaml: Yaml) => Act>> = {
  connects: () => ({ _tag: "connect" }),
  listens: () => ({ _tag: "listen" }),
  "stops listening": () => ({ _tag: "stopListening" }),
  accepts: (file, yaml) => ({
    _tag: "accept",
    withinMs: yaml.kind === "text" && yaml.text === "" ? undefined : durationOf(file, yaml)
  }),
  sends,
  "sends idle frame": () => ({ _tag: "sendIdle" }),
  expects,
  "expects nothing": (file, yaml) => ({ _tag: "expectNothing", forMs: durationOf(file, yaml) }),
  "expects idle frame": expectsIdle,
  "expects close": expectsClose,
  closes
}

/** Head and body of a step: one key with its value, or a text alone. */
const partsOf = (file: string, yaml: Yaml): readonly [string, Yaml] => {
  if (yaml.kind === "text") return [yaml.text, { kind: "text", line: yaml.line, text: "" }]
  const entry = yaml.kind === "map" ? [...yaml.entries][0] : undefined
  if (yaml.kind === "map" && yaml.entries.size === 1 && entry !== undefined) return entry
  throw new FileInvalid({
    file,
    line: yaml.line,
    rule: "a step is one line such as `A sends:` with its keys below"
  })
}

/** Reads one step. Throws `FileInvalid`. */
export const readStep = (file: string, yaml: Yaml, partners: ReadonlySet<string>): Step => {
  const [head, body] = partsOf(file, yaml)
  const place: Place = { file, line: yaml.line }
  const text = body.kind === "text" && body.text !== "" ? `${head}: ${body.text}` : head
  if (head === "wait") return { _tag: "wait", ms: durationOf(file, body), place, text }
  if (head === "let") return { _tag: "let", values: textsOf(file, body), place, text }
  if (head === "operator") return { _tag: "operator", what: textOf(file, body), place, text }
  const space = head.indexOf(" ")
  const partner = head.slice(0, Math.max(0, space))
  const words = head.slice(space + 1)
  const read = acts[words]
  if (read === undefined || partner === "") {
    const known = Object.keys(acts).join(", ")
    const rule = `"${head}" is no step; a step is wait, let, operator, repeat, for each, or a partner's name and one of: ${known}`
    throw new FileInvalid({ file, line: yaml.line, rule })
  }
  if (!partners.has(partner)) {
    const known = [...partners].join(", ")
    const others = known === "" ? "it has none: name them under `partners:`" : `partners are ${known}`
    const rule = `"${partner}" is no partner of this dialogue; ${others}`
    throw new FileInvalid({ file, line: yaml.line, rule })
  }
  return { _tag: "partner", partner, act: read(file, body), place, text }
}

/** Reads a message of a messages file. Throws `FileInvalid`. */
export const readTemplate = (file: string, yaml: Yaml): Template => {
  const keys = new MapReader(file, yaml, "a message")
  const made = template(file, keys)
  keys.done()
  return made
}

/** The settings of the system under test, as they are written. */
export const readSettings = (file: string, yaml: Yaml): SystemSettings => {
  if (yaml.kind !== "map") throw new FileInvalid({ file, line: yaml.line, rule: "a map of settings is expected" })
  return Object.fromEntries(
    [...yaml.entries].map(([key, value]) => [key, value.kind === "text" ? value.text : readSettings(file, value)])
  )
}
