/**
 * Numbers and dates that a partner puts into its messages: DE 7, 11, 12, 13, 15, 37.
 *
 * Owns their uniqueness: DE 7 + DE 11 is unique unless more than 999,999 messages are numbered in one second, DE 37 is
 * unique within the prefix. Dates are China Standard Time (UTC+8, no summer time), as on CUPS links.
 */

import { dateTimeText } from "@jinka/codec"

/** Minutes that CST is ahead of UTC. */
const ZONE = 8 * 60

/** MMDDhhmmss of an instant in CST (DE 7). DE 12 is its last six digits, DE 13 its first four. */
export const transmissionTime = (at: number): string => dateTimeText(at, ZONE)

/** The same instant in a picture of YYYY or YY, MM, DD, hh, mm and ss in a row. */
export const timeInPicture = (at: number, picture: string): string => {
  const whole = String(new Date(at + ZONE * 60_000).getUTCFullYear()) + transmissionTime(at)
  const from = { Y: picture.startsWith("YYYY") ? 0 : 2, M: 4, D: 6, h: 8 }[picture[0]!] ?? 0
  return whole.slice(from, from + picture.length)
}

/** Draws numbers for one partner. */
export class Numbering {
  private readonly prefix: string
  private stan = 0
  private reference: number
  private second = -1
  private time = ""

  /** `prefix`: up to 4 characters that no other partner of the run uses; `first`: number of the first RRN. */
  constructor(prefix: string, first: number) {
    this.prefix = prefix
    this.reference = first
  }

  /** Next DE 11, 000001 to 999999 and round again. */
  nextStan(): string {
    this.stan = this.stan === 999_999 ? 1 : this.stan + 1
    return String(this.stan).padStart(6, "0")
  }

  /** Next DE 37: prefix and counter, 12 characters. */
  nextReference(): string {
    const reference = this.prefix + String(this.reference).padStart(12 - this.prefix.length, "0")
    this.reference++
    return reference
  }

  /** DE 7 of an instant; made once a second. */
  transmitted(at: number): string {
    const second = Math.floor(at / 1000)
    if (second !== this.second) {
      this.second = second
      this.time = transmissionTime(at)
    }
    return this.time
  }
}
