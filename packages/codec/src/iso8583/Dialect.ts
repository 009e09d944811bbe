/**
 * A dialect: everything that one network or partner says about its ISO 8583 messages, as data. It knows no bytes of any one
 * message. `layout` resolves it into what the codec works with. Dialects may come from TypeScript or YAML (`DialectFile`).
 */
import { type EncodingDefaults, type FieldDefinition, type FieldLayout, fieldLayout } from "./Field.ts"
import { type HeaderFormat, type HeaderLayout, headerLayout } from "./Header.ts"
import type { PlacedPart } from "./HeaderPart.ts"
import type { KeyExchange } from "./KeyExchange.ts"
import type { Reconciliation } from "./Reconciliation.ts"
import { type AnswerRules, answerRulesOf, type Roles, rolesOf } from "./Roles.ts"
import type { SecurityRules } from "./Security.ts"

/** How the bitmap is written: `binary` 8 bytes, `hex` 16 ASCII digits, `hex-ebcdic` 16 EBCDIC digits for each 64 fields. */
export interface BitmapFormat {
  readonly encoding: "binary" | "hex" | "hex-ebcdic"
  /**
   * `optional`: present when bit 1 says so. `always`: 128 bits in every message, bit 1 set. `fixed`: 128 bits in every message,
   * bit 1 not set (a host's quirk, kept by moov). `never`: 64 bits, bit 1 is an error.
   */
  readonly secondary: "optional" | "always" | "fixed" | "never"
  /** Whether bit 65 announces a third bitmap (fields 129..192). */
  readonly tertiary?: boolean
}

/** Class of a response code (docs/domain.md 1.14). */
export type ResponseClass =
  /** Success. */
  | "S"
  /** Flawed success: counts as success, the deposit side is not confirmed. */
  | "s"
  /** Declined. */
  | "D"
  /** Capture the card. */
  | "C"
  /** May be tried again. */
  | "R"
  /** Too late or no answer: the outcome at the far side is unknown. */
  | "T"
  /** System trouble. */
  | "X"
  /** Keys or security. */
  | "K"

/** What a code is called, in English and in Chinese. */
export interface Named {
  readonly name: string
  readonly nameZh?: string
}

/** One response code. */
export interface ResponseCode extends Named {
  readonly class: ResponseClass
}

/** Codes with which a switch refuses or ends a request by itself. */
export interface RefusalCodes {
  readonly formatError: string
  readonly issuerDown: string
  readonly noRoute: string
  readonly duplicate: string
  readonly malfunction: string
  readonly noAnswer: string
  readonly notSignedOn: string
  readonly macFailed: string
  /** A PIN block could not be translated: its key, its format or its card number is not what was agreed. */
  readonly pinFailed: string
  /** A key that the message needs is not there, or cannot be used. */
  readonly keyFailed: string
  readonly cutOver: string
  /** The message names an institution, or a transaction, that its sender may not speak for. */
  readonly identity: string
}

/** Network management: the messages that sign on, echo, cut over and change keys. A code that is absent is not used. */
export interface NetworkCodes {
  readonly mti: number
  /** Field that holds the code. */
  readonly field: number
  readonly codes: {
    readonly signOn?: string
    readonly signOff?: string
    readonly cutoverStart?: string
    readonly cutoverEnd?: string
    readonly echo?: string
    readonly keyResetRequest?: string
    readonly keyReset?: string
  }
  /** Fields that a management message carries besides the code. */
  readonly fields: ReadonlyArray<number>
}

/** One part of the original data: digits of one field of the original. */
export interface OriginalPart {
  /** The original's field; 0: its message type. */
  readonly de: number
  /** Digits of a fixed part, right-justified and filled with zeros; most digits of another one. */
  readonly digits: number
  /**
   * `fixed`, when left out. `counted`: two digits of length are before it. `rest`: all that is left. These two are at the
   * end, and may be left out there.
   */
  readonly length?: "fixed" | "counted" | "rest"
}

/**
 * How a reversal says that it takes back only a part: in a field with the amount that remains (1987: DE 95), or in one with the
 * amount of the original, where its own amount is what remains (1993 and 2003: DE 30). Both begin with that amount.
 */
export interface PartialReversals {
  readonly remains?: number
  readonly original?: number
  /** A field with a code that says so, too, and its codes. */
  readonly function?: { readonly field: number; readonly codes: ReadonlyArray<string> }
}

