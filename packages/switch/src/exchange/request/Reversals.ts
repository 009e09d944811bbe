/**
 * Reversals of our own: what takes back a request whose outcome is unknown, or an approval that nobody heard of.
 *
 * It makes and journals them. The caller writes the end that needs the reversal in the same journal transaction, and hands the
 * reversal to the target's queue when that is on disk: `Requests` while the switch runs, `Recovery` after a start.
 */
import type { MessageIndex, ReversalReasons } from "@jinka/codec"
import { Crossing } from "../../message/Crossing.ts"
import { sentFieldsOf } from "../../message/Language.ts"
import { stanOf } from "../../message/Stamp.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { InDoubt } from "../delivery/Doubts.ts"
import { OURS } from "../delivery/Due.ts"
import type { Stored } from "../delivery/Stored.ts"
import { KEY_LENGTH_MAX } from "./Outstanding.ts"

/** The reversals of one switch. */
export class Reversals {
  private readonly desks: Desks
  private readonly crossing = new Crossing()
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)

  constructor(desks: Desks) {
    this.desks = desks
  }

  /**
   * Journals the reversal of `request`, which came from `origin` and went to `target` as `exchange`; it has to be stored when
   * that is on disk. `undefined` when the request moves no money (inquiries), or when neither language has a reversal for
   * such a request, the target's has none at all, or it cannot be made: then the journal says that a person has to do it.
   */
  make(
    origin: Desk,
    target: Desk,
    request: MessageIndex,
    exchange: number,
    why: keyof ReversalReasons
  ): Stored | undefined {
    try {
      return this.made(origin, target, request, exchange, why)
    } catch (thrown) {
      this.desks.defects.met(target, 0, `the reversal of exchange ${exchange} could not be made`, thrown)
      this.impossible(target, exchange)
      return undefined
    }
  }

  private made(
    origin: Desk,
    target: Desk,
    request: MessageIndex,
    exchange: number,
    why: keyof ReversalReasons
  ): Stored | undefined {
    const { record, runtime } = this.desks
    // The target knows the request by the STAN that it had there.
    const isOwn = this.isKnownByOurs(origin, target, request, exchange)
    const original = isOwn ? origin.language.withStan(request, stanOf(exchange)) : request
    if (original === undefined) {
      this.impossible(target, exchange, request.mti, origin.language.stan(request))
      return undefined
    }
    const isReversible = origin.language.isReversible(original) || target.language.isReversible(original)
    // What a network takes back is its dialect's to say; that it is money, where none takes it back, the standard's.
    if (!isReversible && !origin.language.isMoney(original)) return undefined
    const stamp = { stan: stanOf(record.last + 1), nowMs: runtime.wallMs(), why }
    const bytes = isReversible ? this.crossing.reversal(origin.language, target.language, original, stamp) : undefined
    if (bytes !== undefined) return record.queued(target, exchange, "reversal", bytes, OURS)
    this.impossible(target, exchange, request.mti, origin.language.stan(request))
    return undefined
  }

  /** Whether the request went out under a STAN of ours: as memory knows it, because the settings may be others since. */
  private isKnownByOurs(origin: Desk, target: Desk, request: MessageIndex, exchange: number): boolean {
    const { groups, seconds } = this.desks
    const fields = sentFieldsOf(target.language, request.mti)
    const isKnownBy = (index: MessageIndex | undefined) => {
      const length = index === undefined ? 0 : origin.language.key(index, fields, this.key)
      return [target, ...groups.others(target.id)].some(
        ({ recent }) => length > 0 && recent.findSent(this.key, 0, length, seconds)?.exchange === exchange
      )
    }
    if (isKnownBy(request)) return false
    return target.language.hasOwnStan || isKnownBy(origin.language.withStan(request, stanOf(exchange)))
  }

  /** Money is left to a person. `mti` 0 and `stan` "" when the request cannot be read any more. */
  impossible(target: Desk, exchange: number, mti = 0, stan = ""): void {
    const { doubts, record, runtime } = this.desks
    const code = "there is no reversal for it"
    const at = runtime.wallMs()
    const one: InDoubt = { exchange, about: 0, end: "unreversed", code, link: target.name, mti, stan, at }
    doubts.add(one, record.inDoubt("unreversed", one, target.journalName))
    const text = `exchange ${exchange} cannot be reversed: a person has to do it, and to end it: jinka pending`
    this.desks.note(target, 0, text, "warning")
  }
}
