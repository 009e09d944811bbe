/**
 * Whether a partner has sent a message before: from memory, and from the journal where memory ends.
 *
 * Memory knows nearly always, for certain and at once. Where it has forgotten accepted keys that may still be repeated
 * (`RecentKeys.forgotten`), the message is put aside, the journal is asked, and the message goes on where it was; nothing else
 * waits for it. The questions of one turn are one question to the journal, and each partner has its share of those under way.
 */
import { MessageIndex } from "@jinka/codec"
import { Effect } from "effect"
import { askedKind } from "../../journal/Asked.ts"
import { secretPan, secretRest } from "../../journal/Entry.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import type { AskedKind, Recalled } from "../../journal/JournalStore.ts"
import { sourceOf } from "../../journal/Source.ts"
import { type Language, receivedFieldsOf, sentFieldsOf } from "../../message/Language.ts"
import type { Desk } from "../Desk.ts"
import type { Desks, Questions } from "../Desks.ts"
import { KEY_LENGTH_MAX } from "../request/Outstanding.ts"
import { Shares } from "../turns/Shares.ts"
import type { KeyDigest } from "./KeyHash.ts"
import { KeyKind, type Known, kindOf, Outcome, type Sent } from "./RecentKeys.ts"

/** Messages put aside at once; a partner has at most three quarters of them. */
const ASIDE_MAX = 1024

/** Keys in one question: some milliseconds of the journal's thread. */
const KEYS_MAX = 64

/**
 * What is known of a key, unless the day of the link that it comes on has made it free again. A cut-over does not end what is
 * open: its repeat is one, and its reversal has to wait for it.
 */
const ofToday = ({ day }: Desk, known: Known | undefined): Known | undefined =>
  known !== undefined && (known.outcome === Outcome.open || day?.forgets(known.exchange) !== true) ? known : undefined

const kinds: { readonly [kind in AskedKind]: KeyKind } = {
  request: KeyKind.request,
  reversal: KeyKind.reversal,
  advice: KeyKind.advice
}

/** What the journal knows of a message; `undefined`: it has not come before. "unknown": it has not said so in time. */
export type Answer = Known | undefined | "unknown"

/** What the journal was asked about a message, and has answered: it need not be asked again. */
export interface Asked {
  /** The message itself has not come before. */
  readonly isNew: boolean
  /** What became of its original; left out: that was not asked. */
  readonly original?: Told
}

/** What the journal has said of an original; `undefined` within: it never came. */
export interface Told {
  readonly known: Known | undefined
}

/** Nothing was asked yet. */
export const notAsked: Asked = { isNew: false }

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

/** Carries out what is done with a message that was put aside, whatever it throws. */
export type Later = (desk: Desk, epoch: number, index: MessageIndex, act: () => void) => void

/** The repeats of one switch. */
export class Repeats implements Questions {
  private readonly desks: Desks
  private readonly later: Later
  private readonly shares = new Shares()
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private readonly found = new MessageIndex()
  private readonly covered = new MessageIndex()
  private readonly again = new MessageIndex()
  private waiting: Array<Aside> = []
  private readonly aside = new Set<Aside>()

  constructor(desks: Desks, later: Later) {
    this.desks = desks
    this.later = later
    desks.questions = this
  }

  /** What memory knows of the message with this key, hashed, that came at `desk`, on whichever link of its partner. */
  known(desk: Desk, key: KeyDigest): Known | undefined {
    const { seconds } = this.desks
    let known = ofToday(desk, desk.recent.findHashed(key, seconds))
    if (known !== undefined && known.outcome !== Outcome.refused) return known
    for (const one of this.linksOf(desk)) {
      const other = one === desk ? undefined : ofToday(desk, one.recent.findHashed(key, seconds))
      // What one link has refused another one may have taken since: an advice is, when it comes again.
      if (other !== undefined && other.outcome !== Outcome.refused) return other
      known ??= other
    }
    return known
  }

  /** The same for the message of `index`. */
  knownOf(desk: Desk, index: MessageIndex): Known | undefined {
    const { language } = desk
    const length = language.key(index, receivedFieldsOf(language, index.mti), this.key)
    return this.known(desk, this.desks.hash.hash(kindOf(index.mti), this.key, 0, length))
  }

  /** Whether only the journal could say that a message that memory does not know has not come before. */
  isForgotten(desk: Desk, index: MessageIndex): boolean {
    return this.forgotten(desk, desk.language.keyTime(index)) > 0
  }