/** A value for each reason of a reversal of ours. */
export interface ReversalReasons {
  /** No answer came in time, or its connection ended, or we did. */
  readonly noAnswer: string
  /** The approval came when the request had ended: behind a reversal that had found nothing, or behind a decline. */
  readonly late: string
  /** The approval came in time, and could not be delivered. */
  readonly undelivered: string
}

/** How a reversal is made of its original. */
export interface ReversalRecipe {
  readonly mti: number
  /** Fields taken from the original request (present ones). */
  readonly copies: ReadonlyArray<number>
  /** Fields of which the reversal gets its own: its own transmission time, its own STAN, us as its forwarder. */
  readonly renews: ReadonlyArray<number>
  /** Fields with a value of every reversal of ours (1993, 2003: DE 24), or by its reason (DE 25), whatever the original says. */
  readonly sets?: { readonly [de: number]: string | ReversalReasons }
  /** Field that points to the original, and its parts in order. */
  readonly originalData: { readonly field: number; readonly parts: ReadonlyArray<OriginalPart> }
  /** What can be reversed: MTIs, with the first digits of the processing codes (DE 3) that can or cannot; none: all. */
  readonly reversible: ReadonlyArray<{
    readonly mti: number
    readonly processingCodes?: ReadonlyArray<string>
    readonly except?: ReadonlyArray<string>
  }>
  /** Left out: every reversal takes all back. */
  readonly partial?: PartialReversals
}

/** What identifies a transaction between request and answer. */
export interface MatchFields {
  /** Fields of the key of requests, answers, advices and reversals. */
  readonly transaction: ReadonlyArray<number>
  /** Fields of the key of network management messages. */
  readonly networkManagement: ReadonlyArray<number>
}

/** A network's messages, as data. */
export interface Dialect {
  readonly name: string
  readonly title: string
  /** 0: 1987, 1: 1993, 2: 2003. The first digit that its MTIs usually have; others are read too. */
  readonly version: 0 | 1 | 2
  readonly header?: HeaderFormat
  readonly mti: "ascii" | "bcd" | "ebcdic"
  readonly bitmap: BitmapFormat
  readonly encodings: EncodingDefaults
  readonly fields: { readonly [de: number]: FieldDefinition }
  readonly network?: NetworkCodes
  /** How working keys are exchanged; the first one is used where a link names none. Left out: they are not. */
  readonly keyExchange?: ReadonlyArray<KeyExchange>
  /** How the totals of a business day are compared. Left out: they are not. */
  readonly reconciliation?: Reconciliation
  readonly match: MatchFields
  /**
   * Seconds by which the clocks of partners may differ from ours. With it DE 7 is believed: a request whose DE 7 is older than
   * that and the time that requests have is too old to be sent on. Left out: DE 7 says nothing of a request's age.
   */
  readonly clockError?: number
  /** Fields that an answer must carry unchanged where both messages have them. */
  readonly echo: ReadonlyArray<number>
  readonly reversal?: ReversalRecipe
  /**
   * Hidden fields that the partner needs in an advice, a reversal or a notice: only these are sealed into store-and-forward,
   * besides what `reversal` copies. Never sensitive authentication data.
   */
  readonly adviceNeeds?: ReadonlyArray<number>
  /** Where MACs and PIN blocks are. Left out: the network has none, or nobody knows where. */
  readonly security?: SecurityRules
  /** Fields that play another part than in the standard; see `standardRoles`. */
  readonly roles?: Partial<Roles>
  /** How answers of our own are made, where other than `answerRulesOf` says. */
  readonly answers?: Partial<AnswerRules>
  readonly responseCodes: { readonly [code: string]: ResponseCode }
  /**
   * Codes besides those of success that end a delivery well, because nothing is left to be done: of a reversal "no such original"
   * and "seen before", of an advice "seen before". Any other final code leaves money in doubt. Left out: none.
   */
  readonly acknowledged?: { readonly reversal: ReadonlyArray<string>; readonly advice: ReadonlyArray<string> }
  /** Transactions by positions 1-2 of the processing code (DE 3), for people. */
  readonly processingCodes?: { readonly [code: string]: Named }
  /** Types of accounts by positions 3-4 and 5-6 of the processing code, for people. */
  readonly accountTypes?: { readonly [code: string]: Named }
  readonly refusal: RefusalCodes
  /** Read without content and filling rules (structure is always checked). For partners that break their own tables. */
  readonly lenient?: boolean
}

