/**
 * The message type indicator as a number: 200 is "0200", 1200 is "1200". Version, class, function and origin are its decimal
 * digits (ISO 8583; docs/domain.md 3.1). Pure arithmetic; classes are worked out once for each type.
 */

/** What a message is in an exchange: decides what a switch may do with it. */
export type MtiClass =
  /** 01xx 02xx 03xx 05xx 06xx 07xx requests: a final answer is awaited, never sent twice. */
  | "request"
  | "response"
  /** 0x2x: it reports what has happened; repeated until acknowledged. */
  | "advice"
  | "adviceResponse"
  /** 04xx: both the request (0400) and the advice (0420) form; repeated until acknowledged. */
  | "reversal"
  | "reversalResponse"
  /** x4xx x6xx of 1993 and later: a notification or an instruction, with its acknowledgement x5xx x7xx (function digits). */
  | "notice"
  | "noticeResponse"
  /** 08xx: sign-on, echo, key change; never repeated from a store. */
  | "networkManagement"
  | "networkManagementResponse"
  /** Class or function digits that the message's edition reserves; see {@link reservedMti}. */
  | "unknown"

/** Version digit: 0 is 1987, 1 is 1993, 2 is 2003. */
export const mtiVersion = (mti: number): number => Math.floor(mti / 1000)

/** Function digit: even asks or tells, odd answers. */
const functionOf = (mti: number): number => Math.floor(mti / 10) % 10

/** Whether the message answers another one: its function digit is odd. */
export const isResponse = (mti: number): boolean => functionOf(mti) % 2 === 1

/** Whether the message asks or tells: its function digit is even. */
export const isRequest = (mti: number): boolean => functionOf(mti) % 2 === 0

/** Whether the message says that it repeats an earlier one: its origin digit is 1, 3 or 5. */
export const isRepeat = (mti: number): boolean => mti % 2 === 1 && mti % 10 <= 5

/**
 * Message type of the answer: function digit + 1, and the origin digit without the repeat mark (0200 -> 0210, 0421 -> 0430,
 * 0401 -> 0410). An answer's type is given back unchanged.
 */
export const responseMti = (mti: number): number => (isResponse(mti) ? mti : mti + 10 - (isRepeat(mti) ? 1 : 0))

/** Message type of a repeat: origin digit + 1 (0420 -> 0421, 0220 -> 0221). A repeat's type is given back unchanged. */
export const repeatMti = (mti: number): number => (mti % 2 === 0 && mti % 10 < 6 ? mti + 1 : mti)

/** Class digit: 1 authorization .. 8 network management. */
const classOf = (mti: number): number => Math.floor(mti / 100) % 10

/** The last function digit that an edition defines: 3 in 1987 (advice response), 7 in 1993 and 2003 (instruction taken). */
const lastFunction = (version: number): number => (version === 0 ? 3 : 7)

/** Whether the message compares totals: 05xx. */
export const isReconciliation = (mti: number): boolean => classOf(mti) === 5

/** Whether its origin digit names the issuer's side: xxx2 and xxx3. */
export const isIssuers = (mti: number): boolean => mti % 10 === 2 || mti % 10 === 3

/**
 * The digit of a message type that its edition reserves, or `undefined`: class 0 and 9, and the function digits 4..9 of 1987,
 * 8 and 9 of 1993 and 2003. A switch does not know what such a message wants, so it does nothing on its word.
 */
export const reservedMti = (mti: number): "class" | "function" | undefined => {
  const digit = classOf(mti)
  if (digit === 0 || digit === 9) return "class"
  return functionOf(mti) > lastFunction(mtiVersion(mti)) ? "function" : undefined
}

const MTI_MAX = 9999
const classes = new Array<MtiClass | undefined>(MTI_MAX + 1)

/** Class of a message type; see `MtiClass`. */
export const mtiClass = (mti: number): MtiClass => classes[mti] ?? worked(mti)

const worked = (mti: number): MtiClass => {
  const found = classified(mti)
  if (mti >= 0 && mti <= MTI_MAX) classes[mti] = found
  return found
}

const classified = (mti: number): MtiClass => {
  if (reservedMti(mti) !== undefined) return "unknown"
  const digit = classOf(mti)
  const answer = isResponse(mti)
  if (digit === 8) return answer ? "networkManagementResponse" : "networkManagement"
  const way = Math.floor(functionOf(mti) / 2)
  if (digit === 4 && way <= 1) return answer ? "reversalResponse" : "reversal"
  if (way === 0) return answer ? "response" : "request"
  if (way === 1) return answer ? "adviceResponse" : "advice"
  return answer ? "noticeResponse" : "notice"
}

/** Four digits of a message type. */
export const mtiText = (mti: number): string => String(mti).padStart(4, "0")
