/**
 * The binary commands of SJL05-like devices under the test LMK: no length in front, `A` and fields or `E` and one byte back.
 * Layouts after Util::HSM::Vendor::SLJ05 and package cn.wimetro.pos; the byte behind `E` is this simulator's own.
 *
 * Working keys are under LMK pair 06-07 and master keys under 04-05, both without variants.
 */
import type { DeviceCrypt } from "./DeviceCrypt.ts"
import { checkDigits, clearKey, crypt, hasParity, keyText } from "./TestLmk.ts"

/** Errors of this simulator. */
const wrong = { command: 0x01, key: 0x10, mac: 0x20, block: 0x21 } as const

const failed = (code: number): Buffer => Buffer.from([0x45, code])

const done = (...parts: ReadonlyArray<Uint8Array>): Buffer => Buffer.concat([Buffer.from("A"), ...parts])

/** Reads the fields of a command; `undefined` while bytes are missing. */
class Bytes {
  private readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes
    this.at = at
  }

  get isShort(): boolean {
    return this.at > this.bytes.length
  }

  take(length: number): Buffer {
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  number(length: 1 | 2): number {
    const taken = this.take(length)
    return taken.length < length ? 0 : taken.readUIntBE(0, length)
  }

  /** Up to and with this byte; beyond the end when it has not come. */
  until(byte: number): Buffer {
    const at = this.bytes.indexOf(byte, this.at)
    return this.take(at < 0 ? this.bytes.length + 1 - this.at : at + 1 - this.at)
  }
}

/** A command that came whole, and how many bytes it took; `undefined`: more have to come. */
export interface BinaryAnswer {
  readonly length: number
  readonly answer: Buffer
}

/** A device's commands. */
export class BinaryCommands {
  private readonly crypt: DeviceCrypt

  constructor(crypt: DeviceCrypt) {
    this.crypt = crypt
  }

  /** The answer to the command that `bytes` begin with. */
  answer(bytes: Buffer): BinaryAnswer | undefined {
    if (bytes.length < 2) return undefined
    const fields = new Bytes(bytes, 2)
    const answer = this.run(bytes.readUInt16BE(0), fields)
    // What was computed from bytes that had not come counts for nothing.
    if (answer === undefined) return { length: bytes.length, answer: failed(wrong.command) }
    return fields.isShort ? undefined : { length: fields.at, answer: answer() }
  }

  private run(code: number, fields: Bytes): (() => Buffer) | undefined {
    switch (code) {
      case 0xd132: {
        const algorithm = fields.number(1)
        const key = fields.take(fields.number(1))
        fields.take(8)
        const message = fields.take(fields.number(2))
        return () => this.mac(algorithm, key, message) ?? failed(wrong.key)
      }
      case 0xd134: {
        const algorithm = fields.number(1)
        const key = fields.take(fields.number(1))
        fields.take(8)
        const mac = fields.take(4)
        const message = fields.take(fields.number(2))
        return () => {
          const made = this.mac(algorithm, key, message)
          if (made === undefined) return failed(wrong.key)
          return made.subarray(1, 5).equals(mac) ? made : failed(wrong.mac)
        }
      }
      case 0xd124:
        return this.translate(fields)
      case 0xd102:
        return this.import(fields)
      case 0xa803: {
        fields.take(2)
        fields.take(2)
        const length = fields.number(1)
        fields.take(1)
        const key = fields.take(length)
        fields.take(16)
        const message = fields.take(fields.number(2))
        return () => {
          const mac = this.crypt.mac("cbc", "sm4", 1, this.clear("001", key) ?? Buffer.alloc(0), message)
          return mac === undefined ? failed(wrong.key) : done(mac.subarray(0, 8))
        }
      }
      case 0x0423: {
        fields.take(2)
        const key = fields.take(fields.number(1))
        return () => {
          const clear = this.right("001", key) ?? this.right("000", key)
          return clear === undefined ? failed(wrong.key) : done(Buffer.from(checkDigits(clear, 16), "hex"))
        }
      }
      default:
        return undefined
    }
  }

  private mac(algorithm: number, key: Buffer, message: Buffer): Buffer | undefined {
    const clear = this.right("001", key)
    if (clear === undefined) return undefined
    const mac = this.crypt.mac(algorithm === 3 ? "retail" : "cbc", "des", 1, clear, message)
    return mac === undefined ? undefined : done(mac)
  }

  private translate(fields: Bytes): () => Buffer {
    const source = fields.take(fields.number(1))
    const target = fields.take(fields.number(1))
    const [from, to] = [fields.number(1), fields.number(1)]
    const block = fields.take(8)
    const account = fields.until(0x3b).subarray(0, -1).toString("latin1")
    fields.take(account.length)
    return () => {
      const [sourceKey, targetKey] = [this.right("001", source), this.right("001", target)]
      if (sourceKey === undefined || targetKey === undefined) return failed(wrong.key)
      const format = (code: number): string => String(code).padStart(2, "0")
      const made = this.crypt.translate(sourceKey, targetKey, block, format(from), format(to), account)
      return typeof made === "string" ? failed(wrong.block) : done(made.block)
    }
  }

  private import(fields: Bytes): () => Buffer {
    const keyLength = fields.number(1)
    const masterLength = fields.number(1)
    fields.take(2)
    const master = fields.take(masterLength)
    const wrapped = fields.take(keyLength)
    const expected = fields.take(fields.number(1))
    return () => {
      const masterKey = this.right("000", master)
      const key = masterKey === undefined ? undefined : crypt("decrypt", masterKey, wrapped)
      if (key === undefined || !hasParity(key)) return failed(wrong.key)
      const check = Buffer.from(checkDigits(key, 16), "hex")
      if (!check.subarray(0, expected.length).equals(expected)) return failed(wrong.mac)
      const own = Buffer.from(
        keyText("001", key.length === 8 ? "Z" : key.length === 16 ? "X" : "Y", key).replace(/^[XY]/, ""),
        "hex"
      )
      return done(Buffer.from([own.length]), own, check)
    }
  }

  private clear(type: string, bytes: Buffer): Buffer | undefined {
    if (bytes.length === 0 || bytes.length % 8 !== 0 || bytes.length > 24) return undefined
    return clearKey(type, { scheme: "", bytes, length: 0 })
  }

  private right(type: string, bytes: Buffer): Buffer | undefined {
    const clear = this.clear(type, bytes)
    return clear !== undefined && hasParity(clear) ? clear : undefined
  }
}
