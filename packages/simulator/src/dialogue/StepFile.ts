/**
 * One step of a dialogue file: `A sends: {...}`, `B expects close: RST`, `wait: 200ms`. Owns the steps' words and keys, which
 * docs/reference/dialogues.md lists; what they do is the runner's.
 */
import { MapReader } from "../file/MapReader.ts"
import { durationOf, eachOf, invalidAt, listOf, numberOf, textOf, textsOf, type Yaml } from "../file/YamlNodes.ts"
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

const fieldNumbers = (yaml: Yaml): ReadonlyArray<number> =>
  listOf(yaml).map((text) => {
    if (isFieldNumber(text)) return Number(text)
    throw invalidAt(yaml, `"${text}" is no data element number`)
  })

const hexOf = (yaml: Yaml): Buffer => {
  const digits = textOf(yaml).replaceAll(/\s/g, "")
  if (/^([0-9A-Fa-f]{2})*$/.test(digits)) return Buffer.from(digits, "hex")
  throw invalidAt(yaml, "pairs of hex digits are expected")
}

const template = (keys: MapReader): Template => ({
  like: keys.get("like", textOf),
  answerTo: keys.get("answer to", textOf),
  again: keys.get("again", textOf),
  mti: keys.get("mti", textOf),
  fields: Object.fromEntries(keys.fields().map(([de, yaml]) => [de, textOf(yaml)])),
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
  splitAt: keys.get("split at", eachOf(numberOf)) ?? [],
  pauseMs: keys.get("pause", durationOf) ?? 20,
  slowlyMs: keys.get("slowly", durationOf)
})

const timing = (keys: MapReader): Timing => ({
  withinMs: keys.get("within", durationOf),
  notBeforeMs: keys.get("not before", durationOf) ?? 0,
  since: keys.get("since", textOf)
})

/** Several messages in a list leave in one write. */
const sends = (yaml: Yaml): Act =>
  yaml.kind === "list"
    ? { _tag: "sendTogether", messages: yaml.items.map((item) => sending(new MapReader(item, "sends"))) }
    : sendsOne(yaml)

const sending = (keys: MapReader): Sending => {
  const message: Sending = {
    _tag: "send",
    as: keys.get("as", textOf),
    template: template(keys),
    corruption: corruption(keys)
  }
  keys.done()
  return message
}

const sendsOne = (yaml: Yaml): Act => {
  const keys = new MapReader(yaml, "sends")
  const bytes = keys.get("bytes", hexOf) ?? keys.get("text", (text) => Buffer.from(textOf(text), "latin1"))
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
  return sending(keys)
}

const expressionsOf = (yaml: Yaml): Values => {
  const texts = textsOf(yaml)
  for (const text of Object.values(texts)) {
    try {
      new RegExp(text)
    } catch {
      throw invalidAt(yaml, `${text} is no regular expression`)
    }
  }
  return texts
}

