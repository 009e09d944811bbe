/**
 * The mutations of the fuzzer: seeded, without native code. What it keeps is guided by coverage (`Coverage`).
 */

/** Numbers from a seed (mulberry32): the same seed gives the same run. */
export class Chance {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const interesting = [
  0x00, 0x01, 0x03, 0x02, 0x1f, 0x20, 0x2e, 0x30, 0x39, 0x3d, 0x60, 0x7f, 0x80, 0x81, 0x9f, 0xf0, 0xff
]

const LENGTH_MAX = 4096

/** One change of the bytes: a flip, a cut, a repeat, a splice with another input, a digit. */
const change = (bytes: Buffer, other: Buffer, chance: Chance): Buffer => {
  const at = bytes.length === 0 ? 0 : chance.below(bytes.length)
  const to = Math.min(bytes.length, at + 1 + chance.below(16))
  switch (chance.below(8)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
    case 1:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)])
    case 2: {
      const from = other.length === 0 ? 0 : chance.below(other.length)
      return Buffer.concat([
        bytes.subarray(0, at),
        other.subarray(from, from + 1 + chance.below(64)),
        bytes.subarray(to)
      ])
    }
    case 3:
      return bytes.subarray(0, at)
    case 4:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.of(interesting[chance.below(interesting.length)]!),
        bytes.subarray(at)
      ])
    default: {
      const copy = Buffer.from(bytes)
      if (copy.length === 0) return Buffer.of(chance.below(256))
      const kind = chance.below(4)
      if (kind === 0) copy[at] = interesting[chance.below(interesting.length)]!
      else if (kind === 1) copy[at] = copy[at]! ^ (1 << chance.below(8))
      else if (kind === 2) copy[at] = 0x30 + chance.below(10)
      else copy[at] = chance.below(256)
      return copy
    }
  }
}

/** An input made of one of the corpus by a few changes. */
export const mutate = (corpus: ReadonlyArray<Buffer>, chance: Chance): Buffer => {
  let bytes = corpus[chance.below(corpus.length)]!
  const changes = 1 + chance.below(4)
  for (let turn = 0; turn < changes; turn++) bytes = change(bytes, corpus[chance.below(corpus.length)]!, chance)
  return bytes.length > LENGTH_MAX ? bytes.subarray(0, LENGTH_MAX) : bytes
}
