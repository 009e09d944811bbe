/** The longest time between two answers that the acquirer got, from its history. Pure. */
import type { HistoryLine } from "@jinka/simulator"

const answers: ReadonlySet<string> = new Set(["approved", "declined"])

/** In milliseconds, of issuers' answers between two times (milliseconds since 1970): a refusal of the switch is none. */
export const longestPause = (history: ReadonlyArray<HistoryLine>, from: number, to: number): number => {
  const at = history.filter((line) => answers.has(line.what) && line.at >= from && line.at <= to).map((line) => line.at)
  return at.reduce((longest, one, n) => Math.max(longest, one - (at[n - 1] ?? one)), 0)
}

/** How often the acquirer had to sign on between two times. */
export const signOns = (history: ReadonlyArray<HistoryLine>, from: number, to: number): number =>
  history.filter((line) => line.what === "signedOn" && line.at >= from && line.at <= to).length