const expects = (yaml: Yaml): Act => {
  const keys = new MapReader(yaml, "expects")
  const expectation: Expectation = {
    as: keys.get("as", textOf),
    mti: keys.get("mti", listOf),
    fields: Object.fromEntries(keys.fields().map(([de, value]) => [de, listOf(value)])),
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

const endOf = (yaml: Yaml): (typeof ends)[number] => {
  const end = ends.find((one) => one === textOf(yaml))
  if (end !== undefined) return end
  throw invalidAt(yaml, "FIN, RST or any is expected")
}

const noBounds: Timing = { withinMs: undefined, notBeforeMs: 0, since: undefined }

const expectsClose = (yaml: Yaml): Act => {
  if (yaml.kind === "text") return { _tag: "expectClose", how: endOf(yaml), timing: noBounds }
  const keys = new MapReader(yaml, "expects close")
  const act: Act = { _tag: "expectClose", how: keys.get("how", endOf) ?? "any", timing: timing(keys) }
  keys.done()
  return act
}

const expectsIdle = (yaml: Yaml): Act => {
  if (yaml.kind === "text") {
    const withinMs = yaml.text === "" ? undefined : durationOf(yaml)
    return { _tag: "expectIdle", timing: { ...noBounds, withinMs } }
  }
  const keys = new MapReader(yaml, "expects idle frame")
  const act: Act = { _tag: "expectIdle", timing: timing(keys) }
  keys.done()
  return act
}

const closes = (yaml: Yaml): Act => {
  const how = endOf(yaml)
  if (how !== "any") return { _tag: "close", how }
  throw invalidAt(yaml, "FIN or RST is expected")
}

/** What partners can do, by the words behind the partner's name. */
const acts: Readonly<Record<string, (yaml: Yaml) => Act>> = {
  connects: () => ({ _tag: "connect" }),
  listens: () => ({ _tag: "listen" }),
  "stops listening": () => ({ _tag: "stopListening" }),
  accepts: (yaml) => ({
    _tag: "accept",
    withinMs: yaml.kind === "text" && yaml.text === "" ? undefined : durationOf(yaml)
  }),
  sends,
  "sends idle frame": () => ({ _tag: "sendIdle" }),
  expects,
  "expects nothing": (yaml) => ({ _tag: "expectNothing", forMs: durationOf(yaml) }),
  "expects idle frame": expectsIdle,
  "expects close": expectsClose,
  closes
}

/** Head and body of a step: one key with its value, or a text alone. */
const partsOf = (yaml: Yaml): readonly [string, Yaml] => {
  if (yaml.kind === "text")
    return [yaml.text, { kind: "text", file: yaml.file, line: yaml.line, key: yaml.text, text: "" }]
  const entry = yaml.kind === "map" ? [...yaml.entries][0] : undefined
  if (yaml.kind === "map" && yaml.entries.size === 1 && entry !== undefined) return entry
  throw invalidAt(yaml, "a step is one line such as `A sends:` with its keys below")
}

/** Reads one step. Throws `FileInvalid`. */
export const readStep = (yaml: Yaml, partners: ReadonlySet<string>): Step => {
  const [head, body] = partsOf(yaml)
  const place: Place = { file: yaml.file, line: yaml.line }
  const text = body.kind === "text" && body.text !== "" ? `${head}: ${body.text}` : head
  if (head === "wait") return { _tag: "wait", ms: durationOf(body), place, text }
  if (head === "let") return { _tag: "let", values: textsOf(body), place, text }
  if (head === "operator") return { _tag: "operator", what: textOf(body), place, text }
  const space = head.indexOf(" ")
  const partner = head.slice(0, Math.max(0, space))
  const words = head.slice(space + 1)
  const read = acts[words]
  if (read === undefined || partner === "") {
    const known = Object.keys(acts).join(", ")
    const rule = `"${head}" is no step; a step is wait, let, operator, repeat, for each, or a partner's name and one of: ${known}`
    throw invalidAt(yaml, rule)
  }
  if (!partners.has(partner)) {
    const known = [...partners].join(", ")
    const others = known === "" ? "it has none: name them under `partners:`" : `partners are ${known}`
    const rule = `"${partner}" is no partner of this dialogue; ${others}`
    throw invalidAt(yaml, rule)
  }
  return { _tag: "partner", partner, act: read(body), place, text }
}

/** Reads a message of a messages file. Throws `FileInvalid`. */
export const readTemplate = (yaml: Yaml): Template => {
  const keys = new MapReader(yaml, "a message")
  const made = template(keys)
  keys.done()
  return made
}

/** The settings of the system under test, as they are written. */
export const readSettings = (yaml: Yaml): SystemSettings => {
  if (yaml.kind !== "map") throw invalidAt(yaml, "a map of settings is expected")
  return Object.fromEntries(
    [...yaml.entries].map(([key, value]) => [key, value.kind === "text" ? value.text : readSettings(value)])
  )
}
