/**
 * Whether a partner has sent a message before, as memory knows it: nearly always, for certain and at once. Where memory has
 * forgotten accepted keys that may still be repeated (`RecentKeys.forgotten`), it says what the journal has to be asked
 * (`Questions`).
 */
import { isRepeat, MessageIndex } from "@jinka/codec"
import { receivedFieldsOf, sentFieldsOf } from "../../message/Language.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import { KEY_LENGTH_MAX } from "../request/Outstanding.ts"
import type { KeyDigest } from "./KeyHash.ts"
import type { Question } from "./Questions.ts"
import { type Known, kindOf, Outcome, type Sent } from "./RecentKeys.ts"

/**
 * What is known of a key, unless the day of the link that it comes on has made it free again. A cut-over does not end what is
 * open: its repeat is one, and its reversal has to wait for it. What is marked as a repeat is one on any day.
 */
const ofToday = ({ day }: Desk, known: Known | undefined, isMarked: boolean): Known | undefined =>
  known !== undefined && (isMarked || known.outcome === Outcome.open || day?.forgets(known.exchange) !== true)
    ? known
    : undefined

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

/** The repeats of one switch. */
export class Repeats {
  private readonly desks: Desks
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private readonly covered = new MessageIndex()

  constructor(desks: Desks) {
    this.desks = desks
  }

  /**
   * What memory knows of the message with this key, hashed, that came at `desk`, on whichever link of its partner. `isMarked`: it
   * says itself that it is a repeat.
   */
  known(desk: Desk, key: KeyDigest, isMarked: boolean): Known | undefined {
    const { seconds } = this.desks
    let known = ofToday(desk, desk.recent.findHashed(key, seconds), isMarked)
    if (known !== undefined && known.outcome !== Outcome.refused) return known
    for (const one of this.linksOf(desk)) {
      const other = one === desk ? undefined : ofToday(desk, one.recent.findHashed(key, seconds), isMarked)
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
    return this.known(desk, this.desks.hash.hash(kindOf(index.mti), this.key, 0, length), isRepeat(index.mti))
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
}
