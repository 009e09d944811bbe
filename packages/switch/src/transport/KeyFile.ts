/**
 * Who may own and read a file that holds a private key or a secret. Pure.
 *
 * The rule is PostgreSQL's for its server key (postgresql.org/docs, "Secure TCP/IP Connections with SSL"): the file is its own
 * user's and nobody else's; or it is root's, and then its group may read it, as where a system hands keys out by a group.
 */

/** What is known of a file: its mode and the number of its owner. */
export interface KeyFileFacts {
  readonly mode: number
  readonly uid: number
}

const OF_OTHERS = 0o077
const WRITTEN_BY_GROUP_OR_READ_BY_OTHERS = 0o037
const ROOT = 0

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, "0")

/** What is wrong with a key's file for the user `self`, as a sentence without an end; `undefined`: nothing. */
export const keyFileFault = ({ mode, uid }: KeyFileFacts, self: number): string | undefined => {
  if (uid !== self && uid !== ROOT) return `it belongs to the user ${uid}, and not to this one (${self}) or to root`
  const forbidden = uid === ROOT && self !== ROOT ? WRITTEN_BY_GROUP_OR_READ_BY_OTHERS : OF_OTHERS
  return (mode & forbidden) === 0 ? undefined : `others may get at it (mode ${octal(mode)})`
}

/** What to do about it: the wrong user may have asked, or the file is another's, or open to others. */
export const keyFileFix =
  "Run this as the user of the switch; the file is that user's own with mode 0600 (`chown`, `chmod 600`), or root's with 0640 at most."
