/**
 * Checkers over the journal that the switch left behind: G1 durable before visible, G2 one end, G10 covered cards. Pure.
 *
 * They read entries as docs/decisions/0004-journal.md numbers their kinds; messages are CUPS with card data blanked. They do not
 * judge whether the right thing was written at the right time.
 */
import type { Entry } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind, entryKindName } from "../../../packages/switch/src/journal/EntryKind.ts"
import { readKeyEntry } from "../../../packages/switch/src/journal/KeySlots.ts"
import { type CupsMessage, readMessage } from "../partner/Cups.ts"
import { showsCard } from "./Checks.ts"
import type { History, Written } from "./History.ts"

const requestEnds: ReadonlySet<number> = new Set([EntryKind.answered, EntryKind.timedOut, EntryKind.notSent])
const deliveryEnds: ReadonlySet<number> = new Set([EntryKind.acknowledged, EntryKind.abandoned, EntryKind.declined])

interface Opened {
  readonly ends: ReadonlySet<number>
  readonly seen: Array<number>
}

/** Every exchange by the seq that opened it, with the ends it found, and what ended without having begun. */
const followed = (entries: ReadonlyArray<Entry>) => {
  const wrong: Array<string> = []
  const opened = new Map<number, Opened>()
  for (const { seq, kind, exchange } of entries) {
    if (kind === EntryKind.accepted) opened.set(seq, { ends: requestEnds, seen: [] })
    else if (kind === EntryKind.queued) opened.set(seq, { ends: deliveryEnds, seen: [] })
    else if (requestEnds.has(kind) || deliveryEnds.has(kind)) {
      const known = opened.get(exchange)
      if (known?.ends.has(kind) === true) known.seen.push(kind)
      else wrong.push(`G2: entry ${seq} (${entryKindName(kind)}) ends ${exchange}, which is not open for that`)
    }
  }
  return { opened, wrong }
}

/** What has no end yet, in words: not wrong while a run goes on. */
export const openExchanges = (entries: ReadonlyArray<Entry>): ReadonlyArray<string> =>
  [...followed(entries).opened]
    .filter(([, { seen }]) => seen.length === 0)
    .map(([seq, { ends }]) => `${ends === requestEnds ? "request" : "store-and-forward message"} ${seq} has no end`)

/** G2: nothing has two ends, and nothing ends that never began. What has none yet is `openExchanges`. */
export const oneEnd = (entries: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  const { opened, wrong } = followed(entries)
  const twice = [...opened].filter(([, { seen }]) => seen.length > 1)
  return [
    ...wrong,
    ...twice.map(([seq, { seen }]) => `G2: exchange ${seq} ends as ${seen.map(entryKindName).join(" and ")}`)
  ]
}

const messageOf = ({ message }: Entry): CupsMessage | undefined => {
  try {
    return message.length === 0 ? undefined : readMessage(message)
  } catch {
    return undefined
  }
}

/** Seq of the first entry of the given kinds whose message carries an RRN, by RRN. */
const firstByRrn = (entries: ReadonlyArray<Entry>, kinds: ReadonlySet<number>): Map<string, number> => {
  const first = new Map<string, number>()
  for (const entry of entries) {
    if (!kinds.has(entry.kind)) continue
    const rrn = messageOf(entry)?.fields[37]
    if (rrn !== undefined && !first.has(rrn)) first.set(rrn, entry.seq)
  }
  return first
}

/** Whatever is not taken is answered with another code than this. */
const approved = "00"

/**
 * G1: what the switch wrote to anybody about a purchase was on disk before, at least as far as its beginning. A refusal
 * promises nothing, and is not written while there is little room on the disk; a repeat of that purchase may be taken later.
 */
export const durableBeforeVisible = (history: History, entries: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  const accepted = firstByRrn(entries, new Set([EntryKind.accepted, EntryKind.refused]))
  const queued = firstByRrn(entries, new Set([EntryKind.queued]))
  // What could not be held against its MAC is no refusal of what has its key.
  const unproved = firstByRrn(entries, new Set([EntryKind.unmatched]))
  const findings: Array<string> = []
  for (const written of history.written) {
    if (written.durable === undefined) continue
    const first = written.mti.startsWith("042") ? queued : accepted
    const isUnproved = written.code !== undefined && written.code !== approved
    if (isUnproved && (unproved.get(written.rrn) ?? Number.POSITIVE_INFINITY) <= written.durable) continue
    if (isTooEarly(written, written.durable, first)) {
      findings.push(`G1: ${written.mti} ${written.rrn} left for ${written.to} before it was on disk`)
    }
  }
  return findings
}

const isTooEarly = (
  { code, isLow, mti, rrn }: Written,
  durable: number,
  first: ReadonlyMap<string, number>
): boolean => {
  if (mti === "0430") return false
  const seq = first.get(rrn)
  if (seq !== undefined && seq <= durable) return false
  return !isLow || code === undefined || code === approved
}

/** G10: no PIN block in any entry, open or sealed, of whichever zone. */
export const withoutPins = (entries: ReadonlyArray<Entry>, pinBlocks: ReadonlySet<string>): ReadonlyArray<string> => {
  const blocks = [...pinBlocks].map((block) => Buffer.from(block, "latin1"))
  return entries
    .filter(({ message, secret }) => blocks.some((block) => message.includes(block) || secret.includes(block)))
    .map(({ seq }) => `G10: entry ${seq} holds a PIN block`)
}

/** Both sides have the same MAC key: `inUse` are links and the check values of what their partners use. */
export const commonKeys = (
  entries: ReadonlyArray<Entry>,
  inUse: ReadonlyArray<readonly [string, string]>
): ReadonlyArray<string> => {
  const taken = new Map<string, string>()
  for (const { kind, message } of entries) {
    if (kind !== EntryKind.key) continue
    const { event, link, slot } = readKeyEntry(message.toString())
    const { event: what, key } = JSON.parse(event)
    if (slot === "mac/both" && what === "taken") taken.set(link, key.checkValue)
  }
  return inUse
    .filter(([link, checkValue]) => taken.get(link) !== checkValue)
    .map(([link, checkValue]) => `keys: ${link} ends with ${taken.get(link)}, its partner with ${checkValue}`)
}

/** G10: no card number in clear in the open part of any entry. */
export const coveredEntries = (entries: ReadonlyArray<Entry>, cards: ReadonlySet<string>): ReadonlyArray<string> =>
  entries
    .filter(({ message, code }) => showsCard(message.toString("latin1"), cards) || showsCard(code, cards))
    .map(({ seq }) => `G10: entry ${seq} shows a card number`)
