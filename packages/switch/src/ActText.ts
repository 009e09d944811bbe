/**
 * What a person did, as one line of journal and log: `operator anna: block (issuer asked, case 12): link issuer is blocked`.
 * Written here and read back here, so that who, what and why come out as they went in, whatever the reason holds.
 */

/** One act. */
export interface ActText {
  readonly user: string
  /** In a few words: `block`, `day cut-over to 2026-11-28`. */
  readonly what: string
  /** In the person's words; left out or empty: none was wanted. */
  readonly why?: string | undefined
  /** What came of it; left out or empty: nothing is to be said. */
  readonly came?: string | undefined
}

/** The line of an act. */
export const actText = ({ user, what, why = "", came = "" }: ActText): string =>
  `operator ${user}: ${what}${why === "" ? "" : ` (${enclosed(why)})`}${came === "" ? "" : `: ${came}`}`

/** In quotes where it would not be known where the reason ends. */
const enclosed = (why: string): string => (/[()]|^"/.test(why) ? JSON.stringify(why) : why)

/** The same, read back: an empty reason is none. */
type ReadActText = Required<Pick<ActText, "user" | "what">> & { readonly why: string }

const form = /^operator ([^:]+): ((?:(?!: | \().)+)(?: \(("(?:[^"\\]|\\.)*"|[^()]*)\))?((?:: .*)?)$/s
const plain = /^operator ([^:]+): (.+)$/s

/** What such a line says; `undefined`: it is none. What came of it is behind what was done. */
export const readActText = (text: string): ReadActText | undefined => {
  const [, user, what = "", why = "", came = ""] = form.exec(text) ?? plain.exec(text) ?? []
  if (user === undefined) return undefined
  return { user, what: `${what}${came}`, why: opened(why) }
}

/** What {@link enclosed} put in quotes; a reason of a line that it has not written stays as it is. */
const opened = (why: string): string => {
  try {
    return why.startsWith('"') ? JSON.parse(why) : why
  } catch {
    return why
  }
}
