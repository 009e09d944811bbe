/** The exchange of a partner's keys as its file says it: who gives them, under which key, and what goes wrong. Plain values. */
import type { Cipher, KeyExchange, KeyKind } from "@jinka/codec"
import type { DialogueKey } from "../../dialogue/Keys.ts"

/** What is wrong with a key that is given. `same`: it is the one in use. `lost`: its message never leaves. */
export const keyFaults = ["same", "wrong check value", "wrong mac", "no key", "lost"] as const
/** One of them. */
export type KeyFault = (typeof keyFaults)[number]

/** How a key is given: what is wrong with it, and how much later than asked for. */
export interface KeyConduct {
  readonly faults: ReadonlyArray<KeyFault>
  readonly afterMs: number
}

/** A key that is wanted: asked for, or given where that is our part. `undefined` kind: all that the partner has. */
export interface KeyWish extends KeyConduct {
  readonly kind: KeyKind | undefined
}

/** The exchange of keys of one partner. */
export interface KeyPlan {
  readonly exchange: KeyExchange
  readonly isGiver: boolean
  /** The key-encryption key that both sides have, and its cipher. */
  readonly kek: Buffer
  readonly kekCipher: Cipher
  readonly kinds: ReadonlyArray<KeyKind>
  /** The cipher of the keys that are asked for or given. */
  readonly cipher: Cipher
  readonly windowMs: number
  /** How long an answer, or a key that was promised, may take. */
  readonly waitMs: number
  /** At each sign-on, or each connection where nobody signs on: all its keys. */
  readonly isAtSignOn: boolean
  /** What a new key of a kind is used with; a data key with nothing. */
  readonly make: (kind: KeyKind, bytes: Buffer) => DialogueKey | undefined
}
