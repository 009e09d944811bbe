/**
 * The business date of a partner: the calendar's until the first cut-over, from then on the one that cut-overs bring. Owns which
 * day is open and how the dialect writes it; what starts again with a new day is its owner's.
 */
const DAY_MS = 86_400_000

/** Days are counted from 1970-01-01. */
const isoOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10)

const dayOf = (iso: string): number | undefined => {
  const day = Date.parse(`${iso}T00:00:00Z`) / DAY_MS
  return Number.isInteger(day) && isoOf(day) === iso ? day : undefined
}

/** One partner's date. */
export class BusinessDate {
  private readonly localMs: () => number
  private day: number
  private isCutOver = false

  constructor(localMs: () => number) {
    this.localMs = localMs
    this.day = this.calendar()
  }

  /** The day that the next cut-over begins: after a night without one it is the calendar's. */
  get next(): number {
    return Math.max(this.day + 1, this.calendar())
  }

  /** A cut-over to this day. False: it is open already, because both sides have said it. */
  cutOver(to: number): boolean {
    if (this.isCutOver && to === this.day) return false
    this.day = to
    this.isCutOver = true
    return true
  }

  /** Whether midnight has begun a new day: it does until the first cut-over. */
  hasTurned(): boolean {
    const today = this.calendar()
    if (this.isCutOver || today <= this.day) return false
    this.day = today
    return true
  }

  /** A day as a field of so many digits has it: MMDD, YYMMDD, YYYYMMDD. */
  text(digits: number, day: number = this.day): string {
    return isoOf(day).replaceAll("-", "").slice(-digits)
  }

  /** The day that a text means, in the year that is nearest; `undefined`: no date. */
  named(text: string): number | undefined {
    if (!/^(\d{4}|\d{6}|\d{8})$/.test(text)) return undefined
    const year = Number(isoOf(this.day).slice(0, 4))
    const years = text.length === 8 ? [""] : text.length === 6 ? ["20"] : [year - 1, year, year + 1].map(String)
    const days = years.flatMap((first) => {
      const digits = `${first}${text}`
      return dayOf(`${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`) ?? []
    })
    return days.sort((one, other) => Math.abs(one - this.day) - Math.abs(other - this.day))[0]
  }

  private calendar(): number {
    return Math.floor(this.localMs() / DAY_MS)
  }
}
