/**
 * What the standard itself calls each data element, by edition: for fields that a partner's table adds without a name. How
 * they are covered the edition says in any case (`iso8583/Elements`).
 */
import type { Dialect } from "../iso8583/Dialect.ts"
import { elements1987 } from "./Elements1987.ts"
import { elements1993 } from "./Elements1993.ts"
import { elements2003 } from "./Elements2003.ts"

const editions: ReadonlyArray<Dialect["fields"]> = [elements1987, elements1993, elements2003]

/** Names of a data element in an edition: 0 for 1987, 1 for 1993, 2 for 2003. */
export const standardNames = (version: 0 | 1 | 2, de: number): { readonly name: string; readonly nameZh?: string } => {
  const { name, nameZh } = editions[version]?.[de] ?? { name: `Data element ${de}` }
  return nameZh === undefined ? { name } : { name, nameZh }
}
