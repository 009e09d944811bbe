/**
 * Indexers, decoders and encoders made as JavaScript source for the bitmaps and field sets that a link really carries. A set is
 * compiled after it has been seen a few times, and their number is limited, so that a partner who sends random bitmaps costs
 * no compilation and no memory; the reference does such messages. Source is made from the dialect alone: no byte of a message
 * ever becomes part of it.
 */
import { bitmapCount, clearWords } from "./Bitmap.ts"
import type { Codec } from "./Codec.ts"
import type { Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import { wireLength } from "./Field.ts"
import { decoderSource } from "./GeneratedDecoder.ts"
import { encoderSource, fieldSetSource } from "./GeneratedEncoder.ts"
import { indexerSource } from "./GeneratedIndexer.ts"
import * as runtime from "./GeneratedRuntime.ts"
import { writeHeader } from "./Header.ts"
import { indexFields, indexHead } from "./Indexer.ts"
import { decodeByTable, encodeByTable } from "./Interpreter.ts"
import type { Message } from "./Message.ts"
import { MessageIndex } from "./MessageIndex.ts"
import { mtiText } from "./Mti.ts"
import { readPrefix } from "./Value.ts"

/** Times a set is seen before it is worth compiling. */
const seenMin = 4

/**
 * Times a set is seen before it is compiled anew, for good. V8 keeps in mind the shapes of all objects that a function has
 * met, and a program's first messages have other shapes than all later ones: the code that met them stays slow (measured: an
 * encoder takes 1.8 times as long).
 */
const steadyMin = 64

/**
 * Messages after which all encoders are made anew: the first time, and at most later (each time four times as many). An
 * encoder that has met `fields` objects of more than four shapes stays slow (0.5 M/s) even when they come no more: a
 * test tool at start-up, an operator's script in between.
 */
const renewedAfter = { first: 1 << 14, most: 1 << 20 }

/** Compiled sets at most; a link carries perhaps thirty. */
const compiledMax = 256

const slotCount = 1024

/** Makes the code of a set of fields; the set's bits stay unchanged. */
type Make<Code> = (fields: ReadonlyArray<FieldLayout>, words: Int32Array) => Code

/** A set that has been seen, and its code once it is worth it. */
interface Slot<Code> {
  readonly words: Int32Array
  seen: number
  code: Code | undefined
}

/** Code of sets of fields, by the bits of the set. */
class CodeBySet<Code> {
  readonly #make: Make<Code>
  readonly #layout: Layout
  readonly #slots: Array<Slot<Code> | undefined> = new Array(slotCount).fill(undefined)
  #compiled = 0
  /** Whether the code that `of` gave last has been compiled for good. */
  isSteady = false

  constructor(layout: Layout, make: Make<Code>) {
    this.#layout = layout
    this.#make = make
  }

  /** The code of a set; `undefined` while it is rare, when there are too many, or when the dialect lacks a field of it. */
  of(words: Int32Array): Code | undefined {
    const mixed = Math.imul(words[0]! ^ (words[1]! >>> 7), 0x9e3779b1) ^ Math.imul(words[2]! ^ words[3]!, 0x85ebca6b)
    const home = (mixed ^ (mixed >>> 15) ^ words[1]!) & (slotCount - 1)
    const slot = this.#slots[home]
    if (slot !== undefined && sameWords(slot.words, words)) {
      this.isSteady = slot.seen >= steadyMin
      return this.isSteady ? slot.code : this.#seen(slot)
    }
    // A compiled set keeps its place; a rare one gives way.
    if (slot?.code === undefined) this.#slots[home] = { words: words.slice(), seen: 1, code: undefined }
    return undefined
  }

  #seen(slot: Slot<Code>): Code | undefined {
    slot.seen++
    const isFirst = slot.seen === seenMin && this.#compiled < compiledMax
    if (isFirst || (slot.seen === steadyMin && slot.code !== undefined)) {
      const fields = fieldsOf(this.#layout, slot.words)
      if (fields === undefined) return undefined
      if (isFirst) this.#compiled++
      slot.code = this.#make(fields, slot.words)
    }
    return slot.code
  }
}

const sameWords = (one: Int32Array, other: Int32Array): boolean =>
  one[0] === other[0] &&
  one[1] === other[1] &&
  one[2] === other[2] &&
  one[3] === other[3] &&
  one[4] === other[4] &&
  one[5] === other[5]

const fieldsOf = (layout: Layout, words: Int32Array): ReadonlyArray<FieldLayout> | undefined => {
  const fields: Array<FieldLayout> = []
  for (let de = 2; de <= layout.deMax; de++) {
    if (((words[(de - 1) >> 5]! >>> (31 - ((de - 1) & 31))) & 1) === 0) continue
    if (de === 65 && layout.deMax > 128) continue
    const field = layout.fields[de]
    if (field === undefined) return undefined
    fields.push(field)
  }
  return fields
}

type Indexer = (b: Buffer, p: number, end: number, starts: Int32Array, ends: Int32Array) => boolean
type Decoder = (b: Buffer, start: number, end: number, p: number, mti: string) => Message | undefined
type Encoder = (message: Message, fields: Message["fields"], mti: number) => Buffer | undefined
type SetOf = (fields: Message["fields"], words: Int32Array) => boolean

/** What generated code may name; it sees nothing else of this module. */
const names = { ...runtime, ...runtime.wireTables, readPrefix, wireLength }

/** Makes a function of source that may use `names` and the given values. */
const makeFunction = (source: string, values: Record<string, unknown>): never => {
  const scope = { ...names, ...values }
  return new Function("scope", `const { ${Object.keys(scope).join(", ")} } = scope\n${source}`)(scope) as never
}

const indexerOf = (layout: Layout): Codec["index"] => {
  const indexers = new CodeBySet<Indexer>(layout, (fields) =>
    makeFunction(`return (b, p, end, S, E) => {\n${indexerSource(fields)}\n}`, { F: layout.fields })
  )
  return (buffer, start, end, into) => {
    const error = indexHead(layout, buffer, start, end, into)
    if (error !== undefined) return error
    const indexer = indexers.of(into.words)
    if (indexer?.(buffer, into.fieldsFrom, end, into.starts, into.ends) === true) return undefined
    return indexFields(layout, buffer, end, into)
  }
}

/** Texts of all message types: a decoded message needs no string of its own. */
const mtiTexts: ReadonlyArray<string> = Array.from({ length: 10_000 }, (_, mti) => mtiText(mti))

const decoderOf = (layout: Layout): Codec["decode"] => {
  const index = new MessageIndex()
  const decoders = new CodeBySet<Decoder>(layout, (fields) => {
    const source = `return (b, start, end, p, mti) => {\n${decoderSource(layout, fields)}\n}`
    return makeFunction(source, { F: layout.fields, L: layout.dialect.lenient === true })
  })
  return (buffer, start = 0, end = buffer.length) => {
    // A reject holds two headers: that and everything wrong is the reference's.
    if (indexHead(layout, buffer, start, end, index) !== undefined || index.rejectCode !== 0)
      return decodeByTable(layout, buffer, start, end)
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
const recentMax = 4

/** A message type as a number, and the encoders that are tried for it. */
interface Recent {
  readonly mti: number
  readonly encoders: Array<Encoder>
}

const encoderOf = (layout: Layout): Codec["encode"] => {
  const words = new Int32Array(6)
  const setOf: SetOf = makeFunction(fieldSetSource(layout), {})
  const H = defaultHeader(layout)
  const make: Make<Encoder> = (fields, bits) =>
    makeFunction(encoderSource(layout, fields, bitmapCount(layout, bits)), { F: layout.fields, H, layout, bits })
  const recent = new Map<string, Recent>()
  let encoders = new CodeBySet<Encoder>(layout, make)
  let between = renewedAfter.first
  let left = between
  return (message) => {
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
        const encoded = last.encoders[place]!(message, fields, last.mti)
        if (encoded !== undefined) return encoded
      }
    }
    const mti = runtime.mtiNumber(message.mti)
    clearWords(words)
    const encoder = mti < 0 || message.rejected !== undefined || !setOf(fields, words) ? undefined : encoders.of(words)
    if (encoder === undefined || last?.encoders.includes(encoder) === true) return encodeByTable(layout, message)
    if (encoders.isSteady) {
      if (last === undefined) recent.set(message.mti, { mti, encoders: [encoder] })
      else if (last.encoders.unshift(encoder) > recentMax) last.encoders.pop()
    }
    return encoder(message, fields, mti) ?? encodeByTable(layout, message)
  }
}

/** Index, decode and encode by generated code; `undefined` where code generation is forbidden. */
export const generate = (layout: Layout): Pick<Codec, "index" | "decode" | "encode"> | undefined => {
  try {
    new Function("")
  } catch {
    // An EvalError: the process runs with --disallow-code-generation-from-strings. The reference does the work.
    return undefined
  }
  return { index: indexerOf(layout), decode: decoderOf(layout), encode: encoderOf(layout) }
}
