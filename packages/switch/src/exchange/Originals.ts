/**
 * Whose request a message is about. A reversal, a void or an advice names its original by a key; where that key names no
 * institution (terminals), or two partners may speak for one, another partner's request can have the same. Nobody may take back
 * or change what another partner has sent (G6).
 *
 * A partner is all links of a group, and all links of one institution. What is not known here, because it never came, came
 * before all that is remembered, or went another way, is nobody's: it is passed on as it is.
 */
import { type MessageIndex, mtiClass } from "@jinka/codec"
import { stanOf } from "../message/Stamp.ts"
import type { Desk } from "./Desk.ts"
import type { Desks } from "./Desks.ts"
import { KEY_LENGTH_MAX } from "./Outstanding.ts"
import { receivedOn } from "./RecentKeys.ts"

/** What a message does that is about another partner's request. */
export const anothers = "is about a transaction of another partner"

/** Any MTI of a request. */
const REQUEST = 200

/** Finds originals among what is outstanding and what is remembered. */
export class Originals {
  private readonly desks: Desks
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)

  constructor(desks: Desks) {
    this.desks = desks
  }

  /**
   * Whether the request that the message is about reached the target from another partner than `origin`. Nobody asks where the
   * origin's identity is unchecked.
   */
  isAnothers(origin: Desk, target: Desk, index: MessageIndex): boolean {
    if (origin.link.settings.identity === "unchecked") return false
    const length = this.keyOf(origin, index, target.language.sentFields)
    if (length === 0) return false
    const { groups, recent } = this.desks
    for (const { outstanding } of [target, ...groups.others(target.id)]) {
      const slot = outstanding.find(this.key, 0, length)
      if (slot !== undefined) return !this.linksOf(origin).some(({ id }) => id === slot.origin)
    }
    if (!groups.wasSent(recent, target, this.key, length)) return false
    // The key under which a request came is forgotten no sooner than the one under which it was sent: it is put behind it. So a
    // request that the target knows and the partner did not send is another's, and not just one that is forgotten here.
    const { exchange } = recent
    return !this.linksOf(origin).some((desk) => this.exchangeOn(desk, origin, index) === exchange)
  }

  /**
   * The message as it goes to a target that knows messages by STANs of ours: with `stan` as its own, and its original named by
   * the STAN that it had there. `undefined` when the partner has sent no such request: with the partner's STAN in it the message
   * could hit another one's.
   */
  withStan(origin: Desk, index: MessageIndex, stan: string): MessageIndex | undefined {
    const { language } = origin
    const hasOriginal = language.original(index) !== undefined
    if (!hasOriginal && mtiClass(index.mti) !== "reversal") return language.withStan(index, stan)
    const exchange = this.exchangeOf(origin, index)
    if (exchange === 0) return undefined
    return hasOriginal ? language.withStan(index, stan, stanOf(exchange)) : language.withStan(index, stanOf(exchange))
  }

  /** The exchange that is the partner's own request which the message names; 0 when that is not known. */
  private exchangeOf(origin: Desk, index: MessageIndex): number {
    for (const desk of this.linksOf(origin)) {
      const exchange = this.exchangeOn(desk, origin, index)
      if (exchange > 0) return exchange
    }
    return 0
  }

  /** What the message's original became, if it came on the link of `desk`; 0: it did not, or it is forgotten. */
  private exchangeOn(desk: Desk, origin: Desk, index: MessageIndex): number {
    const { recent } = this.desks
    const length = this.keyOf(origin, index, desk.language.receivedFields)
    const mti = origin.language.original(index)?.mti ?? REQUEST
    const isKnown = length > 0 && recent.find(receivedOn(desk.id, mti), this.key, 0, length)
    return isKnown ? recent.exchange : 0
  }

  /** Puts the key of the message's original, of these fields, into `key`; 0 when the message is about none. */
  private keyOf({ language }: Desk, index: MessageIndex, fields: ReadonlyArray<number>): number {
    const original = language.original(index)
    if (original !== undefined) return language.originalKey(index, original, fields, this.key)
    // A reversal without original data has the key of what it takes back.
    return mtiClass(index.mti) === "reversal" ? language.key(index, fields, this.key) : 0
  }

  /** The links of the partner behind `origin`, its own first. */
  private linksOf(origin: Desk): ReadonlyArray<Desk> {
    const { institution } = origin.link.settings
    const isOther = (desk: Desk) => desk !== origin && desk.link.settings.institution === institution
    const family = this.desks.groups.others(origin.id)
    return [origin, ...family, ...this.desks.present.filter((desk) => isOther(desk) && !family.includes(desk))]
  }
}
