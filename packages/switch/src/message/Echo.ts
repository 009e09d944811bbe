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

/** The first data element of a word of a bitmap with these bits. */
const firstOf = (word: number, bits: number): number => 32 * word + Math.clz32(bits) + 1

/** The first of the data elements with these bits, which both carry, whose values are not equal; 0: all are. */
const firstDiffering = (
  hasSameForm: boolean,
  one: MessageIndex,
  other: MessageIndex,
  word: number,
  bits: number
): number => {
  for (let left = bits; left !== 0; left &= ~(TOP_BIT >>> Math.clz32(left))) {
    const de = firstOf(word, left)
    if (!isSame(hasSameForm, one, other, de)) return de
  }
  return 0
}

/** The bit of the first data element of a word. */
const TOP_BIT = 0x80000000

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
 * What both carry of the dialect's `echo` and the amount has to be equal. A partial approval has to have the amount, which may be
 * lower. What the request carries of `leastEcho` has to be there; and of all that it could have had echoed besides the key,
 * something.
 */
export const wrongEcho = (
  layout: Layout,
  hasSameForm: boolean,
  request: MessageIndex,
  answer: MessageIndex
): string | undefined => {
  const { answers, echoWords, leastEchoWords, provingWords, roles } = layout
  let couldProve = 0
  let proves = 0
  for (let word = 0; word < echoWords.length; word++) {
    const asked = request.words[word]!
    const answered = answer.words[word]!
    const differing = firstDiffering(hasSameForm, request, answer, word, asked & answered & echoWords[word]!)
    if (differing !== 0) return `DE ${differing} differs`
    const missing = asked & ~answered & leastEchoWords[word]!
    if (missing !== 0) return `DE ${firstOf(word, missing)} is missing`
    couldProve |= asked & provingWords[word]!
    proves |= asked & answered & provingWords[word]!
  }
  if (couldProve !== 0 && proves === 0) return "it echoes nothing of the request"
  const { amount, responseCode } = roles
  if (!request.has(amount)) return undefined
  const isPart = answers.partialApproval.includes(answer.text(responseCode))
  // Without it nobody knows what was approved, and the origin could take it for all.
  if (!answer.has(amount)) return isPart ? `DE ${amount} is missing` : undefined
  if (isSame(hasSameForm, request, answer, amount)) return undefined
  return isPart && isPartOf(answer.text(amount), request.text(amount)) ? undefined : `DE ${amount} differs`
}
