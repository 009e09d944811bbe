/**
 * What the partners of a world said and heard, and whether the switch kept to what it promises (docs/concepts/guarantees.md):
 *
 *     G1  nothing about a transaction leaves before the journal is on disk
 *     G3  a partner hears no more answers with a key than it has sent messages with it
 *     G4  a request reaches its target once; two of different keys may look the same there, when the key of the target has less
 *     G5  what is sent again says so
 *     G6  an answer belongs to something that its partner has sent
 *     G10 no card number and no track in what the journal shows, and no track in what it seals
 *
 * Messages are known by their match key in their own link's dialect. What the codec cannot read is not judged.
 */
import {
  type Codec,
  type MessageIndex as Index,
  isResponse,
  MessageIndex,
  type MtiClass,
  mtiClass,
  mtiText,
  repeatMti,
  responseMti
} from "@jinka/codec"
import type { Entry } from "../../../packages/switch/src/journal/Entry.ts"
import { cardNumbers, showsNumber, track2Of } from "../../codec/cover/Canaries.ts"

/** The card of every good message, and what stands on its stripe. */
export const card = { pan: cardNumbers[6]!, track: track2Of(cardNumbers[6]!) } as const

interface Known {
  readonly mti: number
  readonly kind: MtiClass
  readonly key: string
  readonly code: string
  /** The key that these fields make of it. */
  readonly keyOf: (fields: ReadonlyArray<number>) => string
}

/** The book of one link. */
interface Book {
  readonly codec: Codec
  readonly said: Array<Known>
  readonly heard: Array<Known>
}

const index: Index = new MessageIndex()
const room = Buffer.alloc(8192)

const isTransaction = ({ kind }: Known): boolean => kind !== "unknown" && !kind.startsWith("networkManagement")

/** Keeps the books of a world's links. */
export class Ledger {
  private readonly books: ReadonlyArray<Book>
  private readonly early: Array<string> = []

  constructor(codecs: ReadonlyArray<Codec>) {
    this.books = codecs.map((codec) => ({ codec, said: [], heard: [] }))
  }

  /** The partner of this link has sent it. */
  said(link: number, messages: ReadonlyArray<Buffer>): void {
    const { codec, said } = this.books[link]!
    for (const bytes of messages) said.push(...known(codec, bytes))
  }

  /** It has got it; `isHeld`: while nothing that it had sent since was on disk. */
  heard(link: number, messages: ReadonlyArray<Buffer>, isHeld = false): void {
    const { codec, heard } = this.books[link]!
    const all = messages.flatMap((bytes) => known(codec, bytes))
    heard.push(...all)
    if (!isHeld) return
    for (const one of all.filter(isTransaction))
      this.early.push(`G1: ${mtiText(one.mti)} left on link ${link} before anything was on disk`)
  }

  /** How many messages of different keys, or of different partners, are the same by these fields. */
  private asked(
    families: ReadonlyArray<ReadonlyArray<number>>,
    fields: ReadonlyArray<number>
  ): ReadonlyMap<string, number> {
    const own = new Map<string, Set<string>>()
    for (const family of families)
      for (const { key, kind, keyOf } of family.flatMap((link) => this.books[link]!.said)) {
        const name = `${kind} ${keyOf(fields)}`
        own.set(name, (own.get(name) ?? new Set()).add(`${family[0]} ${key}`))
      }
    return new Map([...own].map(([name, keys]) => [name, keys.size]))
  }

