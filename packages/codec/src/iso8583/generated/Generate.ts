/**
 * Indexers, decoders and encoders made as JavaScript source for the bitmaps and field sets that a link really carries; the
 * reference does all other messages. Source is made from the dialect alone: no byte of a message ever becomes part of it.
 */
import { clearWords } from "../Bitmap.ts"
import type { Codec } from "../Codec.ts"
import type { Layout } from "../Dialect.ts"
import { wireLength } from "../Field.ts"
import { writePart } from "../HeaderPart.ts"
import { writeHeader, writeTotal } from "../HeaderValues.ts"
import { indexFields, indexHead } from "../Indexer.ts"
import { decodeByTable, encodeInto } from "../Interpreter.ts"
import type { Message } from "../Message.ts"
import { MessageIndex } from "../MessageIndex.ts"
import { mtiText } from "../Mti.ts"
import { readPrefix } from "../Value.ts"
import { CodeBySet, type Make } from "./CodeBySet.ts"
import { decoderSource } from "./DecoderSource.ts"
import { encoderSource, fieldSetSource } from "./EncoderSource.ts"
import { headSource } from "./HeadSource.ts"
import { indexerSource } from "./IndexerSource.ts"
import * as runtime from "./Runtime.ts"

/**
 * Messages after which all encoders are made again: the first time, and at most later (each time four times as many). An
 * encoder that has met `fields` objects of more than four shapes stays slow (0.5 M/s) even when they come no more: a
 * test tool at start-up, an operator's script in between.
 */
const renewedAfter = { first: 1 << 14, most: 1 << 20 }

/** Reads what comes before the fields; false when that is not certainly right. */
type Head = (b: Buffer, start: number, end: number, into: MessageIndex) => boolean
type Indexer = (b: Buffer, p: number, end: number, starts: Int32Array, ends: Int32Array) => boolean
type Decoder = (b: Buffer, start: number, end: number, p: number, mti: string) => Message | undefined
type Encoder = (message: Message, fields: Message["fields"], mti: number, out: Buffer, at: number) => number
type SetOf = (fields: Message["fields"], words: Int32Array) => boolean

/** What generated code may name; it sees nothing else of this module. */
const names = { ...runtime, ...runtime.wireTables, readPrefix, wireLength, writePart, writeTotal }

/** Makes a function of source that may use `names` and the given values. */
const makeFunction = (source: string, values: Record<string, unknown>): never => {
  const scope = { ...names, ...values }
  return new Function("scope", `const { ${Object.keys(scope).join(", ")} } = scope\n${source}`)(scope) as never
}

const headOf = (layout: Layout): Head =>
  makeFunction(`return (b, start, end, into) => {\n${headSource(layout)}\n}`, { layout })

const indexerOf = (layout: Layout, head: Head): Codec["index"] => {
  const indexers = new CodeBySet<Indexer>(layout, (fields) =>
    makeFunction(`return (b, p, end, S, E) => {\n${indexerSource(fields)}\n}`, { F: layout.fields })
  )
  return (buffer, start, end, into) => {
    if (!head(buffer, start, end, into)) {
      const error = indexHead(layout, buffer, start, end, into)
      if (error !== undefined) return error
    }
    const indexer = indexers.of(into.words)
    if (indexer?.(buffer, into.fieldsFrom, end, into.starts, into.ends) === true) return undefined
    return indexFields(layout, buffer, end, into)
  }
}

/** Texts of all message types: a decoded message needs no string of its own. */
const mtiTexts: ReadonlyArray<string> = Array.from({ length: 10_000 }, (_, mti) => mtiText(mti))

const decoderOf = (layout: Layout, head: Head): Codec["decode"] => {
  const index = new MessageIndex()
  const decoders = new CodeBySet<Decoder>(layout, (fields) => {
    const source = `return (b, start, end, p, mti) => {\n${decoderSource(layout, fields)}\n}`
    return makeFunction(source, { F: layout.fields, L: layout.dialect.lenient === true })
  })
  return (buffer, start = 0, end = buffer.length) => {
    // A reject holds two headers: that and everything wrong is the reference's.
    if (!head(buffer, start, end, index)) return decodeByTable(layout, buffer, start, end)
    const decoder = decoders.of(index.words)
    const message = decoder?.(buffer, start, end, index.fieldsFrom - start, mtiTexts[index.mti]!)
    return message ?? decodeByTable(layout, buffer, start, end)
  }
}

/** The header of a message that says nothing about it, its length field not filled; `undefined` when there is none. */
const defaultHeader = ({ header }: Layout): Uint8Array | undefined => {
  if (header === undefined) return undefined
  const bytes = new Uint8Array(header.bytes)
  return writeHeader(header, undefined, 0, bytes, 0) === undefined ? bytes : undefined
}

/** Encoders that are tried before a message's set of fields is found out: those that served its message type last. */
const RECENT_MAX = 4

/** A message type as a number, and the encoders that are tried for it. */
interface Recent {
  readonly mti: number
  readonly encoders: Array<Encoder>
}

const encoderOf = (layout: Layout): Codec["encodeInto"] => {
  const words = new Int32Array(6)
  const setOf: SetOf = makeFunction(fieldSetSource(layout), {})
  const H = defaultHeader(layout)
  const make: Make<Encoder> = (fields, bits) =>
    makeFunction(encoderSource(layout, fields, bits), { F: layout.fields, H, layout })
  const recent = new Map<string, Recent>()
  let encoders = new CodeBySet<Encoder>(layout, make)
  let between = renewedAfter.first
  let left = between
  return (message, out, at = 0) => {
    if (--left === 0) {
      encoders = new CodeBySet<Encoder>(layout, make)
      recent.clear()
      between = Math.min(4 * between, renewedAfter.most)
      left = between
    }
    const { fields } = message
    const last = message.rejected === undefined ? recent.get(message.mti) : undefined
    if (last !== undefined) {
      for (let place = 0; place < last.encoders.length; place++) {
        const bytes = last.encoders[place]!(message, fields, last.mti, out, at)
        if (bytes >= 0) return bytes
      }
    }
    const mti = runtime.mtiNumber(message.mti)
    clearWords(words)
    const encoder = mti < 0 || message.rejected !== undefined || !setOf(fields, words) ? undefined : encoders.of(words)
    if (encoder === undefined || last?.encoders.includes(encoder) === true) return encodeInto(layout, message, out, at)
    if (encoders.isSteady) {
      if (last === undefined) recent.set(message.mti, { mti, encoders: [encoder] })
      else if (last.encoders.unshift(encoder) > RECENT_MAX) last.encoders.pop()
    }
    const bytes = encoder(message, fields, mti, out, at)
    return bytes >= 0 ? bytes : encodeInto(layout, message, out, at)
  }
}

/** Index, decode and encode by generated code; `undefined` where code generation is forbidden. */
export const generate = (layout: Layout): Pick<Codec, "index" | "decode" | "encodeInto"> | undefined => {
  try {
    new Function("")
  } catch {
    // An EvalError: the process runs with --disallow-code-generation-from-strings. The reference does the work.
    return undefined
  }
  const head = headOf(layout)
  return { index: indexerOf(layout, head), decode: decoderOf(layout, head), encodeInto: encoderOf(layout) }
}
