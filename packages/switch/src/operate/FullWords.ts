/** Why new requests are refused on every link, in words for operators. */
import type { FullBy } from "../exchange/Desks.ts"

/** Behind "new requests are refused on every link: ". */
export const fullWords: Readonly<Record<FullBy, string>> = {
  disk: "no room (disk)",
  lag: "no room (lag)",
  away: "the journal's store does not answer"
}
