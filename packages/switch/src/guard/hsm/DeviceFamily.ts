/**
 * What a device family is, as data: its frame, its key texts, its commands with their fields, its answers and its errors. A new
 * family is another table, not other code.
 */
import type { Cipher, MacAlgorithm, MacPadding, PinBlockFormat } from "@jinka/codec"
import type { KeyPurpose } from "../KeyHandle.ts"

/** A text that a command may hold. */
export type TextValue =
  | "keyType"
  | "key"
  | "target"
  | "kek"
  | "wrapped"
  | "scheme"
  | "kekScheme"
  | "algorithm"
  | "padding"
  | "size"
  | "lengthFlag"
  | "checkSize"
  | "sourceFormat"
  | "targetFormat"
  | "account"

/** Bytes that a command may hold. */
export type BytesValue = "message" | "mac" | "block"

/** One field of a request. A plain text means itself; bytes of binary families are written as `\\x` escapes. */
export type RequestField =
  | string
  /** The characters of a value. */
  | { readonly put: "text"; readonly of: TextValue }
  /** A value's hexadecimal digits as bytes, without a scheme letter in front: keys of binary families. */
  | { readonly put: "unhex"; readonly of: TextValue }
  /** How many bytes `unhex` of this value has, in one byte. */
  | { readonly put: "unhexLength"; readonly of: TextValue }
  /** Bytes as upper-case hexadecimal digits. */
  | { readonly put: "hex"; readonly of: BytesValue }
  | { readonly put: "bytes"; readonly of: BytesValue }
  /** How many bytes these are: four hexadecimal digits, or two bytes. */
  | { readonly put: "length"; readonly of: BytesValue; readonly as: "hex4" | "u16" }

/** What an answer may tell. */
export type AnswerValue = "mac" | "block" | "key" | "wrapped" | "checkValue" | "lmkCheckValue" | "firmware"

/** One field of an answer. */
export type AnswerField =
  /** So many characters. */
  | { readonly take: "text"; readonly to: AnswerValue | "nothing"; readonly characters: number }
  /** A key text, as long as its scheme letter says. */
  | { readonly take: "key"; readonly to: "key" | "wrapped" }
  /** All that is left: 6, 8 or 16 digits. Four more in front say how long it is, as some devices do, and are skipped. */
  | { readonly take: "rest"; readonly to: AnswerValue }
  /** So many bytes, told as hexadecimal digits. */
  | { readonly take: "bytes"; readonly to: AnswerValue; readonly length: number }
  /** A length byte, and so many bytes, told as hexadecimal digits. */
  | { readonly take: "counted"; readonly to: AnswerValue }

/** A command and its answer. */
export interface DeviceCommand {
  readonly request: ReadonlyArray<RequestField>
  /** Two letters in front of an answer; left out by families without. */
  readonly code?: string
  readonly answer: ReadonlyArray<AnswerField>
  /** An error code that says "done, with a warning": the fields follow. */
  readonly warning?: string
}

/** What an error code of a device means. */
export type Verdict =
  /** `verifyMac`: the MAC is wrong. */
  | "macWrong"
  /** This key cannot be used. */
  | "key"
  /** The PIN block, account or format is not as the command says. */
  | "format"
  /** Our request is wrong. */
  | "request"
  /** The device cannot work: LMK, state, licence. */
  | "out"
  /** The device failed this time. */
  | "again"

/** How a family makes one kind of MAC. */
export interface DeviceMac {
  readonly method: MacAlgorithm["method"]
  readonly cipher: Cipher
  readonly code: string
  /** Paddings of ISO/IEC 9797-1 that it has, and what it calls them. */
  readonly paddings: Readonly<Partial<Record<MacPadding, string>>>
  readonly make: DeviceCommand
  /** Left out: the MAC is made and compared here. */
  readonly verify?: DeviceCommand
}

/** How a family writes keys of one length: the scheme under the LMK, and the one under a key-encryption key. */
export interface KeyScheme {
  readonly cipher: Cipher
  readonly bytes: number
  /** Letters in front of the digits (`""`: none) and as the command's field. */
  readonly own: string
  readonly ownField: string
  readonly wrapped: string
  readonly wrappedField: string
  /** The length flag of commands that have one. */
  readonly lengthFlag: string
}

/** A device family. */
export interface DeviceFamily {
  readonly name: string
  /** What it is, for people. */
  readonly about: string
  /** Port that its devices listen on, where nothing else is said. */
  readonly port: number
  /**
   * `length`: two bytes of length, a message header that the device gives back, the command. `bare`: nothing in front, `A` or
   * `E` and a byte as the answer, one command under way.
   */
  readonly frame: "length" | "bare"
  /** Characters of the message header, when the configuration does not say; more than 0 is needed to have several under way. */
  readonly headerLength: number
  /** Bytes that a MAC may cover at most in one command. */
  readonly messageMax: number
  /** What the commands call a key's purpose; `keyBlock` for key texts that say it themselves. */
  readonly keyTypes: Readonly<Record<KeyPurpose, string>>
  readonly keyBlockType: string | undefined
  readonly schemes: ReadonlyArray<KeyScheme>
  readonly pinFormats: Readonly<Partial<Record<PinBlockFormat, string>>>
  readonly macs: ReadonlyArray<DeviceMac>
  readonly heartbeat?: DeviceCommand
  readonly translatePin: DeviceCommand
  /** Translates from a terminal's PIN key to a zone's, and what the commands call such a key. Left out: the family does not. */
  readonly terminals?: { readonly keyType: string; readonly translatePin: DeviceCommand }
  readonly importKey: DeviceCommand
  readonly generateKey?: DeviceCommand
  readonly exportKey?: DeviceCommand
  readonly checkValue: DeviceCommand
  readonly errors: Readonly<Record<string, Verdict>>
}
