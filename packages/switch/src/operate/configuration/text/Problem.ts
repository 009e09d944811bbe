/**
 * What is wrong in a configuration, said so that the line can be corrected without reading the manual.
 *
 * A problem names place, rule, what was found and what to write instead. What was found is never shown where a secret may
 * are. Warnings do not keep the switch from starting.
 */
import { coverTyped } from "@jinka/codec"

/** Keys and positions from the top of the document to the place. */
export type Path = ReadonlyArray<string | number>

/** A problem before its line is known. */
export interface Finding {
  readonly severity: "error" | "warning"
  readonly path: Path
  /** The place is the key itself, not its value. */
  readonly atKey?: boolean
  /** What has to hold here. */
  readonly rule: string
  /** What is there instead; filled in from the text when left out. */
  readonly found?: string
  /** What to do. */
  readonly fix: string
}

/** A problem with its place in the file; `line` and `column` count from 1, and are 0 where there is no text to point into. */
export interface Problem extends Finding {
  readonly line: number
  readonly column: number
}

/** A finding with which a switch does not start: the rule that is broken, and what to write instead. */
export const error = (path: Path, rule: string, fix: string, found?: string): Finding => ({
  severity: "error",
  path,
  rule,
  fix,
  ...(found === undefined ? {} : { found })
})

/** A finding with which a switch starts all the same. */
export const warning = (path: Path, rule: string, fix: string): Finding => ({
  severity: "warning",
  path,
  rule,
  fix,
  found: ""
})

/** `links[0].signOn.timeout`. */
export const pathText = (path: Path): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`
    return text === "" ? part : `${text}.${part}`
  }, "")

/** `switch.yaml:12:14 error links[0].idle: a duration ...; found 15. Write it as "15 seconds".` */
export const problemText = (file: string, problem: Problem): string => {
  const { severity, path, rule, found, fix, line, column } = problem
  const place = path.length === 0 ? "" : ` ${pathText(path)}`
  const seen = found === undefined || found === "" ? "" : `; found ${found}`
  if (line === 0) return `${file}${plain(`${place}: ${rule}${seen}. ${fix}`)}`
  return `${file}:${line}:${column} ${severity}${plain(`${place}: ${rule}${seen}. ${fix}`)}`
}

/** Longest word of a file that a problem repeats whole. */
const WORD_MAX = 120

/** One line for people: keys and names come from the file, and may be anything there, a card number or a key too. */
const plain = (says: string): string =>
  coverTyped(says.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "?")).replaceAll(/\S+/g, (word) =>
    word.length > WORD_MAX ? `${word.slice(0, WORD_MAX / 2)}...` : word
  )

/** Most names that are listed. */
const NAMES_MAX = 20

/** Names to choose from, as a sentence lists them. */
export const listed = (names: ReadonlyArray<string>): string =>
  names.length === 0
    ? "none"
    : names.length > NAMES_MAX
      ? `${names.slice(0, NAMES_MAX).join(", ")} and ${names.length - NAMES_MAX} more`
      : names.join(", ")

/** Among more names than these no guess is made: it would take long, and a list so long is made by a program. */
const GUESSED_MAX = 200

/** The known word nearest to `word`, when it is near enough to be a slip; letters' case does not count. */
export const nearest = (word: string, known: ReadonlyArray<string>): string | undefined => {
  if (known.length > GUESSED_MAX) return undefined
  let best: { readonly one: string; readonly away: number } | undefined
  for (const one of known) {
    const most = Math.max(2, Math.floor(one.length / 3))
    if (Math.abs(one.length - word.length) > most) continue
    const away = steps(word.toLowerCase(), one.toLowerCase())
    if (away <= most && away < (best?.away ?? Number.POSITIVE_INFINITY)) best = { one, away }
  }
  return best?.one
}

/** Letters to insert, drop, replace or swap with their neighbour to get from `a` to `b`. */
const steps = (a: string, b: string): number => {
  const rows = [Array.from({ length: b.length + 1 }, (_, at) => at)]
  for (let row = 1; row <= a.length; row++) {
    const line = [row]
    for (let at = 1; at <= b.length; at++) {
      const isSame = a[row - 1] === b[at - 1]
      let least = Math.min(line[at - 1]! + 1, rows[row - 1]![at]! + 1, rows[row - 1]![at - 1]! + (isSame ? 0 : 1))
      const isSwapped = row > 1 && at > 1 && a[row - 1] === b[at - 2] && a[row - 2] === b[at - 1]
      if (isSwapped) least = Math.min(least, rows[row - 2]![at - 2]! + 1)
      line.push(least)
    }
    rows.push(line)
  }
  return rows[a.length]![b.length]!
}
