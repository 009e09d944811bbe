/**
 * A YAML text as the parser reads it, for every file that people write. A key that is given twice is looked for here, in one
 * pass: the parser compares each key with all before it, and a mapping of a million keys would take hours.
 */
import {
  type Document,
  type DocumentOptions,
  isScalar,
  type ParseOptions,
  parseDocument,
  type SchemaOptions,
  visit,
  YAMLParseError
} from "yaml"

/** Parses a text that is not nested too deep (`isNestedTooDeep`). What is wrong is in `errors`, in the order of the text. */
export const parseYamlDocument = (
  text: string,
  options: ParseOptions & DocumentOptions & SchemaOptions = {}
): Document.Parsed => {
  // YAML ends lines with CR alone, too; the parser does not.
  const lined = text.includes("\n") ? text : text.replaceAll("\r", "\n")
  const document = parseDocument(lined, { ...options, uniqueKeys: false })
  const foreign = otherText(lined)
  if (foreign !== undefined) {
    document.errors.splice(0, Number.POSITIVE_INFINITY, foreign)
    return document
  }
  const twice = keysTwice(document)
  document.errors.push(...twice)
  if (twice.length > 0) document.errors.sort((one, other) => one.pos[0] - other.pos[0])
  return document
}

/** What stands in a text where its bytes were no UTF-8. */
const noUtf8 = "\ufffd"

/** A text that was never UTF-8: what the parser says of its pieces would lead nowhere. What only a comment holds is no matter. */
const otherText = (text: string): YAMLParseError | undefined => {
  const zero = text.indexOf("\0")
  if (zero >= 0)
    return new YAMLParseError([zero, zero], "IMPOSSIBLE", isMostlyZero(text.slice(0, 64)) ? isWide : isNoText)
  for (let at = text.indexOf(noUtf8); at >= 0; at = text.indexOf(noUtf8, at + 1)) {
    const line = text.slice(text.lastIndexOf("\n", at) + 1, at)
    if (!/(?:^|\s)#/.test(line)) return new YAMLParseError([at, at], "IMPOSSIBLE", isNotUtf8)
  }
  return undefined
}

/** Of ASCII in UTF-16 each other byte is zero, and in UTF-32 three of four. */
const isMostlyZero = (text: string): boolean => text.length > 3 && text.split("\0").length - 1 >= text.length / 3

const isWide = "The text is UTF-16 or UTF-32"
const isNoText = "The text has bytes of zero"
const isNotUtf8 = "The text is not UTF-8"

const keysTwice = (document: Document.Parsed): ReadonlyArray<YAMLParseError> => {
  const found: Array<YAMLParseError> = []
  visit(document, {
    Map: (_, { items }) => {
      const keys = new Set<unknown>()
      for (const { key } of items) {
        const value = isScalar(key) ? key.value : key
        if (isScalar(key) && key.range && keys.has(value))
          found.push(new YAMLParseError([key.range[0], key.range[1]], "DUPLICATE_KEY", "Map keys must be unique"))
        keys.add(value)
      }
    }
  })
  return found
}
