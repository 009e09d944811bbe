/**
 * Response codes by what they mean, found by their names in the dialect's own table: editions and networks write the same meaning
 * in different digits. Pure.
 */
import type { Dialect } from "@jinka/codec"
import { knownNames } from "../file/Nearest.ts"
import type { LedgerRule } from "../issuer/Ledger.ts"
import type { PinRule } from "./Pins.ts"

/** Names, the best first, of what each rule of the ledger means. */
const namesOf: { readonly [R in LedgerRule | PinRule | "notSupported"]: ReadonlyArray<string> } = {
  posted: [],
  noEffect: [],
  undone: [],
  alreadyUndone: [],
  insufficientFunds: ["insufficient funds"],
  noAccount: ["invalid card number", "no card record"],
  overLimit: ["amount limit"],
  tooOften: ["frequency limit"],
  originalNotFound: ["original not found"],
  nothingToUndo: ["original not found"],
  originalNotStanding: ["suspected malfunction", "invalid transaction"],
  amountDiffers: ["original amount wrong", "invalid amount"],
  tombstone: ["suspected malfunction", "invalid transaction"],
  pinUnreadable: [],
  wrongPin: ["wrong PIN"],
  tooManyPins: ["PIN tries exceeded", "wrong PIN"],
  notSupported: ["function not supported"]
}

/** The code with this name, `undefined` when the dialect has none. */
const codeNamed = ({ responseCodes }: Dialect, name: string): string | undefined =>
  Object.keys(responseCodes).find((code) => responseCodes[code]!.name === name)

/** Rules that leave everything as it should be. */
const good: ReadonlySet<string> = new Set(["posted", "noEffect", "undone", "alreadyUndone"])

/** The code that says what a rule of the ledger found. */
export const codeOfRule = (dialect: Dialect, rule: LedgerRule | PinRule | "notSupported"): string => {
  if (good.has(rule)) return dialect.answers?.approved ?? ["00", "000", "0000"][dialect.version]!
  if (rule === "pinUnreadable") return dialect.refusal.pinFailed
  for (const name of namesOf[rule]) {
    const code = codeNamed(dialect, name)
    if (code !== undefined) return code
  }
  return dialect.refusal.malfunction
}

/** A code as a file writes it: the code itself, or the name of one; otherwise what is wrong with it. */
export const codeOfText = (dialect: Dialect, text: string): { readonly code: string } | { readonly wrong: string } => {
  const { responseCodes } = dialect
  const code = Object.hasOwn(responseCodes, text) ? text : codeNamed(dialect, text)
  if (code !== undefined) return { code }
  const length = Object.keys(responseCodes)[0]?.length ?? 2
  // A network may use codes that no table has.
  if (/^[0-9A-Z]+$/.test(text) && text.length === length) return { code: text }
  const names = knownNames(text, [...new Set(Object.values(responseCodes).map(({ name }) => name))])
  return { wrong: `"${text}" is no response code of ${length} characters and no name of one; ${names}` }
}
