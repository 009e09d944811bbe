/**
 * The commands of payShield-like and Racal-like devices under the test LMK: the body of a request in, the body of the answer out.
 * Fields and error codes after softwaregroup-bg/ut-codec-payshield and seecoo/repos unionSJL06.
 */
import type { DeviceCrypt } from "./DeviceCrypt.ts"
import {
  checkDigits,
  clearKey,
  crypt,
  hasParity,
  isKeyType,
  type KeyText,
  keyText,
  keyTextAt,
  testLmk,
  withParity
} from "./TestLmk.ts"

/** Draws the bytes of a new key. */
export type DrawKey = (length: number) => Uint8Array

/** The command ends with this error code. */
class Refused {
  readonly code: string

  constructor(code: string) {
    this.code = code
  }
}

/** Reads the fields of a request from left to right; a field that is not there is error 15 (invalid input data). */
class Fields {
  private at: number
  private readonly text: string

  constructor(text: string, at: number) {
    this.text = text
    this.at = at
  }

  take(length: number): string {
    if (this.at + length > this.text.length) throw new Refused("80")
    this.at += length
    return this.text.slice(this.at - length, this.at)
  }

  maybe(expected: string): boolean {
    const is = this.text.startsWith(expected, this.at)
    if (is) this.at += expected.length
    return is
  }

  key(): KeyText {
    const found = keyTextAt(this.text.slice(this.at, this.at + 49))
    if (found === undefined) throw new Refused("15")
    this.at += found.length
    return found
  }

  type(): string {
    const type = this.take(3)
    if (!isKeyType(type)) throw new Refused("26")
    return type
  }

  rest(): string {
    return this.take(this.text.length - this.at)
  }

  /** Four hexadecimal digits and as many characters. */
  counted(): string {
    const length = Number.parseInt(this.take(4), 16)
    if (!Number.isInteger(length)) throw new Refused("15")
    return this.take(length)
  }
}

