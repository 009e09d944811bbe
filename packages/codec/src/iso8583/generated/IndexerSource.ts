/**
 * Writes the source of an indexer for one bitmap of one dialect: the offsets of leading fixed fields are constants, each length
 * prefix is read once. It only says where fields are when everything fits; otherwise the walk of `Indexer` finds the error.
 */
import type { FieldLayout } from "../Field.ts"
import { announcedBytes, bytesAhead, prefixLines } from "./LengthSource.ts"

/**
 * Source of the body of `(b, p, end, S, E) => boolean`: fills the starts `S` and ends `E` of the fields from `p` on; false when
 * the message is not certainly right. Every read is behind a check that the next length prefix is before `end`.
 */
export const indexerSource = (fields: ReadonlyArray<FieldLayout>): string => {
  const lines = [`if (p + ${bytesAhead(fields, 0)} > end) return false`]
  let ahead = 0
  for (const [position, field] of fields.entries()) {
    const { de, fixed, prefixBytes } = field
    if (fixed >= 0) {
      lines.push(`S[${de}] = p + ${ahead}`, `E[${de}] = p + ${ahead + fixed}`)
      ahead += fixed
      continue
    }
    lines.push(...prefixLines(field, `p + ${ahead}`, "return false"))
    lines.push(`const q${de} = p + ${ahead + prefixBytes}`, `p = q${de} + ${announcedBytes(field)}`)
    lines.push(`if (p + ${bytesAhead(fields, position + 1)} > end) return false`)
    lines.push(`S[${de}] = q${de}`, `E[${de}] = p`)
    ahead = 0
  }
  return [...lines, `return p + ${ahead} === end`].join("\n")
}
