/**
 * The words of a call, as they were meant. The parser takes a word behind a single dash for as many short flags as it has
 * letters: `-2 hours` and `-hello` for a call for help, among others. Pure.
 */

/** The short flags that there are. */
const short = new Set(["-h", "-v"])

const isDashed = (word: string): boolean => /^-[^-]/.test(word) && !short.has(word)

/** With each value that begins with a dash joined to its flag; a dash elsewhere stays: see {@link wrongFlag}. */
export const wholeArguments = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const whole: Array<string> = []
  for (const word of words) {
    const flag = whole.at(-1)
    if (isDashed(word) && flag !== undefined && /^--[a-z][a-z-]*$/.test(flag)) whole.splice(-1, 1, `${flag}=${word}`)
    else whole.push(word)
  }
  return whole
}

/** The first word that is no flag of any command, though it begins like one; `undefined`: there is none. Behind `--` none is. */
export const wrongFlag = (whole: ReadonlyArray<string>): string | undefined => {
  const end = whole.indexOf("--")
  return whole.slice(0, end < 0 ? whole.length : end).find(isDashed)
}
