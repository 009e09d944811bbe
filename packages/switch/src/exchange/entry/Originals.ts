/**
 * Whose request a message is about. A reversal, a void or an advice names its original by a key; where that key names no
 * institution (terminals), or two partners may speak for one, another partner's request can have the same. Nobody may take back
 * or change what another partner has sent (G6).
 *
 * A partner is all links of a group, and all links of one institution. What is not known here, because it never came, came
 * before all that is remembered, or went another way, is nobody's: it is passed on as it is.
 */
import { type MessageIndex, mtiClass } from "@jinka/codec"
import { reversedByPartner } from "../../journal/EntryKind.ts"
import { type Language, receivedFieldsOf, sentFieldsOf } from "../../message/Language.ts"
import { stanOf } from "../../message/Stamp.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import { KEY_LENGTH_MAX } from "../request/Outstanding.ts"
import type { KeyDigest } from "./KeyHash.ts"
import type { Question } from "./Questions.ts"
import { KeyKind, type Known, kindOf, Outcome } from "./RecentKeys.ts"
import type { Repeats, Told } from "./Repeats.ts"

/** What a message does that is about another partner's request. */
export const anothers = "is about a transaction of another partner"

/** Any MTI of a request. */
const REQUEST = 200

/** What a message may be about. */
const originalKinds = [KeyKind.request, KeyKind.advice] as const

const none: ReadonlyArray<number> = []

const isSame = (fields: ReadonlyArray<number>, others: ReadonlyArray<number>): boolean =>
  fields.length === others.length && fields.every((field, n) => field === others[n])

/**
 * Whether what is known lies before a cut-over behind which the partner's STANs began anew: then its key may be that of something
 * of today that never came.
 */
const isOfAnotherDay = ({ day, language }: Desk, index: MessageIndex, { exchange, outcome }: Known): boolean =>
  outcome !== Outcome.open &&
  mtiClass(index.mti) !== "request" &&
  day?.forgets(exchange) === true &&
  language.keyTime(index) === 0

/** Whether a message says that it is about another one. */
const isAboutOther = (language: Language, index: MessageIndex): boolean =>
  language.original(index) !== undefined || mtiClass(index.mti) === "reversal"

/** The message with `stan` as its own and `exchange` as its original; `undefined`: it is about one, and there is none. */
const renamed = (
  language: Language,
  index: MessageIndex,
  stan: string,
  exchange: number | undefined
): MessageIndex | undefined => {
  if (!isAboutOther(language, index)) return language.withStan(index, stan)
  if (exchange === undefined) return undefined
  return language.original(index) === undefined
    ? language.withStan(index, stanOf(exchange))
    : language.withStan(index, stan, stanOf(exchange))
}

