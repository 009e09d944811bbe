/** The word that was probably meant. Pure. */

/** Steps from one text to another: letters put in, left out, changed, or two neighbours that changed places. */
const distance = (one: string, other: string): number => {
  const rows: Array<Array<number>> = [Array.from({ length: other.length + 1 }, (_, at) => at)]
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const change = one[i - 1] === other[j - 1] ? 0 : 1
      let steps = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + change)
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1])
        steps = Math.min(steps, rows[i - 2]![j - 2]! + 1)
      row.push(steps)
    }
    rows.push(row)
  }
  return rows[one.length]![other.length]!
}

/** The name nearest to a word, when it is near enough to have been meant: a third of its letters, at least one. */
const nearest = (word: string, names: ReadonlyArray<string>): string | undefined => {
  let best: string | undefined
  let least = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const name of names) {
    const steps = distance(word.toLowerCase(), name.toLowerCase())
    if (steps < least) {
      best = name
      least = steps
    }
  }
  return best
}

/** `did you mean "drop"?`, or what there is. */
export const suggestion = (word: string, names: ReadonlyArray<string>): string => {
  const meant = nearest(word, names)
  return meant === undefined ? `known are ${names.join(", ")}` : `did you mean "${meant}"?`
}
