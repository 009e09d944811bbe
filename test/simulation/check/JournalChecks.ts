/**
 * Checkers over the journal that the switch left behind: G1 durable before visible, G2 one end, G10 covered cards. Pure.
 *
 * They read entries as docs/decisions/0004-journal.md numbers their kinds; messages are CUPS with card data blanked. They do not
 * judge whether the right thing was written at the right time.
 */
import type { Entry } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind, entryKindName } from "../../../packages/switch/src/journal/EntryKind.ts"
import { readKeyEntry } from "../../../packages/switch/src/journal/KeySlots.ts"
import { readMessage } from "../partner/Cups.ts"
import { ShownCards } from "./Checks.ts"
import type { History, Written } from "./History.ts"

const requestEnds: ReadonlySet<number> = new Set([EntryKind.answered, EntryKind.timedOut, EntryKind.notSent])
const deliveryEnds: ReadonlySet<number> = new Set([EntryKind.acknowledged, EntryKind.abandoned, EntryKind.declined])

interface Opened {
  readonly ends: ReadonlySet<number>
  readonly seen: Array<number>
}

/** Every exchange by the seq that opened it, with the ends it found, and what ended without having begun. */
export class Ends {
  private readonly wrong: Array<string> = []
  private readonly opened = new Map<number, Opened>()
  private readonly open = new Map<number, Opened>()
  private read = 0

  /** Reads on in a journal that has only grown since the last time. */
  follow(entries: ReadonlyArray<Entry>): this {
    for (; this.read < entries.length; this.read++) this.take(entries[this.read]!)
    return this
  }

  private take({ exchange, kind, seq }: Entry): void {
    if (kind === EntryKind.accepted || kind === EntryKind.queued) {
      const opened = { ends: kind === EntryKind.accepted ? requestEnds : deliveryEnds, seen: [] }
      this.opened.set(seq, opened)
      this.open.set(seq, opened)
    } else if (requestEnds.has(kind) || deliveryEnds.has(kind)) {
      const known = this.opened.get(exchange)
      this.open.delete(exchange)
      if (known?.ends.has(kind) === true) known.seen.push(kind)
      else this.wrong.push(`G2: entry ${seq} (${entryKindName(kind)}) ends ${exchange}, which is not open for that`)
    }
  }

  /** What has no end yet, in words: not wrong while a run goes on. */
  get missing(): ReadonlyArray<string> {
    return [...this.open].map(
      ([seq, { ends }]) => `${ends === requestEnds ? "request" : "store-and-forward message"} ${seq} has no end`
    )
  }

  /** G2: nothing has two ends, and nothing ends that never began. What has none yet is `missing`. */
  get findings(): ReadonlyArray<string> {
    const twice = [...this.opened].filter(([, { seen }]) => seen.length > 1)
    return [
      ...this.wrong,
      ...twice.map(([seq, { seen }]) => `G2: exchange ${seq} ends as ${seen.map(entryKindName).join(" and ")}`)
    ]
  }
}

const rrnOf = ({ message }: Entry): string | undefined => {
  try {
    return message.length === 0 ? undefined : readMessage(message).fields[37]
  } catch {
    return undefined
  }
}

/** Seqs of the first entry of some kinds whose message carries an RRN, by RRN. */
type First = ReadonlyMap<string, number>

/** The first entries for each of several sets of kinds, in one pass. */
const firstByRrn = (entries: ReadonlyArray<Entry>, sets: ReadonlyArray<ReadonlySet<number>>): ReadonlyArray<First> => {
  const firsts = sets.map(() => new Map<string, number>())
  for (const entry of entries) {
    const at = sets.findIndex((kinds) => kinds.has(entry.kind))
    const rrn = at < 0 ? undefined : rrnOf(entry)
    if (rrn !== undefined && !firsts[at]!.has(rrn)) firsts[at]!.set(rrn, entry.seq)
  }
  return firsts
}

/** Whatever is not taken is answered with another code than this. */
const approved = "00"

/**
 * G1: what the switch wrote to anybody about a purchase was on disk before, at least as far as its beginning. A refusal
 * promises nothing, and is not written while there is little room on the disk; a repeat of that purchase may be taken later.
 */
export const durableBeforeVisible = (history: History, entries: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  // The last of them are refusals of what has another's key: it could not be held against its MAC, or comes behind its reversal.
  const [accepted, queued, unproved] = firstByRrn(entries, [
    new Set([EntryKind.accepted, EntryKind.refused]),
    new Set([EntryKind.queued]),
    new Set([EntryKind.unmatched, EntryKind.duplicateRequest])
  ]) as [First, First, First]
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

/** Length of a PIN block, bytes. */
const PIN_BLOCK = 8

/** PIN blocks to be found: all of one run, looked for in one pass over the bytes. */
class ShownPins {
  private readonly blocks: ReadonlySet<string>
  private readonly beginnings: ReadonlySet<number>

  constructor(blocks: ReadonlySet<string>) {
    this.blocks = blocks
    this.beginnings = new Set([...blocks].map((block) => (block.charCodeAt(0) << 8) | block.charCodeAt(1)))
  }

  isIn(bytes: Buffer): boolean {
    for (let at = 0; at + PIN_BLOCK <= bytes.length; at++) {
      if (!this.beginnings.has((bytes[at]! << 8) | bytes[at + 1]!)) continue
      if (this.blocks.has(bytes.toString("latin1", at, at + PIN_BLOCK))) return true
    }
    return false
  }
}

/** G10: no PIN block in any entry, open or sealed, of whichever zone. `pinBlocks`: eight bytes each, as Latin-1. */
export const withoutPins = (entries: ReadonlyArray<Entry>, pinBlocks: ReadonlySet<string>): ReadonlyArray<string> => {
  if (pinBlocks.size === 0) return []
  const shown = new ShownPins(pinBlocks)
  return entries
    .filter(({ message, secret }) => shown.isIn(message) || shown.isIn(secret))
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
export const coveredEntries = (entries: ReadonlyArray<Entry>, cards: ReadonlySet<string>): ReadonlyArray<string> => {
  const shown = new ShownCards(cards)
  return entries
    .filter(({ message, code }) => shown.isIn(message) || shown.isIn(Buffer.from(code)))
    .map(({ seq }) => `G10: entry ${seq} shows a card number`)
}
