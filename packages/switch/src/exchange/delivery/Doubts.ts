/**
 * What is in doubt until a person ends it: messages of store-and-forward that were given up or declined, and money that nobody
 * can reverse. It is counted, marked in the status and never forgotten, not by a restart either.
 *
 * Each is in memory with a few words. So that a start need not read the journal back to where the oldest began, it is said
 * again in an entry of its own once it lies far behind. Its end is an entry with who and why.
 */
import type { Entry } from "../../journal/Entry.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import { isFarBehind } from "../SaidAgain.ts"

/** How it came into doubt. `unreversed`: the exchange moves money, and there is no reversal for it. */
export type DoubtEnd = "abandoned" | "declined" | "unreversed"

/** One of them. */
export interface InDoubt {
  /** Exchange of the message; of `unreversed` the request's own. */
  readonly exchange: number
  /** The exchange that it reverses, 0 when there is none in this journal. */
  readonly about: number
  readonly end: DoubtEnd
  /** Response code, or the reason for giving up. */
  readonly code: string
  /** The link that it was meant for, by name. */
  readonly link: string
  /** Message type as a number. */
  readonly mti: number
  readonly stan: string
  /** Since when, milliseconds since the epoch. */
  readonly at: number
}

/** Counts of one link, or of all. */
export type DoubtCounts = Readonly<Record<DoubtEnd, number>>

/** Those that are said again at once. */
const AT_ONCE = 100

interface Known extends InDoubt {
  /** From where a start has to read to know of it. */
  since: number
}

const form = /^(abandoned|declined|unreversed) (\d+) (\d+) (\S*) (.*)$/

/** The `code` of an entry that says it again. */
export const doubtText = ({ end, at, mti, stan, code }: InDoubt): string => `${end} ${at} ${mti} ${stan || "-"} ${code}`

/** What such an entry says; `undefined`: it is none. */
export const doubtOf = ({ exchange, about, code }: Entry, link: string): InDoubt | undefined => {
  const [, end, at, mti, stan, why] = form.exec(code) ?? []
  if (end === undefined) return undefined
  return {
    exchange,
    about,
    link,
    end: end as DoubtEnd,
    at: Number(at),
    mti: Number(mti),
    stan: stan === "-" ? "" : stan!,
    code: why!
  }
}

const noDoubts = (): Record<DoubtEnd, number> => ({ abandoned: 0, declined: 0, unreversed: 0 })

/** All that one switch has. */
export class Doubts {
  private readonly known = new Map<number, Known>()
  /** Counted as they come and go: every look at the switch asks for them, once a second and for each link. */
  private readonly byLink = new Map<string, Record<DoubtEnd, number>>()

  /** Something is in doubt from now on; `since` is the first entry that tells of it: left out, its own exchange. */
  add(one: InDoubt, since = one.exchange): void {
    this.close(one.exchange)
    this.known.set(one.exchange, { ...one, since })
    const counts = this.byLink.get(one.link) ?? noDoubts()
    counts[one.end]++
    this.byLink.set(one.link, counts)
  }

  /** A person has ended it. False when it is not in doubt. */
  close(exchange: number): boolean {
    const one = this.known.get(exchange)
    if (one === undefined) return false
    const counts = this.byLink.get(one.link)!
    counts[one.end]--
    if (counts.abandoned + counts.declined + counts.unreversed === 0) this.byLink.delete(one.link)
    return this.known.delete(exchange)
  }

  /** How many there are. */
  get size(): number {
    return this.known.size
  }

  /** What is in doubt under this exchange. */
  get(exchange: number): InDoubt | undefined {
    return this.known.get(exchange)
  }

  /** Oldest first. */
  get all(): ReadonlyArray<InDoubt> {
    return [...this.known.values()].sort((one, other) => one.exchange - other.exchange)
  }

  /** How many there are of a link, by how they came. */
  counts(link: string): DoubtCounts {
    return { ...(this.byLink.get(link) ?? noDoubts()) }
  }

  /** The first entry that a start has to read for them; infinite when there are none. */
  get floor(): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const { since } of this.known.values()) oldest = Math.min(oldest, since)
    return oldest
  }

  /** Says again what lies far behind `last`, some at a time: `say` journals one, and returns the entry's number. */
  sayAgain(last: number, say: (one: InDoubt) => number): void {
    let said = 0
    for (const one of this.known.values()) {
      if (!isFarBehind(one.since, last)) continue
      if (++said > AT_ONCE) return
      one.since = say(one)
    }
  }

  /** Learns from an entry of the last run; `link` is the name of the entry's link. */
  read(entry: Entry, link: string): void {
    if (entry.kind === EntryKind.closed) this.close(entry.exchange)
    const isSaid = entry.kind === EntryKind.inDoubt || entry.kind === EntryKind.unreversed
    const one = isSaid ? doubtOf(entry, link) : undefined
    if (one !== undefined) this.add(one, entry.seq)
  }
}
