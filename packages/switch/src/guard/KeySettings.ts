/** What a link is told about the exchange of its keys: plain values, made by `operate/configuration`. */
import type { KeyExchange, KeyKind } from "@jinka/codec"

/** How often, besides by hand, a new key is wanted; each left out: not for that. */
export interface KeySchedule {
  /** While there is no key at all. */
  readonly whenNone: boolean
  /** Milliseconds since the last change. */
  readonly everyMs?: number | undefined
  /** Minutes since midnight, in the link's time zone. */
  readonly atMinute?: number | undefined
  /** Messages that came under the key. */
  readonly messages?: number | undefined
}

/** The exchange of keys on a link. */
export interface KeySettings {
  readonly exchange: KeyExchange
  /** Who gives the keys: `us`, as a centre does, or the partner. */
  readonly giver: "us" | "partner"
  /** What keys the link has. */
  readonly kinds: ReadonlyArray<KeyKind>
  /** The cipher of the keys that we ask for or give. */
  readonly algorithm: "des" | "tdes" | "aes" | "sm4"
  /** How long the key before is good, and how long a key that was asked for, or an answer to one, may take, in milliseconds. */
  readonly windowMs: number
  readonly waitMs: number
  readonly schedule: KeySchedule
}
