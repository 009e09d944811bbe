/**
 * EBCDIC code pages 037 and 1047: 256 codes to 256 Latin-1 characters and back, one to one, so that every byte survives a
 * round trip. Source: IBM code page 37; 1047 differs by three swapped pairs of printable characters.
 */
import { hex } from "./Hex.ts"

/** Latin-1 character of each code of page 037. */
const latin1Of037 = hex(
  `
  00010203 9C09867F 978D8E0B 0C0D0E0F 10111213 9D850887 1819928F 1C1D1E1F
  80818283 840A171B 88898A8B 8C050607 90911693 94959604 98999A9B 14159E1A
  20A0E2E4 E0E1E3E5 E7F1A22E 3C282B7C 26E9EAEB E8EDEEEF ECDF2124 2A293BAC
  2D2FC2C4 C0C1C3C5 C7D1A62C 255F3E3F F8C9CACB C8CDCECF CC603A23 40273D22
  D8616263 64656667 6869ABBB F0FDFEB1 B06A6B6C 6D6E6F70 7172AABA E6B8C6A4
  B57E7374 75767778 797AA1BF D0DDDEAE 5EA3A5B7 A9A7B6BC BDBE5B5D AFA8B4D7
  7B414243 44454647 4849ADF4 F6F2F3F5 7D4A4B4C 4D4E4F50 5152B9FB FCF9FAFF
  5CF75354 55565758 595AB2D4 D6D2D3D5 30313233 34353637 3839B3DB DCD9DA9F
`.replace(/\s/g, "")
)

/** One EBCDIC code page: both tables have 256 entries. */
export interface EbcdicPage {
  readonly toLatin1: Uint8Array
  readonly fromLatin1: Uint8Array
}

const page = (toLatin1: Uint8Array): EbcdicPage => {
  const fromLatin1 = new Uint8Array(256)
  for (let code = 0; code < 256; code++) fromLatin1[toLatin1[code]!] = code
  return { toLatin1, fromLatin1 }
}

const swapped = (table: Uint8Array, pairs: ReadonlyArray<readonly [number, number]>): Uint8Array => {
  const copy = table.slice()
  for (const [one, other] of pairs) {
    copy[one] = table[other]!
    copy[other] = table[one]!
  }
  return copy
}

/** Code page 037 (USA, Canada): the usual one on card networks. */
export const cp037: EbcdicPage = page(latin1Of037)

/** Code page 1047 (open systems). */
export const cp1047: EbcdicPage = page(
  swapped(latin1Of037, [
    [0x5f, 0xb0],
    [0xad, 0xba],
    [0xbd, 0xbb]
  ])
)

/** Text of EBCDIC bytes; every character is U+0000..U+00FF. */
export const fromEbcdic = (bytes: Uint8Array, from: number, to: number, { toLatin1 }: EbcdicPage): string => {
  let text = ""
  for (let at = from; at < to; at++) text += String.fromCharCode(toLatin1[bytes[at]!]!)
  return text
}

/** Writes text as EBCDIC; false when a character is above U+00FF (nothing useful was written). */
export const writeEbcdic = (text: string, out: Uint8Array, at: number, { fromLatin1 }: EbcdicPage): boolean => {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code > 255) return false
    out[at + index] = fromLatin1[code]!
  }
  return true
}
