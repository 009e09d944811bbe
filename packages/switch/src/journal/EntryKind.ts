/**
 * The kinds of journal entries. The numbers are in every journal ever written: a kind is never renumbered or reused.
 */

/** What an entry says happened. `named` is the journal's own; the others are the life of exchanges and links. */
export const EntryKind = {
  /** A request was accepted; opens an exchange. */
  accepted: 1,
  /** A request was refused; opens an exchange that has ended. */
  refused: 2,
  /** The answer that ended an exchange. */
  answered: 3,
  /** No answer in time. */
  timedOut: 4,
  /** No byte of the request left the switch. */
  notSent: 5,
  /** A store-and-forward message (advice accepted, or our own reversal); opens an exchange. */
  queued: 6,
  /** One attempt to send a store-and-forward message. */
  sent: 7,
  /** The partner acknowledged a store-and-forward message. */
  acknowledged: 8,
  /** A store-and-forward message was given up. */
  abandoned: 9,
  /** An answer after the end of its exchange. */
  late: 10,
  /** An answer that belongs to no exchange. */
  unmatched: 11,
  /** A second answer to one exchange. */
  duplicateAnswer: 12,
  /** A request seen before. */
  duplicateRequest: 13,
  /** An answer could not be given to the origin, or is not given again: `reversedByPartner`. */
  undelivered: 14,
  /** Something about a link or the switch, named in `code`: link up, link down, sign-on. */
  event: 15,
  /** Written by the journal itself: gives the number in `link` its name and dialect (`message`: name, LF, dialect). */
  named: 16,
  /** The partner answered a store-and-forward message with a final code that does not settle it. */
  declined: 17,
  /** Money that nobody can reverse: there is no reversal for the exchange. */
  unreversed: 18,
  /** Something in doubt that is said again, so that a start need not read back to where it began. */
  inDoubt: 19,
  /** A person has ended something that was in doubt; `code` says who and why. */
  closed: 20,
  /** The keys of a slot changed; `message` says how, and the table of keys has what came of it (`KeySlots.ts`). */
  key: 21,
  /** A person holds a store-and-forward message back, and has let it go again; `code` says who and why. */
  held: 22,
  released: 23,
  /** A partner's business day, as its link knows it from here on, or the same said again; `code` says it (`BusinessDay.ts`). */
  day: 24
} as const

/** One of the numbers of {@link EntryKind}. */
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind]

/** Kinds lie in 1..entryKindMax. */
export const ENTRY_KIND_MAX = 24

const kindNames = new Map<number, string>(Object.entries(EntryKind).map(([name, kind]) => [kind, name]))

/** The kind's name, as in {@link EntryKind}; a number that is no kind gives `kind <n>`. */
export const entryKindName = (kind: number): string => kindNames.get(kind) ?? `kind ${kind}`

/** Whether an entry of this kind opens an exchange when it is given none: accepted, refused, queued. */
export const opensExchange = (kind: number): boolean =>
  kind === EntryKind.accepted || kind === EntryKind.refused || kind === EntryKind.queued

/** How the event of an accepted loss begins: a person goes on without entries that the journal had acknowledged. */
export const lossAccepted = "loss accepted: "

/** Whether the code of an event says so: what was lost were the entries before it. */
export const saysLoss = (code: string): boolean => code.startsWith(lossAccepted)

/** The code of an `undelivered` that says that the request's own partner has reversed it: its approval is not given again. */
export const reversedByPartner = "reversed by its partner"

/** Entries per kind, by kind number: `counts[EntryKind.accepted]`. Index 0 is unused. */
export type KindCounts = ReadonlyArray<number>

/** Counts of an empty journal. */
export const noCounts = (): Array<number> => new Array<number>(ENTRY_KIND_MAX + 1).fill(0)
