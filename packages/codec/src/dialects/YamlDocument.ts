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
  const document = parseDocument(text, { ...options, uniqueKeys: false })
  const twice = keysTwice(document)
  document.errors.push(...twice)
  if (twice.length > 0) document.errors.sort((one, other) => one.pos[0] - other.pos[0])
  return document
}

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
