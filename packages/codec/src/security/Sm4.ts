/**
 * The SM4 block cipher (GB/T 32907-2016, also GM/T 0002-2012): 16-byte blocks, 16-byte keys, 32 rounds.
 *
 * OpenSSL's SM4 is used where the Node build has it (`BlockCipher.ts`); this one takes its place where it is left out. It does
 * single blocks only. Its table look-ups are not constant in time: where an attacker can measure the machine, use an HSM.
 */

/** GB/T 32907-2016, 6.2 (b): the substitution table, checked against its algebraic definition and against OpenSSL. */
const substitution = Buffer.from(
  "d690e9fecce13db716b614c228fb2c052b679a762abe04c3aa44132649860699" +
    "9c4250f491ef987a33540b43edcfac62e4b31ca9c908e89580df94fa758f3fa6" +
    "4707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35" +
    "1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89e" +
    "eabf8ad240c738b5a3f7f2cef96115a1e0ae5da49b341a55ad933230f58cb1e3" +
    "1df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51" +
    "8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b0" +
    "8969974a0c96777e65b9f109c56ec68418f07dec3adc4d2079ee5f3ed7cb3948",
  "hex"
)

/** GB/T 32907-2016, 7.3 (a): the system parameter FK. */
const systemParameters = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc] as const

/** GB/T 32907-2016, 7.3 (b): byte j of constant CK_i is (4i + j) * 7 mod 256. */
const roundConstant = (i: number): number => {
  let word = 0
  for (let j = 0; j < 4; j++) word = (word << 8) | (((4 * i + j) * 7) & 0xff)
  return word
}

const rotateLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

const substitute = (word: number): number =>
  (substitution[word >>> 24]! << 24) |
  (substitution[(word >>> 16) & 0xff]! << 16) |
  (substitution[(word >>> 8) & 0xff]! << 8) |
  substitution[word & 0xff]!

const mixRound = (word: number): number => {
  const b = substitute(word)
  return b ^ rotateLeft(b, 2) ^ rotateLeft(b, 10) ^ rotateLeft(b, 18) ^ rotateLeft(b, 24)
}

const mixKey = (word: number): number => {
  const b = substitute(word)
  return b ^ rotateLeft(b, 13) ^ rotateLeft(b, 23)
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The 32 round keys of a 16-byte key, in the order of encryption; reversed they decrypt. */
export const sm4RoundKeys = (key: Uint8Array): Int32Array => {
  const view = viewOf(key)
  const words = new Int32Array(36)
  for (let i = 0; i < 4; i++) words[i] = view.getUint32(4 * i) ^ systemParameters[i]!
  for (let i = 0; i < 32; i++) {
    words[i + 4] = words[i]! ^ mixKey(words[i + 1]! ^ words[i + 2]! ^ words[i + 3]! ^ roundConstant(i))
  }
  return words.slice(4)
}

/** Turns the 16 bytes of `source` at `from` into 16 bytes of `target` at `at`; both may be the same buffer. */
export const sm4Block = (
  roundKeys: Int32Array,
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  at: number
): void => {
  const input = viewOf(source)
  let a = input.getInt32(from)
  let b = input.getInt32(from + 4)
  let c = input.getInt32(from + 8)
  let d = input.getInt32(from + 12)
  for (let i = 0; i < 32; i++) {
    const next = a ^ mixRound(b ^ c ^ d ^ roundKeys[i]!)
    a = b
    b = c
    c = d
    d = next
  }
  const output = viewOf(target)
  output.setInt32(at, d)
  output.setInt32(at + 4, c)
  output.setInt32(at + 8, b)
  output.setInt32(at + 12, a)
}
