/**
 * The desk of one link: all that the exchanges have in hand for it. What is sent on the link and not answered, what waits for
 * a place, what is stored for it, what is remembered of it.
 *
 * A desk has a number for ever: exchanges, keys and commits name it by that. A reload puts another link at the same desk, or
 * leaves the desk with a link that is gone. It decides nothing: `Requests` and `Deliveries` do.
 */
import type { Guard } from "../guard/Guard.ts"
import type { Link } from "../link/Link.ts"
import { counted, Notices, oneByOne, patient } from "../link/Notices.ts"
import type { Language } from "../message/Language.ts"
import type { LinkDay } from "./day/BusinessDay.ts"
import type { Settings, StoreAndForward } from "./delivery/StoreAndForward.ts"
import type { KeyHash } from "./entry/KeyHash.ts"
import { RateLimit } from "./entry/RateLimit.ts"
import { RecentKeys } from "./entry/RecentKeys.ts"
import { Outstanding } from "./request/Outstanding.ts"
import { WaitingLine } from "./request/WaitingLine.ts"
import type { Shares } from "./turns/Shares.ts"
import { Traffic } from "./watch/Traffic.ts"

/** One desk; made by `Exchanges`. */
export class Desk {
  /** Its number, and its link's. */
  readonly id: number
  link: Link
  /** Holds its partner's messages against their MACs, and seals what leaves; `undefined`: there is none, nothing is looked at. */
  guard: Guard | undefined
  /** The partner's business day; `undefined`: none is kept. */
  day: LinkDay | undefined
  /** The number of its group, -1: none; and of its partner, which is that of the first desk of the group. `Groups` sets both. */
  group = -1
  partner: number
  /** See `Kin.of`; `undefined`: nobody has asked since the links were others. */
  kin: ReadonlyArray<Desk> | undefined
  /** The journal's number of the link's name and form. */
  journalName = 0
  /** Requests sent on the link, from their acceptance to their end on disk. */
  outstanding: Outstanding
  /** Requests that wait for a place in the link's window; `undefined`: none may. */
  line: WaitingLine | undefined
  /** Advices and reversals meant for the link, whichever of its group carries them. */
  readonly stored: StoreAndForward
  /** What is noted of messages that cannot be read, and of answers that are nobody's. */
  readonly unreadable = new Notices(oneByOne)
  readonly unmatchedNotices = new Notices(oneByOne)
  /** What is noted of messages that were refused because their key is that of another one, which was taken for delivery. */
  readonly usedKeys = new Notices(oneByOne)
  /** What is noted of messages that are addressed to somebody else. */
  readonly elsewhere = new Notices(patient)
  /** What is noted of keys that cannot be used, and of wrong MACs. */
  readonly keyAlarms = new Notices(oneByOne)
  /** What has passed over the link. */
  readonly traffic = new Traffic()

  /** Keys of what the partner has sent, and of what was sent to it. */
  readonly recent: RecentKeys
  /** How many requests the partner may send; `undefined`: as many as it likes. */
  rate: RateLimit | undefined
  /** What came above that, and what was left unanswered because it may have come before. */
  readonly overRate = new Notices(counted)
  readonly perhapsRepeats = new Notices(counted)
  private readonly hash: KeyHash
  private readonly open: Shares

  /** `open`: counts the open requests of all desks by the desk that they come from. */
  constructor(link: Link, stored: StoreAndForward, hash: KeyHash, open: Shares, nowMs: number) {
    this.id = link.id
    this.partner = link.id
    this.link = link
    this.stored = stored
    this.hash = hash
    this.open = open
    this.recent = new RecentKeys(hash, 0, 0)
    const { places } = link.settings.waiting
    this.outstanding = new Outstanding(link.settings.window + places, hash, open, nowMs)
    this.line = lineOf(link)
    this.rate = rateOf(link)
  }

  /** Puts a link with other settings at the desk. What is stored stays; no request may be outstanding. */
  change(link: Link, delivery: Settings, nowMs: number): void {
    const { settings } = link
    if (this.outstanding.size > 0) throw new Error(`${settings.name} has requests outstanding`)
    const capacity = settings.window + settings.waiting.places
    if (this.outstanding.capacity !== capacity)
      this.outstanding = new Outstanding(capacity, this.hash, this.open, nowMs)
    this.line = lineOf(link)
    this.rate = rateOf(link)
    this.link = link
    this.stored.change(delivery)
  }

  /** Its link's language. */
  get language(): Language {
    return this.link.language
  }

  /** Its link's name, and those that it had before. */
  get names(): ReadonlyArray<string> {
    return [this.name, ...(this.link.settings.formerly ?? [])]
  }

  /** Its link's name. */
  get name(): string {
    return this.link.settings.name
  }
}

const rateOf = ({ settings: { rateLimit } }: Link): RateLimit | undefined =>
  rateLimit === undefined ? undefined : new RateLimit(rateLimit)

const lineOf = ({ settings: { waiting, window } }: Link): WaitingLine | undefined =>
  waiting.places === 0 ? undefined : new WaitingLine(window, waiting.waitMs)
