/**
 * Tables of cases and loops: one rule over many values. Values are put into the file's texts before anything of it is
 * understood, so that they may be anywhere. Pure.
 *
 *     cases: { code: [05, 51, 61] }                every combination of the lists
 *     cases: [{ code: 05, answer: 0210 }, ...]     one map a case
 *     cases: ../editions.yaml                      the table of another file
 *     - repeat: 3                                  {n} is 1, 2, 3
 *       steps: [...]
 *     - for each: { code: [05, 51] }               {each.code}
 *       steps: [...]
 */
import { MapReader } from "../file/MapReader.ts"
import { knownNames } from "../file/Nearest.ts"
import { invalidAt, listOf, numberOf, textOf, type Yaml } from "../file/YamlNodes.ts"

/** The values of one case by their names. */
export type Case = ReadonlyMap<string, string>

/** Most cases of one file, and most turns of one loop. */
const CASES_MAX = 1000

const noCases: ReadonlyArray<Case> = [new Map()]

const combined = (lists: ReadonlyArray<readonly [string, ReadonlyArray<string>]>): ReadonlyArray<Case> =>
  lists.reduce<ReadonlyArray<Case>>(
    (cases, [name, values]) => cases.flatMap((one) => values.map((value) => new Map([...one, [name, value]]))),
    noCases
  )

const listedCase = (yaml: Yaml): Case => {
  if (yaml.kind !== "map") throw invalidAt(yaml, "a case is a map of values")
  return new Map([...yaml.entries].map(([name, value]) => [name, textOf(value)]))
}

/** The cases of a table; a file without one is one case without values. */
export const casesOf = (yaml: Yaml | undefined): ReadonlyArray<Case> => {
  if (yaml === undefined) return noCases
  const cases =
    yaml.kind === "list"
      ? yaml.items.map((item) => listedCase(item))
      : yaml.kind === "map"
        ? combined([...yaml.entries].map(([name, values]) => [name, listOf(values)] as const))
        : []
  if (cases.length > 0 && cases.length <= CASES_MAX) return cases
  const rule = `1 to ${CASES_MAX} cases are expected: a list of maps, or a map of lists`
  throw invalidAt(yaml, rule)
}

/** Values of a case that its name has. */
const NAMED_BY_MAX = 3

/** A case for people, by its first values: `code 05, answer 0210`. */
export const caseText = (one: Case): string =>
  [...one]
    .slice(0, NAMED_BY_MAX)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ")

/** Replaces `{case.name}` in a text. */
type Replace = (text: string, yaml: Yaml) => string

const mapped = (yaml: Yaml, replace: Replace): Yaml => {
  switch (yaml.kind) {
    case "text":
      return { ...yaml, text: replace(yaml.text, yaml) }
    case "list":
      return { ...yaml, items: yaml.items.map((item) => mapped(item, replace)) }
    case "map": {
      const entries = [...yaml.entries].map(([key, value]) => [replace(key, value), mapped(value, replace)] as const)
      return { ...yaml, entries: new Map(entries) }
    }
  }
}

const replacing =
  (prefix: string, values: Case): Replace =>
  (text, yaml) =>
    text.replaceAll(new RegExp(`\\{${prefix}\\.([\\w -]+)\\}`, "g"), (_, name: string) => {
      const value = values.get(name)
      if (value !== undefined) return value
      const known = [...values.keys()]
      const has = known.length === 0 ? "there is no table: write one under `cases:`" : knownNames(name, known)
      const rule = `{${prefix}.${name}} is no value of the table; ${has}`
      throw invalidAt(yaml, rule)
    })

/** The file with the values of a case in its texts. Throws `FileInvalid` where a text names a value that there is not. */
export const withCase = <Y extends Yaml>(yaml: Y, one: Case): Y => mapped(yaml, replacing("case", one)) as Y

/** Turns of a loop; `undefined` when the step is none. */
const turnsOf = (yaml: Yaml): { readonly turns: ReadonlyArray<Replace>; readonly steps: Yaml } | undefined => {
  if (yaml.kind !== "map" || (!yaml.entries.has("repeat") && !yaml.entries.has("for each"))) return undefined
  const map = new MapReader(yaml, "a loop")
  const times = map.get("repeat", numberOf)
  const each = map.get("for each", casesOf)
  const steps = map.need("steps", (at) => at)
  map.done()
  if ((times === undefined) === (each === undefined)) throw map.wrong("repeat", "a loop has `repeat` or `for each`")
  if (times !== undefined && (times < 1 || times > CASES_MAX)) {
    throw map.wrong("repeat", `1 to ${CASES_MAX} times are possible`)
  }
  const counted = Array.from(
    { length: times ?? 0 },
    (_, at): Replace =>
      (text) =>
        text.replaceAll("{n}", String(at + 1))
  )
  return { turns: each === undefined ? counted : each.map((one) => replacing("each", one)), steps }
}

/** Steps with every loop written out; a loop in a loop has its own `{n}`. */
export const unrolled = (items: ReadonlyArray<Yaml>): ReadonlyArray<Yaml> =>
  items.flatMap((item) => {
    const loop = turnsOf(item)
    if (loop === undefined) return [item]
    const { steps, turns } = loop
    if (steps.kind !== "list") throw invalidAt(steps, "steps: needs a list")
    const inner = unrolled(steps.items)
    return turns.flatMap((replace) => inner.map((step) => mapped(step, replace)))
  })
