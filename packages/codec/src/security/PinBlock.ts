/**
 * Clear PIN blocks of ISO 9564-1 (ANSI X9.8) formats 0 to 4 and of UnionPay without PAN: building and opening.
 *
 * Software for tests and simulators: in production a PIN may be in clear only inside an HSM (PCI PIN requirement 1).
 * Encryption and translation are in `PinTranslation.ts`. A PIN is held as bytes (ASCII digits), so that callers can
 * overwrite it; every working buffer here is overwritten before it is let go.
 */
import { drawRandom, type RandomBytes } from "./Random.ts"
import { isSecurityError, type SecurityError, securityError } from "./SecurityError.ts"

/**
 * - `iso0`: 8 bytes, PIN XOR PAN (X9.8, VISA-1; UnionPay DE 53.1 = 2).
 * - `iso1`: 8 bytes, random fill, no PAN. `iso2`: 8 bytes, F fill, no PAN, for chip cards offline.
 * - `iso3`: as `iso0` with random fill. `iso4`: 16 bytes, for AES; the PAN enters at encryption.
 * - `unionPayWithoutPan`: 8 bytes, length, PIN, F (UnionPay DE 53.1 = 1), which is `iso0` with a PAN part of zeros.
 */
export type PinBlockFormat = "iso0" | "iso1" | "iso2" | "iso3" | "iso4" | "unionPayWithoutPan"

/** Bytes of a block of this format, clear or encrypted. */
export const pinBlockLengthOf = (format: PinBlockFormat): 8 | 16 => (format === "iso4" ? 16 : 8)

/** True for the formats that bind the PIN to a PAN. */
export const hasPan = (format: PinBlockFormat): boolean => format === "iso0" || format === "iso3" || format === "iso4"

const control: Record<PinBlockFormat, number> = { iso0: 0, iso1: 1, iso2: 2, iso3: 3, iso4: 4, unionPayWithoutPan: 0 }

const isDigits = (text: string): boolean => /^[0-9]+$/.test(text)

const checkPin = (pin: Uint8Array, place: string): SecurityError | undefined =>
  pin.length >= 4 && pin.length <= 12 && pin.every((byte) => byte >= 0x30 && byte <= 0x39)
    ? undefined
    : securityError("PinInvalid", place, "a PIN has 4 to 12 decimal digits")

/**
 * The 8-byte PAN part of formats 0 and 3: `0000` and the 12 digits left of the check digit. A PAN with fewer has zeros in
 * front (ISO 9564-1:2017, 9.3). `PanInvalid` unless the PAN has 2 to 19 digits.
 */
export const panPart = (pan: string | undefined): Buffer | SecurityError => {
  if (pan === undefined) return securityError("PanInvalid", "PIN block", "this format needs the PAN")
  if (!isDigits(pan) || pan.length < 2 || pan.length > 19) {
    return securityError("PanInvalid", "PIN block", "a PAN has 2 to 19 decimal digits")
  }
  return Buffer.from(pan.slice(0, -1).slice(-12).padStart(16, "0"), "hex")
}

/**
 * The 16-byte PAN field of format 4: one digit that says how much longer than 12 the PAN is, the PAN (with zeros in front
 * when shorter), zeros (ISO 9564-1:2017, 9.4). `PanInvalid` unless the PAN has 1 to 19 digits.
 */
export const panFieldIso4 = (pan: string | undefined): Buffer | SecurityError => {
  if (pan === undefined) return securityError("PanInvalid", "PIN block", "this format needs the PAN")
  if (!isDigits(pan) || pan.length > 19) {
    return securityError("PanInvalid", "PIN block", "a PAN has 1 to 19 decimal digits")
  }
  const lengthOver12 = Math.max(0, pan.length - 12)
  return Buffer.from(`${lengthOver12}${pan.padStart(12, "0")}`.padEnd(32, "0"), "hex")
}

const setNibble = (block: Uint8Array, index: number, nibble: number): void => {
  const at = index >> 1
  block[at] = index % 2 === 0 ? (nibble << 4) | (block[at]! & 0x0f) : (block[at]! & 0xf0) | nibble
}

const nibbleOf = (block: Uint8Array, index: number): number =>
  index % 2 === 0 ? block[index >> 1]! >>> 4 : block[index >> 1]! & 0x0f

