import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { KeyHash } from "../../../packages/switch/src/exchange/entry/KeyHash.ts"

const rotated = (value: number, bits: number) => (value << bits) | (value >>> (32 - bits))

/** HalfSipHash as its authors describe it, word by word, with any number of rounds; 64 bits as hex. */
const reference = (
  key0: number,
  key1: number,
  bytes: Uint8Array,
  compression: number,
  finalization: number
): string => {
  const v = [key0, key1 ^ 0xee, key0 ^ 0x6c796765, key1 ^ 0x74656462]
  const add = (to: number, what: number) => {
    v[to] = (v[to]! + v[what]!) | 0
  }
  const mix = (at: number, bits: number, by: number) => {
    v[at] = rotated(v[at]!, bits) ^ v[by]!
  }
  const rounds = (count: number) => {
    for (let n = 0; n < count; n++) {
      add(0, 1)
      mix(1, 5, 0)
      v[0] = rotated(v[0]!, 16)
      add(2, 3)
      mix(3, 8, 2)
      add(0, 3)
      mix(3, 7, 0)
      add(2, 1)
      mix(1, 13, 2)
      v[2] = rotated(v[2]!, 16)
    }
  }
  const padded = Buffer.alloc(Math.floor(bytes.length / 4) * 4 + 4)
  padded.set(bytes)
  padded[padded.length - 1] = bytes.length & 0xff
  for (let at = 0; at < padded.length; at += 4) {
    const word = padded.readInt32LE(at)
    v[3]! ^= word
    rounds(compression)
    v[0]! ^= word
  }
  const out = Buffer.alloc(8)
  v[2]! ^= 0xee
  rounds(finalization)
  out.writeInt32LE(v[1]! ^ v[3]!, 0)
  v[1]! ^= 0xdd
  rounds(finalization)
  out.writeInt32LE(v[1]! ^ v[3]!, 4)
  return out.toString("hex")
}

const hashOf = (hash: KeyHash, space: number, bytes: Uint8Array, from = 0, to = bytes.length): string => {
  const { first, second } = hash.hash(space, bytes, from, to)
  const out = Buffer.alloc(8)
  out.writeInt32LE(first, 0)
  out.writeInt32LE(second, 4)
  return out.toString("hex")
}

describe("the hash of match keys", () => {
  it("has a reference here that gives the published values of HalfSipHash-2-4 (veorq/SipHash, vectors.h, vectors_hsip64)", () => {
    const published = [
      "218d1f59b9b83cc8",
      "be552412f8387315",
      "064f39ef7c50eb57",
      "ce0f1a45f7060679",
      "d5e78a175be52ea1"
    ]
    const longest = "2e" + "a63c71bf326087"

    for (const [length, value] of [...published.entries(), [63, longest] as const]) {
      const bytes = Buffer.from(Array.from({ length }, (_, n) => n))
      expect(reference(0x03020100, 0x07060504, bytes, 2, 4)).toBe(value)
    }
  })

  it("is HalfSipHash-1-3 of the space and the key's bytes, wherever these are", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer(),
        fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        fc.uint8Array({ maxLength: 130 }),
        fc.integer({ min: 0, max: 9 }),
        (key0, key1, space, key, offset) => {
          const whole = Buffer.alloc(4 + key.length)
          whole.writeInt32LE(space, 0)
          whole.set(key, 4)
          const shifted = Buffer.concat([Buffer.alloc(offset, 7), key, Buffer.alloc(5, 9)])
          const value = hashOf(new KeyHash(key0, key1), space, shifted, offset, offset + key.length)
          expect(value).toBe(reference(key0, key1, whole, 1, 3))
        }
      )
    )
  })

  it("is another one for every key that is drawn", () => {
    const bytes = Buffer.from("1122223829|000001|48020000|48020000")
    let drawn = 0
    const chance = () => (drawn++ * 0.6180339887498949) % 1
    const values = new Set(Array.from({ length: 50 }, () => hashOf(KeyHash.drawn(chance), 0, bytes)))

    expect(values.size).toBe(50)
  })
})
