/**
 * The echo check: an answer with the right key must also carry its request's own values, or it is not its answer (G6). Pure.
 */
import type { Layout, MessageIndex } from "@jinka/codec"

/** Compares two short fields; a loop is cheaper than a call into C++ at these lengths. */
const isSame = (one: MessageIndex, other: MessageIndex, de: number): boolean => {
  const length = one.length(de)
  if (length !== other.length(de)) return false
  const from = one.from(de)
  const to = other.from(de)
  for (let i = 0; i < length; i++) if (one.buffer[from + i] !== other.buffer[to + i]) return false
  return true
}

/**
 * The first data element that has to be echoed, that both messages carry, and that differs; -1 when none does. `hasSameForm`:
 * both are of one dialect. Besides the answer's dialect's list the amount has to be the same, but for a partial approval.
 */
export const differingEcho = (
  { answers, dialect: { echo }, roles }: Layout,
  hasSameForm: boolean,
  request: MessageIndex,
  answer: MessageIndex
): number => {
  const differs = (de: number): boolean =>
    request.has(de) &&
    answer.has(de) &&
    !(hasSameForm ? isSame(request, answer, de) : request.text(de) === answer.text(de))
  for (let i = 0; i < echo.length; i++) if (differs(echo[i]!)) return echo[i]!
  if (!differs(roles.amount) || answers.partialApproval.includes(answer.text(roles.responseCode))) return -1
  return roles.amount
}
