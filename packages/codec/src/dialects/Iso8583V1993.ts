/**
 * ISO 8583:1993 in ASCII and in packed decimal. Field names and lengths: docs/domain.md 3.2 (jPOS ISO93A and its binary sister,
 * cross-checked against each other only). Message types begin with 1; DE 39 is a three-digit action code; DE 24 says what a
 * management message is for.
 */
import type { Dialect } from "../iso8583/Dialect.ts"
import { derive } from "./Derive.ts"
import { elements1993 } from "./Elements1993.ts"
import { keys1993 } from "./KeyExchanges.ts"
import { accountTypes, processingCodes } from "./ProcessingCodes.ts"
import { totals1993 } from "./Reconciliations.ts"
import { actionCodes1993 } from "./ResponseCodes.ts"

/** ISO 8583:1993, all ASCII: bitmaps are hex digits, b fields hex digits. */
export const iso8583v1993Ascii: Dialect = {
  name: "iso8583v1993Ascii",
  title: "ISO 8583:1993, ASCII, bitmaps and binary fields in hex",
  version: 1,
  mti: "ascii",
  bitmap: { encoding: "hex", secondary: "optional" },
  encodings: {
    digits: "ascii",
    text: "ascii",
    track: "ascii",
    bytes: "hex",
    prefix: "ascii",
    align: "right",
    fill: 0
  },
  fields: elements1993,
  network: {
    mti: 1804,
    field: 24,
    codes: { signOn: "801", signOff: "802", keyReset: "811", keyResetRequest: "811", cutoverStart: "821", echo: "831" },
    fields: [7, 11]
  },
  keyExchange: keys1993(1804, "916", "909"),
  reconciliation: totals1993,
  // As the original data (DE 56) name a message. DE 7 is the time of one transmission: a repeat and a reversal have their own.
  match: { transaction: [11, 12, 32], networkManagement: [7, 11, 24] },
  echo: [2, 3, 11, 12, 32, 33, 37, 41, 42, 49],
  reversal: {
    mti: 1420,
    copies: [2, 3, 4, 12, 22, 23, 26, 32, 33, 37, 38, 41, 42, 43, 49],
    renews: [7, 11],
    // A full reversal, and why (docs/domain.md 1.15). The original's own reason (DE 25) is another one.
    sets: { 24: "400", 25: { noAnswer: "4021", late: "4006", undelivered: "4013" } },
    originalData: {
      field: 56,
      parts: [
        { de: 0, digits: 4 },
        { de: 11, digits: 6 },
        { de: 12, digits: 12 },
        // n..35 leaves 13 digits behind these: a length of two, and the acquirer.
        { de: 32, digits: 11, length: "counted" }
      ]
    },
    // Amounts, original: that of the transaction comes first. Function code 401 is that of a partial reversal.
    partial: { original: 30, function: { field: 24, codes: ["401"] } },
    reversible: [
      { mti: 1100, except: ["3"] },
      { mti: 1200, except: ["3"] }
    ]
  },
  adviceNeeds: [14],
  // The original's data elements come back in the acknowledgement of its reversal.
  answers: {
    keeps: [2, 3, 4, 7, 11, 12, 15, 23, 32, 33, 37, 38, 41, 42, 43, 49, 56, 100],
    givenAgain: [15, 37, 38, 39]
  },
  // The standard says where a MAC is (DE 64 and 128), not what it covers: partners do.
  security: {
    mac: { field: "last", messages: [1100, 1200, 1220, 1420], text: "message", fields: [], form: "binary", bytes: 8 },
    pin: { field: 52 }
  },
  // 914: the original cannot be traced, so there is nothing to reverse. 913: seen before.
  acknowledged: { reversal: ["913", "914"], advice: ["913"] },
  responseCodes: actionCodes1993,
  processingCodes,
  accountTypes,
  refusal: {
    formatError: "904",
    issuerDown: "907",
    noRoute: "908",
    duplicate: "913",
    malfunction: "909",
    noAnswer: "911",
    notSignedOn: "907",
    macFailed: "916",
    pinFailed: "921",
    keyFailed: "921",
    cutOver: "906",
    identity: "122"
  }
}

/** The same with raw bytes: bitmaps of 8 bytes, b fields as they are. */
export const iso8583v1993AsciiRaw: Dialect = derive(iso8583v1993Ascii, {
  name: "iso8583v1993AsciiRaw",
  title: "ISO 8583:1993, ASCII, bitmaps and binary fields as raw bytes",
  bitmap: { encoding: "binary" },
  encodings: { bytes: "binary" }
})

/**
 * The same in packed decimal: n fields and length prefixes BCD, text ASCII, bitmaps and b fields raw bytes. Digits of an odd
 * number are to the left in all fields, filled with 0 (jPOS ISO93BPackager; `test/fixtures/codec-packed.json` has every field).
 */
export const iso8583v1993Bcd: Dialect = derive(iso8583v1993Ascii, {
  name: "iso8583v1993Bcd",
  title: "ISO 8583:1993, packed decimal, binary bitmap",
  mti: "bcd",
  bitmap: { encoding: "binary", secondary: "optional" },
  encodings: { digits: "bcd", bytes: "binary", prefix: "bcd", align: "left" }
})
