/**
 * What somebody typed, pasted or wrote into a file, where an error repeats it: it may be a card number, a track or a key at the
 * wrong place, and an error ends up in a log or a ticket.
 */
import { coverCardText } from "./CardData.ts"

/** Digits that no name and no number of a configuration has in a row. */
const longDigits = /\d{12,}/g
/** Keys as hex: 16 bytes (a double-length DES key) and more; and 32 bytes as base64. */
const keyText = /(?<![0-9A-Za-z])[0-9A-Fa-f]{32,}(?![0-9A-Za-z])|(?<![0-9A-Za-z+/])[0-9A-Za-z+/]{43}=/g
/** The password in a URL. */
const urlPassword = /(?<=:\/\/[^\s/:@]*:)[^\s/]+(?=@)/g

const stars = (found: string): string => "*".repeat(found.length)

/** The text with card numbers, tracks, other long runs of digits, what looks like a key and passwords of URLs covered. */
export const coverTyped = (text: string): string =>
  text
    .split("\n")
    // Line by line: the break between two lines of a text is no sign of bytes that are none.
    .map((line) => coverCardText(line.replace(urlPassword, stars).replace(keyText, stars)).replace(longDigits, stars))
    .join("\n")
