/**
 * The doctor: which length headers and which dialects would fit some captured bytes, best first, and why. It guesses from bytes
 * alone, so it ranks and gives its evidence; a person decides. No value of a message is in what it says.
 */
import { dialects as shipped } from "../dialects/DialectFile.ts"
import type { FrameFormat } from "../frame/FrameFormat.ts"
import type { Dialect } from "../iso8583/Dialect.ts"
import { explain, isMessageError, type MessageError } from "../iso8583/MessageError.ts"
import { MessageIndex } from "../iso8583/MessageIndex.ts"
import { type DialectCandidate, dialectCandidates, isShippedHeader, opaqueCandidates } from "./DialectCandidates.ts"
import { foundEnds } from "./FoundEnds.ts"
import { foundShapes } from "./FoundShapes.ts"
import { type FoundFrames, type FrameCandidate, findFrames, frameCandidates } from "./FrameCandidates.ts"
import { messageType, signsOf } from "./Plausibility.ts"

/** One reason, for (positive) or against (negative). */
export interface Evidence {
  readonly says: string
  /** Points that it adds to the score. */
  readonly weight: number
}

/** What a configuration says of a link whose bytes are explained so: it can be pasted. */
export interface LinkWords {
  /** A name, or the frame written out. */
  readonly frame: string | FrameFormat
  /** The dialect's name, or that of a file to write. */
  readonly dialect: string
  /** What is in that file: the dialect behind another header. Without `extends` it is a file that is there already. */
  readonly file?: { readonly name: string; readonly extends?: string; readonly header: string }
}

/** One explanation of the bytes. */
export interface Diagnosis {
  /** What the bytes look like; only `iso8583` has a dialect. */
  readonly looks: "iso8583" | "idle" | "tls" | "http" | "xml" | "json"
  /** 0..100; above 80 nearly certain, below 50 a guess. */
  readonly score: number
  /**
   * Name and sentence of the length header; `none` and no format: the bytes are one message. A shape that was found in the bytes
   * has no name, only its format.
   */
  readonly frame: FrameCandidate
  /** Dialect and the header in front of its messages. */
  readonly dialect: { readonly name: string; readonly header: string } | undefined
  /** What a link's `frame:` and `dialect:` say for it; `undefined` where nothing can be said. */
  readonly link: LinkWords | undefined
  readonly frames: number
  readonly idleFrames: number
  /** Bytes behind the last whole frame. */
  readonly openBytes: number
  /** Messages looked at, and how many of them could be read to their last byte. */
  readonly messages: number
  readonly decoded: number
  readonly evidence: ReadonlyArray<Evidence>
  /** Where the first message that cannot be read stops, and the rule. */
  readonly stopsAt: { readonly message: number; readonly error: MessageError; readonly says: string } | undefined
}

/** How to examine. */
export interface ExamineOptions {
  /** Dialects to try; the shipped ones when left out. */
  readonly dialects?: { readonly [name: string]: Dialect }
  /** Most diagnoses given; 8 when left out. */
  readonly max?: number
}

/** Bytes that are looked at; the rest of a longer capture is not. */
export const EXAMINED_MAX = 1024 * 1024

/** What scores less is noise. */
const SCORE_MIN = 5

const index = new MessageIndex()

interface Reading {
  readonly decoded: number
  /** Share of signs that are good, 0..1, and their number. */
  readonly sense: number
  readonly signs: number
  readonly against: ReadonlyArray<string>
  /** Whether no message has a type of the dialect's edition. */
  readonly isOtherEdition: boolean
  /** Share of the bytes that were read before the first error, 0..1. */
  readonly reach: number
  /** Whether the first message that cannot be read only ends too early. */
  readonly isShort: boolean
  readonly stopsAt: Diagnosis["stopsAt"]
}

/** Errors before the first field: the index holds none of this message. */
const noFields: ReadonlySet<string> = new Set(["MtiInvalid", "BitmapInvalid", "TooShort", "HeaderInvalid"])

/** Share of the message that was read before the error. */
const reachOf = (error: MessageError, message: Buffer): number =>
  "offset" in error && message.length > 0 ? Math.max(0, Math.min(1, error.offset / message.length)) : 0

const isShort = (error: MessageError | undefined): boolean =>
  error?._tag === "TooShort" || (error?._tag === "FieldInvalid" && error.rule === "short")

