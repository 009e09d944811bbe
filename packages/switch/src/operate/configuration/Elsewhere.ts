/**
 * Addresses and places that differ from one machine to the next: `port: { env: PORT }` or `host: { file: host.txt }` where the
 * value itself may be written. They are fetched before anything is checked, so that all rules hold for what is really used.
 *
 * Secrets are not among them: `journal.key`, tokens and the like have `env` and `file` as their own keys.
 */
import { Config, Effect, FileSystem, Path } from "effect"
import { error, type Finding, type Path as Place, pathText } from "./text/Problem.ts"

/** Keys whose value may be elsewhere, wherever they are, and whether it is a number. */
export const elsewhereKeys: Readonly<Record<string, "text" | "number">> = {
  host: "text",
  port: "number",
  servername: "text",
  directory: "text",
  otlp: "text"
}

/** One value that was fetched. */
interface Fetched {
  readonly place: Place
  /** Where it came from, in words. */
  readonly from: string
}

/** A document with its values in place. */
export interface WithValues {
  readonly value: unknown
  readonly findings: ReadonlyArray<Finding>
  /** A finding about a value that was fetched says where it came from. */
  readonly told: (finding: Finding) => Finding
}

const isMapping = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Whether a value is a reference to another one. */
const isReference = (key: string, value: unknown): value is { readonly [key: string]: unknown } =>
  Object.hasOwn(elsewhereKeys, key) && isMapping(value) && (Object.hasOwn(value, "env") || Object.hasOwn(value, "file"))

/** Fetches all values of a document; `directory` is where relative files are. */
export const withValues = Effect.fnUntraced(function* (
  document: unknown,
  directory: string
): Effect.fn.Return<WithValues, never, FileSystem.FileSystem | Path.Path> {
  const findings: Array<Finding> = []
  const fetched: Array<Fetched> = []
  const walk = (value: unknown, place: Place): Effect.Effect<unknown, never, FileSystem.FileSystem | Path.Path> => {
    if (Array.isArray(value)) return Effect.forEach(value, (one, at) => walk(one, [...place, at]))
    if (!isMapping(value)) return Effect.succeed(value)
    return Effect.map(
      Effect.forEach(Object.entries(value), ([key, one]) => {
        const at: Place = [...place, key]
        if (!isReference(key, one)) return Effect.map(walk(one, at), (made) => [key, made] as const)
        return Effect.match(fetch(one, at, elsewhereKeys[key]!, directory), {
          onFailure: (finding) => {
            findings.push(finding)
            return [key, one] as const
          },
          onSuccess: ({ from, value }) => {
            fetched.push({ place: at, from })
            return [key, value] as const
          }
        })
      }),
      Object.fromEntries
    )
  }
  const value = yield* walk(document, [])
  const wrong = new Set(findings.map(({ path }) => pathText(path.slice(0, -1))))
  const told = (finding: Finding): Finding => {
    const source = fetched.find(({ place }) => pathText(place) === pathText(finding.path))
    return source === undefined || finding.found !== undefined ? finding : { ...finding, found: source.from }
  }
  return {
    value: wrong.size === 0 ? value : without(value, wrong, []),
    findings,
    told
  }
})

/** What could not be fetched is told once: nothing else is said about what takes its place. */
const without = (value: unknown, wrong: ReadonlySet<string>, place: Place): unknown => {
  if (Array.isArray(value)) return value.map((one, at) => without(one, wrong, [...place, at]))
  if (!isMapping(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      const at = [...place, key]
      const standIn = elsewhereKeys[key] === "number" ? 0 : "localhost"
      return [key, wrong.has(pathText(at)) ? standIn : without(one, wrong, at)]
    })
  )
}

/** The value of one reference. */
const fetch = Effect.fnUntraced(function* (
  reference: { readonly [key: string]: unknown },
  place: Place,
  kind: "text" | "number",
  directory: string
): Effect.fn.Return<{ readonly value: unknown; readonly from: string }, Finding, FileSystem.FileSystem | Path.Path> {
  const { default: fallback, env, file, ...others } = reference
  const [odd] = Object.keys(others)
  if (odd !== undefined || (env === undefined) === (file === undefined)) {
    const rule = "a value from elsewhere has `env` or `file`, and perhaps `default`"
    return yield* Effect.fail(error([...place, odd ?? "env"], rule, "Write { env: NAME } or { file: PATH }.", ""))
  }
  const key = env === undefined ? "file" : "env"
  const name = env ?? file
  if (typeof name !== "string" || name === "") {
    return yield* Effect.fail(error([...place, key], "expected a name", "Write the name as a text."))
  }
  const from = key === "env" ? `what the environment variable ${name} holds` : `what the file ${name} holds`
  const read = key === "env" ? Effect.option(Config.String(name)) : Effect.option(textOf(name, directory))
  const found = yield* read
  if (found._tag === "None" && fallback === undefined) {
    const [rule, fix] =
      key === "env"
        ? [`the environment variable ${name} holds the value`, "Set it where the switch is started from"]
        : ["the file holds the value", "Name a file that the switch's user may read"]
    return yield* Effect.fail(
      error(
        [...place, key],
        rule,
        `${fix}, or add \`default:\`.`,
        key === "env" ? "no such variable" : "no such file, or not readable"
      )
    )
  }
  const value = found._tag === "Some" ? found.value.trim() : fallback
  if (kind === "text" || typeof value !== "string") return { value, from }
  if (/^\d{1,5}$/.test(value)) return { value: Number(value), from }
  return yield* Effect.fail(error([...place, key], `${from} is a number`, "Give it digits alone.", "another text"))
})

const textOf = Effect.fnUntraced(function* (file: string, directory: string) {
  const files = yield* FileSystem.FileSystem
  return yield* files.readFileString((yield* Path.Path).resolve(directory, file))
})
