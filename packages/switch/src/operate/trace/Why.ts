/**
 * Why an answer found no request that waited for it: whose it is, or to which request it is nearest and in what it differs.
 *
 * Reads what the journal shows without secrets. Two covered values that look the same may be two different ones: the card
 * number is no field of a key.
 */
import { type Codec, describe, matchFields } from "@jinka/codec"
import { Effect } from "effect"
import type { Entry } from "../../journal/Entry.ts"
import { EntryKind, entryKindName } from "../../journal/EntryKind.ts"
import type { Journal } from "../../journal/Journal.ts"
import type { JournalError } from "../../journal/JournalError.ts"
import type { SearchKey } from "../../journal/JournalStore.ts"
import { stanOf } from "../../message/Stamp.ts"
import type { Dialects, Readable } from "./Dialects.ts"
import { evenness } from "./Even.ts"
import type { WhyAnswer, WhyReport } from "./WhyReport.ts"

/** What it needs of a journal, running or not. */
export interface WhyJournal extends Readable, Pick<Journal["Service"], "scan"> {
  /** The last entry that is on disk. */
  readonly last: () => number
}

/** Answers that are told without a key, and entries that are looked through for them. */
const TOLD_MAX = 10
const LOOKED_MAX = 100_000
/** Entries before an answer among which its nearest request is looked for, besides those with its STAN or RRN. */
const NEAR_MAX = 5000

const kinds = [EntryKind.late, EntryKind.unmatched, EntryKind.duplicateAnswer] as const
const isAnswer = ({ kind }: Entry): boolean => kinds.some((one) => one === kind)
const asks = [EntryKind.accepted, EntryKind.queued] as const

/** Values of a message by field, as people see them. */
interface Read {
  readonly codec: Codec
  readonly mti: string
  readonly values: ReadonlyMap<string, string>
  readonly names: ReadonlyMap<string, string>
}

/** The reasons of all answers with these keys, or of the last few. */
export const why = Effect.fnUntraced(function* (
  journal: WhyJournal,
  dialects: Dialects,
  key: SearchKey | undefined
): Effect.fn.Return<WhyReport, JournalError> {
  const reasons = new Reasons(journal, dialects)
  const answers: Array<WhyAnswer> = []
  for (const entry of key === undefined ? yield* lastOf(journal) : yield* found(journal, key))
    answers.push(yield* reasons.of(entry))
  return { answers }
})

const lastOf = Effect.fnUntraced(function* (journal: WhyJournal): Effect.fn.Return<ReadonlyArray<Entry>, JournalError> {
  const last: Array<Entry> = []
  const from = Math.max(1, journal.last() - LOOKED_MAX)
  yield* journal.scan(
    from,
    (entry) => {
      last.unshift(entry)
      if (last.length > TOLD_MAX) last.pop()
    },
    { kinds }
  )
  return last
})

const found = Effect.fnUntraced(function* (
  journal: WhyJournal,
  key: SearchKey
): Effect.fn.Return<ReadonlyArray<Entry>, JournalError> {
  const answers = new Map<number, Entry>()
  for (const exchange of (yield* journal.find(key)).slice(0, 2 * TOLD_MAX)) {
    for (const entry of (yield* journal.read(exchange)).filter(isAnswer)) answers.set(entry.seq, entry)
  }
  return [...answers.values()].sort((one, other) => other.seq - one.seq).slice(0, TOLD_MAX)
})

/** A request as it may have been meant. */
interface Near {
  readonly entry: Entry
  readonly same: ReadonlyArray<string>
  readonly differs: NonNullable<WhyAnswer["nearest"]>["differs"]
  readonly score: number
}

class Reasons {
  private readonly journal: WhyJournal
  private readonly dialects: Dialects
  private readonly names: ReadonlyMap<number, { readonly name: string; readonly dialect: string }>

  constructor(journal: WhyJournal, dialects: Dialects) {
    this.journal = journal
    this.dialects = dialects
    this.names = new Map(journal.names().map((record) => [record.id, record]))
  }

  of(entry: Entry): Effect.Effect<WhyAnswer, JournalError> {
    return Effect.gen({ self: this }, function* () {
      const { at, code, exchange, kind, seq } = entry
      const link = this.names.get(entry.link)?.name ?? ""
      const answer = this.read(entry)
      const own = exchange === 0 ? [] : yield* this.journal.read(exchange)
      const request = own.find((one) => one.seq === exchange)
      const near =
        answer === undefined
          ? undefined
          : request === undefined
            ? yield* this.nearest(entry, link, answer)
            : this.compared(request, link, answer)
      const says =
        kind === EntryKind.unmatched ? this.unmatched(entry, link, near) : yield* this.known(entry, own, request)
      return {
        seq,
        at: new Date(at).toISOString(),
        kind: entryKindName(kind),
        link,
        mti: answer?.mti ?? "",
        code,
        says,
        nearest:
          near === undefined
            ? null
            : {
                exchange: near.entry.seq,
                at: new Date(near.entry.at).toISOString(),
                same: near.same,
                differs: near.differs
              }
      }
    })
  }

