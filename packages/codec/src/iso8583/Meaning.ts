/** What the value of a field means in words, where the dialect knows: response codes (DE 39) and processing codes (DE 3). */
import type { Dialect, Named } from "./Dialect.ts"

/** Language of the words: English, Chinese, or both. */
export type Language = "en" | "zh" | "both"

/** The name in the language; English where there is no Chinese one. */
export const named = ({ name, nameZh }: Named, language: Language = "en"): string => {
  if (nameZh === undefined || nameZh === "" || language === "en") return name
  return language === "zh" ? nameZh : `${name} ${nameZh}`
}

/** The meaning of a field's text; "" where nothing is known. */
export const meaningOf = (dialect: Dialect, de: number, text: string, language?: Language): string => {
  if (de === 3) return processing(dialect, text, language)
  const code = de === 39 ? dialect.responseCodes[text] : undefined
  return code === undefined ? "" : named(code, language)
}

const from: Named = { name: "from", nameZh: "转出" }
const to: Named = { name: "to", nameZh: "转入" }

/** `cash withdrawal, from savings account`. An account of type 00, or of one that nobody knows, is not mentioned. */
const processing = (dialect: Dialect, text: string, language: Language | undefined): string => {
  const transaction = dialect.processingCodes?.[text.slice(0, 2)]
  if (transaction === undefined) return ""
  const account = (way: Named, type: string): string => {
    const known = dialect.accountTypes?.[type]
    return known === undefined ? "" : `, ${named(way, language)} ${named(known, language)}`
  }
  return named(transaction, language) + account(from, text.slice(2, 4)) + account(to, text.slice(4, 6))
}
