/**
 * The dialects that the doctor tries: the shipped ones (or those that it is given), each with the headers that come before
 * such messages on real links.
 */
import { derive } from "../dialects/Derive.ts"
import { headers, text8, text10, text12 } from "../dialects/Headers.ts"
import type { Codec } from "../iso8583/Codec.ts"
import { interpret } from "../iso8583/Compile.ts"
import type { Dialect } from "../iso8583/Dialect.ts"

/** A dialect to try. */
export interface DialectCandidate {
  /** Name of the dialect itself. */
  readonly dialect: string
  /** Name of the header in front of the message; `none`. */
  readonly header: string
  /** Whether the header is not the dialect's own. */
  readonly isOther: boolean
  readonly codec: Codec
}

/** Headers that mean nothing to us, which any bytes may be. */
const opaque: ReadonlySet<string> = new Set([text8.name, text10.name, text12.name])

const headersOf = (dialect: Dialect): ReadonlyArray<Dialect["header"]> =>
  [dialect.header, undefined, ...Object.values(headers).filter(({ name }) => !opaque.has(name))].filter(
    (header, index, all) => all.findIndex((other) => other?.name === header?.name) === index
  )

const candidateOf = (dialect: Dialect, header: Dialect["header"]): DialectCandidate => {
  const isOther = header?.name !== dialect.header?.name
  return {
    dialect: dialect.name,
    header: header?.name ?? "none",
    isOther,
    codec: interpret(isOther ? derive(dialect, { name: dialect.name, header: header ?? null }) : dialect)
  }
}

/** Tables of dialects, in the order given. Those of each are made once: that takes longer than to look at the bytes. */
const tables = (headersOf: (dialect: Dialect) => ReadonlyArray<Dialect["header"]>) => {
  const made = new WeakMap<Dialect, ReadonlyArray<DialectCandidate>>()
  return (dialects: { readonly [name: string]: Dialect }): ReadonlyArray<DialectCandidate> =>
    Object.values(dialects).flatMap((dialect) => {
      const candidates = made.get(dialect) ?? headersOf(dialect).map((header) => candidateOf(dialect, header))
      made.set(dialect, candidates)
      return candidates
    })
}

/** Dialects with their headers, in the order given. */
export const dialectCandidates = tables(headersOf)

/** The same behind headers that mean nothing to us, which any bytes may be: for what nothing else explains. */
export const opaqueCandidates = tables(() => [text8, text10, text12])

/** Whether a header ships, so that a dialect file can name it. */
export const isShippedHeader = (name: string): boolean => name === "none" || Object.hasOwn(headers, name)
