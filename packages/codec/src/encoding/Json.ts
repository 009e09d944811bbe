/**
 * JSON that a person or a partner wrote. As `JSON.parse` reads it, but a member that comes twice in an object is an error and not
 * the last of both: which of two amounts counts must not depend on who reads them (RFC 8259, section 4, leaves it open; RFC 7493,
 * section 2.3, forbids it). What is wrong is said by its place and never by its text, which may be a card number. Pure.
 */

/** What is wrong with a text: it is no JSON, or a member comes twice. `wrong` is a sentence without its full stop. */
export interface JsonWrong {
  readonly kind: "syntax" | "twice"
  readonly wrong: string
  /** What to write, a whole sentence; empty when that is not clear. */
  readonly hint: string
}

/** What the text holds, or what is wrong and where. `line` is the number of the text's first line in its file. */
export const readJson = (text: string, line = 1): { readonly json: unknown } | JsonWrong => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // The parser's own words may repeat the text: only the place is taken from them.
    const at = wrongAt(text)
    const where = at === undefined ? "it ends too early" : `look at ${placeIn(text, at, line)}`
    return { kind: "syntax", wrong: `this is not JSON: ${where}`, hint: hintAt(text, at) }
  }
  const place = repeatedMember(text, line)
  if (place === undefined) return { json }
  return {
    kind: "twice",
    wrong: `the member at ${place} has the name of one before it: leave one of the two`,
    hint: ""
  }
}

/** What people write where JSON has something else, by the character at which it stops and what is in front of it. */
const hintAt = (text: string, at: number | undefined): string => {
  if (at === undefined) return "Close each bracket and quote."
  if (/[\0\ufffd]/.test(text)) return "Save the text as UTF-8."
  const character = text[at]!
  const before = text.slice(Math.max(0, at - 200), at).trimEnd()
  if (character === "'" || character === "\u2018" || character === "\u201c") return 'JSON has double quotes, ".'
  if (character < " ") return "A text ends on its line; a line break in it is written \\n."
  if (/[}\]]/.test(character) && before.endsWith(",")) return "Remove the comma in front of it."
  if (/\d/.test(character) && /(?:^|[[{:,\s])-?0$/.test(before)) return "What has zeros in front is written in quotes."
  if (/[}\]"\d]$/.test(before) && /["{[]/.test(character))
    return "A comma is missing, or a line break between messages."
  if (character === "," && /[}\]]$/.test(before)) return "Several messages are a list, [...], or each on its line."
  return /[A-Za-z_$]/.test(character) ? 'Names and texts are written in double quotes, ".' : ""
}

/** Where the text stops being the beginning of JSON; `undefined`: nowhere, it only ends before JSON does. */
const wrongAt = (text: string): number | undefined => {
  if (!isWrongWithin(text)) return undefined
  let beginning = 0
  let wrong = text.length
  while (wrong - beginning > 1) {
    const middle = (beginning + wrong) >> 1
    if (isWrongWithin(text.slice(0, middle))) wrong = middle
    else beginning = middle
  }
  return wrong - 1
}

/** Whether no text that begins so is JSON. The parser does not always say the place, but whether it met the end. */
const isWrongWithin = (text: string): boolean => {
  try {
    JSON.parse(text)
    return false
  } catch (error) {
    const said = error instanceof Error ? error.message : ""
    const at = /at position (\d+)/.exec(said)?.[1]
    return at === undefined ? said.startsWith("Unexpected token") : Number(at) < text.length
  }
}

/** Line and column of the first member with the name of one before it, in a text that is JSON; `undefined`: there is none. */
export const repeatedMember = (text: string, line = 1): string | undefined => {
  const at = memberTwice(text)
  return at === undefined ? undefined : placeIn(text, at, line)
}

const placeIn = (text: string, at: number, line: number): string => {
  const before = text.slice(0, at).split("\n")
  return `line ${line + before.length - 1}, column ${before.at(-1)!.length + 1}`
}

/** Where the name of a member begins that the same object has already, in a text that is JSON. */
const memberTwice = (text: string): number | undefined => {
  /** The names of each object that is open, from outside in; a list has none. */
  const open: Array<Set<string> | undefined> = []
  let isName = false
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case "{":
        open.push(new Set())
        isName = true
        break
      case "[":
        open.push(undefined)
        isName = false
        break
      case "}":
      case "]":
        open.pop()
        break
      case ",":
        isName = open.at(-1) !== undefined
        break
      case '"': {
        const end = stringEnd(text, at)
        const names = open.at(-1)
        if (isName && names !== undefined) {
          const name: string = JSON.parse(text.slice(at, end + 1))
          if (names.has(name)) return at
          names.add(name)
        }
        isName = false
        at = end
      }
    }
  }
  return undefined
}

/** Where the string that begins at `from` has its closing quotation mark. */
const stringEnd = (text: string, from: number): number => {
  let at = from + 1
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1
  return at
}
