/**
 * How deep a YAML text is nested, told from its characters alone: a parser may need a stack, or hours, for a text that nobody
 * wrote. Owns no syntax but brackets, indicators and indentation.
 */

/** Deepest nesting that is read: lists in mappings in lists ... A configuration has six levels, a dialect four. */
export const YAML_NESTING_MAX = 64

/** So many `- `, `? ` or anchors one behind the other. */
const indicators = new RegExp(`(?:(?:[-?:]|[&!*][^\\s]*)[ \\t]+){${YAML_NESTING_MAX}}`)

/**
 * Whether a YAML text is nested deeper than {@link YAML_NESTING_MAX}, by brackets, by dashes on a line or by indentation.
 * Brackets in quotes count too: no name and no format holds that many open ones.
 */
export const isNestedTooDeep = (text: string): boolean =>
  bracketDepth(text) > YAML_NESTING_MAX || indicators.test(text) || indentDepth(text) > YAML_NESTING_MAX

const bracketDepth = (text: string): number => {
  let depth = 0
  let deepest = 0
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth = bracket === "[" || bracket === "{" ? depth + 1 : Math.max(0, depth - 1)
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

/** Lines that are each indented further than the one that they are in. */
const indentDepth = (text: string): number => {
  const open: Array<number> = []
  let deepest = 0
  for (const [, blanks = ""] of text.matchAll(/^([ \t]*)[^\s#]/gm)) {
    while (open.length > 0 && open.at(-1)! >= blanks.length) open.pop()
    open.push(blanks.length)
    deepest = Math.max(deepest, open.length)
  }
  return deepest
}
