/**
 * What a reload would change: two checked configurations compared, links in slices, because a switch runs meanwhile.
 *
 * It says it in the file's own words (`links[issuer].window: 64 becomes 128`), names what a running switch cannot change, and
 * does nothing. Keys without effect on the switch (checks such as `partnerTimeout`, a default that is now written out) change
 * nothing.
 */
import { isDeepStrictEqual } from "node:util"
import { Effect } from "effect"
import type { LinkPlan } from "../../exchange/LinkPlan.ts"
import { inSlices } from "../../exchange/turns/Slices.ts"
import { isSame } from "../../Reload.ts"
import type { Configuration } from "../Configuration.ts"
import type { ConfigurationDocument } from "./ConfigurationDocument.ts"
import type { LinkDocument } from "./link/LinkDocument.ts"
import { routeWords } from "./RouteWords.ts"

/** The changes, as sentences; `restart`: those that a running switch cannot carry out. */
export interface Plan {
  readonly added: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  readonly changed: ReadonlyArray<{ readonly name: string; readonly what: ReadonlyArray<string> }>
  /** Links that keep their connection. */
  readonly unchanged: number
  readonly groups: ReadonlyArray<string>
  readonly routes: ReadonlyArray<string>
  /** Times and limits of the whole switch. */
  readonly limits: ReadonlyArray<string>
  /** Doors and HTTP doors. */
  readonly doors: ReadonlyArray<string>
  /** The operators' listener. */
  readonly admin: ReadonlyArray<string>
  readonly restart: ReadonlyArray<string>
}

/** Whether there is anything to do. */
export const isEmpty = (plan: Omit<Plan, "restart">): boolean =>
  [plan.added, plan.removed, plan.changed, plan.groups, plan.routes, plan.limits, plan.doors, plan.admin].every(
    ({ length }) => length === 0
  )

/** Top-level keys with a place of their own in the plan. */
const planned = new Set(["links", "groups", "routes", "doors", "http", "admin"])

/** Keys that a running switch takes over. All others need a restart: a key that nobody has thought of is not guessed at. */
const taken = new Set([
  "requestTimeout",
  "drainTimeout",
  "journal.unwrittenRefuse",
  "journal.unwrittenStop",
  "journal.keep",
  "journal.archive"
])

/** Why a key cannot be changed, where there is more to say. */
const because: Readonly<Record<string, string>> = {
  institution: "it is in every link",
  recentRequests: "the memory of recent requests is made once",
  security: "the keys of partners are in the module that runs",
  "journal.directory": "a switch has one journal",
  "journal.key": "the journal is open with the old one",
  "journal.previousKeys": "they are read when the journal is opened",
  "journal.postgres": "the journal is open where it is",
  "journal.reserve": "the journal's thread has it"
}

interface Difference {
  readonly path: string
  readonly says: string
}

const isMapping = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const shown = (value: unknown): string => {
  if (value === undefined) return "nothing"
  return isMapping(value) || Array.isArray(value) ? "a mapping or list" : String(value)
}

