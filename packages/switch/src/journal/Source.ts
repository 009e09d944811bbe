/**
 * Where a message of a store-and-forward queue comes from, as the `code` of its journal entry says it. Pure.
 *
 * `from acquirer`; or `from acquirer as 000123`, when the message goes out with a STAN of our own: the partner's own STAN is
 * nowhere else, and without it a restart could not know the partner's repeat again.
 */

/** A partner's link by name, and the STAN that the partner gave its message, when it went out with another one. */
export interface Source {
  readonly link: string
  readonly stan: string | undefined
}

const form = /^from (\S+)(?: as (\d+))?$/

/** The `code` that says it. */
export const sourceText = ({ link, stan }: Source): string => `from ${link}${stan === undefined ? "" : ` as ${stan}`}`

/** What a `code` says; `undefined` for messages of our own. */
export const sourceOf = (code: string): Source | undefined => {
  const parts = form.exec(code)
  return parts === null ? undefined : { link: parts[1]!, stan: parts[2] }
}
