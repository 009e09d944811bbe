/**
 * Evidence read from the files that the partners wrote.
 *
 * Owns the ledger file's and journal file's lines. Joins the files of several partners.
 */
import { coverCardText } from "@jinka/codec"
import { Effect, Schema } from "effect"
import { eachLine } from "../file/Lines.ts"
import { readText } from "../file/TextFile.ts"
import { type HistoryLine, parseHistory } from "../history/History.ts"
import type { LedgerTotals, Posting } from "../issuer/Ledger.ts"
import { parseFaultHistory } from "../proxy/FaultHistory.ts"
import type { FileFailed, FileMalformed } from "../SimulatorError.ts"
import { parseTraffic } from "../traffic/Traffic.ts"
import type { Evidence, KeyInUse } from "./Evidence.ts"

/** Paths; the journal file is made by whoever ran the switch, one JournalTransaction a line. */
export interface EvidencePaths {
  readonly acquirer: ReadonlyArray<string>
  readonly issuer: ReadonlyArray<string>
  readonly ledger: ReadonlyArray<string>
  readonly journal?: ReadonlyArray<string>
  /** Histories of proxies, between acquirers and switch, and between switch and issuers. */
  readonly proxy?: ReadonlyArray<string>
  readonly issuerProxy?: ReadonlyArray<string>
  /** Traffic that proxies recorded. */
  readonly traffic?: ReadonlyArray<string>
  /** Logs and other files in which card data is sought, besides all the others. */
  readonly log?: ReadonlyArray<string>
}

const PostingLine = Schema.Struct({
  rrn: Schema.String,
  key: Schema.String,
  account: Schema.String,
  rule: Schema.Literals(["debit", "hold", "credit", "undo", "undoPart"]),
  amount: Schema.Finite,
  available: Schema.Finite
})

const TotalsLine = Schema.Struct({
  totals: Schema.Struct({
    accounts: Schema.Finite,
    opening: Schema.Finite,
    available: Schema.Finite,
    postings: Schema.Finite,
    standing: Schema.Finite,
    undone: Schema.Finite,
    tombstones: Schema.Finite
  })
})

const JournalLine = Schema.Struct({
  mti: Schema.String,
  key: Schema.String,
  rrn: Schema.String,
  end: Schema.Literals(["Answered", "Rejected", "TimedOut", "Acknowledged", "Abandoned", "Declined", "Open"]),
  code: Schema.String,
  reversed: Schema.Boolean,
  reversalEnd: Schema.optionalKey(Schema.NullOr(Schema.Literals(["Acknowledged", "Abandoned", "Declined", "Open"])))
})

const decodeLedgerLine = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Union([PostingLine, TotalsLine])))
const decodeJournalLine = Schema.decodeUnknownSync(Schema.fromJsonString(JournalLine))

const readLines = <A>(
  paths: ReadonlyArray<string>,
  parse: (text: string) => ReadonlyArray<A>
): Effect.Effect<ReadonlyArray<A>, FileFailed | FileMalformed> =>
  Effect.map(
    Effect.forEach(paths, (path) => readText(path, parse)),
    (parts) => parts.flat()
  )

/** Sum of several ledgers; undefined when one of them has no last line. */
const joined = (totals: ReadonlyArray<LedgerTotals>, ledgers: number): LedgerTotals | undefined =>
  totals.length !== ledgers || ledgers === 0
    ? undefined
    : totals.reduce((sum, one) => ({
        accounts: sum.accounts + one.accounts,
        opening: sum.opening + one.opening,
        available: sum.available + one.available,
        postings: sum.postings + one.postings,
        standing: sum.standing + one.standing,
        undone: sum.undone + one.undone,
        tombstones: sum.tombstones + one.tombstones
      }))

/** Of a line of JSON what names a message or a moment: digits by the dozen, one in ten of which look like a card's number. */
const numbersOfALine = /"(?:key|original|rrn|stan)":"[^"\\]*"|"at":\d{13}(?!\d)/g

