/**
 * The DES block cipher (FIPS 46-3): 8-byte blocks, 8-byte keys, 16 rounds.
 *
 * OpenSSL 3 offers no single DES but TDES with one key three times, and a call to it costs more than the two blocks at the end
 * of a retail MAC. This one takes a third of the time for a short message. Its table look-ups are not constant in time (OpenSSL's
 * are not either): where an attacker can measure the machine, use an HSM.
 */

/** FIPS 46-3, appendix 1: the eight selection functions, each by its rows. */
const selections = [
  "E4D12FB83A6C5907 0F74E2D1A6CB9538 41E8D62BFC973A50 FC8249175B3EA06D",
  "F18E6B34972DC05A 3D47F28EC01A69B5 0E7BA4D158C6932F D8A13F42B67C05E9",
  "A09E63F51DC7B428 D709346A285ECBF1 D6498F30B12C5AE7 1AD069874FE3B52C",
  "7DE3069A1285BC4F D8B56F03472C1AE9 A690CB7DF13E5284 3F06A1D8945BC72E",
  "2C417AB6853FD0E9 EB2C47D150FA3986 421BAD78F9C5630E B8C71E2D6F09A453",
  "C1AF92680D34E75B AF427C9561DE0B38 9EF528C3704A1DB6 432C95FABE17608D",
  "4B2EF08D3C975A61 D0B7491AE35C2F86 14BDC37EAF680592 6BD814A7950FE23C",
  "D2846FB1A93E50C7 1FD8A374C56B0E92 7B419CE206ADF358 21E74A8DFC90356B"
].map((rows) => rows.split(" "))

/** FIPS 46-3: the permutation P behind the selections, and the permuted choices of the key schedule. Bits count from 1. */
const permutation = [
  16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25
]
const choiceOne = [
  57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36, 63, 55,
  47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4
]
const choiceTwo = [
  14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37, 47, 55, 30,
  40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32
]
const shifts = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1]

const rotateLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

/**
 * Selection and permutation in one look-up for each box, 64 words each. The halves are kept one bit to the left, so that the
 * six bits of a box are together: boxes 1, 3, 5, 7 after a rotation by four, the others at once.
 */
const boxes = selections.map((rows, box) => {
  const table = new Int32Array(64)
  for (let six = 0; six < 64; six++) {
    const row = ((six >>> 4) & 2) | (six & 1)
    const selected = Number.parseInt(rows[row]![(six >>> 1) & 15]!, 16) << (28 - 4 * box)
    let permuted = 0
    for (const from of permutation) permuted = (permuted << 1) | ((selected >>> (32 - from)) & 1)
    table[six] = rotateLeft(permuted, 1)
  }
  return table
})
const [box1, box2, box3, box4, box5, box6, box7, box8] = boxes as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array
]

/** The 32 words of the 16 round keys, in the order of encryption: boxes 1, 3, 5, 7, then 2, 4, 6, 8. Secret. */
export const desRoundKeys = (key: Uint8Array): Int32Array => {
  const bit = (n: number): number => (key[(n - 1) >>> 3]! >>> (7 - ((n - 1) & 7))) & 1
  let halves = choiceOne.map(bit)
  const words = new Int32Array(32)
  for (let round = 0; round < 16; round++) {
    for (let n = 0; n < shifts[round]!; n++) {
      halves = [...halves.slice(1, 28), halves[0]!, ...halves.slice(29), halves[28]!]
    }
    for (let box = 0; box < 8; box++) {
      let six = 0
      for (let n = 0; n < 6; n++) six = (six << 1) | halves[choiceTwo[6 * box + n]! - 1]!
      words[2 * round + (box & 1)]! |= six << (24 - 8 * (box >>> 1))
    }
  }
  return words
}

/** The round keys for decryption: the rounds in reverse. */
export const desReversed = (roundKeys: Int32Array): Int32Array => {
  const reversed = new Int32Array(32)
  for (let round = 0; round < 16; round++) {
    reversed[2 * round] = roundKeys[30 - 2 * round]!
    reversed[2 * round + 1] = roundKeys[31 - 2 * round]!
  }
  return reversed
}

/**
 * Turns the block in `words[0]` and `words[1]` (each four bytes, the first byte highest) into its image, in place. For chains:
 * nothing is read from or written to bytes in between.
 */
export const desWords = (roundKeys: Int32Array, words: Int32Array): void => {
  let left = words[0]!
  let right = words[1]!
  // The initial permutation, as five exchanges of bits between the halves.
  let swap = ((left >>> 4) ^ right) & 0x0f0f0f0f
  right ^= swap
  left ^= swap << 4
  swap = ((left >>> 16) ^ right) & 0xffff
  right ^= swap
  left ^= swap << 16
  swap = ((right >>> 2) ^ left) & 0x33333333
  left ^= swap
  right ^= swap << 2
  swap = ((right >>> 8) ^ left) & 0x00ff00ff
  left ^= swap
  right ^= swap << 8
  right = rotateLeft(right, 1)
  swap = (left ^ right) & 0xaaaaaaaa
  left ^= swap
  right ^= swap
  left = rotateLeft(left, 1)
  for (let at = 0; at < 32; at += 4) {
    let odd = rotateLeft(right, 28) ^ roundKeys[at]!
    let even = right ^ roundKeys[at + 1]!
    left ^=
      box1[(odd >>> 24) & 63]! |
      box3[(odd >>> 16) & 63]! |
      box5[(odd >>> 8) & 63]! |
      box7[odd & 63]! |
      box2[(even >>> 24) & 63]! |
      box4[(even >>> 16) & 63]! |
      box6[(even >>> 8) & 63]! |
      box8[even & 63]!
    odd = rotateLeft(left, 28) ^ roundKeys[at + 2]!
    even = left ^ roundKeys[at + 3]!
    right ^=
      box1[(odd >>> 24) & 63]! |
      box3[(odd >>> 16) & 63]! |
      box5[(odd >>> 8) & 63]! |
      box7[odd & 63]! |
      box2[(even >>> 24) & 63]! |
      box4[(even >>> 16) & 63]! |
      box6[(even >>> 8) & 63]! |
      box8[even & 63]!
  }
  // The same exchanges back.
  right = rotateLeft(right, 31)
  swap = (left ^ right) & 0xaaaaaaaa
  left ^= swap
  right ^= swap
  left = rotateLeft(left, 31)
  swap = ((left >>> 8) ^ right) & 0x00ff00ff
  right ^= swap
  left ^= swap << 8
  swap = ((left >>> 2) ^ right) & 0x33333333
  right ^= swap
  left ^= swap << 2
  swap = ((right >>> 16) ^ left) & 0xffff
  left ^= swap
  right ^= swap << 16
  swap = ((right >>> 4) ^ left) & 0x0f0f0f0f
  left ^= swap
  right ^= swap << 4
  words[0] = right
  words[1] = left
}
