/**
 * What a journal entry says happened, in words for an operator. Pure.
 */
import { type Dialect, mtiText } from "@jinka/codec"
import type { Entry } from "../../journal/Entry.ts"
import { EntryKind, reversedByPartner } from "../../journal/EntryKind.ts"

const unknownOutcomes: Readonly<Record<string, string>> = {
  timeout: "no answer in time: the outcome is unknown",
  "connection lost": "the connection ended before the answer came: the outcome is unknown",
  restarted: "found open at a start of the switch: the outcome is unknown"
}

/** `00 (Approved)`. */
const withMeaning = (code: string, dialect: Dialect | undefined): string => {
  const meaning = dialect?.responseCodes[code]?.name
  return meaning === undefined ? code : `${code} (${meaning})`
}

/** The sentence. `link` is the entry's link by name, `mti` its message's type, 0 without a message. */
export const entryWords = (entry: Entry, link: string, mti: number, dialect: Dialect | undefined): string => {
  const type = mti === 0 ? "" : ` ${mtiText(mti)}`
  const code = withMeaning(entry.code, dialect)
  switch (entry.kind) {
    case EntryKind.accepted:
      return `request${type} from ${link} accepted, for ${entry.code}`
    case EntryKind.refused:
      return `message${type} from ${link} refused with ${code}`
    case EntryKind.answered:
      return `${link} answered ${code}`
    case EntryKind.timedOut:
      return unknownOutcomes[entry.code] ?? `ended without an answer (${entry.code})`
    case EntryKind.notSent:
      return `no byte left for ${link}; the origin was told ${code}`
    case EntryKind.queued:
      return entry.code === "reversal"
        ? `reversal${type} for ${link} written, to be sent until it is acknowledged`
        : `message${type} ${entry.code} accepted, to be sent to ${link} until it is acknowledged`
    case EntryKind.sent:
      return `attempt ${entry.code} to ${link}`
    case EntryKind.acknowledged:
      return `${link} acknowledged with ${code}`
    case EntryKind.abandoned:
      return `given up after the last attempt (${code}): in doubt until a person ends it`
    case EntryKind.declined:
      return `${link} declined it with ${code}: in doubt until a person ends it`
    case EntryKind.unreversed:
      return `it moves money and there is no reversal for ${link}: in doubt until a person ends it`
    case EntryKind.inDoubt:
      return `still in doubt for ${link}`
    case EntryKind.closed:
      return `ended by a person: ${entry.code}`
    case EntryKind.day:
      return `business day of ${link}: ${entry.code}`
    case EntryKind.held:
      return `held back by a person: ${entry.code}`
    case EntryKind.released:
      return `let go by a person: ${entry.code}`
    case EntryKind.late:
      return `late answer ${code} from ${link}: kept, not delivered`
    case EntryKind.unmatched:
      return `answer from ${link} that belongs to no request (${code}): kept, not delivered`
    case EntryKind.duplicateAnswer:
      return `second answer ${code} from ${link}: kept, not delivered`
    case EntryKind.duplicateRequest:
      return `${link} sent it again: not forwarded again`
    case EntryKind.undelivered:
      if (entry.code === reversedByPartner) return `${link} has reversed it: a repeat is told that there is no answer`
      return `the answer could not be given to ${link}`
    default:
      return entry.code
  }
}
