/** The longest time between two answers that the acquirer got, from its history. Pure. */
import type { HistoryLine } from "@jinka/simulator"

const answers: ReadonlySet<string> = new Set(["approved", "declined"])

/**
 * In milliseconds, of issuers' answers between two times (milliseconds since 1970): a refusal of the switch is none. It may have
 * begun before, and counts no longer than to the second time.
 */
export const longestPause = (history: ReadonlyArray<HistoryLine>, from: number, to: number): number => {
  const at = history.filter((line) => answers.has(line.what)).map((line) => line.at)
  const pauses = at.map((one, n) => ({ begins: at[n - 1] ?? one, ends: one }))
  const here = pauses.filter(({ begins, ends }) => ends >= from && begins <= to)
  return here.reduce((longest, { begins, ends }) => Math.max(longest, Math.min(ends, to) - begins), 0)
}

/** How often the acquirer had to sign on between two times. */
export const signOns = (history: ReadonlyArray<HistoryLine>, from: number, to: number): number =>
  history.filter((line) => line.what === "signedOn" && line.at >= from && line.at <= to).length
