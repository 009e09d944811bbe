/**
 * How the shipped dialects exchange keys, as public sources show it. What a network has otherwise is said in a dialect file,
 * which takes the whole list's place.
 */
import type { KeyExchange, KeyPart } from "../iso8583/KeyExchange.ts"

/** CUPS, DE 53 of a key message: position 1 the kind of key, position 2 its algorithm. */
const cupsKind = { de: 53, at: 0, values: { "1": "pin", "2": "mac" } } as const
const cupsAlgorithm = { de: 53, at: 1, values: { "0": "des", "6": "tdes", "4": "sm4" } } as const

/**
 * The reset of CUPS, 0800 with DE 70 = 101, which a member asks for by 0820. A MAC key of single length is in DE 96,
 * every other in DE 48 behind `NK`, block by block under the member key, without a check value. DE 128 of the answer is made with
 * the new key, also with a PIN key; the published field list of the 0800 has none, one front end checks it. The previous key is
 * good for 180 s, and a key that was asked for has to come within 15 s, as that front end does: the centre's are not public.
 */
export const cupsReset: KeyExchange = {
  name: "reset",
  ask: { mti: 820, code: { de: 70, value: "101" }, fields: [7, 11, 33, 53] },
  deliver: { mti: 800, code: { de: 70, value: "101" }, fields: [7, 11, 53, 96, 100] },
  kind: cupsKind,
  algorithm: cupsAlgorithm,
  parts: [
    { de: 96, at: 0, form: "binary", kind: "mac", algorithm: "des" },
    { de: 48, begins: "NK", at: 2, form: "binary" }
  ],
  wrap: "ecb",
  mac: { fields: [0, 7, 11, 39, 53, 70, 100], request: "ifPresent", answer: "new" },
  answer: { fields: [7, 11, 53, 70, 100], refusals: { mac: "A0", key: "A7", store: "96" } },
  window: 180,
  wait: 15,
  covers: "both"
}

/** A key of a terminal's sign-on: so many bytes, padding, and the first four bytes of E(key, 0). */
const posPart = (
  whole: number,
  kind: KeyPart["kind"] & string,
  algorithm: "des" | "tdes",
  at: number,
  checkAt: number
): KeyPart => ({
  de: 62,
  whole,
  kind,
  algorithm,
  at,
  length: algorithm === "des" ? 8 : 16,
  form: "binary",
  check: { de: 62, at: checkAt, length: 4, form: "binary", method: "zeros" }
})

const posSignOn = (name: string, code: string, parts: ReadonlyArray<KeyPart>): KeyExchange => ({
  name,
  ask: { mti: 800, code: { de: 60, at: 8, value: code }, values: { 60: "00000001" }, fields: [11, 41, 42] },
  parts,
  wrap: "ecb",
  window: 0,
  wait: 15,
  covers: "both"
})

/** Keys in the answer to a terminal's sign-on: DE 60.3 says how many and how long, DE 62 of the 0810 holds them under the TMK. */
export const posSignOns: ReadonlyArray<KeyExchange> = [
  posSignOn("double", "003", [posPart(40, "pin", "tdes", 0, 16), posPart(40, "mac", "des", 20, 36)]),
  posSignOn("single", "001", [posPart(24, "pin", "des", 0, 8), posPart(24, "mac", "des", 12, 20)]),
  posSignOn("track", "004", [
    posPart(60, "pin", "tdes", 0, 16),
    posPart(60, "mac", "des", 20, 36),
    posPart(60, "data", "tdes", 40, 56)
  ])
]

/**
 * A host of 1993: the acquirer sends its own PIN key by 1804 with DE 24 = 811, DE 96 as text: `U`, 32 hexadecimal digits under
 * the ZMK, 6 digits of the check value.
 */
export const keys1993 = (mti: number, mac: string, malfunction: string): ReadonlyArray<KeyExchange> => [
  {
    name: "key",
    ask: { mti, code: { de: 24, value: "811" }, fields: [7, 11, 12] },
    deliver: { mti, code: { de: 24, value: "811" }, fields: [7, 11, 12] },
    kind: "pin",
    algorithm: "tdes",
    parts: [
      {
        de: 96,
        begins: "U",
        at: 1,
        length: 32,
        form: "hex",
        check: { de: 96, at: 33, length: 6, form: "hex", method: "zeros" }
      }
    ],
    wrap: "ecb",
    answer: { fields: [7, 11, 12, 24], refusals: { mac, key: malfunction, store: malfunction } },
    window: 180,
    wait: 15,
    covers: "giver"
  }
]

/**
 * Key blocks (ANSI X9.143) in 0800 with DE 70 = 161, which 162 asks for: DE 110 holds the block, whose header says what the key
 * is for. The codes are those of several networks; a partner's own go into a dialect file.
 */
export const keyBlocks1987: KeyExchange = {
  name: "keyBlock",
  ask: { mti: 800, code: { de: 70, value: "162" }, fields: [7, 11] },
  deliver: { mti: 800, code: { de: 70, value: "161" }, fields: [7, 11] },
  parts: [{ de: 110, at: 0, form: "text" }],
  wrap: "tr31",
  answer: { fields: [7, 11, 70], refusals: { mac: "A0", key: "A7", store: "96" } },
  window: 180,
  wait: 15,
  covers: "both"
}