  /** An answer of an exchange that had ended: when and how, and whether both sides are even. */
  private known(
    { at, exchange }: Entry,
    own: ReadonlyArray<Entry>,
    request: Entry | undefined
  ): Effect.Effect<string, JournalError> {
    const end = own.find(
      ({ kind }) => kind === EntryKind.answered || kind === EntryKind.timedOut || kind === EntryKind.notSent
    )
    const took = request === undefined ? "" : `, ${at - request.at} ms after its request`
    const ended =
      end === undefined ? "had ended" : `had ended ${at - end.at} ms before (${entryKindName(end.kind)} ${end.code})`
    const says = `It is the answer of exchange ${exchange}, which ${ended}${took}.`
    return Effect.map(evenness(this.journal, this.dialects, exchange, own), (even) =>
      even === undefined ? says : `${says} ${even.says}`
    )
  }

  private unmatched({ code, exchange }: Entry, link: string, near: Near | undefined): string {
    if (exchange !== 0) return `It has the key of exchange ${exchange} and is not its answer: ${code}.`
    const missing = code.endsWith(" is missing") ? `${code}, a field of the key. ` : ""
    if (near === undefined)
      return `${missing}No request to ${link} shortly before it has a field of its key: it may be of an earlier day, or of another link.`
    const fields = near.differs.map(
      ({ answer, id, name, request }) =>
        `DE ${id} (${name}) is ${answer || "not there"}, and was ${request || "not there"}`
    )
    const differs =
      fields.length === 0 ? "all fields of the key are the same: its request was sent later" : fields.join("; ")
    return `${missing}The nearest request is exchange ${near.entry.seq}: ${differs}.`
  }

  /** The request to the link that has the most of the answer's key. */
  private nearest(entry: Entry, link: string, answer: Read): Effect.Effect<Near | undefined, JournalError> {
    const { journal } = this
    return Effect.gen({ self: this }, function* () {
      let best: Near | undefined
      const look = (one: Entry) => {
        if (one.seq >= entry.seq || !this.wentTo(one, link, entry.link)) return
        const near = this.compared(one, link, answer)
        if (near !== undefined && near.same.length > 0 && near.score >= (best?.score ?? 0)) best = near
      }
      const { rrn, stan } = this.keysOf(answer)
      for (const key of [...(stan === "" ? [] : [{ stan: Number(stan) }]), ...(rrn === "" ? [] : [{ rrn }])]) {
        for (const exchange of (yield* journal.find(key)).slice(0, TOLD_MAX))
          for (const one of yield* journal.read(exchange)) if (asks.some((kind) => kind === one.kind)) look(one)
      }
      yield* journal.scan(
        Math.max(1, entry.seq - NEAR_MAX),
        (one) => {
          look(one)
          return one.seq < entry.seq
        },
        { kinds: asks }
      )
      return best
    })
  }

  private wentTo({ code, kind, link }: Entry, name: string, number: number): boolean {
    return kind === EntryKind.accepted ? code === name : kind === EntryKind.queued && link === number
  }

  private keysOf({ codec, values }: Read): { readonly stan: string; readonly rrn: string } {
    const { rrn, stan } = codec.layout.roles
    const digits = values.get(String(stan)) ?? ""
    return { stan: /^\d{1,12}$/.test(digits) ? digits : "", rrn: (values.get(String(rrn)) ?? "").trim() }
  }

  /** The request beside the answer, by the fields of the key of the answer's dialect. */
  private compared(request: Entry, link: string, answer: Read): Near | undefined {
    const asked = this.read(request)
    if (asked === undefined) return undefined
    const { dialect, layout } = answer.codec
    const isOwn = request.kind === EntryKind.accepted && this.dialects.link(link)?.stan === "own"
    const value = (read: Read, de: number) => (read.values.get(String(de)) ?? "").trim()
    const sent = (de: number) => (isOwn && de === layout.roles.stan ? stanOf(request.seq) : value(asked, de))
    const key = matchFields(dialect, Number(answer.mti))
    const isSame = (de: number) => plain(sent(de)) === plain(value(answer, de))
    const there = key.filter((de) => sent(de) !== "" || value(answer, de) !== "")
    const same = there.filter(isSame)
    const { amount, pan, processingCode, rrn } = layout.roles
    const besides = [rrn, pan, amount, processingCode].filter(
      (de) => !key.includes(de) && sent(de) !== "" && isSame(de)
    )
    return {
      entry: request,
      same: same.map(String),
      differs: there
        .filter((de) => !isSame(de))
        .map((de) => ({
          id: String(de),
          name: answer.names.get(String(de)) ?? asked.names.get(String(de)) ?? "",
          request: sent(de),
          answer: value(answer, de)
        })),
      score: 10 * same.length + besides.length
    }
  }

  private read({ link, message }: Entry): Read | undefined {
    const codec = this.dialects.codec(this.names.get(link)?.dialect ?? "")
    if (codec === undefined || message.length === 0) return undefined
    const { rows } = describe(codec, message)
    const mti = rows.find(({ id }) => id === "mti")?.value ?? ""
    return {
      codec,
      mti,
      values: new Map(rows.map(({ id, value }) => [id, value])),
      names: new Map(rows.map(({ id, name }) => [id, name]))
    }
  }
}

/** Numbers of two dialects may have other leading zeros. */
const plain = (value: string): string => (/^\d+$/.test(value) ? value.replace(/^0+(?=\d)/, "") : value)
