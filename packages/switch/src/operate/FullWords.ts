/** Why new requests are refused on every link, in words for operators. */
import type { FullBy } from "../exchange/Desks.ts"

/** Behind "new requests are refused on every link: ". */
export const fullWords: Readonly<Record<FullBy, string>> = {
  disk: "no room (disk)",
  lag: "no room (lag)",
  away: "the journal's store does not answer"
}

/** The same where there is room for more. */
export const fullSentences: typeof fullWords = {
  disk: "the journal's disk is nearly full (`journal.reserve`)",
  lag: "the journal lags behind, because its disk is too slow (`journal.unwrittenRefuse`)",
  away: "the journal's store, PostgreSQL, does not answer"
}
