/** The known word that a wrong one was probably meant to be. Pure. */

/** Letters to insert, drop, replace or swap with their neighbour to get from `a` to `b`. */
const steps = (a: string, b: string): number => {
  let before: ReadonlyArray<number> = []
  let last: ReadonlyArray<number> = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let row = 1; row <= a.length; row++) {
    const line = [row]
    for (let at = 1; at <= b.length; at++) {
      const change = a[row - 1] === b[at - 1] ? 0 : 1
      const swapped = row > 1 && at > 1 && a[row - 1] === b[at - 2] && a[row - 2] === b[at - 1]
      line.push(
        Math.min(
          line[at - 1]! + 1,
          last[at]! + 1,
          last[at - 1]! + change,
          swapped ? before[at - 2]! + 1 : Number.POSITIVE_INFINITY
        )
      )
    }
    before = last
    last = line
  }
  return last[b.length]!
}

/** The longest word that is guessed at, in characters: a longer one is no slip of a name. */
const GUESSED_MAX = 60

/** The known word nearest to `word`, when it is near enough to be a slip. */
export const nearest = (word: string, known: ReadonlyArray<string>): string | undefined => {
  if (word.length > GUESSED_MAX) return undefined
  const found = known
    .map((one) => ({ one, away: steps(word.toLowerCase(), one.toLowerCase()) }))
    .filter(({ one, away }) => away <= Math.max(1, Math.floor(one.length / 3)))
    .sort((one, other) => one.away - other.away)
  return found[0]?.one
}

/** Most names that a sentence lists. */
const LISTED_MAX = 24

/** `; did you mean "listen"?` and what is known, for the end of a rule that a name has broken. */
export const knownNames = (word: string, known: ReadonlyArray<string>): string => {
  if (known.length === 0) return "there are none"
  const meant = nearest(word, known)
  const guess = meant === undefined ? "" : `did you mean "${meant}"? `
  const more = known.length - LISTED_MAX
  return `${guess}known are ${known.slice(0, LISTED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`
}

/** `did you mean "drop"?`, or what there is. */
export const suggestion = (word: string, names: ReadonlyArray<string>): string => {
  const meant = nearest(word, names)
  return meant === undefined ? `known are ${names.join(", ")}` : `did you mean "${meant}"?`
}
