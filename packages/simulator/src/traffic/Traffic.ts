/**
 * Recorded traffic: one JSON object a line for each message, with its bytes made safe.
 *
 * Owns the line's form, reading it back, and finding whose answer it is. Where lines come from is the business of a proxy, a pcap
 * file or a journal.
 */
import { type Codec, coveredCopy, fromHex, isResponse, MessageIndex, mtiText, shownField, toHex } from "@jinka/codec"
import { type Effect, Schema } from "effect"
import { eachLine } from "../file/Lines.ts"
import { readText } from "../file/TextFile.ts"
import type { FileFailed, FileMalformed } from "../SimulatorError.ts"
import { reCardedCopy } from "./ReCard.ts"
import { Waiting } from "./Waiting.ts"

const Optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(schema)

/** One message. */
export const TrafficLine = Schema.Struct({
  /** Milliseconds since 1970. */
  at: Schema.Finite,
  /** Connections count from 1. */
  connection: Schema.Finite,
  /** `toTarget`: from whoever made the connection. */
  direction: Schema.Literals(["toTarget", "fromTarget"]),
  mti: Optional(Schema.String),
  stan: Optional(Schema.String),
  rrn: Optional(Schema.String),
  /** `masked`: card data is covered, for reading. `recarded`: other cards, so that it can be sent again. */
  cards: Schema.Literals(["masked", "recarded"]),
  /** The message without its frame, hex. */
  bytes: Schema.String
})
export type TrafficLine = typeof TrafficLine.Type

const decodeLine = Schema.decodeUnknownSync(Schema.fromJsonString(TrafficLine))

/** Lines of a traffic file's text. Throws a schema error that names the first line that is not one. */
export const parseTraffic = (text: string): ReadonlyArray<TrafficLine> => eachLine(text, (line) => decodeLine(line))

/** Reads a traffic file. */
export const readTraffic = (path: string): Effect.Effect<ReadonlyArray<TrafficLine>, FileFailed | FileMalformed> =>
  readText(path, parseTraffic)

/** The line of a message, its card data covered, or replaced where there is a key. */
export const lineOf = (
  codec: Codec,
  message: Buffer,
  where: Pick<TrafficLine, "at" | "connection" | "direction">,
  key: Uint8Array | undefined
): TrafficLine => {
  const index = new MessageIndex()
  const isRead = codec.index(message, 0, message.length, index) === undefined
  const { rrn, stan } = codec.layout.roles
  const carded = key === undefined ? undefined : reCardedCopy(codec, message, key)
  return {
    ...where,
    ...(isRead ? { mti: mtiText(index.mti) } : {}),
    ...(isRead && index.has(stan) ? { stan: shownField(codec.layout, index, stan) } : {}),
    ...(isRead && index.has(rrn) ? { rrn: shownField(codec.layout, index, rrn) } : {}),
    cards: carded === undefined ? "masked" : "recarded",
    bytes: toHex(carded ?? coveredCopy(codec, message))
  }
}

/** A message of the traffic as the dialect reads it. */
export interface Read {
  readonly line: TrafficLine
  readonly bytes: Buffer
  readonly index: MessageIndex
}

/** Reads a line's message; `undefined` when the dialect cannot. */
export const readLine = (codec: Codec, line: TrafficLine): Read | undefined => {
  const bytes = Buffer.from(fromHex(line.bytes) ?? [])
  const index = new MessageIndex()
  return codec.index(bytes, 0, bytes.length, index) === undefined ? { line, bytes, index } : undefined
}

const keyRoom = Buffer.alloc(4096)

/** What joins an answer to its request: the dialect's match key, without the MTI. */
export const pairKey = (codec: Codec, index: MessageIndex): string => {
  const { networkManagement, transaction } = codec.dialect.match
  const isManagement = Math.floor(index.mti / 100) % 10 === 8
  const length = codec.matchKey(index, isManagement ? networkManagement : transaction, keyRoom, 0)
  return keyRoom.toString("latin1", 0, length)
}

/** A request with the answer that it got, if any. */
export interface Pair {
  readonly request: Read
  readonly answer: Read | undefined
}

/** Requests and advices of one direction, in their order, each with its first answer; of two with one key the older first. */
export const pairsOf = (
  codec: Codec,
  lines: ReadonlyArray<TrafficLine>,
  direction: TrafficLine["direction"]
): ReadonlyArray<Pair> => {
  interface Open {
    readonly key: string
    readonly request: Read
    answer: Read | undefined
  }
  const pairs: Array<Open> = []
  const waiting = new Waiting<Open>()
  for (const line of lines) {
    const read = readLine(codec, line)
    if (read === undefined) continue
    const key = `${line.connection} ${pairKey(codec, read.index)}`
    if (line.direction === direction && !isResponse(read.index.mti)) {
      const pair: Open = { key, request: read, answer: undefined }
      pairs.push(pair)
      waiting.add(pair)
    } else if (line.direction !== direction && isResponse(read.index.mti)) {
      const pair = waiting.find(key)
      if (pair === undefined) continue
      pair.answer = read
      waiting.remove(pair)
    }
  }
  return pairs
}