/** A dialect with every choice made: what the codec works with. */
export interface Layout {
  readonly dialect: Dialect
  readonly roles: Roles
  readonly answers: AnswerRules
  readonly header: HeaderLayout | undefined
  readonly headerBytes: number
  /** Bytes of the header of a reject: mostly the same, some have more parts there. */
  readonly rejectBytes: number
  readonly mtiBytes: number
  /** Bytes of one bitmap of 64 bits. */
  readonly bitmapBytes: number
  /** By data element; the array has an entry (maybe `undefined`) up to `deMax`. */
  readonly fields: ReadonlyArray<FieldLayout | undefined>
  /** 64, 128 or 192. */
  readonly deMax: number
  /**
   * For the indexer, by data element: bytes of a fixed field; -2 or -3: as many ASCII digits of length and one byte a unit;
   * -1: any other variable field; -128: not defined.
   */
  readonly steps: Int32Array
  /** For the indexer: most that a length prefix may say. */
  readonly countMaxima: Int32Array
  /** Defined fields in order. */
  readonly defined: ReadonlyArray<FieldLayout>
  /** Fields whose sensitivity is not `none`, in order. */
  readonly sensitive: ReadonlyArray<FieldLayout>
  /** The same as bits, as a message's bitmaps have them: 32 a word, field 1 in the highest bit of the first. */
  readonly sensitiveWords: Int32Array
  /** How each of them is covered, by data element. */
  readonly coverSteps: Uint8Array
  /** The other fields that have room for a card number, as bits: what is shown of them is searched. */
  readonly searchedWords: Int32Array
  /** What an answer is compared by with its request, as bits: all of the dialect's `echo`. */
  readonly echoWords: Int32Array
  /** Those of them that are not in the key, and prove by being there that it was the request that was answered. */
  readonly provingWords: Int32Array
  /** What an answer must echo of what its request carries. */
  readonly leastEchoWords: Int32Array
  /** Parts of the header that have room for a card number. */
  readonly searchedHeader: ReadonlyArray<PlacedPart>
  /** Fields that an advice or a reversal needs although they are covered: they may be sealed for store-and-forward. */
  readonly needed: ReadonlySet<number>
}

const stepOf = (field: FieldLayout | undefined): number => {
  if (field === undefined) return -128
  if (field.fixed >= 0) return field.fixed
  const { prefix, prefixBytes, encoding, countsBytes } = field
  const byteUnits = countsBytes || (encoding !== "bcd" && encoding !== "hex")
  return prefix === "ascii" && byteUnits && (prefixBytes === 2 || prefixBytes === 3) ? -prefixBytes : -1
}

const headerOf = ({ name, header }: Dialect): HeaderLayout | undefined => {
  try {
    return header === undefined ? undefined : headerLayout(header)
  } catch (error) {
    throw new TypeError(`dialect ${name}: ${(error as Error).message}`)
  }
}

const isTextPart = (form: PlacedPart["form"]): boolean => form === "text" || form === "digits"

/**
 * How the covered copy treats a sensitive field: all of a text in ASCII, such a card number, all of raw bytes; what is packed, in
 * EBCDIC or chip data goes the longer way.
 */
export const CoverStep = { other: 0, stars: 1, number: 2, zeros: 3 } as const

const coverStepOf = ({ encoding, sensitivity }: FieldLayout): number => {
  if (sensitivity === "emv") return CoverStep.other
  if (encoding === "binary") return CoverStep.zeros
  if (encoding !== "ascii") return CoverStep.other
  return sensitivity === "pan" ? CoverStep.number : CoverStep.stars
}

/** 13 digits are the shortest card number; packed they fill 7 bytes. */
const hasRoomForCard = ({ bytes, units }: FieldLayout): boolean => units >= (bytes ? 7 : 13)

/** Bits of these data elements as a message's bitmaps have them. */
const wordsOf = (des: ReadonlyArray<number>): Int32Array => {
  const words = new Int32Array(6)
  for (const de of des) words[(de - 1) >> 5]! |= 0x80000000 >>> ((de - 1) & 31)
  return words
}

const numbersOf = (fields: ReadonlyArray<FieldLayout>): ReadonlyArray<number> => fields.map(({ de }) => de)

