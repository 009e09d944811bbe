/** Looks for a card number in clear in the files of a directory, in every form it could have slipped in. */
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { testPan } from "./Journals.ts"

/**
 * The forms: ASCII, EBCDIC, hex text of ASCII, UTF-16, packed BCD at both alignments; whole and without its first
 * digits.
 */
export const formsOf = (pan: string): ReadonlyArray<readonly [name: string, bytes: Buffer]> => {
  const ascii = Buffer.from(pan, "latin1")
  const packed = (digits: string) => Buffer.from(digits.slice(0, digits.length - (digits.length % 2)), "hex")
  return [
    ["ASCII", ascii],
    ["middle digits in ASCII", ascii.subarray(6, -4)],
    ["EBCDIC", Buffer.from(ascii.map((digit) => digit + 0xc0))],
    ["hex text", Buffer.from(ascii.toString("hex"))],
    ["UTF-16", Buffer.from(pan, "utf16le")],
    ["BCD", packed(pan)],
    ["BCD, odd", packed(pan.slice(1))]
  ]
}

/** `file: form` for each place where the PAN is found; files of subdirectories included. */
export const clearPanIn = (directory: string, pan: string = testPan): ReadonlyArray<string> =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((file) => statSync(join(directory, file)).isFile())
    .flatMap((file) => {
      const bytes = readFileSync(join(directory, file))
      return formsOf(pan)
        .filter(([, form]) => bytes.includes(form))
        .map(([name]) => `${file}: ${name}`)
    })