const read = ({ codec }: DialectCandidate, messages: ReadonlyArray<Buffer>): Reading => {
  let decoded = 0
  let good = 0
  let signs = 0
  let reach = 0
  let judged = 0
  let ofEdition = 0
  let stopsAt: Diagnosis["stopsAt"]
  const against = new Set<string>()
  for (const [at, message] of messages.entries()) {
    const result = codec.index(message, 0, message.length, index) ?? codec.decode(message)
    const error = isMessageError(result) ? result : undefined
    if (error === undefined) decoded++
    else stopsAt ??= { message: at + 1, error, says: explain(error) }
    reach += error === undefined ? 1 : reachOf(error, message)
    if (index.mti < 0 || (error !== undefined && noFields.has(error._tag))) continue
    judged++
    for (const { what, isGood } of signsOf(codec, index)) {
      if (what === messageType && isGood) ofEdition++
      signs++
      if (isGood) good++
      else against.add(what)
    }
  }
  return {
    decoded,
    sense: signs === 0 ? 0 : good / signs,
    signs,
    against: [...against],
    isShort: isShort(stopsAt?.error),
    isOtherEdition: judged > 0 && ofEdition === 0,
    reach: messages.length === 0 ? 0 : reach / messages.length,
    stopsAt
  }
}

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`

/** Last bytes that were found behind the message, and are neither ETX nor an end of a line: they may be a check value. */
const isLoneEnd = ({ name, format }: FrameCandidate): boolean =>
  name === undefined &&
  format?.kind === "length" &&
  format.trailer !== undefined &&
  !/^(?:etx-lrc|(?:0[03ad]|ff)+)$/i.test(format.trailer)

const frameEvidence = ({ candidate, frames, idle, open, isCut }: FoundFrames): ReadonlyArray<Evidence> => {
  if (candidate.format === undefined) return [{ says: "the bytes taken as one message", weight: 5 }]
  if (isCut) return [{ says: `${plural(open, "byte")} of one frame that is cut off`, weight: 8 }]
  const evidence: Array<Evidence> = [
    {
      says: `${plural(frames, "frame")} one behind the other`,
      weight: frames === 0 ? 0 : Math.min(20, 12 + 2 * frames)
    }
  ]
  // As many before every message are more likely the first digits of a wider length.
  if (frames === 1 && isLoneEnd(candidate))
    evidence.push({ says: "of one message: capture a second one, to see whether its end is the same", weight: -5 })
  if (idle > 0)
    evidence.push({
      says: `${plural(idle, "idle frame")} among them`,
      weight: idle % Math.max(frames, 1) === 0 ? -1 : 2
    })
  evidence.push(
    open === 0
      ? { says: "the last frame ends with the last byte", weight: 5 }
      : { says: `${plural(open, "byte")} of a frame that is cut off`, weight: -3 }
  )
  return evidence
}

/** Whether a message begins as a TPDU does: its id is 60 nearly everywhere. */
const isTpdu = (message: Buffer): boolean => message[0]! >> 4 === 6

const readingEvidence = (
  reading: Reading,
  found: FoundFrames,
  candidate: DialectCandidate
): ReadonlyArray<Evidence> => {
  const { decoded, sense, signs, against, isOtherEdition, reach } = reading
  const all = found.messages.length
  const evidence: Array<Evidence> = [
    { says: `${decoded} of ${plural(all, "message")} read to the last byte`, weight: Math.round((45 * decoded) / all) }
  ]
  if (decoded < all)
    evidence.push({
      says: `${Math.round(100 * reach)} % of the bytes could be read`,
      weight: Math.round(10 * reach * (1 - decoded / all))
    })
  if (signs > 0) {
    const weight = Math.round(25 * sense * Math.min(1, signs / (4 * all)))
    evidence.push({
      says: `${Math.round(sense * signs)} of ${plural(signs, "value")} that can be judged make sense`,
      weight
    })
  }
  if (against.length > 0)
    evidence.push({ says: `these do not: ${against.join(", ")}`, weight: -Math.min(10, 2 * against.length) })
  if (decoded > 0 && isOtherEdition) evidence.push({ says: "the message types are of another edition", weight: -55 })
  if (candidate.header.startsWith("tpdu") && !found.messages.every(isTpdu))
    evidence.push({ says: "a TPDU begins with 60 to 6F, these do not", weight: -20 })
  else if (decoded > 0 && candidate.header !== "none")
    evidence.push({ says: `the header ${candidate.header} is in order`, weight: candidate.header === "cups46" ? 5 : 1 })
  if (signs > 0 && sense === 0) evidence.push({ says: "no value makes sense, not even the message types", weight: -30 })
  if (candidate.isOther && candidate.header !== "none")
    evidence.push({ says: `the dialect's own header is another`, weight: -3 })
  return evidence
}