/** Places of a text in which card data is in clear: by line, never the value. */
const cardDataIn = (path: string, text: string): ReadonlyArray<string> =>
  text
    .split("\n")
    .map((line) => (line.startsWith("{") ? line.replaceAll(numbersOfALine, "") : line))
    .flatMap((line, at) =>
      coverCardText(line) === line ? [] : [`${path}:${at + 1}: a card number in clear, or a track`]
    )
    .slice(0, PLACES_MAX)

const keyInUse = /^(\w+) key .*check value (\w+), is in use/

/** The working keys that the lines of one partner speak of. */
const keysOf = (partner: string, side: KeyInUse["side"], lines: ReadonlyArray<HistoryLine>): ReadonlyArray<KeyInUse> =>
  lines.flatMap(({ reason = "", what }) => {
    const [, purpose, checkValue] = (what === "key" ? keyInUse.exec(reason) : null) ?? []
    return purpose === undefined || checkValue === undefined ? [] : [{ partner, side, purpose, checkValue }]
  })

/** Card numbers of the partners' own files that are not masked. Their keys and numbers are long digits, too, and no cards. */
const uncoveredOf = (
  acquirer: ReadonlyArray<HistoryLine>,
  issuer: ReadonlyArray<HistoryLine>,
  postings: ReadonlyArray<Posting>
): ReadonlyArray<string> => {
  const isOpen = (number: string | undefined): boolean => number !== undefined && /^\d{12,}$/.test(number)
  const places = [...acquirer, ...issuer]
    .filter(({ pan }) => isOpen(pan))
    .map(({ rrn }) => `history, RRN ${rrn ?? "none"}`)
  const books = postings.filter(({ account }) => isOpen(account)).map(({ rrn }) => `ledger, RRN ${rrn}`)
  return [...places, ...books].map((place) => `${place}: a card number in clear`).slice(0, PLACES_MAX)
}

/** Places that one file is told of. */
const PLACES_MAX = 20

const optional = <A>(
  paths: ReadonlyArray<string> | undefined,
  parse: (text: string) => ReadonlyArray<A>
): Effect.Effect<ReadonlyArray<A> | undefined, FileFailed | FileMalformed> =>
  paths === undefined || paths.length === 0 ? Effect.succeed(undefined) : readLines(paths, parse)

/** Reads everything. Counters come from elsewhere. */
export const readEvidence = (paths: EvidencePaths): Effect.Effect<Evidence, FileFailed | FileMalformed> =>
  Effect.gen(function* () {
    const keysInUse: Array<KeyInUse> = []
    const historiesOf = (side: KeyInUse["side"]) =>
      Effect.forEach(paths[side], (path) =>
        Effect.tap(readLines([path], parseHistory), (lines) =>
          Effect.sync(() => void keysInUse.push(...keysOf(path, side, lines)))
        )
      ).pipe(Effect.map((parts) => parts.flat()))
    const acquirer = yield* historiesOf("acquirer")
    const issuer = yield* historiesOf("issuer")
    const ledger = yield* readLines(paths.ledger, (text) => eachLine(text, (line) => decodeLedgerLine(line)))
    const journal =
      paths.journal === undefined || paths.journal.length === 0
        ? undefined
        : yield* readLines(paths.journal, (text) => eachLine(text, (line) => decodeJournalLine(line)))
    const postings: Array<Posting> = []
    const totals: Array<LedgerTotals> = []
    for (const line of ledger) {
      if ("totals" in line) totals.push(line.totals)
      else postings.push(line)
    }
    const { issuerProxy = [], proxy = [], traffic = [], log = [] } = paths
    const cardData: Array<string> = [...uncoveredOf(acquirer, issuer, postings)]
    for (const path of log) {
      yield* readLines([path], (text) => {
        cardData.push(...cardDataIn(path, text))
        return []
      })
    }
    return {
      ...{ acquirer, issuer, postings, journal, cardData, keysInUse, counters: undefined },
      ledger: joined(totals, paths.ledger.length),
      faults: yield* optional(proxy, parseFaultHistory),
      issuerFaults: yield* optional(issuerProxy, parseFaultHistory),
      traffic: yield* optional(traffic, parseTraffic)
    }
  })
