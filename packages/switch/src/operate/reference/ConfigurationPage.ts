/**
 * docs/reference/configuration.md: every key with its meaning, values and default, from the schema itself. Pure.
 */
import { elsewhereKeys } from "../configuration/Elsewhere.ts"
import { frames, frameTitles, shippedDialects } from "../configuration/Shipped.ts"
import { type SchemaNode, schemaTree } from "./JsonSchema.ts"
import { cell, page, table } from "./Markdown.ts"

/** A row: path, node, and whether the key must be there. */
interface Row {
  readonly path: string
  readonly node: SchemaNode
  readonly isRequired: boolean
}

/** The text of docs/reference/configuration.md. */
export const configurationPage = (): string => {
  const tree = schemaTree()
  const rows = new Rows(tree).of(tree, "")
  const isOfFrame = ({ path }: Row) => path.startsWith("links[].frame.")
  return page("Configuration", [
    "One YAML file is the whole configuration of a switch. `jinka check FILE` reads it, shows every error with its line and what to write instead, and prints what it says; `jinka run FILE` does the same before it starts.",
    "How values are written: a duration is a number and a unit (`15 seconds`, `500 millis`, `2 minutes`), from 1 millisecond to 24 hours; a size is one, too (`64 KiB`, `4 MiB`); a name has 1 to 64 letters, digits, dots, hyphens and underscores. Digits that are a code or the beginning of a card number are in quotes, because YAML drops leading zeros of a bare number. Paths are relative to the file. Unknown keys are errors.",
    "Editors that know JSON Schema complete and check the file while it is written, with this as its first line:",
    "```yaml\n# yaml-language-server: $schema=configuration.schema.json\n```",
    "## Example",
    `\`\`\`yaml\n${example}\`\`\``,
    "## Keys",
    "A default is shown where a key may be left out; `required` where it may not; `none` where nothing is then assumed. `[]` stands for each entry of a list. Keys that are the same in several places (`tls`, `keepAlive`, `limits`) are listed once.",
    keyTable(rows.filter((row) => !isOfFrame(row))),
    "## Frames",
    "`frame:` is the name of a shipped frame or a mapping.",
    table(
      ["Name", "Frame"],
      Object.keys(frames).map((name) => [`\`${name}\``, frameTitles[name] ?? ""])
    ),
    keyTable(rows.filter(isOfFrame)),
    "## Dialects",
    table(
      ["Name", "Messages", "Usual frame", "Usual time zone"],
      Object.values(shippedDialects).map(({ dialect, frame, timeZone }) => [
        `\`${dialect.name}\``,
        dialect.title,
        `\`${frame}\``,
        timeZone
      ])
    ),
    "A partner that differs gets a dialect file: `dialect: ./ours.yaml`, with `extends` and the differences. Give it a `name` of its own, because the journal tells dialects apart by their names.",
    "```yaml\nname: our-partner\nextends: cups\nfields:\n  60: ans...030 # another length\n  5: null # not used\n  44: { format: ans..25, encoding: gbk }\n```",
    "## What is checked between keys",
    relations,
    "## Values from the environment and from files",
    `${Object.keys(elsewhereKeys)
      .map((key) => `\`${key}\``)
      .join(
        ", "
      )} may be elsewhere: \`port: { env: PORT }\`, \`host: { file: /run/host }\`, each with a \`default\` if you like. They are read before anything is checked. A reload reads files again; environment variables keep the values of the start.`,
    "## Secrets",
    "The file holds no secret: `journal.key` says where the key is. `env` names an environment variable, `file` a file that only the switch's user may read (0600; root's own may be 0640 for a group), and any other file is refused; both hold 32 bytes as 64 hex digits (`openssl rand -hex 32`). Keep the key apart from the journal's disk and backups. To change it, give the new one as `key` and the old one in `previousKeys`."
  ])
}

const example = `name: demo
institution: "00010000"
journal: { directory: ./journal, key: { env: JINKA_JOURNAL_KEY } }
links:
  - name: acquirer
    institution: "48020000"
    dialect: cups
    listen: { host: 127.0.0.1, port: 7001, from: [127.0.0.1], second: replace }
    signOn: { expect: true }
  - name: issuer
    institution: "01020000"
    dialect: cups
    connect: { host: 127.0.0.1, port: 7002 }
    signOn: { send: true }
routes:
  - { bin: "621234", to: issuer }
  - { institution: "01020000", to: issuer }
`

