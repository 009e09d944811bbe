/**
 * What differs between two messages, part by part. Values are compared as they are and shown covered: two different card numbers
 * with the same mask are still two different ones.
 */
import type { Codec } from "../iso8583/Codec.ts"
import { type DescribedRow, type DescribeOptions, describe } from "../iso8583/Describe.ts"
import type { MessageError } from "../iso8583/MessageError.ts"

/** One difference. */
export interface Difference {
  /** As in a description: `header.source`, `mti`, `11`, `48.AS.ON`. */
  readonly id: string
  readonly name: string
  readonly kind: "changed" | "removed" | "added"
  /** Shown value of the first message, "" when it has none. */
  readonly left: string
  readonly right: string
}

/** A message to compare. */
export interface DiffSide {
  readonly codec: Codec
  readonly buffer: Buffer
}

/** Differences in the order of the fields, and what stopped the reading of either message. */
export interface Differences {
  readonly rows: ReadonlyArray<Difference>
  readonly left: MessageError | undefined
  readonly right: MessageError | undefined
}

/** Rows by id; a tag that comes again is numbered. */
const byId = (rows: ReadonlyArray<DescribedRow>): ReadonlyMap<string, DescribedRow> => {
  const found = new Map<string, DescribedRow>()
  for (const row of rows) {
    let id = row.id
    for (let again = 2; found.has(id); again++) id = `${row.id}#${again}`
    found.set(id, row)
  }
  return found
}

/** Sorts by the number in front: header and message type first, then fields with their parts. */
const place = (id: string): number => {
  if (id.startsWith("rejected.")) return -3
  if (id.startsWith("header.")) return -2
  return id === "mti" ? -1 : Number.parseInt(id, 10)
}

/**
 * The differences of two messages, of one dialect or of two. The bitmap is left out: it says nothing that the fields do not.
 * Works on messages that break their dialect, as far as they can be read.
 */
export const diff = (left: DiffSide, right: DiffSide, options: DescribeOptions = {}): Differences => {
  const sides = [left, right].map(({ codec, buffer }) => ({
    shown: describe(codec, buffer, options),
    plain: byId(describe(codec, buffer, { ...options, reveal: true }).rows)
  }))
  const [one, other] = sides as [(typeof sides)[0], (typeof sides)[0]]
  const shown = [byId(one.shown.rows), byId(other.shown.rows)] as const
  const rows: Array<Difference> = []
  for (const id of new Set([...shown[0].keys(), ...shown[1].keys()])) {
    if (id === "bitmap" || one.plain.get(id)?.value === other.plain.get(id)?.value) continue
    const [before, after] = [shown[0].get(id), shown[1].get(id)]
    rows.push({
      id,
      name: (before ?? after)?.name ?? "",
      kind: before === undefined ? "added" : after === undefined ? "removed" : "changed",
      left: before?.value ?? "",
      right: after?.value ?? ""
    })
  }
  rows.sort((first, second) => place(first.id) - place(second.id))
  return { rows, left: one.shown.error, right: other.shown.error }
}
