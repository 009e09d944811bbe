/**
 * ISO 8583:2003 in packed decimal with binary bitmaps. Names and lengths: docs/domain.md 3.2, after jPOS's iso2003binary, which
 * keeps several lengths of 1993 and has one field number twice: check it against the partner's own table before use.
 */
import type { Dialect } from "../iso8583/Dialect.ts"
import { elements2003 } from "./Elements2003.ts"
import { keys1993 } from "./KeyExchanges.ts"
import { accountTypes, processingCodes } from "./ProcessingCodes.ts"
import { actionCodes2003 } from "./ResponseCodes.ts"

/**
 * ISO 8583:2003, packed decimal; digits of an odd number are to the left in all fields, filled with 0 (jPOS iso2003binary;
 * `test/fixtures/codec-packed.json` has every field). Message types begin with 2; DE 39 has four
 * digits.
 */
export const iso8583v2003: Dialect = {
  name: "iso8583v2003",
  title: "ISO 8583:2003, packed decimal, binary bitmap",
  version: 2,
  mti: "bcd",
  bitmap: { encoding: "binary", secondary: "optional" },
  encodings: {
    digits: "bcd",
    text: "ascii",
    track: "ascii",
    bytes: "binary",
    prefix: "bcd",
    align: "left",
    fill: 0
  },
  fields: elements2003,
  network: {
    mti: 2804,
    field: 24,
    codes: { signOn: "801", signOff: "802", keyReset: "811", keyResetRequest: "811", cutoverStart: "821", echo: "831" },
    fields: [7, 11]
  },
  keyExchange: keys1993(2804, "9116", "9109"),
  // As the original data (DE 56) name a message. DE 7 is the time of one transmission: a repeat and a reversal have their own.
  match: { transaction: [11, 12, 32], networkManagement: [7, 11, 24] },
  echo: [2, 3, 11, 12, 32, 33, 37, 41, 42],
  reversal: {
    mti: 2420,
    copies: [2, 3, 4, 12, 23, 26, 32, 33, 37, 38, 41, 42, 43],
    renews: [7, 11],
    // A full reversal, and why (docs/domain.md 1.15). The original's own reason (DE 25) is another one.
    sets: { 24: "400", 25: { noAnswer: "4021", late: "4006", undelivered: "4013" } },
    originalData: {
      field: 56,
      parts: [
        { de: 0, digits: 4 },
        { de: 11, digits: 12 },
        { de: 12, digits: 14 },
        // n..41 leaves 11 digits behind these: the acquirer.
        { de: 32, digits: 11, length: "rest" }
      ]
    },
    // Amounts, original: that of the transaction comes first. Function code 401 is that of a partial reversal.
    partial: { original: 30, function: { field: 24, codes: ["401"] } },
    reversible: [
      { mti: 2100, except: ["3"] },
      { mti: 2200, except: ["3"] }
    ]
  },
  adviceNeeds: [14],
  // The original's data elements come back in the acknowledgement of its reversal.
  answers: {
    keeps: [2, 3, 4, 7, 11, 12, 15, 23, 32, 33, 37, 38, 41, 42, 43, 56, 100],
    givenAgain: [15, 37, 38, 39]
  },
  // The standard says where a MAC is (DE 64 and 128) and that it has four bytes, not what it covers: partners do.
  security: {
    mac: { field: "last", messages: [2100, 2200, 2220, 2420], text: "message", fields: [], form: "binary", bytes: 4 },
    pin: { field: 52 }
  },
  // 9114: the original cannot be traced, so there is nothing to reverse. 9113: seen before.
  acknowledged: { reversal: ["9113", "9114"], advice: ["9113"] },
  responseCodes: actionCodes2003,
  processingCodes,
  accountTypes,
  refusal: {
    formatError: "9100",
    issuerDown: "9107",
    noRoute: "9108",
    duplicate: "9113",
    malfunction: "9109",
    noAnswer: "9111",
    notSignedOn: "9107",
    macFailed: "9116",
    pinFailed: "9121",
    keyFailed: "9121",
    cutOver: "9106",
    identity: "1022"
  }
}
