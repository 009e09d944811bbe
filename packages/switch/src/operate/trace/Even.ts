/** Whether both sides agree after an answer that came too late: what the partner approved then is taken back, or is not. */
import { isSuccess } from "@jinka/codec"
import { Effect } from "effect"
import type { Entry } from "../../journal/Entry.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import type { JournalError } from "../../journal/JournalError.ts"
import type { Dialects, Readable } from "./Dialects.ts"

/** See the module header. */
export interface Evenness {
  readonly isEven: boolean
  /** In a sentence, with the numbers of the exchanges. */
  readonly says: string
}

/** How a reversal ended, in words behind "its reversal, exchange N,". */
const ends: ReadonlyMap<number, { readonly isEven: boolean; readonly says: string }> = new Map([
  [EntryKind.acknowledged, { isEven: true, says: "was acknowledged: both sides are even." }],
  [
    EntryKind.declined,
    { isEven: false, says: "was declined: NOT even, a person has to settle it (jinka pending list)." }
  ],
  [
    EntryKind.abandoned,
    { isEven: false, says: "was given up: NOT even, a person has to settle it (jinka pending list)." }
  ],
  [EntryKind.closed, { isEven: true, says: "was ended by a person, who says how it was settled." }]
])

const underWay = { isEven: false, says: "is being delivered: even when it is acknowledged." }

/** For an exchange with a late approval; `undefined`: it has none. `entries` are those of the exchange and about it. */
export const evenness = Effect.fnUntraced(function* (
  journal: Readable,
  dialects: Dialects,
  exchange: number,
  entries: ReadonlyArray<Entry>
): Effect.fn.Return<Evenness | undefined, JournalError> {
  const late = entries.find((entry) => entry.kind === EntryKind.late && entry.exchange === exchange)
  const name = journal.names().find(({ id }) => id === late?.link)
  const dialect = dialects.codec(name?.dialect ?? "")?.dialect
  if (late === undefined || dialect === undefined || !isSuccess(dialect, late.code)) return undefined
  const approval = `${name?.name} approved with ${late.code} when the request had ended`
  // A request that was approved behind its reversal is reversed once more.
  const reversal = entries.findLast(({ about, kind }) => kind === EntryKind.queued && about === exchange)
  if (reversal === undefined) {
    const isMoney = entries.some(({ kind }) => kind === EntryKind.unreversed)
    return isMoney
      ? {
          isEven: false,
          says: `${approval}, and there is no reversal: NOT even, a person has to settle it (jinka pending list).`
        }
      : { isEven: true, says: `${approval}; it moves no money, so there is nothing to take back.` }
  }
  const own = yield* journal.read(reversal.seq)
  const end = own.findLast(({ exchange: of, kind }) => of === reversal.seq && ends.has(kind))
  const { isEven, says } = (end === undefined ? undefined : ends.get(end.kind)) ?? underWay
  return { isEven, says: `${approval}; its reversal, exchange ${reversal.seq}, ${says}` }
})