const clearOf = (type: string, key: KeyText, wrong: string): Buffer => {
  const clear = clearKey(type, key)
  if (clear === undefined || !hasParity(clear)) throw new Refused(wrong)
  return clear
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex").toUpperCase()

const bytesOf = (digits: string): Buffer => {
  if (!/^(?:[0-9A-Fa-f]{2})+$/.test(digits)) throw new Refused("15")
  return Buffer.from(digits, "hex")
}

/** Key bytes of a scheme, and its letter in a text. */
const lengthOf = (scheme: string): number => {
  const length = { Z: 8, U: 16, X: 16, T: 24, Y: 24 }[scheme]
  if (length === undefined) throw new Refused("26")
  return length
}

const wrappedText = (zmk: Buffer, scheme: string, key: Buffer): string =>
  (scheme === "Z" ? "" : scheme) + hexOf(crypt("encrypt", zmk, key))

/** A device's commands. */
export class TextCommands {
  private readonly crypt: DeviceCrypt
  private readonly draw: DrawKey

  constructor(crypt: DeviceCrypt, draw: DrawKey) {
    this.crypt = crypt
    this.draw = draw
  }

  /** The answer to a command: its letters with the second one plus one, an error code, fields. */
  answer(request: string): string {
    const code = request.slice(0, 2)
    const letters = code[0]! + String.fromCharCode((code.charCodeAt(1) || 0x41) + 1)
    try {
      return letters + this.run(code, new Fields(request, 2))
    } catch (error) {
      if (error instanceof Refused) return letters + error.code
      throw error
    }
  }

  private run(code: string, fields: Fields): string {
    switch (code) {
      case "NC":
        return `00${testLmk.checkValue}${testLmk.firmware}`
      case "B2":
        return `00${fields.counted()}`
      case "A0":
        return this.generate(fields)
      case "A6":
        return this.import(fields.type(), fields, () => fields.take(1), 6)
      case "FA":
        return this.import("001", fields, (key) => key.scheme || "Z", 16)
      case "A8":
        return this.export(fields)
      case "BU":
        return this.check(fields)
      case "CA":
        return this.translate("002", fields)
      case "CC":
        return this.translate("001", fields)
      case "M6":
        return `00${this.mac(fields).mac}`
      case "M8": {
        const { mac } = this.mac(fields)
        return fields.take(mac.length) === mac ? "00" : "01"
      }
      case "MA":
        return this.zoneMac("003", fields)
      case "MS":
        return this.blockMac(fields)
      default:
        // "Invalid command": a licence or a firmware without it.
        throw new Refused("68")
    }
  }

  private generate(fields: Fields): string {
    const mode = fields.take(1)
    const type = fields.type()
    const scheme = fields.take(1)
    const key = withParity(this.draw(lengthOf(scheme)))
    let wrapped = ""
    if (mode === "1") {
      fields.maybe(";0")
      const zmk = clearOf("000", fields.key(), "10")
      wrapped = wrappedText(zmk, fields.take(1), key)
    }
    return `00${keyText(type, scheme, key)}${wrapped}${checkDigits(key, 6)}`
  }

  private import(type: string, fields: Fields, schemeOf: (key: KeyText) => string, digits: 6 | 16): string {
    const zmk = clearOf("000", fields.key(), "10")
    const wrapped = fields.key()
    const clear = crypt("decrypt", zmk, wrapped.bytes)
    const key = withParity(clear)
    const code = hasParity(clear) ? "00" : "01"
    return `${code}${keyText(type, schemeOf(wrapped), key)}${checkDigits(key, digits)}`
  }

  private export(fields: Fields): string {
    const type = fields.type()
    const zmk = clearOf("000", fields.key(), "10")
    const key = clearOf(type, fields.key(), "11")
    return `00${wrappedText(zmk, fields.take(1), key)}${checkDigits(key, 6)}`
  }

  /** `FF`, length flag, key, `;` type, `;00` and 1 (6 digits) or 0; or the older form with a type of two digits and no more. */
  private check(fields: Fields): string {
    const code = fields.take(2)
    fields.take(1)
    const key = fields.key()
    const type = code === "FF" ? (fields.maybe(";") ? fields.type() : "") : `0${code}`
    const clear = clearOf(type, key, "10")
    const isShort = fields.maybe(";00") && fields.take(1) === "1"
    return `00${checkDigits(clear, isShort ? 6 : 16)}`
  }

  private translate(sourceType: string, fields: Fields): string {
    const source = clearOf(sourceType, fields.key(), "10")
    const target = clearOf("001", fields.key(), "11")
    fields.take(2)
    const block = bytesOf(fields.take(16))
    const [from, to, account] = [fields.take(2), fields.take(2), fields.take(12)]
    if (!/^\d+$/.test(account)) throw new Refused("22")
    const made = this.crypt.translate(source, target, block, from, to, account)
    if (typeof made === "string") throw new Refused(made)
    return `00${String(made.pinLength).padStart(2, "0")}${hexOf(made.block)}${to}`
  }

  private mac(fields: Fields): { readonly mac: string } {
    const [mode, input, size, algorithm, padding] = [1, 1, 1, 1, 1].map((length) => fields.take(length))
    if (mode !== "0") throw new Refused("15")
    // The published sample has two digits for the algorithm: a zero in front, and the padding behind.
    const isTwo = algorithm === "0"
    const method = isTwo ? padding : algorithm
    const pad = isTwo ? fields.take(1) : padding
    const type = fields.type()
    const key = clearOf(type, fields.key(), "10")
    const text = fields.counted()
    const message = input === "1" ? bytesOf(text) : Buffer.from(text, "latin1")
    if (pad === "0" && message.length % 8 !== 0) throw new Refused("15")
    const mac = this.crypt.mac(method === "3" ? "retail" : "cbc", "des", pad === "2" ? 2 : 1, key, message)
    if (mac === undefined) throw new Refused("27")
    return { mac: hexOf(mac).slice(0, size === "1" ? 16 : 8) }
  }

  private zoneMac(type: string, fields: Fields): string {
    const key = clearOf(type, fields.key(), "10")
    const mac = this.crypt.mac("cbc", "des", 1, key, Buffer.from(fields.rest(), "latin1"))
    if (mac === undefined) throw new Refused("27")
    return `00${hexOf(mac).slice(0, 8)}`
  }

  private blockMac(fields: Fields): string {
    const [block, keyType, keyLength, input] = [1, 1, 1, 1].map((length) => fields.take(length))
    if (block !== "0") throw new Refused("15")
    const key = clearOf(keyType === "1" ? "008" : "003", fields.key(), "10")
    const text = fields.counted()
    const message = input === "1" ? bytesOf(text) : Buffer.from(text, "latin1")
    const mac = this.crypt.mac(keyLength === "1" ? "retail" : "cbc", "des", 1, key, message)
    if (mac === undefined) throw new Refused("27")
    return `00${hexOf(mac)}`
  }
}
