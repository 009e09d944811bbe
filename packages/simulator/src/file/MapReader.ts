/**
 * The values of one map of a file, read key by key; keys that nobody asked for are refused with the nearest known one. Owns no
 * meaning of any key.
 */
import { FileInvalid } from "./FileInvalid.ts"
import { knownNames } from "./Nearest.ts"
import type { Yaml } from "./YamlNodes.ts"

/** Reads a value at its place in a file. Throws `FileInvalid`. */
export type ReadValue<A> = (file: string, yaml: Yaml) => A

const isFieldNumber = (key: string): boolean => /^\d{1,3}$/.test(key)

/** Reads the values of one map, and complains about keys that nobody read. */
export class MapReader {
  readonly file: string
  private readonly yaml: Yaml & { readonly kind: "map" }
  private readonly known = new Set<string>()
  private hasFields = false

  /** `what` begins the sentence that refuses anything but a map. */
  constructor(file: string, yaml: Yaml, what: string) {
    if (yaml.kind !== "map") throw new FileInvalid({ file, line: yaml.line, rule: `${what} needs a map of keys` })
    this.file = file
    this.yaml = yaml
  }

  /** Line of the map. */
  get line(): number {
    return this.yaml.line
  }

  /** Where a key is; the map's own line when it is not there. */
  lineOf(key: string): number {
    return this.yaml.entries.get(key)?.line ?? this.yaml.line
  }

  /** The value of a key, `undefined` when it is not there. */
  get<A>(key: string, read: ReadValue<A>): A | undefined {
    this.known.add(key)
    const yaml = this.yaml.entries.get(key)
    return yaml === undefined ? undefined : read(this.file, yaml)
  }

  /** The value of a key that has to be there. */
  need<A>(key: string, read: ReadValue<A>): A {
    const value = this.get(key, read)
    if (value !== undefined) return value
    throw new FileInvalid({ file: this.file, line: this.line, rule: `"${key}:" is missing` })
  }

  /** The entries whose keys are data element numbers. */
  fields(): ReadonlyArray<readonly [string, Yaml]> {
    this.hasFields = true
    return [...this.yaml.entries].filter(([key]) => isFieldNumber(key))
  }

  /** Refuses the first key that nobody has asked for; `elsewhere` are keys that were read before. */
  done(elsewhere: ReadonlyArray<string> = []): void {
    for (const [key, { line }] of this.yaml.entries) {
      if ((this.hasFields && isFieldNumber(key)) || this.known.has(key)) continue
      const names = knownNames(key, [...this.known, ...elsewhere])
      const fields = this.hasFields ? ", and data element numbers" : ""
      throw new FileInvalid({ file: this.file, line, rule: `"${key}" is not known here; ${names}${fields}` })
    }
  }

  /** A rule that this map breaks at one of its keys. */
  wrong(key: string, rule: string): FileInvalid {
    return new FileInvalid({ file: this.file, line: this.lineOf(key), rule })
  }
}