/** Fills the nibbles behind the PIN; for format 4 also the second half of the block. */
const fill = (
  format: PinBlockFormat,
  block: Uint8Array,
  from: number,
  random: RandomBytes | undefined
): SecurityError | undefined => {
  const count = 16 - from
  if (format === "iso1") {
    const bytes = drawRandom(random, Math.ceil(count / 2), "PIN block")
    if (isSecurityError(bytes)) return bytes
    for (let i = 0; i < count; i++) setNibble(block, from + i, nibbleOf(bytes, i))
    return undefined
  }
  if (format === "iso3") {
    const bytes = drawRandom(random, 2 * count, "PIN block")
    if (isSecurityError(bytes)) return bytes
    // Two bytes for each nibble of A-F keep the odds of the six values within 1 in 10,000 of each other.
    for (let i = 0; i < count; i++) setNibble(block, from + i, 10 + (((bytes[2 * i]! << 8) | bytes[2 * i + 1]!) % 6))
    return undefined
  }
  for (let i = from; i < 16; i++) setNibble(block, i, format === "iso4" ? 0xa : 0xf)
  if (format !== "iso4") return undefined
  const bytes = drawRandom(random, 8, "PIN block")
  if (isSecurityError(bytes)) return bytes
  block.set(bytes, 8)
  return undefined
}

/**
 * Builds a clear PIN block: 8 bytes, or for `iso4` the 16-byte PIN field.
 *
 * `pin`: 4 to 12 ASCII digits. `pan`: all digits with the check digit, for `iso0` and `iso3` (for `iso4` it enters at
 * encryption). `random`: for `iso1`, `iso3` and `iso4`. The result is secret: overwrite it after use.
 */
export const buildPinBlock = (
  format: PinBlockFormat,
  pin: Uint8Array,
  pan?: string,
  random?: RandomBytes
): Buffer | SecurityError => {
  const wrongPin = checkPin(pin, "buildPinBlock")
  if (wrongPin !== undefined) return wrongPin
  const mask = format === "iso0" || format === "iso3" ? panPart(pan) : undefined
  if (isSecurityError(mask)) return mask
  const block = Buffer.alloc(pinBlockLengthOf(format))
  block[0] = (control[format] << 4) | pin.length
  for (let i = 0; i < pin.length; i++) setNibble(block, 2 + i, pin[i]! - 0x30)
  const wrongRandom = fill(format, block, 2 + pin.length, random)
  if (wrongRandom !== undefined) {
    block.fill(0)
    return wrongRandom
  }
  if (mask !== undefined) for (let i = 0; i < 8; i++) block[i]! ^= mask[i]!
  return block
}

const isFillRight = (format: PinBlockFormat, nibble: number): boolean => {
  switch (format) {
    case "iso1":
      return true
    case "iso3":
      return nibble >= 10
    case "iso4":
      return nibble === 0xa
    default:
      return nibble === 0xf
  }
}

/** True when control, length, digits and fill are those of the format. */
const isOfFormat = (format: PinBlockFormat, block: Uint8Array): boolean => {
  const length = nibbleOf(block, 1)
  if (nibbleOf(block, 0) !== control[format] || length < 4 || length > 12) return false
  let isRight = true
  for (let i = 2; i < 16; i++) {
    const nibble = nibbleOf(block, i)
    if (!(i < 2 + length ? nibble <= 9 : isFillRight(format, nibble))) isRight = false
  }
  return isRight
}

/**
 * Takes the PIN (ASCII digits) out of a clear PIN block. For `iso4` the PAN has been taken out at decryption.
 *
 * `PinBlockInvalid` is all that a wrong block tells: which digit broke the rule would let somebody who can vary the PAN
 * find the PIN by trying. The result is secret: overwrite it after use.
 */
export const openPinBlock = (format: PinBlockFormat, block: Uint8Array, pan?: string): Buffer | SecurityError => {
  const blockLength = pinBlockLengthOf(format)
  if (block.length !== blockLength) {
    return securityError("InputInvalid", "openPinBlock", `a PIN block of this format has ${blockLength} bytes`)
  }
  const mask = format === "iso0" || format === "iso3" ? panPart(pan) : undefined
  if (isSecurityError(mask)) return mask
  const clear = Buffer.from(block)
  if (mask !== undefined) for (let i = 0; i < 8; i++) clear[i]! ^= mask[i]!
  if (!isOfFormat(format, clear)) {
    clear.fill(0)
    return securityError("PinBlockInvalid", "openPinBlock", "the block is not a PIN block of this format")
  }
  const pin = Buffer.alloc(nibbleOf(clear, 1))
  for (let i = 0; i < pin.length; i++) pin[i] = 0x30 + nibbleOf(clear, 2 + i)
  clear.fill(0)
  return pin
}
