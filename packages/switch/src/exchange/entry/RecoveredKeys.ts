/**
 * What a start learns of the keys of partners' messages, so that repeats are recognised across the restart: the key of each as
 * memory has it, and what was said of it later.
 */
import { MessageIndex } from "@jinka/codec"
import { type Entry, secretPan, secretRest } from "../../journal/Entry.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import { type Language, receivedFieldsOf, sentFieldsOf } from "../../message/Language.ts"
import { stanOf } from "../../message/Stamp.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import { KEY_LENGTH_MAX } from "../request/Outstanding.ts"
import { type KeyKind, type Known, kindOf, Outcome } from "./RecentKeys.ts"

/** How long after a request was accepted something may be said of it that changes what a repeat of it is told. */
const SAID_LATER_SECONDS = 900

/** A partner's request that was read, and its key as memory has it. */
interface Learned {
  readonly desk: Desk
  /** Name of the link that it went to. */
  readonly target: string
  readonly kind: KeyKind
  readonly key: Buffer
  readonly time: number
  /** Seconds since the epoch. */
  readonly at: number
}

const secondsOf = (ms: number): number => Math.floor(ms / 1000)

/** The keys of one start. */
export class RecoveredKeys {
  private readonly desks: Desks
  /** Requests of partners, by exchange, until nothing more can be said of them. */
  private readonly learned = new Map<number, Learned>()
  private readonly index = new MessageIndex()
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)

  constructor(desks: Desks) {
    this.desks = desks
  }

  /**
   * Remembers the key of a message that came to the desk `on`, there with the STAN `stan` when one is given. False when the
   * message cannot be read.
   */
  learn(entry: Entry, on: Desk | undefined, known: Omit<Known, "exchange">, stan?: string): boolean {
    const index = this.message(entry, stan)
    if (on === undefined || index === undefined) return false
    const { exchange } = entry
    const length = this.languageOf(entry)!.key(index, receivedFieldsOf(on.language, index.mti), this.key)
    const at = secondsOf(entry.at)
    const time = on.language.keyTime(index)
    const kind = kindOf(index.mti)
    on.recent.put(kind, this.key, 0, length, { exchange, ...known }, at, time)
    // Only of requests something is said later.
    if (known.outcome === Outcome.refused || known.outcome === Outcome.queued) return true
    const key = Buffer.from(this.key.subarray(0, length))
    this.learned.set(exchange, { desk: on, target: entry.code, kind, key, time, at })
    return true
  }

  /** Remembers the key of a request that was sent on the link of the desk `on`. */
  learnSent(entry: Entry, on: Desk | undefined, exchange: number, outcome: Outcome): void {
    if (on === undefined) return
    // An answer has the STAN that its request had on its own link; the request itself has its caller's.
    const isOwn = entry.kind === EntryKind.accepted && this.desks.stans.isOwn(on)
    const index = this.message(entry, isOwn ? stanOf(exchange) : undefined)
    if (index === undefined) return
    const length = this.languageOf(entry)!.key(index, sentFieldsOf(on.language, index.mti), this.key)
    const origin = this.learned.get(exchange)?.desk.id ?? -1
    on.recent.putSent(this.key, 0, length, { exchange, outcome, origin }, secondsOf(entry.at))
  }

  /** The entry's message, with another STAN when one is given; `undefined` when it cannot be read in its own link's language. */
  private message(entry: Entry, stan?: string): MessageIndex | undefined {
    const language = this.languageOf(entry)
    if (language === undefined) return undefined
    // What a key needs and the open copy covers is sealed with the message.
    const isSealed = entry.kind !== EntryKind.queued && secretRest(entry.secret).length > 0
    const index = isSealed ? this.restored(entry) : this.indexed(language, entry.message)
    return index === undefined || stan === undefined ? index : language.withStan(index, stan)
  }

  /** Something else became of the request than memory has. */
  change(exchange: number, known: Pick<Known, "end" | "outcome">): void {
    const learned = this.learned.get(exchange)
    if (learned === undefined) return
    const { desk, kind, key, at, time } = learned
    desk.recent.put(kind, key, 0, key.length, { exchange, ...known }, at, time)
  }

  /** Name of the link that a request went to; "": it is not known. */
  targetOf(exchange: number): string {
    return this.learned.get(exchange)?.target ?? ""
  }

  /**
   * Lets go of requests that had ended long before this entry: what was said of them was said by now. `open`: those that have
   * not.
   */
  forget({ at: now }: Entry, open: ReadonlyMap<number, Entry>): void {
    const before = secondsOf(now) - SAID_LATER_SECONDS
    for (const [exchange, { at }] of this.learned) {
      if (at >= before) return
      if (!open.has(exchange)) this.learned.delete(exchange)
    }
  }

  /** All is read. */
  clear(): void {
    this.learned.clear()
  }

  /**
   * An index of the entry's message whole, see `Language.restore`; `undefined` when it cannot be read with today's dialect.
   * Always the same object.
   */
  restored(entry: Entry, only?: ReadonlyArray<number>): MessageIndex | undefined {
    const { message, secret } = entry
    const isRead = this.languageOf(entry)?.restore(message, secretPan(secret), secretRest(secret), this.index, only)
    return isRead === true ? this.index : undefined
  }

  private indexed(language: Language, bytes: Buffer): MessageIndex | undefined {
    return language.index(bytes, 0, bytes.length, this.index) === undefined ? this.index : undefined
  }

  private languageOf({ link }: Entry): Language | undefined {
    return this.desks.named(link)?.language
  }
}
