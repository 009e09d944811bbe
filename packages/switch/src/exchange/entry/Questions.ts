/**
 * What the journal is being asked about messages of partners, each of which is put aside meanwhile and then goes on where it was;
 * nothing else waits for it. The questions of one turn are one question to the journal, and each partner has its share of those
 * under way.
 */
import { MessageIndex } from "@jinka/codec"
import { Effect, type Fiber } from "effect"
import { askedKind } from "../../journal/Asked.ts"
import { secretPan, secretRest } from "../../journal/Entry.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import type { Journal } from "../../journal/Journal.ts"
import type { AskedKind, Recalled } from "../../journal/JournalStore.ts"
import { sourceOf } from "../../journal/Source.ts"
import { type Language, receivedFieldsOf } from "../../message/Language.ts"
import type { Desk } from "../Desk.ts"
import { KEY_LENGTH_MAX } from "../request/Outstanding.ts"
import { Shares } from "../turns/Shares.ts"
import { KeyKind, type Known, Outcome } from "./RecentKeys.ts"

/** Messages put aside at once; a partner has at most three quarters of them. */
const ASIDE_MAX = 1024

/** Keys in one question: some milliseconds of the journal's thread. */
const KEYS_MAX = 64

const kinds: { readonly [kind in AskedKind]: KeyKind } = {
  request: KeyKind.request,
  reversal: KeyKind.reversal,
  advice: KeyKind.advice
}

/** What the journal knows of a message; `undefined`: it has not come before. "unknown": it has not said so in time. */
export type Answer = Known | undefined | "unknown"

/** What is asked for a message that is put aside. */
export interface Question {
  /** Desks of the links that what is looked for may have come on, the partner's own first. */
  readonly links: ReadonlyArray<Desk>
  /** Type of what is looked for. */
  readonly mti: number
  /** Key of the network as the journal's open copies have it. */
  readonly key: string
  /** Key of the partner's link, with what tells its callers apart; and the time in it. */
  readonly receivedKey: Buffer
  readonly time: number
  /** How far the journal is asked, and from when on, milliseconds since the epoch. */
  readonly upTo: number
  readonly since: number
  /** What is looked for has to be about the same card and amount as the message. */
  readonly isCompared?: boolean
}

/** What the questions need of all desks. */
export interface Turning {
  readonly journal: Pick<Journal["Service"], "recall">
  readonly runtime: { readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void> }
  /** The desk whose link has this name, or had it before. */
  readonly called: (link: string) => Desk | undefined
  /** By what memory ages, seconds. */
  readonly seconds: number
  readonly partnerOf: (desk: Desk) => number
  /** The desk whose link's name has this number in the journal. */
  readonly named: (journalName: number) => Desk | undefined
  /** Begins a turn, and ends it. */
  readonly tick: () => void
  readonly flush: () => void
}

/** A message put aside. */
interface Aside extends Question {
  readonly desk: Desk
  readonly message: Buffer
  readonly kind: AskedKind
  /** Monotonic milliseconds at which it is given up. */
  readonly until: number
  readonly told: (answer: Answer) => void
  isOver: boolean
}

/** Names under which the journal may have what came on the links. */
const namesOf = (links: ReadonlyArray<Desk>): ReadonlyArray<string> => links.flatMap(({ names }) => names)

/** The questions of one switch. */
export class Questions {
  private readonly desks: Turning
  private readonly shares = new Shares()
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private readonly found = new MessageIndex()
  private readonly again = new MessageIndex()
  private readonly named = new MessageIndex()
  private waiting: Array<Aside> = []
  private readonly aside = new Set<Aside>()

  constructor(desks: Turning) {
    this.desks = desks
  }

  /**
   * Puts the message of `index` aside until the journal has answered the question. Then, in a later turn, calls `then` with the
   * message and what the journal knows; memory knows it then, too, and must not throw. False when the partner has its share of
   * messages put aside: nothing is asked then. `until`: monotonic milliseconds.
   */
  ask(
    desk: Desk,
    index: MessageIndex,
    question: Question,
    until: number,
    then: (again: MessageIndex, answer: Answer) => void
  ): boolean {
    const partner = this.desks.partnerOf(desk)
    if (!this.shares.may(partner, ASIDE_MAX, true)) return false
    this.shares.take(partner)
    const bytes = Buffer.from(index.buffer.subarray(index.start, index.end))
    const told = (answer: Answer) => {
      this.shares.leave(partner)
      desk.language.index(bytes, 0, bytes.length, this.again)
      then(this.again, answer)
    }
    const one: Aside = { ...question, desk, message: bytes, kind: askedKind(question.mti), until, told, isOver: false }
    this.waiting.push(one)
    this.aside.add(one)
    return true
  }