const scoreOf = (evidence: ReadonlyArray<Evidence>): number =>
  Math.max(
    0,
    Math.min(
      100,
      evidence.reduce((sum, { weight }) => sum + weight, 0)
    )
  )

/** Bytes without a frame leave the frame open; a header that does not ship has no name to paste. */
const linkWords = ({ name, format }: FrameCandidate, candidate: DialectCandidate): LinkWords | undefined => {
  const { dialect, header, isOther } = candidate
  if (format === undefined || (isOther && !isShippedHeader(header))) return undefined
  const frame = name ?? format
  if (!isOther) return { frame, dialect }
  const own = `${dialect}-${header === "none" ? "bare" : header}`
  return { frame, dialect: `./${own}.yaml`, file: { name: own, extends: dialect, header } }
}

/** Whether a message that is cut off can be read as far as it goes. */
const isBeginning = ({ codec }: DialectCandidate, rest: Buffer): boolean => {
  const wrong = codec.index(rest, 0, rest.length, index)
  return wrong === undefined || isShort(wrong)
}

/** Few values of a message of which much is missing, behind bytes that may be anything, make sense by chance. */
const isDoubtful = ({ format }: FrameCandidate, { reach, signs }: Reading): boolean =>
  format?.kind === "length" && format.after !== undefined && signs < 4 && reach < 0.7

/** A header of any characters, put in front of a dialect that has none: it explains whatever is there. */
const isAnyText = ({ header, isOther }: DialectCandidate): boolean => isOther && header.startsWith("text")

const diagnose = (found: FoundFrames, candidate: DialectCandidate): Diagnosis | undefined => {
  const reading = read(candidate, found.messages)
  // A message type that is no number, or a header that is none: this table says nothing about these bytes.
  if (reading.decoded === 0 && reading.reach < 0.1) return undefined
  const evidence = [...frameEvidence(found), ...readingEvidence(reading, found, candidate)]
  // The capture ends before the message does: as far as it goes, nothing is wrong with it.
  const readsToItsCut =
    found.isCut && reading.isShort && reading.sense >= 0.5 && !reading.isOtherEdition && !isAnyText(candidate)
  if (found.rest !== undefined && reading.decoded > 0 && !isBeginning(candidate, found.rest))
    evidence.push({ says: "what is behind the last whole frame begins no message", weight: -40 })
  if (readsToItsCut)
    evidence.push({
      says: "the message can be read as far as it was captured",
      weight: isDoubtful(found.candidate, reading) ? 15 : 30
    })
  return {
    looks: "iso8583",
    // Where no message can be read to its end the table is at most a relative of the right one.
    score: reading.decoded === 0 && !readsToItsCut ? Math.round(scoreOf(evidence) / 2) : scoreOf(evidence),
    frame: found.candidate,
    dialect: { name: candidate.dialect, header: candidate.header },
    link: linkWords(found.candidate, candidate),
    frames: found.frames,
    idleFrames: found.idle,
    openBytes: found.open,
    messages: found.messages.length,
    decoded: reading.decoded,
    evidence,
    stopsAt: reading.stopsAt
  }
}

const without = (looks: Diagnosis["looks"], found: FoundFrames, says: string, weight: number): Diagnosis => {
  const evidence = [...frameEvidence(found), { says, weight }]
  return {
    looks,
    score: scoreOf(evidence),
    frame: found.candidate,
    dialect: undefined,
    link: undefined,
    frames: found.frames,
    idleFrames: found.idle,
    openBytes: found.open,
    messages: found.messages.length,
    decoded: 0,
    evidence,
    stopsAt: undefined
  }
}

const isTls = (bytes: Buffer): boolean =>
  bytes.length > 2 && bytes[0]! >= 20 && bytes[0]! <= 23 && bytes[1] === 3 && bytes[2]! <= 4

