/**
 * Decoders and encoders made as JavaScript source for the bitmaps and field sets that a link really carries. A set is
 * compiled after it has been seen a few times, and their number is limited, so that a partner who sends random bitmaps costs
 * no compilation and no memory; the reference does such messages. Source is made from the dialect alone: no byte of a message
 * ever becomes part of it.
 */
import { bitmapCount, clearWords, readBitmaps } from "./Bitmap.ts"
import type { Codec } from "./Codec.ts"
import type { Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import { wireLength } from "./Field.ts"
import { decoderSource } from "./GeneratedDecoder.ts"
import { encoderSource, fieldSetSource } from "./GeneratedEncoder.ts"
import * as runtime from "./GeneratedRuntime.ts"
import { indexHeader, readMti } from "./Indexer.ts"
import { decodeByTable, encodeByTable } from "./Interpreter.ts"
import type { Message } from "./Message.ts"
import { MessageIndex } from "./MessageIndex.ts"
import { mtiText } from "./Mti.ts"
import { readPrefix } from "./Value.ts"

/** Times a set is seen before it is worth compiling. */
const seenMin = 4

/** Compiled sets at most; a link carries perhaps thirty. */
const compiledMax = 256

const slotCount = 1024

/** Makes the code of a set of fields; the set's bits stay unchanged. */
type Make<Code> = (fields: ReadonlyArray<FieldLayout>, words: Int32Array) => Code

/** Code of sets of fields, by the bits of the set. */
class CodeBySet<Code> {
  readonly #make: Make<Code>
  readonly #layout: Layout
  readonly #slots: Array<{ readonly words: Int32Array; seen: number; code: Code | undefined } | undefined> = new Array(
    slotCount
  ).fill(undefined)
  #compiled = 0

  constructor(layout: Layout, make: Make<Code>) {
    this.#layout = layout
    this.#make = make
  }

  /** The code of a set; `undefined` while it is rare, when there are too many, or when the dialect lacks a field of it. */
  of(words: Int32Array): Code | undefined {
    const mixed = Math.imul(words[0]! ^ (words[1]! >>> 7), 0x9e3779b1) ^ Math.imul(words[2]! ^ words[3]!, 0x85ebca6b)
    const home = (mixed ^ (mixed >>> 15) ^ words[1]!) & (slotCount - 1)
    const slot = this.#slots[home]
    if (slot !== undefined && sameWords(slot.words, words)) return slot.code ?? this.#seen(slot)
    // A compiled set keeps its place; a rare one gives way.
    if (slot?.code === undefined) this.#slots[home] = { words: words.slice(), seen: 1, code: undefined }
    return undefined
  }

  #seen(slot: { readonly words: Int32Array; seen: number; code: Code | undefined }): Code | undefined {
    slot.seen++
    if (slot.seen !== seenMin || this.#compiled === compiledMax) return undefined
    const fields = fieldsOf(this.#layout, slot.words)
    if (fields === undefined) return undefined
    this.#compiled++
    slot.code = this.#make(fields, slot.words)
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

type Decoder = (b: Buffer, start: number, end: number, p: number, v: DataView, mti: string) => Message | undefined
type Encoder = (message: Message, fields: Message["fields"], mti: number) => Buffer | undefined
type SetOf = (fields: Message["fields"], words: Int32Array) => boolean

/** What generated code may name; it sees nothing else of this module. */
const names = { ...runtime, readPrefix, wireLength }

/** Makes a function of source that may use `names` and the given values. */
const makeFunction = (source: string, values: Record<string, unknown>): never => {
  const scope = { ...names, ...values }
  return new Function("scope", `const { ${Object.keys(scope).join(", ")} } = scope\n${source}`)(scope) as never
}

const compileDecoder = (layout: Layout, fields: ReadonlyArray<FieldLayout>): Decoder => {
  const source = `return (b, start, end, p, v, mti) => {\n${decoderSource(layout, fields)}\n}`
  return makeFunction(source, { F: layout.fields, L: layout.dialect.lenient === true })
}

/** Texts of all message types: a decoded message needs no string of its own. */
const mtiTexts: ReadonlyArray<string> = Array.from({ length: 10_000 }, (_, mti) => mtiText(mti))

const decoderOf = (layout: Layout): Codec["decode"] => {
  const index = new MessageIndex()
  const decoders = new CodeBySet(layout, (fields) => compileDecoder(layout, fields))
  return (buffer, start = 0, end = buffer.length) => {
    index.body = start + layout.headerBytes
    index.start = start
    index.rejectCode = 0
    const bitmap = index.body + layout.mtiBytes
    if (bitmap + layout.bitmapBytes > end) return decodeByTable(layout, buffer, start, end)
    if (
      layout.header !== undefined &&
      (indexHeader(layout, buffer, start, end, index) !== undefined || index.rejectCode !== 0)
    )
      return decodeByTable(layout, buffer, start, end)
    const mti = readMti(layout, buffer, index.body)
    clearWords(index.words)
    if (mti < 0 || readBitmaps(layout, buffer, bitmap, end, index) !== undefined)
      return decodeByTable(layout, buffer, start, end)
    const decoder = decoders.of(index.words)
    if (decoder === undefined) return decodeByTable(layout, buffer, start, end)
    const message = decoder(buffer, start, end, index.fieldsFrom - start, runtime.viewOf(buffer), mtiTexts[mti]!)
    return message ?? decodeByTable(layout, buffer, start, end)
  }
}

const encoderOf = (layout: Layout): Codec["encode"] => {
  const words = new Int32Array(6)
  const setOf: SetOf = makeFunction(fieldSetSource(layout), {})
  const encoders = new CodeBySet<Encoder>(layout, (fields, bits) =>
    makeFunction(encoderSource(layout, fields, bitmapCount(layout, bits)), { F: layout.fields, layout, bits })
  )
  return (message) => {
    clearWords(words)
    const { fields, mti } = message
    if (mti.length !== 4 || message.rejected !== undefined || !setOf(fields, words))
      return encodeByTable(layout, message)
    const encoded = encoders.of(words)?.(message, fields, runtime.mtiNumber(mti))
    return encoded ?? encodeByTable(layout, message)
  }
}

/** Decode and encode by generated code; `undefined` where code generation is forbidden. */
export const generate = (layout: Layout): Pick<Codec, "decode" | "encode"> | undefined => {
  try {
    new Function("")
  } catch {
    // An EvalError: the process runs with --disallow-code-generation-from-strings. The reference does the work.
    return undefined
  }
  return { decode: decoderOf(layout), encode: encoderOf(layout) }
}