  /** Whether a message of desk `id` is put aside: its answer is still to come. */
  isAsking(id: number): boolean {
    for (const { desk } of this.aside) if (desk.id === id) return true
    return false
  }

  /** Ends a turn: what has to be asked is asked. */
  flush(): void {
    while (this.waiting.length > 0) this.send(this.waiting.splice(0, KEYS_MAX))
  }

  /** Gives up what the journal has not answered in time. */
  tick(now: number): void {
    for (const one of this.aside) if (one.until <= now) this.end(one, "unknown")
  }

  private send(asides: ReadonlyArray<Aside>): void {
    const { desks } = this
    const keys = asides.flatMap(({ links, kind, key, since }) =>
      namesOf(links).map((link) => ({ link, kind, key, since }))
    )
    const upTo = Math.max(...asides.map((one) => one.upTo))
    const asked = desks.journal.recall(keys, upTo).pipe(
      Effect.map((answers) => {
        desks.tick()
        let at = 0
        for (const one of asides) {
          const count = namesOf(one.links).length
          this.end(one, this.fits(one, answers.slice(at, at + count).flat()))
          at += count
        }
        desks.flush()
      }),
      // A journal that has stopped ends the switch.
      Effect.catch(() => Effect.void)
    )
    desks.runtime.fork(asked)
  }

  private end(one: Aside, answer: Answer): void {
    if (one.isOver) return
    one.isOver = true
    this.aside.delete(one)
    if (answer !== undefined && answer !== "unknown") {
      const { desk, kind, receivedKey, time } = one
      desk.recent.put(kinds[kind], receivedKey, 0, receivedKey.length, answer, this.desks.seconds, time)
    }
    one.told(answer)
  }

  /** The first of these exchanges that was opened by this very key. */
  private fits(one: Aside, recalled: ReadonlyArray<Recalled>): Known | undefined {
    const exchange = recalled.find(({ entries: [opening] }) => opening !== undefined && this.isOf(one, opening))
    return exchange === undefined ? undefined : this.recalledOf(exchange)
  }

  /** Whether the entry was opened by the message of this key; the index compares hashes, and not what tells callers apart. */
  private isOf({ desk, isCompared, message, mti, receivedKey }: Aside, entry: Recalled["entries"][number]): boolean {
    const language = this.desks.named(entry.link)?.language
    // What cannot be read any more is rather taken for it than done twice.
    if (language === undefined || !this.read(language, entry)) return true
    const stan = entry.kind === EntryKind.queued ? sourceOf(entry.code)?.stan : undefined
    const index = stan === undefined ? this.found : language.withStan(this.found, stan)
    if (index === undefined) return true
    const length = language.key(index, receivedFieldsOf(desk.language, mti), this.key)
    if (this.key.compare(receivedKey, 0, receivedKey.length, 0, length) !== 0) return false
    if (isCompared !== true) return true
    desk.language.index(message, 0, message.length, this.named)
    return desk.language.isAboutSame(index, this.named)
  }

  /** Indexes an entry's message as it came: what its open copy covers is sealed with it. */
  private read(language: Language, { kind, message, secret, secretLength }: Recalled["entries"][number]): boolean {
    if (secretLength > 0 && secret.length === 0) return false
    const rest = secretRest(secret)
    if (kind === EntryKind.queued) return language.index(rest, 0, rest.length, this.found) === undefined
    if (secret.length > 0) return language.restore(message, secretPan(secret), rest, this.found)
    return language.index(message, 0, message.length, this.found) === undefined
  }

  private recalledOf({ exchange, entries }: Recalled): Known {
    const [opening] = entries
    const isQueued = opening!.kind === EntryKind.queued
    const to = isQueued ? this.desks.named(opening!.link)?.id : this.desks.called(opening!.code)?.id
    if (isQueued) return { exchange, end: 0, outcome: Outcome.queued, to }
    const has = (kind: EntryKind) => entries.find((entry) => entry.kind === kind)
    const answered = has(EntryKind.answered)
    const notSent = has(EntryKind.notSent)
    if (notSent !== undefined) return { exchange, end: notSent.seq, outcome: Outcome.refused, to }
    if (answered !== undefined) {
      const source = this.desks.named(answered.link)?.language
      const isTakenBack = has(EntryKind.undelivered) !== undefined && source?.isSuccess(answered.code) !== false
      return { exchange, end: answered.seq, outcome: isTakenBack ? Outcome.timedOut : Outcome.answered, to }
    }
    return { exchange, end: 0, outcome: has(EntryKind.timedOut) === undefined ? Outcome.open : Outcome.timedOut, to }
  }
}
