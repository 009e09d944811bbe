/**
 * What must not be in the repository at all: traces of the machine it was written on, card numbers that might be
 * real, and references to files that are not there.
 */
import { posix } from "node:path"
import { type Leak, leaks, otherNumbers, publishedCardNumbers } from "./House.ts"
import { type Finding, finding, type Text } from "./Source.ts"

/** Machine paths, registry hosts and workplace tools. */
export const traces = (files: ReadonlyArray<Text>, table: ReadonlyArray<Leak> = leaks): ReadonlyArray<Finding> =>
  files.flatMap((file) =>
    table.flatMap(({ find, instead, name }) =>
      [...file.text.matchAll(find)].map((found) => finding(file, found.index, name, `"${found[0].trim()}"; ${instead}`))
    )
  )

/** Whether the last digit is the check digit of ISO/IEC 7812-1 annex B (Luhn, modulus 10). */
export const hasCheckDigit = (digits: string): boolean => {
  let sum = 0
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place])
    const weighed = place % 2 === 1 ? digit * 2 : digit
    sum += weighed > 9 ? weighed - 9 : weighed
  }
  return sum % 10 === 0
}

/** 16 to 19 digits, plain or in groups of four; what follows may be the separator of a track 2. */
const cardNumber = /(?<![0-9A-Za-z_.])(?:\d{16,19}|\d{4}(?:[ -]\d{4}){3}(?:[ -]?\d{1,3})?)(?![0-9ABCE-Zabce-z_])/g

/** Digits that look like a card number and are not on the published list; the number itself is not repeated. */
export const cardNumbers = (files: ReadonlyArray<Text>): ReadonlyArray<Finding> =>
  files.flatMap((file) =>
    [...file.text.matchAll(cardNumber)].flatMap((found) => {
      const digits = found[0].replace(/\D/g, "")
      if (/^0+$/.test(digits) || !hasCheckDigit(digits) || digits in otherNumbers) return []
      if (publishedCardNumbers.includes(digits)) return []
      const message = `${digits.length} digits beginning ${digits.slice(0, 4)} with a good check digit; use a published test number`
      return [finding(file, found.index, "card number", message)]
    })
  )

const markdownLink = /\]\((?!https?:|mailto:|#)([^)\s#]+)[^)]*\)/g
const citedPath = /(?<![\w/.@-])(?:docs|test|bench|examples|packages|tools)\/[\w./-]*\w\.(?:md|ts|mjs|ya?ml|json)\b/g
const citedDocument = /(?<![\w/.@-])docs\/[\w./-]*\w\.md\b/g

/** Links and paths in Markdown, and documents cited in code, that lead nowhere. `known` holds files and folders. */
export const brokenReferences = (files: ReadonlyArray<Text>, known: ReadonlySet<string>): ReadonlyArray<Finding> =>
  files.flatMap((file) => {
    const isMarkdown = file.path.endsWith(".md")
    if (!isMarkdown && !/\.[cm]?[jt]s$/.test(file.path)) return []
    const cited = [...file.text.matchAll(isMarkdown ? citedPath : citedDocument)].map((found) => ({
      at: found.index,
      to: found[0]
    }))
    const links = [...(isMarkdown ? file.text.matchAll(markdownLink) : [])].map((found) => ({
      at: found.index,
      to: posix.join(posix.dirname(file.path), found[1] ?? "").replace(/\/$/, "")
    }))
    return [...cited, ...links]
      .filter(({ to }) => !known.has(to))
      .map(({ at, to }) => finding(file, at, "reference", `${to} is not in the repository; correct the path`))
  })
