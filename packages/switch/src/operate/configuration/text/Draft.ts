/**
 * A configuration that may still be wrong, read key by key: what is missing or of the wrong kind reads as `undefined`.
 *
 * The rules between keys (`Relations`) work on this, so that one wrong value does not hide the other errors of the file.
 */
import type { FrameFormat } from "@jinka/codec"
import { isFrameDocument } from "../link/FrameDocument.ts"
import { type Catalogue, frames, type KnownDialect, shippedDialects } from "../Shipped.ts"
import { at } from "./Issues.ts"
import type { Path } from "./Problem.ts"
import { durationMs } from "./Units.ts"

/** One part of the draft, and where it is. */
export class Draft {
  readonly path: Path
  /** The dialects that links may name. */
  readonly catalogue: Catalogue
  private readonly value: unknown

  constructor(value: unknown, catalogue: Catalogue = shippedDialects, path: Path = []) {
    this.value = value
    this.catalogue = catalogue
    this.path = path
  }

  /** Whether the key is there at all. */
  has(key: string): boolean {
    return typeof this.value === "object" && this.value !== null && Object.hasOwn(this.value, key)
  }

  /** The part under a key. */
  part(...keys: Path): Draft {
    return new Draft(at(this.value, keys), this.catalogue, [...this.path, ...keys])
  }

  /** The entries of a list; empty when it is none. */
  get entries(): ReadonlyArray<Draft> {
    return Array.isArray(this.value) ? this.value.map((_, index) => this.part(index)) : []
  }

  /** The value itself, when it is a text. */
  get text(): string | undefined {
    return typeof this.value === "string" ? this.value : undefined
  }

  /** The value itself, when it is a number. */
  get number(): number | undefined {
    return typeof this.value === "number" ? this.value : undefined
  }

  /** The value itself, when it is true or false, or left out. */
  truth(fallback: boolean): boolean | undefined {
    return this.value === undefined ? fallback : typeof this.value === "boolean" ? this.value : undefined
  }

  /** Milliseconds, of the default when left out; `undefined` when it is no duration. */
  ms(fallback?: string): number | undefined {
    return durationMs(this.value === undefined ? fallback : this.value)
  }

  /** The value as it is. */
  get raw(): unknown {
    return this.value
  }
}

/** What a table has under a name that somebody wrote; `constructor` and the like are no entries. */
const named = <A>(table: Readonly<Record<string, A>>, name: string | undefined): A | undefined =>
  name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined

/** The dialect that a link names, when there is one. */
export const dialectOf = (link: Draft): KnownDialect | undefined => named(link.catalogue, link.part("dialect").text)

/** Whether silence is answered with an echo request: as written, else if the dialect has one. */
export const isProbed = (link: Draft): boolean | undefined =>
  link.part("watchdog", "probe").truth(dialectOf(link)?.dialect.network?.codes.echo !== undefined)

/** The frame that a link has; `undefined` when that cannot be said yet: each of its keys is right by itself, or it is none. */
export const frameOf = (link: Draft): FrameFormat | undefined => {
  const { raw } = link.part("frame")
  if (raw === undefined) return named(frames, dialectOf(link)?.frame)
  if (typeof raw === "string") return named(frames, raw)
  return typeof raw === "object" && raw !== null && isFrameDocument(raw) ? frameFormat(raw) : undefined
}

/** A frame that was written out, with its default for `idle`. */
export const frameFormat = (written: object): FrameFormat => {
  const kind = (written as { readonly kind?: unknown }).kind
  const fallback = kind === "length" ? { idle: "zero-length" } : kind === "delimiter" ? { idle: "none" } : {}
  return { ...fallback, ...written } as FrameFormat
}
