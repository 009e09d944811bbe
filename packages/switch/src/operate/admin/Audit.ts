/**
 * Who did what, and why: the acts of persons out of the journal, newest first, a stretch of it at a time. What a person is shown
 * here was hash-chained before it was done.
 */
import { Effect, Schema } from "effect"
import { readActText } from "../../ActText.ts"
import type { Entry } from "../../journal/Entry.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import type { Journal } from "../../journal/Journal.ts"
import type { JournalError } from "../../journal/JournalError.ts"
import { readKeyEntry } from "../../journal/KeySlots.ts"

/** Entries of the journal that one question goes through, and acts that it gives. */
const STRETCH = 50_000
const GIVEN_MAX = 200

/** One act. */
const ActReport = Schema.Struct({
  seq: Schema.Number,
  /** Milliseconds since 1970. */
  at: Schema.Number,
  user: Schema.String,
  /** The link that it was about; empty: the switch. */
  link: Schema.String,
  what: Schema.String,
  /** Empty: none was wanted. */
  why: Schema.String
})

/** A stretch of the journal. `before`: where the next older one ends; 0: this one reaches the journal's beginning. */
export const AuditReport = Schema.Struct({ acts: Schema.Array(ActReport), before: Schema.Number })
/** See the schema. */
export type AuditReport = typeof AuditReport.Type

/** What persons did with what waits or is in doubt has kinds of its own; `code` is who and why: `anna: issuer repairs`. */
const settling: Readonly<Record<number, string>> = {
  [EntryKind.closed]: "close",
  [EntryKind.held]: "hold",
  [EntryKind.released]: "release"
}
const signed = /^([^:]+): (.*)$/s

const kinds = [EntryKind.event, EntryKind.key, EntryKind.closed, EntryKind.held, EntryKind.released] as const

/** The journal of a running switch, or one that is only read: what the acts are read from. */
export interface AuditSource extends Pick<Journal["Service"], "scan"> {
  /** Behind the last entry. */
  readonly next: number
  readonly names: ReturnType<Journal["Service"]["names"]>
}

/** The acts in the stretch in front of entry `before`; 0: the newest. */
export const auditOf = (journal: AuditSource, before: number): Effect.Effect<AuditReport, JournalError> =>
  Effect.gen(function* () {
    const end = before > 0 ? Math.min(before, journal.next) : journal.next
    const from = Math.max(1, end - STRETCH)
    const names = new Map(journal.names.map(({ id, name }) => [id, name]))
    const acts: Array<typeof ActReport.Type> = []
    yield* journal.scan(
      from,
      (entry) => {
        if (entry.seq >= end) return false
        const act = actOf(entry, names.get(entry.link) ?? "")
        if (act !== undefined) acts.push(act)
        return true
      },
      { kinds }
    )
    const given = acts.slice(-GIVEN_MAX).reverse()
    const oldest = acts.length > GIVEN_MAX ? given.at(-1)!.seq : from
    return { acts: given, before: oldest <= 1 ? 0 : oldest }
  })

/** What a `key` entry says of the persons behind a change. */
const KeyEvent = Schema.Struct({
  event: Schema.String,
  cause: Schema.String,
  by: Schema.Array(Schema.String),
  reason: Schema.String
})

/** A change of keys that persons have made; what partners and the clock change is no act of anybody. */
const keyAct = (seq: number, at: number, message: string): typeof ActReport.Type | undefined => {
  const { event: told, link, slot } = readKeyEntry(message)
  const read = Schema.decodeUnknownOption(Schema.fromJsonString(KeyEvent))(told)
  if (read._tag === "None" || read.value.by.length === 0) return undefined
  const { by, cause, event, reason: why } = read.value
  return { seq, at, user: by.join(", "), link, what: `key ${slot} ${event}: ${cause}`, why }
}

const actOf = ({ at, code, exchange, kind, message, seq }: Entry, link: string): typeof ActReport.Type | undefined => {
  if (kind === EntryKind.key) return keyAct(seq, at, message.toString())
  const settled = settling[kind]
  if (settled !== undefined) {
    const [, user = "", why = ""] = signed.exec(code) ?? []
    return { seq, at, user, link, what: `pending ${settled} exchange ${exchange}`, why }
  }
  const act = readActText(code)
  return act === undefined ? undefined : { seq, at, link, ...act }
}