/** Resolves a dialect. Throws a `TypeError` that names the field when a definition makes no sense. */
export const layout = (dialect: Dialect): Layout => {
  const deMax = dialect.bitmap.secondary === "never" ? 64 : dialect.bitmap.tertiary === true ? 192 : 128
  const { secondary } = dialect.bitmap
  if (dialect.bitmap.tertiary === true && (secondary === "never" || secondary === "fixed"))
    throw new TypeError(`dialect ${dialect.name}: a third bitmap needs a second one that is optional or always there`)
  const header = headerOf(dialect)
  const fields: Array<FieldLayout | undefined> = new Array(deMax + 1).fill(undefined)
  for (const [key, definition] of Object.entries(dialect.fields)) {
    const de = Number(key)
    const isBitmap = de === 1 || (de === 65 && dialect.bitmap.tertiary === true)
    if (!Number.isInteger(de) || de < 2 || de > deMax || isBitmap)
      throw new TypeError(`dialect ${dialect.name}: field ${key} cannot be defined (2..${deMax}, no bitmap)`)
    fields[de] = fieldLayout(de, definition, dialect.encodings, dialect.version)
  }
  const defined = fields.filter((field) => field !== undefined)
  const sensitive = defined.filter(({ sensitivity }) => sensitivity !== "none")
  const searched = defined.filter((field) => field.sensitivity === "none" && hasRoomForCard(field))
  const answers = answerRulesOf(dialect)
  const isDefined = (de: number): boolean => fields[de] !== undefined
  const isProving = (de: number): boolean => isDefined(de) && !dialect.match.transaction.includes(de)
  return {
    dialect,
    roles: rolesOf(dialect),
    answers,
    header,
    headerBytes: header?.bytes ?? 0,
    rejectBytes: header?.outer.bytes ?? 0,
    mtiBytes: dialect.mti === "bcd" ? 2 : 4,
    bitmapBytes: dialect.bitmap.encoding === "binary" ? 8 : 16,
    fields,
    deMax,
    steps: Int32Array.from({ length: 193 }, (_, de) => stepOf(fields[de])),
    countMaxima: Int32Array.from({ length: 193 }, (_, de) => fields[de]?.countMax ?? 0),
    defined,
    sensitive,
    sensitiveWords: wordsOf(numbersOf(sensitive)),
    coverSteps: Uint8Array.from({ length: 193 }, (_, de) => {
      const field = fields[de]
      return field === undefined ? CoverStep.other : coverStepOf(field)
    }),
    searchedWords: wordsOf(numbersOf(searched)),
    echoWords: wordsOf(dialect.echo),
    provingWords: wordsOf(dialect.echo.filter(isProving)),
    leastEchoWords: wordsOf(answers.leastEcho.filter(isDefined)),
    searchedHeader: (header?.parts ?? []).filter(({ bytes, form }) => bytes >= (isTextPart(form) ? 13 : 7)),
    needed: new Set([...(dialect.adviceNeeds ?? []), ...(dialect.reversal?.copies ?? [])])
  }
}

/**
 * Class of a response code (docs/domain.md 1.14). One that the dialect does not list is a decline; in the editions of 1993 and
 * 2003, whose codes say by their first digit what they are for, it is an approval when it begins with 0.
 */
export const responseClass = (dialect: Dialect, code: string): ResponseClass =>
  dialect.responseCodes[code]?.class ?? (dialect.version > 0 && code.startsWith("0") ? "S" : "D")

/** Whether a response code means success, flawed success included. */
export const isSuccess = (dialect: Dialect, code: string): boolean => {
  const found = responseClass(dialect, code)
  return found === "S" || found === "s"
}

/**
 * Whether the answer with this code to a message of type `mti` says that nothing is left to be done: success, or one of the
 * dialect's `acknowledged` codes for reversals (class 4) or for advices. A part that was done leaves the rest.
 */
export const isAcknowledged = (dialect: Dialect, mti: number, code: string): boolean => {
  if (answerRulesOf(dialect).partialApproval.includes(code)) return false
  if (isSuccess(dialect, code)) return true
  const kind = Math.floor(mti / 100) % 10 === 4 ? "reversal" : "advice"
  return dialect.acknowledged?.[kind].includes(code) === true
}

/** Match fields of a message class: those of network management or those of a transaction. */
export const matchFields = (dialect: Dialect, mti: number): ReadonlyArray<number> =>
  Math.floor(mti / 100) % 10 === 8 ? dialect.match.networkManagement : dialect.match.transaction