  /** What does not hold. `families`: links that are one partner. */
  findings(entries: ReadonlyArray<Entry>, families: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<string> {
    return [
      ...this.early,
      ...families.flatMap((family) => {
        const books = family.map((link) => this.books[link]!)
        const said = books.flatMap((book) => book.said)
        const heard = books.flatMap((book) => book.heard)
        const { match, refusal } = books[0]!.codec.dialect
        const asked = this.asked(families, match.transaction)
        return [
          ...answersTo(said, heard, refusal.formatError),
          ...oncePerRequest(heard, asked),
          ...repeatsSaySo(heard, asked)
        ].map((finding) => `${finding}, of link ${family.join(" or ")}`)
      }),
      ...covered(
        entries,
        this.books.map(({ codec }) => codec)
      )
    ]
  }
}

const known = (codec: Codec, bytes: Buffer): ReadonlyArray<Known> => {
  if (codec.index(bytes, 0, bytes.length, index) !== undefined || index.rejectCode !== 0) return []
  const { dialect, layout } = codec
  const kind = mtiClass(index.mti)
  const fields = kind.startsWith("networkManagement") ? dialect.match.networkManagement : dialect.match.transaction
  const keyOf = (of: ReadonlyArray<number>): string => {
    codec.index(bytes, 0, bytes.length, index)
    return room.toString("latin1", 0, codec.matchKey(index, of, room, 0))
  }
  return [{ mti: index.mti, kind, key: keyOf(fields), code: index.text(layout.roles.responseCode), keyOf }]
}

const counted = (all: ReadonlyArray<Known>, name: (one: Known) => string): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const one of all) counts.set(name(one), (counts.get(name(one)) ?? 0) + 1)
  return counts
}

/** G3 and G6. What cannot be read in all may be answered with what could be read of it: a format error. */
const answersTo = (
  said: ReadonlyArray<Known>,
  heard: ReadonlyArray<Known>,
  formatError: string
): ReadonlyArray<string> => {
  const asked = counted(said, ({ key, mti }) => `${responseMti(mti)} ${key}`)
  const answers = heard.filter((one) => isResponse(one.mti) && isTransaction(one) && one.code !== formatError)
  return [...counted(answers, ({ key, mti }) => `${mti} ${key}`)].flatMap(([name, count]) => {
    const asks = asked.get(name) ?? 0
    if (count <= asks) return []
    return [asks === 0 ? `G6: an answer ${name} to nothing that was sent` : `G3: ${count} answers ${name} to ${asks}`]
  })
}

/** G4. */
const oncePerRequest = (heard: ReadonlyArray<Known>, asked: ReadonlyMap<string, number>): ReadonlyArray<string> => {
  const requests = heard.filter(({ kind }) => kind === "request")
  return [...counted(requests, ({ key }) => key)].flatMap(([key, count]) =>
    count <= (asked.get(`request ${key}`) ?? 1) ? [] : [`G4: a request with the key ${key} came ${count} times`]
  )
}

/** G5. */
const repeatsSaySo = (heard: ReadonlyArray<Known>, asked: ReadonlyMap<string, number>): ReadonlyArray<string> => {
  const unmarked = heard.filter(({ kind, mti }) => (kind === "advice" || kind === "reversal") && repeatMti(mti) !== mti)
  return [...counted(unmarked, ({ key, kind }) => `${kind} ${key}`)].flatMap(([name, count]) =>
    count <= (asked.get(name) ?? 1) ? [] : [`G5: ${name} came again unmarked`]
  )
}

/**
 * G10. A message that was cut in the middle and reads all the same may spread a number or a track over elements that are too
 * short for one: that is not judged (SECURITY.md).
 */
const covered = (entries: ReadonlyArray<Entry>, codecs: ReadonlyArray<Codec>): ReadonlyArray<string> =>
  entries.flatMap(({ code, message, secret, seq }) => {
    const elements = elementsOf(message, codecs)
    const isShown = [Buffer.from(code), ...elements].some(
      (bytes) => showsNumber(bytes, card.pan, card.pan.length) !== undefined
    )
    const hasTrack = [...elements, secret].some((bytes) => bytes.includes(card.track))
    return [
      ...(isShown ? [`G10: entry ${seq} shows a card number`] : []),
      ...(hasTrack ? [`G10: entry ${seq} holds a track`] : [])
    ]
  })

/** The elements of a message in the first dialect that reads it; all of it where none does. */
const elementsOf = (message: Buffer, codecs: ReadonlyArray<Codec>): ReadonlyArray<Buffer> => {
  const codec = codecs.find((one) => one.index(message, 0, message.length, index) === undefined)
  if (codec === undefined) return [message]
  return codec.layout.defined.flatMap(({ de }) => (index.has(de) ? [index.bytes(de)] : []))
}