/** What bytes that are no ISO 8583 at all look like. */
const foreign = (found: FoundFrames): Diagnosis | undefined => {
  const { messages, candidate } = found
  if (messages.length === 0) return without("idle", found, "idle frames and nothing else", 30)
  const isRaw = candidate.format === undefined
  if (isRaw && messages.every(isTls)) return without("tls", found, "the bytes begin like a TLS record", 80)
  const begins = (pattern: RegExp): boolean => messages.every((one) => pattern.test(one.toString("latin1", 0, 64)))
  if (isRaw && begins(/^(GET|POST|PUT|HEAD|OPTIONS|CONNECT|DELETE) |^HTTP\/1/))
    return without("http", found, "the bytes begin like HTTP", 80)
  if (begins(/^\s*<[?!A-Za-z]/)) return without("xml", found, "every message begins like XML", 60)
  if (begins(/^\s*[{[]\s*["{[}\]]/)) return without("json", found, "every message begins like JSON", 60)
  return undefined
}

/** Found bytes between length and message, and a header that is not the dialect's own: together they explain anything. */
const isTwice = ({ name, format }: FrameCandidate, { header, isOther }: DialectCandidate): boolean =>
  name === undefined && format?.kind === "length" && format.after !== undefined && isOther && header !== "none"

/** Every explanation of the bytes by these frames and dialects. */
const explanations = (
  buffer: Buffer,
  frames: ReadonlyArray<FrameCandidate>,
  dialects: ReadonlyArray<DialectCandidate>
): ReadonlyArray<Diagnosis> =>
  frames.flatMap((frame) => {
    const found = findFrames(frame, buffer)
    if (found === undefined) return []
    const other = found.isCut ? undefined : foreign(found)
    if (other !== undefined) return [other]
    return dialects.flatMap((dialect) => (isTwice(frame, dialect) ? [] : (diagnose(found, dialect) ?? [])))
  })

/** Whether all messages can be read, and the bytes hold nothing else. */
const isExact = ({ decoded, messages, openBytes }: Diagnosis): boolean =>
  decoded > 0 && decoded === messages && openBytes === 0

const isAllRead = ({ decoded, messages }: Diagnosis): boolean => decoded > 0 && decoded === messages

/** A length that nearly any bytes can be. */
const isShortLength = ({ format }: FrameCandidate): boolean =>
  format?.kind === "length" && format.lengthMax < SHORT_LENGTH_MAX

const SHORT_LENGTH_MAX = 256 + 10

/** An exact match with less may be chance. */
const EXACT_MIN = 40

/** Best first. Idle frames alone, or one frame that is cut off, are no explanation of bytes that are whole messages. */
const ranked = (diagnoses: ReadonlyArray<Diagnosis>): ReadonlyArray<Diagnosis> => {
  const exact = Math.max(0, ...diagnoses.filter(isExact).map(({ score }) => score))
  const most = ({ looks, decoded }: Diagnosis): number => {
    if (looks === "idle" && exact > 0) return exact - 1
    return looks === "iso8583" && decoded === 0 && exact >= EXACT_MIN ? exact - 1 : 100
  }
  return (
    diagnoses
      .map((one) => ({ ...one, score: Math.min(one.score, most(one)) }))
      .filter(({ score }) => score >= SCORE_MIN)
      // Sorting is stable: of equals the more usual shape and the earlier dialect stay in front.
      .sort((one, two) => two.score - one.score)
  )
}

/** A score with which an exact explanation is enough: no further shapes are tried. */
const SCORE_ENOUGH = 60

/** Without a frame a header that is not the dialect's own proves nothing: the parts of a frame may look like one. */
const isEnough = (one: Diagnosis, dialects: { readonly [name: string]: Dialect }): boolean => {
  if (!isExact(one) || one.score < SCORE_ENOUGH || one.dialect === undefined) return false
  return one.frame.format !== undefined || hasOwnHeader(one, dialects)
}

const hasOwnHeader = ({ dialect }: Diagnosis, dialects: { readonly [name: string]: Dialect }): boolean =>
  dialect?.header === (dialects[dialect?.name ?? ""]?.header?.name ?? "none")

/**
 * Explains captured bytes, whole frames one behind the other from the first byte (the last one may be cut off): at most `max`
 * diagnoses, best first, none when nothing fits. Looks at `EXAMINED_MAX` bytes and 64 messages. Pure; never throws on any bytes.
 */
export const examine = (bytes: Uint8Array, options: ExamineOptions = {}): ReadonlyArray<Diagnosis> => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, EXAMINED_MAX))
  if (buffer.length === 0) return []
  const tried = options.dialects ?? shipped
  const dialects = dialectCandidates(tried)
  let found = ranked(explanations(buffer, frameCandidates, dialects))
  const [best] = found
  if (best === undefined || !isEnough(best, tried))
    found = ranked([
      ...found,
      ...explanations(buffer, foundShapes(buffer), dialects).filter(
        (one) => !isShortLength(one.frame) || isAllRead(one)
      ),
      ...explanations(buffer, foundEnds(buffer), dialects).filter((one) => isAllRead(one) && hasOwnHeader(one, tried)),
      ...explanations(buffer, frameCandidates, opaqueCandidates(tried))
    ])
  return found.slice(0, options.max ?? 8)
}
