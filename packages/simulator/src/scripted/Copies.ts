/**
 * Many partners from one: `copies: 200` repeats a partner, with `{n}` in its texts as the number of the copy, `{n:3}` with
 * zeros in front, and `{7000+n}` as a sum. Pure.
 */
import type { Yaml } from "../file/YamlNodes.ts"

const numbered = (text: string, n: number): string =>
  text
    .replaceAll(/\{n(?::(\d))?\}/g, (_, width: string | undefined) => String(n).padStart(Number(width ?? 0), "0"))
    .replaceAll(/\{(\d+)\+n\}/g, (_, base: string) => String(Number(base) + n).padStart(base.length, "0"))

/** The same node for copy `n`, counted from 1. */
export const copyOf = (yaml: Yaml, n: number): Yaml => {
  switch (yaml.kind) {
    case "text":
      return { ...yaml, text: numbered(yaml.text, n) }
    case "list":
      return { ...yaml, items: yaml.items.map((item) => copyOf(item, n)) }
    case "map":
      return { ...yaml, entries: new Map([...yaml.entries].map(([key, value]) => [key, copyOf(value, n)])) }
  }
}

/** Whether a text has a place for the number of a copy. */
export const isNumbered = (text: string): boolean => numbered(text, 1) !== text
