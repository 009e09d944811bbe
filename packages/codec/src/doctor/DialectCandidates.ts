/**
 * The dialects that the doctor tries: the shipped ones (or those that it is given), each with the headers that stand in front of
 * such messages on real links.
 */

import { derive } from "../dialects/Derive.ts"
import { tpdu5, tpdu6 } from "../dialects/Headers.ts"
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

const headersOf = (dialect: Dialect): ReadonlyArray<Dialect["header"]> => {
  const own = dialect.header
  return [own, undefined, tpdu5, ...(own === undefined ? [] : [tpdu6])].filter(
    (header, index, all) => all.findIndex((other) => other?.name === header?.name) === index
  )
}

/** Dialects with their headers, in the order given. */
export const dialectCandidates = (dialects: { readonly [name: string]: Dialect }): ReadonlyArray<DialectCandidate> =>
  Object.values(dialects).flatMap((dialect) =>
    headersOf(dialect).map((header) => {
      const isOther = header?.name !== dialect.header?.name
      return {
        dialect: dialect.name,
        header: header?.name ?? "none",
        isOther,
        codec: interpret(isOther ? derive(dialect, { name: dialect.name, header: header ?? null }) : dialect)
      }
    })
  )
