/** The kinds of transactions in an acquirer's history while it is being written. */
import { readFileSync } from "node:fs"

/** The kinds of requests so far: all of them, or those that had this answer. */
export const kindsIn = (file: string, code?: string): ReadonlyArray<string> => {
  const whole = readFileSync(file, "utf8").split("\n").slice(0, -1)
  const entries = whole.map((line): { readonly kind?: string; readonly code?: string } => JSON.parse(line))
  return entries.flatMap((entry) =>
    entry.kind === undefined || (code !== undefined && entry.code !== code) ? [] : [entry.kind]
  )
}

/** Whether each kind was approved once, as the checker wants it of a run: on a busy machine many requests run out of time. */
export const isEachApproved = (file: string): boolean => {
  const approved = new Set(kindsIn(file, "00"))
  return kindsIn(file).every((kind) => approved.has(kind))
}
