/**
 * How a network hands out working keys, as data: the message that asks for one, the message that brings it, where in it the
 * wrapped key, its purpose and its check value are, and how the answer says whether it was taken. It knows no key and no link.
 *
 * Two patterns: a key that comes in a message of its own, and is answered (`deliver`, of CUPS: 0800 and 0810), and a key that
 * comes in the answer to the question (`answer`, of a terminal's sign-on). Which side asks and which one gives is the link's
 * matter.
 */
import type { Cipher } from "../security/BlockCipher.ts"
import type { KeyCheckMethod } from "../security/KeyCheck.ts"

/** What a key may be for. */
export const keyKinds = ["mac", "pin", "data"] as const
/** One of them. */
export type KeyKind = (typeof keyKinds)[number]

/** How a key is wrapped under the key-encryption key: block by block, chained from zeros, or as a key block (ANSI X9.143). */
export const keyWraps = ["ecb", "cbc", "tr31"] as const

/** The ciphers that a working key may be for; `des` is single length. */
export const keyCiphers = ["des", "tdes", "aes", "sm4"] as const

/** How bytes are written in a field: as they are, as hexadecimal digits, or as the characters of a key block. */
export const keyForms = ["binary", "hex", "text"] as const

/** Bytes inside a field. Positions count its characters, or its bytes where it is a field of bytes; the first is 0. */
export interface KeyPlace {
  readonly de: number
  readonly at: number
  /** Positions. Left out: all that is left. */
  readonly length?: number
  readonly form: (typeof keyForms)[number]
}

/** A value at some positions of a field, which says one thing of a few. */
export interface KeyStatement<Meaning extends string> {
  readonly de: number
  readonly at: number
  readonly values: { readonly [value: string]: Meaning }
}

/** Where a wrapped key is, and in which messages. The first one that fits counts. */
export interface KeyPart extends KeyPlace {
  /** What the field begins with: without that it holds no key. `NK` of CUPS's DE 48. */
  readonly begins?: string
  /** Positions of the whole field: with others it holds another set of keys. */
  readonly whole?: number
  /** The kind that this part is for; left out: whatever the message says. */
  readonly kind?: KeyKind
  /** The cipher that this part is for; left out: whatever the message says. */
  readonly algorithm?: (typeof keyCiphers)[number]
  /** Where its check value is. Left out: it has none. */
  readonly check?: KeyPlace & { readonly method: KeyCheckMethod["method"] }
}

/** A message of the exchange. */
export interface KeyMessage {
  readonly mti: number
  /** What tells it from other messages of its type: `value` from position `at` on, 0 when left out. */
  readonly code: { readonly de: number; readonly at?: number; readonly value: string }
  /** Values that ours has besides, by data element. */
  readonly values?: { readonly [de: number]: string }
  /** Fields that ours carries besides: times, numbers and names, and fields of bytes, which are zeros where they hold no key. */
  readonly fields: ReadonlyArray<number>
}

/** How the answer to a message that brings a key is made. */
export interface KeyAnswer {
  /** Fields that it keeps from the message. */
  readonly fields: ReadonlyArray<number>
  /** Codes: the MAC was wrong, the key cannot be taken, it cannot be stored. */
  readonly refusals: { readonly mac: string; readonly key: string; readonly store: string }
}

/** The MAC of the messages of an exchange; where it is, is the dialect's (`Dialect.security`). */
export interface KeyMac {
  /** Fields that it covers, 0 for the message type, where the dialect covers fields. Left out: those of its other messages. */
  readonly fields?: ReadonlyArray<number>
  /**
   * Of the message that brings the key: looked at where it is there, demanded, or not looked at. By the new key, then the
   * current.
   */
  readonly request: "ifPresent" | "required" | "none"
  /** Of the answer: by which key. A PIN key that makes a MAC is taken a second time as a MAC key for that. */
  readonly answer: "new" | "current" | "none"
}

/** One way of exchanging keys. */
export interface KeyExchange {
  readonly name: string
  /** What asks for a key. Left out: nobody can ask. */
  readonly ask?: KeyMessage
  /** The message that brings it. Left out: the answer to `ask` does. */
  readonly deliver?: KeyMessage
  /** What the key is for: always the same, or as a field says. Left out: each part says it, or the key block does. */
  readonly kind?: KeyKind | KeyStatement<KeyKind>
  /** The cipher of the key: always the same, or as a field says. Left out: each part says it, or the key block does. */
  readonly algorithm?: (typeof keyCiphers)[number] | KeyStatement<(typeof keyCiphers)[number]>
  readonly parts: ReadonlyArray<KeyPart>
  readonly wrap: (typeof keyWraps)[number]
  readonly mac?: KeyMac
  readonly answer?: KeyAnswer
  /** Seconds for which the key before is still accepted on what is received. */
  readonly window: number
  /** Seconds in which a key that was asked for has to come. */
  readonly wait: number
  /** Whose messages the key is for: those of both sides, or of the side that gives it alone. */
  readonly covers: "both" | "giver"
}

/** A key as it is in a message: what it is for, and its bytes. All of it is of the message's own memory. */
export interface CarriedKey {
  /** Left out: the key block says it. */
  readonly kind: KeyKind | undefined
  readonly algorithm: Cipher | undefined
  readonly bytes: Buffer
  readonly check: { readonly method: KeyCheckMethod["method"]; readonly value: Buffer } | undefined
}

/** Fields that an exchange cannot do without. */
export const neededFields = (one: KeyExchange): ReadonlyArray<number> => [
  ...(one.ask === undefined ? [] : [one.ask.code.de]),
  ...(one.deliver === undefined ? [] : [one.deliver.code.de]),
  ...(one.kind === undefined || typeof one.kind === "string" ? [] : [one.kind.de]),
  ...(one.algorithm === undefined || typeof one.algorithm === "string" ? [] : [one.algorithm.de]),
  ...one.parts.flatMap(({ check, de }) => (check === undefined ? [de] : [de, check.de]))
]

/** The exchanges of a base that a derived dialect still has the fields for, without other fields that are gone. */
export const keptExchanges = (
  exchanges: ReadonlyArray<KeyExchange>,
  has: (de: number) => boolean
): ReadonlyArray<KeyExchange> => {
  const kept = (message: KeyMessage): KeyMessage => ({ ...message, fields: message.fields.filter(has) })
  return exchanges
    .filter((one) => neededFields(one).every(has))
    .map(({ answer, ask, deliver, ...one }) => ({
      ...one,
      ...(ask === undefined ? {} : { ask: kept(ask) }),
      ...(deliver === undefined ? {} : { deliver: kept(deliver) }),
      ...(answer === undefined ? {} : { answer: { ...answer, fields: answer.fields.filter(has) } })
    }))
}

/** The cipher and kind of a key block by its header (ANSI X9.143:2021, tables 6 and 7). */
export const keyBlockMeaning = (block: string): { readonly kind: KeyKind; readonly algorithm: Cipher } | undefined => {
  const usage = block.slice(5, 7)
  const kind = usage === "P0" ? "pin" : usage === "D0" ? "data" : /^M[0-8]$/.test(usage) ? "mac" : undefined
  const algorithm = ({ D: "des", T: "tdes", A: "aes", "4": "sm4" } as const)[block.slice(7, 8)]
  return kind === undefined || algorithm === undefined ? undefined : { kind, algorithm }
}