/** Finds originals among what is outstanding and what is remembered. */
export class Originals {
  private readonly desks: Desks
  private readonly repeats: Repeats
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)

  constructor(desks: Desks, repeats: Repeats) {
    this.desks = desks
    this.repeats = repeats
  }

  /**
   * Whether the request or the advice that the message is about came from another partner than `origin`: as the target knows it,
   * or, where that is forgotten or never was a request, as the others are remembered. Nobody asks where the origin's identity is
   * unchecked.
   */
  isAnothers(origin: Desk, target: Desk, index: MessageIndex): boolean {
    if (origin.link.settings.identity === "unchecked") return false
    const length = this.keyOf(origin, index, target.language.sentFields)
    if (length === 0) return false
    const { groups } = this.desks
    for (const { outstanding } of [target, ...groups.others(target.id)]) {
      const slot = outstanding.find(this.key, 0, length)
      if (slot !== undefined) return !this.desks.kin.linksOf(origin).some(({ id }) => id === slot.origin)
    }
    const sent = this.repeats.sent(target, this.key, length)
    if (sent !== undefined && sent.origin >= 0)
      return !this.desks.kin.linksOf(origin).some(({ id }) => id === sent.origin)
    return !origin.language.isKeyNamed && this.known(origin, index) === undefined && this.isKnownOfOthers(origin, index)
  }

  /** Whether another partner than that of `origin` has sent what the message is about: a request, or an advice. */
  private isKnownOfOthers(origin: Desk, index: MessageIndex): boolean {
    const own = this.desks.kin.linksOf(origin)
    const { hash, seconds } = this.desks
    for (const kind of originalKinds) {
      let fields: ReadonlyArray<number> = none
      let length = 0
      let digest: KeyDigest | undefined
      for (const { id, language, recent } of this.desks.all) {
        if (!isSame(language.receivedFields, fields)) {
          fields = language.receivedFields
          length = this.keyOf(origin, index, fields)
          if (length > 0) digest = hash.hash(kind, this.key, 0, length)
        }
        if (length === 0 || digest === undefined) continue
        // Some links may have thousands of others: the key is hashed once for all that have its fields.
        const known = recent.findHashed(digest, seconds)
        const isSent = known !== undefined && known.outcome !== Outcome.refused && known.outcome !== Outcome.unseen
        if (isSent && !own.some((desk) => desk.id === id)) return true
      }
    }
    return false
  }

  /**
   * The message as it goes to a target that knows messages by STANs of ours: with `stan` as its own, and its original named by
   * the STAN that it had there. `undefined` when the partner has sent no such request: with the partner's STAN in it the message
   * could hit another one's. `told`: see `meant`.
   */
  withStan(origin: Desk, index: MessageIndex, stan: string, told?: Told): MessageIndex | undefined {
    if (!isAboutOther(origin.language, index)) return origin.language.withStan(index, stan)
    return renamed(origin.language, index, stan, this.meant(origin, index, told)?.exchange)
  }

  /**
   * A message about something that may have ended, as its target knows it: see `withStan`. A reload may have changed by which
   * STANs the target knows messages; the original, which became `meant`, is named by the one that it went under.
   */
  named(
    origin: Desk,
    target: Desk,
    index: MessageIndex,
    meant: Known | undefined,
    stan: string
  ): MessageIndex | undefined {
    const { language } = origin
    const isOwn = target.language.hasOwnStan
    const exchange = meant?.exchange ?? 0
    const partners = [target, ...this.desks.groups.others(target.id)]
    const other = isOwn ? "callers" : "own"
    const isChanged = exchange !== 0 && partners.some((one) => this.isSentAs(other, one, origin, index, exchange))
    if (!isChanged) return isOwn ? renamed(language, index, stan, meant?.exchange) : index
    if (language.original(index) === undefined) return isOwn ? index : language.withStan(index, stanOf(exchange))
    return isOwn ? language.withStan(index, stan) : language.withStan(index, language.stan(index), stanOf(exchange))
  }

  /**
   * What has to be asked about the original of a message that would go to `home`: where memory does not know it, or not where it
   * went, or where it is one of another day. `undefined`: nothing.
   */
  question(origin: Desk, index: MessageIndex, home?: Desk): Question | undefined {
    const { language } = origin
    if (this.keyOf(origin, index, language.receivedFields) === 0) return undefined
    const known = this.known(origin, index)
    const isCompared = known !== undefined && isOfAnotherDay(origin, index, known)
    if (known !== undefined && !isCompared && this.isPlaced(origin, index, known, home)) return undefined
    const links = this.desks.kin.linksOf(origin)
    // What names its original by a time means no other one, however long ago: a hold may be taken back after weeks.
    const isTimed = language.keyTime(index) > 0
    const isWhole = isTimed || known !== undefined
    const upTo = isWhole ? this.desks.journal.writer.committedSeq : this.repeats.forgotten(origin, 0)
    if (upTo === 0) return undefined
    const mti = language.original(index)?.mti ?? REQUEST
    const length = this.keyOf(origin, index, receivedFieldsOf(language, mti))
    const receivedKey = Buffer.from(this.key.subarray(0, length))
    const covered = this.repeats.cover(origin, index)
    // What names the original looks like a card number more often than not, and is covered then: it is read where it is open.
    const key = this.key.toString("latin1", 0, this.keyOf(origin, covered, sentFieldsOf(language, mti), index))
    return { links, mti, key, receivedKey, time: 0, upTo, since: isTimed ? 0 : this.repeats.since, isCompared }
  }

  /** Whether memory knows where the original went, as far as that matters: one that was refused went nowhere. */
  private isPlaced(origin: Desk, index: MessageIndex, known: Known, home: Desk | undefined): boolean {
    if (home === undefined || known.outcome === Outcome.refused) return true
    if (known.outcome === Outcome.queued) return known.to !== undefined
    return this.sentTo(origin, index, known.exchange, home) !== undefined
  }

  /**
   * What became of the original of the message: of a request that names one as memory has it. Anything else may mean another
   * one than that of another day with its key: the journal has `told` which, and where it went.
   */
  meant(origin: Desk, index: MessageIndex, told: Told | undefined): Known | undefined {
    const known = this.known(origin, index)
    const said = told?.known
    if (known === undefined || isOfAnotherDay(origin, index, known)) return said
    return known.to === undefined && said?.exchange === known.exchange ? { ...known, to: said.to } : known
  }

  /** What memory knows of the partner's own request that the message names; `undefined`: nothing. */
  known(origin: Desk, index: MessageIndex, language = origin.language): Known | undefined {
    let refused: Known | undefined
    for (const desk of this.desks.kin.linksOf(origin)) {
      const known = this.knownOn(desk, language, index)
      if (known?.outcome === Outcome.refused) refused ??= known
      else if (known !== undefined && known.outcome !== Outcome.unseen) return known
    }
    return refused
  }

  /**
   * A reversal of something that never came was taken as `exchange`: should that come after all, it is refused. `language`: the
   * index's, where it is not the origin's.
   */
  unseen(origin: Desk, index: MessageIndex, exchange: number, language = origin.language): void {
    const mti = language.original(index)?.mti ?? REQUEST
    const length = this.keyOf({ language }, index, receivedFieldsOf(origin.language, mti))
    if (length === 0) return
    const known = { exchange, end: 0, outcome: Outcome.unseen }
    origin.recent.put(kindOf(mti), this.key, 0, length, known, this.desks.seconds, language.keyTime(index))
  }

  /**
   * At the start: the partner of `origin` has taken back what a message in the language of `desk` names, which went there. The
   * exchange, where that was approved; 0: it was not.
   */
  takenBackFrom(desk: Desk, origin: Desk, index: MessageIndex): number {
    const length = this.keyOf(desk, index, desk.language.sentFields)
    const sent = length === 0 ? undefined : this.repeats.sent(desk, this.key, length)
    if (sent?.outcome !== Outcome.answered || desk.language.remains(index) !== "") return 0
    this.takenBack(origin, index, sent.exchange, desk.language)
    return sent.exchange
  }

  /**
   * A reversal for `target` was taken as `exchange`: what it is about must not be told to be approved, or come, behind it. What
   * became of that: `meant`.
   */
  undoneBy(origin: Desk, target: Desk, index: MessageIndex, meant: Known | undefined, exchange: number): void {
    if (meant === undefined) return this.unseen(origin, index, exchange)
    // What remains of it is not undone.
    if (origin.language.remains(index) !== "") return
    if (this.isDeclined(target, origin, index, meant.exchange)) return
    // Memory may forget it, and a start reads only so far back.
    if (meant.outcome === Outcome.answered || meant.outcome === Outcome.open)
      this.desks.record.ended("undelivered", meant.exchange, origin, 0, reversedByPartner)
    this.takenBack(origin, index, meant.exchange)
  }

  /**
   * The partner takes back what it had asked for, and what was approved: from now on a repeat of that hears that there is no
   * answer. `language`: the index's, where it is not the origin's.
   */
  private takenBack(origin: Desk, index: MessageIndex, exchange: number, language = origin.language): void {
    const mti = language.original(index)?.mti ?? REQUEST
    for (const desk of this.desks.kin.linksOf(origin)) {
      const known = this.knownOn(desk, language, index)
      if (known?.exchange !== exchange || known.outcome !== Outcome.answered) continue
      const length = this.keyOf({ language }, index, receivedFieldsOf(desk.language, mti))
      const now = { exchange, end: 0, outcome: Outcome.timedOut }
      desk.recent.put(kindOf(mti), this.key, 0, length, now, this.desks.seconds, language.keyTime(index))
    }
  }

  /**
   * The desk that the message's original, which became `meant`, went to, when its link is another partner's than that of `home`,
   * where the message would go now: the routes were changed in between. Whoever never had the original says that there is none,
   * and its money stays.
   */
  wentTo(origin: Desk, index: MessageIndex, meant: Known | undefined, home: Desk | undefined): Desk | undefined {
    if (meant === undefined || meant.outcome === Outcome.refused) return undefined
    const isQueued = meant.outcome === Outcome.queued
    const went = (isQueued ? undefined : this.sentTo(origin, index, meant.exchange, home)) ?? meant.to
    const desk = went === undefined ? undefined : this.desks.at(went)
    return desk !== undefined && home !== undefined && this.desks.kin.isOfOne(desk, home) ? undefined : desk
  }

  /** The number of the desk that a request went to; looked for at `home` and its group first. */
  private sentTo(origin: Desk, index: MessageIndex, exchange: number, home: Desk | undefined): number | undefined {
    const near = home === undefined ? [] : [home, ...this.desks.groups.others(home.id)]
    return [...near, ...this.desks.all].find((desk) => this.isSentTo(desk, origin, index, exchange))?.id
  }

  private isSentTo(desk: Desk, origin: Desk, index: MessageIndex, exchange: number): boolean {
    return (
      this.isSentAs("own", desk, origin, index, exchange) || this.isSentAs("callers", desk, origin, index, exchange)
    )
  }

  /** Whether the original of this exchange went to the desk's partner under a STAN of ours, or under its caller's. */
  private isSentAs(stan: "own" | "callers", desk: Desk, origin: Desk, index: MessageIndex, exchange: number): boolean {
    const length = this.sentKey(stan, desk, origin, index, exchange)
    if (length === 0) return false
    const { outstanding, recent } = desk
    const found = outstanding.find(this.key, 0, length) ?? recent.findSent(this.key, 0, length, this.desks.seconds)
    return found?.exchange === exchange
  }

  /** Puts the key under which the original of this exchange would have gone to the desk's partner into `key`; 0: it has none. */
  private sentKey(
    stan: "own" | "callers",
    { language }: Desk,
    origin: Desk,
    index: MessageIndex,
    exchange: number
  ): number {
    const renamed = stan === "own" ? origin.language.withStan(index, stanOf(exchange), stanOf(exchange)) : index
    return renamed === undefined ? 0 : this.keyOf(origin, renamed, language.sentFields)
  }

  /** Whether it is known that the partner of `target` has declined the message's original. */
  private isDeclined(target: Desk, origin: Desk, index: MessageIndex, exchange: number): boolean {
    const { groups, seconds } = this.desks
    for (const desk of [target, ...groups.others(target.id)])
      for (const stan of ["own", "callers"] as const) {
        const length = this.sentKey(stan, desk, origin, index, exchange)
        const sent = length === 0 ? undefined : desk.recent.findSent(this.key, 0, length, seconds)
        if (sent?.exchange === exchange) return sent.outcome === Outcome.refused
      }
    return false
  }

  /** What the message's original became, if it came on the link of `desk`; `undefined`: it did not, or it is forgotten. */
  private knownOn({ language, recent }: Desk, said: Language, index: MessageIndex): Known | undefined {
    const mti = said.original(index)?.mti ?? REQUEST
    const length = this.keyOf({ language: said }, index, receivedFieldsOf(language, mti))
    return length === 0 ? undefined : recent.find(kindOf(mti), this.key, 0, length, this.desks.seconds)
  }

  /**
   * Puts the key of the message's original, of these fields, into `key`; 0 when the message is about none. `naming`: the message
   * that says which one it is, where its fields are to come from a copy.
   */
  private keyOf(
    { language }: Pick<Desk, "language">,
    index: MessageIndex,
    fields: ReadonlyArray<number>,
    naming = index
  ): number {
    const original = language.original(naming)
    if (original !== undefined) return language.originalKey(index, original, fields, this.key)
    // A reversal without original data has the key of what it takes back.
    return mtiClass(index.mti) === "reversal" ? language.key(index, fields, this.key) : 0
  }
}
