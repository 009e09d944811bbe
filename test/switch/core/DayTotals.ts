/** The totals of what a bench has written to its journal. */
import { Effect } from "effect"
import type { Entry } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { totals } from "../../../packages/switch/src/operate/totals/Totals.ts"
import { Dialects } from "../../../packages/switch/src/operate/trace/Dialects.ts"
import type { LinkAll } from "./Bench.ts"

/** The totals of one date; of all that are there without it. */
export const totalsOf = (entries: ReadonlyArray<Entry>, links: ReadonlyArray<LinkAll>, date?: string) =>
  totals(
    {
      names: () =>
        entries
          .filter(({ kind }) => kind === EntryKind.named)
          .map(({ link, message }) => {
            const [name = "", of = ""] = message.toString().split("\n")
            return { id: link, name, dialect: of }
          }),
      scan: (from, each, { kinds = [] } = {}) =>
        Effect.sync(() => {
          const wanted = entries.filter(({ kind, seq }) => {
            return seq >= from && (kinds.length === 0 || kinds.some((one) => one === kind))
          })
          for (const entry of wanted) each(entry)
          return wanted.length
        })
    },
    new Dialects({}, links),
    date
  )
