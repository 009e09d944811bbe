/**
 * Code that is compiled for the sets of fields which a link really carries: after a set has been seen a few times, and for a
 * limited number of sets, so that a partner who sends random bitmaps costs no compilation and no memory.
 */
import type { Layout } from "../Dialect.ts"
import type { FieldLayout } from "../Field.ts"

/** Times a set is seen before it is worth compiling. */
const SEEN_MIN = 4

/**
 * Times a set is seen before it is compiled again, for good. V8 keeps in mind the shapes of all objects that a function has
 * met, and a program's first messages have other shapes than all later ones: the code that met them stays slow (measured: an
 * encoder takes 1.8 times as long).
 */
const STEADY_MIN = 64

/** Compiled sets at most; a link carries perhaps thirty. */
const COMPILED_MAX = 256

const SLOT_COUNT = 1024

/** Makes the code of a set of fields; the set's bits stay unchanged. */
export type Make<Code> = (fields: ReadonlyArray<FieldLayout>, words: Int32Array) => Code

/** A set that has been seen, and its code once it is worth it. */
interface Slot<Code> {
  readonly words: Int32Array
  seen: number
  code: Code | undefined
}

/** Code of sets of fields, by the bits of the set. */
export class CodeBySet<Code> {
  private readonly make: Make<Code>
  private readonly layout: Layout
  private readonly slots: Array<Slot<Code> | undefined> = new Array(SLOT_COUNT).fill(undefined)
  private compiled = 0
  /** Whether the code that `of` gave last has been compiled for good. */
  isSteady = false

  constructor(layout: Layout, make: Make<Code>) {
    this.layout = layout
    this.make = make
  }

  /** The code of a set; `undefined` while it is rare, when there are too many, or when the dialect lacks a field of it. */
  of(words: Int32Array): Code | undefined {
    const mixed = Math.imul(words[0]! ^ (words[1]! >>> 7), 0x9e3779b1) ^ Math.imul(words[2]! ^ words[3]!, 0x85ebca6b)
    const home = (mixed ^ (mixed >>> 15) ^ words[1]!) & (SLOT_COUNT - 1)
    const slot = this.slots[home]
    if (slot !== undefined && sameWords(slot.words, words)) {
      this.isSteady = slot.seen >= STEADY_MIN
      return this.isSteady ? slot.code : this.seen(slot)
    }
    // A compiled set keeps its place; a rare one gives way.
    if (slot?.code === undefined) this.slots[home] = { words: words.slice(), seen: 1, code: undefined }
    return undefined
  }

  private seen(slot: Slot<Code>): Code | undefined {
    slot.seen++
    const isFirst = slot.seen === SEEN_MIN && this.compiled < COMPILED_MAX
    if (isFirst || (slot.seen === STEADY_MIN && slot.code !== undefined)) {
      const fields = fieldsOf(this.layout, slot.words)
      if (fields === undefined) return undefined
      if (isFirst) this.compiled++
      slot.code = this.make(fields, slot.words)
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
