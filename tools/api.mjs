// The references of `@jinka/switch` and `@jinka/simulator`: everything that the packages export, with the first paragraph of what
// its source says of it.
//   node tools/run.mjs tools/api.mjs      writes docs/reference/switch.md and docs/reference/simulator.md
// The codec's page is written by hand, because its examples are tests.
import { readFileSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

/** Declarations that are exported, with the docstring in front of each. */
const declared =
  /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n(?:@[^\n]*\n)?export (?:declare )?(?:abstract )?(const|class|interface|type|function|namespace) (\w+)/g

/** One paragraph of a docstring, on one line, fit for a cell. */
const firstParagraph = (text) =>
  text
    .replace(/^\s*\* ?/gm, "")
    .trim()
    .split(/\n\s*\n/)[0]
    .replace(/\s+/g, " ")
    .replace(/\{@link (\w+)\}/g, "`$1`")
    .replaceAll("|", "\\|")

const kinds = {
  const: "value",
  class: "class",
  interface: "type",
  type: "type",
  function: "function",
  namespace: "namespace"
}

const sources = new Map()
const sourceOf = (file) => {
  const known = sources.get(file)
  if (known !== undefined) return known
  const text = readFileSync(file, "utf8")
  const head = /^\/\*\*((?:(?!\*\/)[\s\S])*)\*\//.exec(text)?.[1] ?? ""
  const names = new Map()
  for (const [, said, kind, name] of text.matchAll(declared)) {
    // A value and the type of the same name: the first says what it is.
    if (!names.has(name)) names.set(name, { kind: kinds[kind], says: firstParagraph(said) })
  }
  const read = { head: firstParagraph(head), names, text }
  sources.set(file, read)
  return read
}

/** The names of `export { a, type b } from`, of `export type { a } from`, of `export * from`; and `export * as A from`. */
const exported = (file) => {
  const { text } = sourceOf(file)
  return [...text.matchAll(/^export (?:type )?(\*(?: as (\w+))?|\{([^}]*)\}) from "(\.[^"]+)"/gm)].map(
    ([, what, space, list, from]) => ({
      from: join(dirname(file), from),
      space,
      names: list === undefined ? undefined : list.split(",").flatMap((one) => /(\w+)\s*$/.exec(one)?.[1] ?? []),
      isAll: what === "*"
    })
  )
}

/** Rows of one file's names; of a file that passes others' on: of those. */
const rowsOf = (file, wanted) => {
  const own = [...sourceOf(file).names].map(([name, one]) => ({ name, ...one }))
  const passed = exported(file).flatMap(({ from, names }) => rowsOf(from, names))
  const all = [...own, ...passed]
  if (wanted === undefined) return all
  return wanted.map((name) => all.find((one) => one.name === name) ?? { name, kind: "", says: "" })
}

const table = (rows) =>
  [
    "| Name | Kind | What it is |",
    "| --- | --- | --- |",
    ...rows.map(({ kind, name, says }) => `| \`${name}\` | ${kind} | ${says} |`)
  ].join("\n")

const place = (file) => relative(root, file)

/** The page of one package, from its index. */
export const apiPage = (name, intro) => {
  const index = join(root, "packages", name, "src", "index.ts")
  const parts = exported(index).map(({ from, names, space }) => {
    const title = space ?? place(from).replace(/^packages\/\w+\/src\//, "")
    return `## ${title}\n\n${sourceOf(from).head}\n\n${table(rowsOf(from, names))}`
  })
  return `# \`@jinka/${name}\`\n\n${intro}\n\n${parts.join("\n\n")}\n`
}

export const pages = {
  "switch.md": () =>
    apiPage(
      "switch",
      'The parts of the switch, for programs of your own: each heading is a namespace, `import { Switch, Transport } from "@jinka/switch"`. A link in a program of yours is shown in [the guide](../guides/embed-a-link.md). Generated from the sources by `tools/api.mjs`; a test holds the page to them.'
    ),
  "simulator.md": () =>
    apiPage(
      "simulator",
      'Partners, a fault proxy and a checker, for tests of your own: `import { startIssuer, check } from "@jinka/simulator"`. Each heading is the file that the names come from. Most is said better in a file that `jinka-sim` runs ([partners](partners.md), [load](load.md), [faults](faults.md)). Generated from the sources by `tools/api.mjs`; a test holds the page to them.'
    )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, page] of Object.entries(pages)) writeFileSync(join(root, "docs", "reference", name), page())
}
