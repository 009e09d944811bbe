/**
 * The kinds of transaction that the partners speak, and the key that names one.
 *
 * Owns the table of CUPS purchases, voids and so on (MTI, DE 3, 25, what reverses), the key (DE 11, 7, 32, 33 in the
 * layout of DE 90), and the meaning of response codes. Knows no bytes and no socket.
 * Source: public CUPS code bases agree on the table, the key and the codes; the specification's text is not public.
 */
import { coverRuns } from "@jinka/codec"

/** A kind of transaction as the acquirer means it. */
export type Kind = "purchase" | "preAuthorisation" | "balanceInquiry" | "void" | "refund"

/** What tells one kind from another on the wire, and what it does to money. */
export interface KindRule {
  readonly mti: string
  readonly processingCode: string
  /** DE 25. */
  readonly condition: string
  /** An unknown outcome is reversed by 0420. Inquiries and advices have no reversal. */
  readonly isReversible: boolean
  /** Repeated until acknowledged instead of being given up (0220). */
  readonly isAdvice: boolean
  /** Effect of an approval on the cardholder's available balance: -1 takes, 1 gives back, 0 none. */
  readonly sign: -1 | 0 | 1
}

/** The transactions of the workload (CUPS: MTI / DE 3 / DE 25). */
export const kinds: { readonly [K in Kind]: KindRule } = {
  purchase: {
    mti: "0200",
    processingCode: "000000",
    condition: "00",
    isReversible: true,
    isAdvice: false,
    sign: -1
  },
  preAuthorisation: {
    mti: "0100",
    processingCode: "030000",
    condition: "06",
    isReversible: true,
    isAdvice: false,
    sign: -1
  },
  balanceInquiry: {
    mti: "0200",
    processingCode: "300000",
    condition: "00",
    isReversible: false,
    isAdvice: false,
    sign: 0
  },
  void: { mti: "0200", processingCode: "200000", condition: "00", isReversible: true, isAdvice: false, sign: 1 },
  refund: { mti: "0220", processingCode: "200000", condition: "00", isReversible: false, isAdvice: true, sign: 1 }
}

/** Names in a fixed order, for tables. */
export const kindNames = Object.keys(kinds) as ReadonlyArray<Kind>

/** Kind of a request or advice by MTI (original, not repeat) and DE 3; undefined for what the partners do not speak. */
export const kindOf = (mti: string, processingCode: string): Kind | undefined =>
  kindNames.find((name) => kinds[name].mti === mti && kinds[name].processingCode === processingCode)

/** The four values that identify a transaction on a CUPS link. */
export interface KeyFields {
  /** DE 11, 6 digits. */
  readonly stan: string
  /** DE 7, MMDDhhmmss. */
  readonly transmitted: string
  /** DE 32, up to 11 digits. */
  readonly acquirer: string
  /** DE 33, up to 11 digits. */
  readonly forwarder: string
}

/**
 * Key of a transaction: DE 11 + DE 7 + DE 32 + DE 33, institutions right-justified and zero-filled to 11: exactly DE 90 without
 * its leading MTI (38 digits), so that a reversal's DE 90 names its original without translation.
 */
export const transactionKey = (fields: KeyFields): string =>
  fields.stan + fields.transmitted + fields.acquirer.padStart(11, "0") + fields.forwarder.padStart(11, "0")

/** DE 90 that points to a transaction: MTI and key, 42 digits. */
export const originalData = (mti: string, key: string): string => mti + key

/** Key that a DE 90 points to. */
export const originalKey = (f90: string): string => f90.slice(4)

/** A STAN and a time MMDDhhmmss. */
const namesMessage = /^\d{6}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])(?:[0-5]\d){2}/
/** What a key says of the acquirer. */
const acquirerOf = (key: string): string => key.slice(16, 27)

/**
 * The key of an original as a history may say it: without its digits where it does not name a message of the same acquirer, and
 * so may be anything.
 */
export const shownOriginal = (original: string, key: string): string =>
  namesMessage.test(original) && acquirerOf(original) === acquirerOf(key) ? original : coverRuns(original)

/** Of a reversal of a part: what remains of the amount, by its DE 95 (the first 12 digits); 0: it takes all back. */
export const remainsIn = (f95: string): number => Number(f95.slice(0, 12)) || 0

/** STAN within a key, for people. */
export const stanOf = (key: string): string => key.slice(0, 6)

/** Success, and "flawed success", which counts as success. */
const approvedCodes: ReadonlySet<string> = new Set(["00", "08", "10", "11", "16", "32", "A2", "A4", "A5", "A6"])

/**
 * Codes by which the switch says that it could not bring the transaction to an end (68 late, 96 malfunction, 98 no
 * answer): the far side's outcome was unknown and the switch reverses it.
 */
const unknownCodes: ReadonlySet<string> = new Set(["68", "96", "98"])

/** Answers to an advice or reversal that end nothing: it is sent again (91 and 92: nobody there; 90: cut-over). */
const againCodes: ReadonlySet<string> = new Set(["09", "19", "68", "90", "91", "92", "96", "98"])

/** True for codes that mean success. */
export const isApproved = (code: string): boolean => approvedCodes.has(code)

/** True for codes that mean "outcome unknown at the far side". */
export const isUnknown = (code: string): boolean => unknownCodes.has(code)

/** True for codes after which an advice or reversal has to be sent again. */
export const isSentAgain = (code: string): boolean => againCodes.has(code)
