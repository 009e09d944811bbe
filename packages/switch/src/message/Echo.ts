/**
 * The echo check: an answer with the right key must also carry its request's own values, or it is not its answer (G6). Pure.
 *
 * What an answer echoes, what it must echo at least, and which response codes approve less than was asked for, is the data of the
 * dialect that it is written in.
 */
import type { Layout, MessageIndex } from "@jinka/codec"

/** Compares two short fields; a loop is cheaper than a call into C++ at these lengths. */
const hasSameBytes = (one: MessageIndex, other: MessageIndex, de: number): boolean => {
  const { buffer, ends, starts } = one
  const { buffer: others } = other
  const from = starts[de]!
  const end = ends[de]!
  const shift = other.starts[de]! - from
  if (other.ends[de]! - end !== shift) return false
  for (let at = from; at < end; at++) if (buffer[at] !== others[at + shift]) return false
  return true
}

const isSame = (hasSameForm: boolean, one: MessageIndex, other: MessageIndex, de: number): boolean =>
  hasSameForm ? hasSameBytes(one, other, de) : one.text(de) === other.text(de)

/** Digits of an amount; what the 2003 edition writes in front of them is currency and exponent. */
const AMOUNT_DIGITS = 12

const amountOf = (text: string): number => (/^\d+$/.test(text) ? Number(text) : Number.NaN)

/** Whether `part` is no more than `whole`, in the same currency. */
const isPartOf = (part: string, whole: string): boolean =>
  part.slice(0, -AMOUNT_DIGITS) === whole.slice(0, -AMOUNT_DIGITS) &&
  amountOf(part.slice(-AMOUNT_DIGITS)) <= amountOf(whole.slice(-AMOUNT_DIGITS))

/**
 * Why the message is not the answer to the request: `DE 37 differs`, `DE 3 is missing`; `undefined` when it may be. The layout is
 * the answer's; `hasSameForm`: it is the request's, too.
 *
 * What both carry of the dialect's `echo` and the amount has to be equal, but for a partial approval, which may be lower. What
 * the request carries of `leastEcho` has to be there; and of all that it could have had echoed besides the key, something.
 */
export const wrongEcho = (
  { answers, dialect: { echo, match }, fields, roles }: Layout,
  hasSameForm: boolean,
  request: MessageIndex,
  answer: MessageIndex
): string | undefined => {
  let isEchoed = false
  let couldBe = false
  for (let i = 0; i < echo.length; i++) {
    const de = echo[i]!
    if (!request.has(de)) continue
    const isThere = answer.has(de)
    if (isThere && !isSame(hasSameForm, request, answer, de)) return `DE ${de} differs`
    if (isEchoed || fields[de] === undefined || match.transaction.includes(de)) continue
    couldBe = true
    isEchoed = isThere
  }
  const { leastEcho, partialApproval } = answers
  for (let i = 0; i < leastEcho.length; i++) {
    const de = leastEcho[i]!
    if (request.has(de) && fields[de] !== undefined && !answer.has(de)) return `DE ${de} is missing`
  }
  if (couldBe && !isEchoed) return "it echoes nothing of the request"
  const { amount, responseCode } = roles
  if (!request.has(amount) || !answer.has(amount) || isSame(hasSameForm, request, answer, amount)) return undefined
  const isPart = partialApproval.includes(answer.text(responseCode))
  return isPart && isPartOf(answer.text(amount), request.text(amount)) ? undefined : `DE ${amount} differs`
}