/** The differences of two values, each at the deepest key that both have as a mapping. */
const differences = (before: unknown, after: unknown, path: string): ReadonlyArray<Difference> => {
  if (isDeepStrictEqual(before, after)) return []
  if (isMapping(before) && isMapping(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
    return keys.flatMap((key) => differences(before[key], after[key], path === "" ? key : `${path}.${key}`))
  }
  const simple = !(isMapping(before) || isMapping(after) || Array.isArray(before) || Array.isArray(after))
  return [{ path, says: simple ? `${path}: ${shown(before)} becomes ${shown(after)}` : `${path} changes` }]
}

/** The key of a rule about top-level keys: `journal.key` for everything below it. */
const ruleOf = (path: string): string => path.split(".").slice(0, 2).join(".")

const topLevel = (before: ConfigurationDocument, after: ConfigurationDocument) => {
  const found = differences(
    Object.fromEntries(Object.entries(before).filter(([key]) => !planned.has(key))),
    Object.fromEntries(Object.entries(after).filter(([key]) => !planned.has(key))),
    ""
  )
  const restart = found.filter(({ path }) => !taken.has(ruleOf(path)))
  return {
    limits: found.filter(({ path }) => taken.has(ruleOf(path))).map(({ says }) => says),
    restart: [...new Set(restart.map(({ path }) => reasoned(ruleOf(path))))]
  }
}

const reasoned = (key: string): string => {
  const why = because[key] ?? because[key.split(".")[0]!]
  return why === undefined ? key : `${key} (${why})`
}

const routesOf = (before: ConfigurationDocument, after: ConfigurationDocument): ReadonlyArray<string> => {
  const old = new Map(before.routes.map((route) => [routeWords(route), route.to]))
  const now = new Map(after.routes.map((route) => [routeWords(route), route.to]))
  return [
    ...[...now].filter(([key]) => !old.has(key)).map(([key, to]) => `${key} to ${to}: added`),
    ...[...old].filter(([key]) => !now.has(key)).map(([key, to]) => `${key} to ${to}: removed`),
    ...[...now]
      .filter(([key, to]) => old.has(key) && old.get(key) !== to)
      .map(([key, to]) => `${key}: ${old.get(key)} becomes ${to}`)
  ]
}

/** What has a name and no plan of its own. */
const namedOf = (
  before: ReadonlyArray<{ readonly name: string }>,
  after: ReadonlyArray<{ readonly name: string }>
): ReadonlyArray<string> => {
  const old = new Map(before.map((one) => [one.name, one]))
  const now = new Map(after.map((one) => [one.name, one]))
  return [
    ...[...now.keys()].filter((name) => !old.has(name)).map((name) => `${name}: added`),
    ...[...old.keys()].filter((name) => !now.has(name)).map((name) => `${name}: removed`),
    ...[...now].flatMap(([name, one]) => {
      const found = old.has(name) ? differences(old.get(name), one, "") : []
      return found.length === 0 ? [] : [`${name}: ${found.map(({ says }) => says).join("; ")}`]
    })
  ]
}

/** What changes in a link, by its keys; its dialect's file may have changed under its old name, or what its door knows it by. */
const linkChanges = (before: LinkDocument, after: LinkDocument, isDoors: boolean): ReadonlyArray<string> => {
  const found = differences(before, after, "").map(({ says }) => says)
  if (found.length > 0) return found
  return [isDoors ? `what its door, ${after.door?.name}, knows it by` : `the contents of its dialect, ${after.dialect}`]
}

/** The plan from the configuration that runs to another one. */
export const planOf = (before: Configuration, after: Configuration): Effect.Effect<Plan> => {
  const plans = new Map(before.settings.links.map((link) => [link.name, link]))
  const documents = new Map(before.document.links.map((link) => [link.name, link]))
  const names = new Set(after.document.links.map(({ name }) => name))
  const changed: Array<Plan["changed"][number]> = []
  const compare = (link: LinkPlan, at: number): void => {
    const old = plans.get(link.name)
    if (old === undefined || isSame(old, link)) return
    const isDoors = !isDeepStrictEqual(old.mark, link.mark)
    const what = linkChanges(documents.get(link.name)!, after.document.links[at]!, isDoors)
    changed.push({ name: link.name, what })
  }
  return Effect.map(inSlices(after.settings.links, compare), () => {
    const added = [...names].filter((name) => !plans.has(name))
    return {
      added,
      removed: [...plans.keys()].filter((name) => !names.has(name)),
      changed,
      unchanged: names.size - added.length - changed.length,
      groups: namedOf(before.document.groups, after.document.groups),
      doors: [
        ...namedOf(before.document.doors, after.document.doors),
        ...namedOf(before.document.http, after.document.http)
      ],
      admin: differences({ admin: before.document.admin }, { admin: after.document.admin }, "").map(({ says }) => says),
      routes: routesOf(before.document, after.document),
      ...topLevel(before.document, after.document)
    }
  })
}
