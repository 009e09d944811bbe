/**
 * ISO 8583:1987 as it travels on ASCII links: everything in ASCII, bitmaps and b fields as hex digits; and the same with raw
 * bytes for them, which most hosts speak. Lengths: docs/domain.md 1.8 column (a), where jPOS ISO87A, moov and pyiso8583 agree
 * except where noted there.
 */
import type { Dialect } from "../iso8583/Dialect.ts"
import { derive } from "./Derive.ts"
import { elements1987 } from "./Elements1987.ts"
import { tpdu5 } from "./Headers.ts"
import { keyBlocks1987 } from "./KeyExchanges.ts"
import { accountTypes, processingCodes } from "./ProcessingCodes.ts"
import { totals1987 } from "./Reconciliations.ts"
import { responseCodes1987 } from "./ResponseCodes.ts"

/** ISO 8583:1987, all ASCII: bitmaps are 16 or 32 hex digits, b fields hex digits. */
export const iso8583v1987Ascii: Dialect = {
  name: "iso8583v1987Ascii",
  title: "ISO 8583:1987, ASCII, bitmaps and binary fields in hex",
  version: 0,
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
  fields: elements1987,
  network: {
    mti: 800,
    field: 70,
    codes: {
      signOn: "001",
      signOff: "002",
      cutoverStart: "201",
      cutoverEnd: "202",
      echo: "301",
      keyResetRequest: "101",
      keyReset: "101"
    },
    fields: [7, 11]
  },
  keyExchange: [keyBlocks1987],
  reconciliation: totals1987,
  // DE 41 is left out: some hosts do not send it back.
  match: { transaction: [7, 11, 32], networkManagement: [7, 11, 70] },
  // DE 4 may change in an answer (partial approval).
  echo: [2, 3, 7, 11, 32, 33, 37, 41, 42, 49],
  reversal: {
    mti: 420,
    copies: [2, 3, 4, 12, 13, 18, 22, 23, 24, 25, 32, 33, 37, 38, 41, 42, 43, 49],
    renews: [7, 11],
    originalData: {
      field: 90,
      parts: [
        { de: 0, digits: 4 },
        { de: 11, digits: 6 },
        { de: 7, digits: 10 },
        { de: 32, digits: 11 },
        { de: 33, digits: 11 }
      ]
    },
    // Replacement amounts: the actual amount of the transaction comes first.
    partial: { remains: 95 },
    // Inquiries (processing codes 3x) have no reversal.
    reversible: [
      { mti: 100, except: ["3"] },
      { mti: 200, except: ["3"] }
    ]
  },
  adviceNeeds: [14],
  // What identifies a message, and the amounts and currencies that partners check: the response columns of the CUPS field matrix
  // (Q/CUP 006.2-2009). Never track, PIN or chip data.
  answers: {
    keeps: [2, 3, 4, 7, 11, 12, 13, 15, 18, 23, 25, 32, 33, 37, 38, 41, 42, 43, 49, 60, 70, 90, 100],
    givenAgain: [15, 37, 38, 39]
  },
  // The standard says where a MAC is (DE 64 and 128), not what it covers: partners do.
  security: {
    mac: { field: "last", messages: [100, 200, 220, 400, 420], text: "message", fields: [], form: "binary", bytes: 8 },
    pin: { field: 52 }
  },
  // 25: no such original, so there is nothing to reverse. 94: seen before.
  acknowledged: { reversal: ["25", "94"], advice: ["94"] },
  responseCodes: responseCodes1987,
  processingCodes,
  accountTypes,
  refusal: {
    formatError: "30",
    issuerDown: "91",
    noRoute: "92",
    duplicate: "94",
    malfunction: "96",
    noAnswer: "68",
    notSignedOn: "91",
    macFailed: "63",
    pinFailed: "99",
    keyFailed: "96",
    cutOver: "90",
    identity: "63"
  }
}

/** The same with raw bytes: bitmaps of 8 bytes, b fields as they are, chip data (DE 55) as bytes. */
export const iso8583v1987AsciiRaw: Dialect = derive(iso8583v1987Ascii, {
  name: "iso8583v1987AsciiRaw",
  title: "ISO 8583:1987, ASCII, bitmaps and binary fields as raw bytes",
  bitmap: { encoding: "binary", secondary: "optional" },
  encodings: { bytes: "binary" },
  fields: { 55: { format: "b...999", sensitivity: "emv" } }
})

/**
 * In packed decimal: n fields, DE 35 and length prefixes BCD, text ASCII, bitmaps and b fields raw bytes. Digits of an odd number
 * are to the right in fixed fields and to the left in variable ones, filled with 0 (jPOS ISO87BPackager;
 * `test/fixtures/codec-packed.json` has every field).
 */
export const iso8583v1987Bcd: Dialect = derive(iso8583v1987AsciiRaw, {
  name: "iso8583v1987Bcd",
  title: "ISO 8583:1987, packed decimal, binary bitmap",
  mti: "bcd",
  encodings: { digits: "bcd", prefix: "bcd", variableAlign: "left" },
  fields: { 35: { encoding: "bcd" } }
})

/**
 * Generic NAC link: packed decimal behind a TPDU, whose addresses change places in an answer. Digits as in `iso8583v1987Bcd`, and
 * track 3 is packed like track 2.
 */
export const nac: Dialect = derive(iso8583v1987Bcd, {
  name: "nac",
  title: "NAC: TPDU and ISO 8583:1987 in packed decimal",
  header: tpdu5,
  encodings: { track: "bcd" },
  match: { transaction: [11, 41, 42], networkManagement: [11, 41, 42] }
})

/** All text in EBCDIC (code page 037), bitmaps and b fields raw bytes: mainframe hosts. */
export const iso8583v1987Ebcdic: Dialect = derive(iso8583v1987AsciiRaw, {
  name: "iso8583v1987Ebcdic",
  title: "ISO 8583:1987, EBCDIC, binary bitmap",
  mti: "ebcdic",
  encodings: { digits: "ebcdic", text: "ebcdic", track: "ebcdic", prefix: "ebcdic" }
})