const relations = [
  "Errors:",
  "- Link names are unique; a route's `to` is one of them or a group; no two routes have the same `bin` or `institution`.",
  "- Exactly one of `connect`, `listen` and `door` of a link, of `connect` and `listen` of each of its `legs`, of `bin` and `institution`, of `env` and `file`.",
  "- `mode: async-simplex` and `legs` go together, and such a link has no `connect`, `listen` or `door` of its own.",
  "- No two links, legs or doors listen on the same address.",
  "- A link's `door.name` is one of the doors. What tells partners apart at a door (addresses, certificates, institutions, field values) leads to one link each; behind a door by header or field all links share dialect and frame.",
  "- TLS: `certificate` and `key` go together, who listens has them, who dials has `ca` or `partner.fingerprints`; names and revocation lists need `ca`.",
  "- Behind an HTTP door each link has a `path` of its own, and is sync-short with the frame until-close.",
  "- `second: challenge` needs a link that probes silence by an echo; a leg has none.",
  "- The key of a link's messages (`match.transaction` of its dialect, and `callers`) has at most 128 bytes, with every field at its longest; a card number at most 19 digits.",
  "- A group has a name of its own; its members are links, each in one group once, with the same `institution`, `ourInstitution`, `dialect`, `stan` and `callers`; `use: sticky` and `by` go together, and the dialect has the data elements.",
  "- A message of `lengthMax` bytes fits its length header. `idle` needs a frame with idle frames.",
  "- `watchdog.probe` and `signOn` need a dialect with such messages.",
  "- Whoever asks waits longer than whom it asks: `requestTimeout` is longer than `partnerTimeout` and shorter than `answerWithin` of every link.",
  "- `reconnect.max` is not shorter than `reconnect.min`.",
  "- The path of the control socket has at most 107 bytes.",
  "",
  "Warnings, with which a switch starts all the same:",
  "- Our silence outlasts `partnerIdleTimeout`: the smaller of both sides' idle timeouts wins, and the partner would close.",
  "- TLS that asks for no certificate, or takes any of an authority; partners of one authority that could pretend to be each other at a door.",
  "- `second: replace` without `from` and without TLS: anybody who reaches the port could take the link away.",
  "- A `delimiter` that messages of the dialect may hold: any in binary parts, printable characters in text.",
  "- A `weight` with `use: primary-backup`: it means nothing.",
  "- `legs.timeout` is shorter than `reconnect.max`: a leg would be closed while the other only pauses.",
  "- `storeAndForward.timeout` is not longer than `partnerTimeout`; `drainTimeout` is shorter than `requestTimeout`; there are no routes."
].join("\n")

/** Mappings of so few keys are written out each time. */
const REPEATED_KEYS_MAX = 2

/** The keys of a schema. A mapping that is in several places (such as `tls`) is shown in one of them, at a link if it can be. */
class Rows {
  /** Where a mapping is shown, by its keys as JSON. */
  private readonly shown = new Map<string, string>()

  constructor({ properties = {} }: SchemaNode) {
    const { links } = properties
    if (links !== undefined) this.of({ properties: { links } }, "")
  }

  of(node: SchemaNode, path: string): ReadonlyArray<Row> {
    return Object.entries(node.properties ?? {}).flatMap(([key, one]) => {
      const own = path === "" ? key : `${path}.${key}`
      const isRequired = node.required?.includes(key) === true
      const { properties = {} } = one.items ?? one
      const keys = JSON.stringify(properties)
      const first = Object.keys(properties).length > REPEATED_KEYS_MAX ? this.shown.get(keys) : undefined
      if (first !== undefined && first !== own) {
        const description = `${one.description ?? ""} The same keys as in \`${first}\`.`
        return [{ path: own, node: { ...one, description }, isRequired }]
      }
      this.shown.set(keys, own)
      return [{ path: own, node: one, isRequired }, ...this.below(one, own)]
    })
  }

  /** The rows inside a key: of its mapping, of the mappings in its list, of the mappings that it may be. */
  private below(node: SchemaNode, path: string): ReadonlyArray<Row> {
    return [
      ...this.of(node, path),
      ...(node.items === undefined ? [] : this.of(node.items, `${path}[]`)),
      ...(node.anyOf ?? []).flatMap((one) => {
        const kind = one.properties?.["kind"]?.enum?.[0]
        return this.of(one, path).map((row) =>
          kind === undefined ? row : { ...row, path: `${row.path} (${String(kind)})` }
        )
      })
    ]
  }
}

const keyTable = (rows: ReadonlyArray<Row>): string =>
  table(
    ["Key", "Meaning", "Values", "Default"],
    rows.map(({ path, node, isRequired }) => [
      `\`${path}\``,
      cell(node.description ?? ""),
      cell(values(node)),
      isRequired ? "required" : fallback(node)
    ])
  )

/** Values that the page explains once, in front of the keys. */
const usual: ReadonlyArray<readonly [long: string, short: string]> = [
  ['a duration such as "15 seconds", at least 1 millisecond, at most 24 hours', "a duration"],
  ["a name of 1 to 64 letters, digits, dots, hyphens and underscores", "a name"],
  ['a size such as "4 MiB"', "a size"]
]

const values = (node: SchemaNode): string => {
  if (node.enum !== undefined && node.enum.length > 1) return node.enum.map((one) => `\`${String(one)}\``).join(", ")
  if (node.expected !== undefined)
    return usual.reduce((text, [long, short]) => text.replace(long, short), node.expected)
  if (node.enum !== undefined) return `\`${String(node.enum[0])}\``
  if (node.anyOf !== undefined) return node.anyOf.map(values).join("; or ")
  if (node.type === "array") return `a list: ${node.items === undefined ? "" : values(node.items)}`
  return node.type === "object" ? "a mapping" : (node.type ?? "")
}

const fallback = ({ default: value, type }: SchemaNode): string => {
  if (value === undefined) return "none"
  if (type === "object") return "see its keys"
  return Array.isArray(value) ? "an empty list" : `\`${String(value)}\``
}