  /** What memory knows of a request that was sent to the partner of `desk`. */
  sent(desk: Desk, key: Buffer, length: number): Sent | undefined {
    const { seconds } = this.desks
    const sent = desk.recent.findSent(key, 0, length, seconds)
    if (sent !== undefined) return sent
    for (const one of this.linksOf(desk)) {
      const other = one === desk ? undefined : one.recent.findSent(key, 0, length, seconds)
      if (other !== undefined) return other
    }
    return undefined
  }

  /**
   * Up to which entry the journal has to be asked for a message that memory does not know, and that came on a link of the
   * desk's partner; 0: it has not come before. `time`: see `RecentKeys.forgotten`.
   */
  forgotten(desk: Desk, time: number): number {
    const { seconds } = this.desks
    let upTo = desk.recent.forgotten(time, seconds)
    for (const one of this.linksOf(desk)) if (one !== desk) upTo = Math.max(upTo, one.recent.forgotten(time, seconds))
    return upTo
  }

  /** What has to be asked for a message that memory does not know; `undefined`: nothing, it has not come before. */
  question(desk: Desk, index: MessageIndex): Question | undefined {
    const { language } = desk
    const time = language.keyTime(index)
    const upTo = this.forgotten(desk, time)
    if (upTo === 0) return undefined
    const { mti } = index
    const covered = this.cover(desk, index)
    const key = this.key.toString("latin1", 0, language.key(covered, sentFieldsOf(language, mti), this.key))
    const length = language.key(index, receivedFieldsOf(language, mti), this.key)
    const receivedKey = Buffer.from(this.key.subarray(0, length))
    const links = [desk, ...this.linksOf(desk).filter((one) => one !== desk)]
    return { links, mti, key, receivedKey, time, upTo, since: this.since }
  }

  /**
   * Puts the message of `index` aside until the journal has answered the question. Then, in a later turn, calls `then` with the
   * message and what the journal knows; memory knows it then, too. False when the partner has its share of messages put aside:
   * nothing is asked then. `until`: monotonic milliseconds.
   */
  ask(
    desk: Desk,
    epoch: number,
    index: MessageIndex,
    question: Question,
    until: number,
    then: (again: MessageIndex, answer: Answer) => void
  ): boolean {
    const partner = this.desks.groups.partner(desk.id)
    if (!this.shares.may(partner, ASIDE_MAX, true)) return false
    this.shares.take(partner)
    const bytes = Buffer.from(index.buffer.subarray(index.start, index.end))
    const told = (answer: Answer) => {
      this.shares.leave(partner)
      desk.language.index(bytes, 0, bytes.length, this.again)
      this.later(desk, epoch, this.again, () => then(this.again, answer))
    }
    const one: Aside = { ...question, desk, message: bytes, kind: askedKind(question.mti), until, told, isOver: false }
    this.waiting.push(one)
    this.aside.add(one)
    return true
  }

  /** From when on a repeat is known, milliseconds since the epoch. */
  get since(): number {
    const { repeatSeconds, seconds, wallMs } = this.desks
    // Entries have the time of day as it was set: where it was set back, those since then have an earlier one.
    return Math.min(1000 * seconds, wallMs) - 1000 * repeatSeconds
  }

  /** The message as the journal has it: with card data covered. Its key may hold some. */
  cover({ language }: Desk, index: MessageIndex): MessageIndex {
    const bytes = Buffer.allocUnsafe(index.end - index.start)
    const length = language.redact(index, bytes, 0)
    return language.index(bytes, 0, length, this.covered) === undefined ? this.covered : index
  }

  /** The links of the desk's partner that a message with the same key may have come on; its own may be among them. */
  private linksOf(desk: Desk): ReadonlyArray<Desk> {
    // Where the key does not name the institution, two of its links may have callers with equal keys.
    return desk.language.isKeyNamed ? this.desks.kin.of(desk) : this.desks.groups.desksWith(desk.id)
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
      links.map(({ name }) => ({ link: name, kind, key, since }))
    )
    const upTo = Math.max(...asides.map((one) => one.upTo))
    const asked = desks.journal.recall(keys, upTo).pipe(
      Effect.map((answers) => {
        desks.tick()
        let at = 0
        for (const one of asides) {
          this.end(one, this.fits(one, answers.slice(at, at + one.links.length).flat()))
          at += one.links.length
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
    desk.language.index(message, 0, message.length, this.covered)
    return desk.language.isAboutSame(index, this.covered)
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
    const to = isQueued
      ? this.desks.named(opening!.link)?.id
      : this.desks.all.find((one) => one.name === opening!.code)?.id
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
