/**
 * What the switch has to know of the messages on one link, whatever their form: to tell them apart, to join an answer to its
 * request, to answer, to repeat and to take back. Data elements, byte ranges and paths stay inside.
 *
 * ISO 8583 (`Iso8583`) is one language; a record of fixed length or a document with a key is another. A message is handed round
 * as a `MessageIndex`: its bytes and its type, which is a message type of ISO 8583 also where the partner's own types are others.
 * Stateless, no clock, no I/O; what a call returns as an index holds until the same method is called again.
 */
import type {
  Codec,
  FrameFormat,
  Message,
  MessageError,
  MessageIndex,
  OriginalFields,
  RefusalCodes,
  ReversalReasons
} from "@jinka/codec"

/** What every message of a partner says that is known by it at a door: its institution in the header, or a data element. */
export type Mark =
  | { readonly _tag: "header" }
  | { readonly _tag: "field"; readonly field: number; readonly value: string }

/** What a link's settings say of its messages. */
export interface LanguageSettings {
  readonly codec: Codec
  readonly frame: FrameFormat
  /** The partner's institution code, and ours on this link. */
  readonly institution: string
  readonly ourInstitution: string
  /** Whom the partner's messages may name besides itself; `any`: whomever, as the messages of a network's centre do. */
  readonly speaksFor: ReadonlyArray<string> | "any"
  /** Whether each message is held against that (`Naming`). */
  readonly identity: "checked" | "unchecked"
  /** Where each message says whose it is, behind a door that asks the first one for it. */
  readonly mark?: Mark | undefined
  /** `own`: messages leave with a STAN of ours. */
  readonly stan: "callers" | "own"
  /** Data elements that tell the callers of this link apart, besides the key of the dialect. */
  readonly callers: ReadonlyArray<number>
  /** Milliseconds to add to UTC for times in messages that we make. */
  readonly utcOffsetMs: number
}

/** The request that a message names as its original. */
export interface Original {
  /** Its message type as a number; 0 when the message does not say it. */
  readonly mti: number
  /** What the message says of it, by field. */
  readonly said: OriginalFields
}

/** What a reversal of ours needs besides its original. */
export interface Stamp {
  /** STAN of the reversal. */
  readonly stan: string
  /** Milliseconds since the epoch. */
  readonly nowMs: number
  /** Why it is made. */
  readonly why: keyof ReversalReasons
}

/** The language of one link; see above. */
export interface Language {
  /** Name of the form, for the journal. */
  readonly name: string
  /** Links with the same form pass the bytes of a message on; between others it is translated. */
  readonly form: object
  /** The edition of ISO 8583 that its message types belong to, 0: 1987, 1: 1993, 2: 2003; left out: it has no editions. */
  readonly edition?: number
  readonly frame: FrameFormat
  /** Codes with which we refuse or end a request by ourselves. */
  readonly refusal: RefusalCodes
  /** Code with which we acknowledge a message that we have taken. */
  readonly approved: string
  /** Messages leave with a STAN of ours, and their answers come back with it. */
  readonly hasOwnStan: boolean

  /** Finds the parts of `bytes[start, end)`; says what is wrong when it is no message of the language. */
  index(bytes: Buffer, start: number, end: number, into: MessageIndex): MessageError | undefined
  /** Whether the frame can hold the message: not too long, no delimiter inside. */
  takes(bytes: Buffer, from?: number, to?: number): boolean

  /** Whether the message says enough of itself to be told from every other. */
  isIdentified(index: MessageIndex): boolean
  /**
   * The first field of the key of what we send that a message of any language, or the answer to one, does not have, in words;
   * `undefined`: it has all.
   */
  missing(index: MessageIndex): string | undefined
  /**
   * What the message does that its sender may not: it names an institution that the partner does not speak for, as in
   * `names 48030000 as acquirer (DE 32)`. `undefined`: nothing.
   */
  misnamed(index: MessageIndex): string | undefined
  /** Whom a message is addressed to where that is not us, in words of the same kind. It is taken all the same. */
  elsewhere(index: MessageIndex): string | undefined
  /** Fields of the key by which a message of the partner is told from every other. */
  readonly receivedFields: ReadonlyArray<number>
  /** Whether that key names an institution that the partner speaks for: then no other partner's message can have it. */
  readonly isKeyNamed: boolean
  /** Fields of the key by which an answer finds what we have sent. */
  readonly sentFields: ReadonlyArray<number>
  /** The same two of network management. */
  readonly receivedManagementFields: ReadonlyArray<number>
  readonly sentManagementFields: ReadonlyArray<number>
  /** What a network management message is for, as its dialect's code says it; "" when it does not say. */
  managementCode(index: MessageIndex): string
  /**
   * Writes the key that these fields of the message make to the start of `out`, and returns its bytes. Equal values give equal
   * keys in all languages: a message of this one has the key that its answer has in another one.
   */
  key(index: MessageIndex, fields: ReadonlyArray<number>, out: Buffer): number
  /** Text that is equal for an original and everything about it. */
  transaction(index: MessageIndex): string
  /** The same of the message itself, whatever it is about: what a later message about it says. */
  ownTransaction(index: MessageIndex): string
  /** The request that the message is about, when it names one. */
  original(index: MessageIndex): Original | undefined
  /** The key of that request, of these fields; 0 when it cannot be told. */
  originalKey(index: MessageIndex, original: Original, fields: ReadonlyArray<number>, out: Buffer): number
  /**
   * A number in the key that grows from one message of a partner to its next (DE 7); 0 when the key has none. Nothing is believed
   * because of it: a message whose number is greater than another's has another key.
   */
  keyTime(index: MessageIndex): number
  /** STAN of the message; "" when it has none. */
  stan(index: MessageIndex): string
  /** The message with another STAN, and with `originalStan` as its original's; `undefined` when it cannot hold them. */
  withStan(index: MessageIndex, stan: string, originalStan?: string): MessageIndex | undefined

