/**
 * The values of one map of a file, read key by key; keys that nobody asked for are refused with the nearest known one. Owns no
 * meaning of any key.
 */
import { Effect } from "effect"
import { reasonOf } from "../SimulatorError.ts"
import { textOfFile } from "./FileBytes.ts"
import { FileInvalid } from "./FileInvalid.ts"
import { knownNames, nearest } from "./Nearest.ts"
import { invalidAt, parseYaml, type ReadValue, type Yaml, type YamlMap } from "./YamlNodes.ts"

const isFieldNumber = (key: string): boolean => /^\d{1,3}$/.test(key)

/** Reads the values of one map, and complains about keys that nobody read. */
export class MapReader {
  private readonly yaml: YamlMap
  private readonly known = new Set<string>()
  private hasFields = false

  /** `what` begins the sentence that refuses anything but a map. */
  constructor(yaml: Yaml, what: string) {
    if (yaml.kind !== "map") throw invalidAt(yaml, `${what} needs a map of keys`)
    this.yaml = yaml
  }

  /** The value of a key, `undefined` when it is not there. */
  get<A>(key: string, read: ReadValue<A>): A | undefined {
    this.known.add(key)
    const yaml = this.yaml.entries.get(key)
    return yaml === undefined ? undefined : read(yaml)
  }

  /** The value of a key that has to be there. */
  need<A>(key: string, read: ReadValue<A>): A {
    const value = this.get(key, read)
    if (value !== undefined) return value
    this.refuseSlipOf([key])
    throw invalidAt(this.yaml, `"${key}:" is missing`)
  }

  /** Refuses a key that is none and is near to one of these, which are missing: that it is not known says more. */
  refuseSlipOf(keys: ReadonlyArray<string>): void {
    for (const [name, yaml] of this.yaml.entries) {
      const meant = this.known.has(name) ? undefined : nearest(name, keys)
      if (meant !== undefined) throw invalidAt(yaml, `"${name}" is not known here; did you mean "${meant}"?`)
    }
  }

  /** Whether a key is there. */
  has(key: string): boolean {
    return this.yaml.entries.has(key)
  }

  /** The entries whose keys are data element numbers. */
  fields(): ReadonlyArray<readonly [string, Yaml]> {
    this.hasFields = true
    return [...this.yaml.entries].filter(([key]) => isFieldNumber(key))
  }

  /** Refuses the first key that nobody has asked for; `elsewhere` are keys that were read before. */
  done(elsewhere: ReadonlyArray<string> = []): void {
    for (const [key, yaml] of this.yaml.entries) {
      if ((this.hasFields && isFieldNumber(key)) || this.known.has(key)) continue
      const names = knownNames(key, [...this.known, ...elsewhere])
      const fields = this.hasFields ? ", and data element numbers" : ""
      throw invalidAt(yaml, `"${key}" is not known here; ${names}${fields}`)
    }
  }

  /** A rule that this map breaks at one of its keys. */
  wrong(key: string, rule: string): FileInvalid {
    return invalidAt(this.yaml.entries.get(key) ?? this.yaml, `${key}: ${rule}`)
  }
}

/** A reader for a map that is read by its keys; refuses those that `read` did not ask for. */
export const mapOf =
  <A>(what: string, read: (map: MapReader) => A): ReadValue<A> =>
  (yaml) => {
    const map = new MapReader(yaml, what)
    const result = read(map)
    map.done()
    return result
  }

/** A reader for a map whose keys are names. */
export const namedOf =
  <A>(what: string, read: (name: string, yaml: Yaml) => A): ReadValue<ReadonlyArray<readonly [string, A]>> =>
  (yaml) => {
    if (yaml.kind !== "map") throw invalidAt(yaml, `${what} needs a map by name`)
    return [...yaml.entries].map(([name, value]) => [name, read(name, value)] as const)
  }

/** What a reader threw as the error of a file; what the system says of it is about the whole file. */
export const asFileInvalid =
  (file: string) =>
  (error: unknown): FileInvalid =>
    error instanceof FileInvalid ? error : new FileInvalid({ file, line: 0, rule: reasonOf(error) })

/** Reads a whole file by its top map. */
export const readFile = <A>(file: string, read: (top: MapReader) => A): Effect.Effect<A, FileInvalid> =>
  Effect.try({
    try: () => mapOf("the file", read)(parseYaml(file, textOfFile(file))),
    catch: asFileInvalid(file)
  })