  /**
   * For how long the request has been on its way by its own time (DE 7), in milliseconds, what clocks may differ taken off; 0
   * where that time is not believed. `nowMs`: milliseconds since the epoch.
   */
  age(index: MessageIndex, nowMs: number): number

  /**
   * Milliseconds since the message was sent by its own time, negative when that lies ahead; `undefined`: it is a repeat, or says
   * no time. `nowMs`: milliseconds since the epoch.
   */
  sinceSent(index: MessageIndex, nowMs: number): number | undefined

  /** Institution that the message is for, "" when it names none. */
  receiver(index: MessageIndex): string
  /** First `digits` digits of the card number, -1 when there are not so many. */
  leadingDigits(index: MessageIndex, digits: number): number
  /** Writes the card number to `out` at `at`; returns its digits, 0 when there is none. */
  cardNumber(index: MessageIndex, out: Buffer, at: number): number

  /** Response code of an answer; `undefined` when it has none, or something that is none. */
  code(index: MessageIndex): string | undefined
  /** The partner has done what was asked. */
  isSuccess(code: string): boolean
  /** The code ends a delivery; others say "try again later". */
  isFinal(code: string): boolean
  /** An answer with this code to a delivered message of type `mti` says that nothing is left to be done. */
  isAcknowledged(mti: number, code: string): boolean
  /** Why the answer is not the answer of the request, which is in the language `asked`; `undefined`: it is. */
  difference(asked: Language, request: MessageIndex, answer: MessageIndex): string | undefined
  /**
   * What a reversal leaves of the amount of its original, in digits without zeros in front; "": it takes all back, or is none.
   * "?": it does not say it.
   */
  remains(index: MessageIndex): string
  /** Whether a message may be about the request: both have the same card and amount, as far as they say. */
  isAboutSame(request: MessageIndex, about: MessageIndex): boolean
  /** An answer of our own to the message, in bytes of its own; `undefined` when the language has none. */
  answer(index: MessageIndex, code: string): Buffer | undefined
  /** The answer `stored`, from the journal, once more; `undefined` when the language does not allow what it holds. */
  answerAgain(index: MessageIndex, stored: MessageIndex): Buffer | undefined
  /** The answer to a message that cannot be read; `undefined` when too little of it can be read to answer it. */
  formatError(wrong: MessageError, bytes: Buffer, start: number, end: number): Buffer | undefined

  /** Writes `bytes[from, to)`, a message of the same form, as it leaves on this link: its length stays. */
  pass(bytes: Buffer, from: number, to: number, out: Buffer, at: number): void
  /** A message of the same form as it waits for this link: not marked as a repeat, without what may not be kept. */
  keep(index: MessageIndex): Buffer
  /** Bytes of `resend`, at most. */
  resentLength(index: MessageIndex): number
  /** Writes a kept message; `again` marks it as a repeat. Returns its bytes. */
  resend(index: MessageIndex, again: boolean, out: Buffer, at: number): number
  /**
   * The message for a language of another form, or these of its fields but those that may be kept nowhere; `undefined` when it
   * cannot be said without its bytes.
   */
  fields(index: MessageIndex, only?: ReadonlyArray<number>): Message | undefined
  /**
   * A message of another form as it leaves on this link, an answer behind the `request` of this form that it answers: what an
   * answer has to repeat comes from there where the other form does not have it. `undefined` when the language cannot hold it.
   */
  translate(message: Message, request?: MessageIndex): Buffer | undefined

  /** Whether a request moves money that has to be taken back when its outcome is unknown. */
  isReversible(index: MessageIndex): boolean
  /** Whether a request moves money as far as its form alone says: where no language on its way has a reversal. */
  isMoney(index: MessageIndex): boolean
  /** Fields of a request that its reversal takes over; `undefined` when the language has no reversals. */
  readonly reversed: ReadonlyArray<number> | undefined
  /** The reversal of a request of the same form, as it waits for this link; `undefined` when the request does not hold enough. */
  reversal(request: MessageIndex, stamp: Stamp): Buffer | undefined

  /**
   * Copies the message with card data covered, of the same length; returns its bytes. `found`, when given, becomes the list of
   * what was covered because of its shape alone.
   */
  redact(index: MessageIndex, out: Buffer, at: number, found?: Array<number>): number
  /**
   * Writes what a restart needs of the message besides its card number and its covered copy, of which `found` was told; returns
   * the bytes, at most those of the message and `SEALED_HEADS`.
   */
  seal(index: MessageIndex, found: ReadonlyArray<number>, out: Buffer, at: number): number
  /**
   * Indexes a message from the journal as a reversal takes it: its card number and what was sealed with it put back, without
   * what stays covered. `only`: what is taken of it, the rest may stay as it is. False when it cannot be read.
   */
  restore(
    redacted: Buffer,
    cardNumber: string,
    sealed: Buffer,
    into: MessageIndex,
    only?: ReadonlyArray<number>
  ): boolean
}

/** Bytes that `seal` writes besides those of the message, at most. */
export const SEALED_HEADS = 3 * 192

/** Fields by which a message of this type from the partner is told from every other. */
export const receivedFieldsOf = (language: Language, mti: number): ReadonlyArray<number> =>
  Math.floor(mti / 100) % 10 === 8 ? language.receivedManagementFields : language.receivedFields

/** Fields by which the answer to a message of this type that we have sent finds it; the answer's own type gives the same. */
export const sentFieldsOf = (language: Language, mti: number): ReadonlyArray<number> =>
  Math.floor(mti / 100) % 10 === 8 ? language.sentManagementFields : language.sentFields
