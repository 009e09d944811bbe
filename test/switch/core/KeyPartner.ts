/**
 * Partners for the crash tests of key exchange: they give keys or take them, ask or are asked, in the ways of four networks, and
 * do what each does when an answer never came. Written on their own, with nothing of the switch's.
 */
import {
  cups,
  type Dialect,
  decryptBlocks,
  encryptBlocks,
  iso8583v1987AsciiRaw,
  iso8583v1993AsciiRaw,
  type Message,
  reveal,
  unwrapKeyBlock,
  wrapKeyBlock
} from "@jinka/codec"
import { oddKeyNamed } from "../../simulation/partner/Zone.ts"
import { keyOf } from "./Guarded.ts"
import { delivery, isSealed, macOf } from "./KeyBench.ts"
import type { Connected } from "./KeyCrash.ts"

/** How a network's key messages look. */
export interface Form {
  readonly dialect: Dialect
  readonly kek: string
  readonly kind: "mac" | "pin"
  /** Response code of a key that was taken. */
  readonly taken: string
  readonly bring: (key: Buffer, stan: string) => Message
  readonly question: (stan: string) => Message
  readonly isQuestion: (message: Message) => boolean
  readonly isDelivery: (message: Message) => boolean
  readonly keyIn: (message: Message) => Buffer
}

const bytesIn = (message: Message, de: number): Buffer => {
  const value = message.fields[de]!
  const shown = typeof value === "string" ? value : reveal(value as never)
  return typeof shown === "string" ? Buffer.from(shown, "latin1") : Buffer.from(shown as Uint8Array)
}

const wrapped = (key: Buffer, kek: string): Buffer => encryptBlocks("tdes", keyOf(kek), key) as Buffer
const unwrapped = (bytes: Buffer, kek: string): Buffer => decryptBlocks("tdes", keyOf(kek), bytes) as Buffer

/** Three bytes of E(key, 0). */
export const shownOf = (key: Buffer): string =>
  (encryptBlocks(key.length === 8 ? "des" : "tdes", key, Buffer.alloc(8)) as Buffer).toString("hex", 0, 3).toUpperCase()

const header = { destination: "00010000", source: "48020000" }

const cupsForm: Form = {
  dialect: cups,
  kek: "zmk-a",
  kind: "mac",
  taken: "00",
  bring: (key, stan) => delivery("mac", key, stan),
  question: (stan) => ({
    ...{ mti: "0820", header },
    fields: { 7: "1126100001", 11: stan, 33: "48020000", 53: "2600000000000000", 70: "101" }
  }),
  isQuestion: ({ mti, fields }) => mti === "0820" && fields[70] === "101",
  isDelivery: ({ mti, fields }) => mti === "0800" && fields[70] === "101",
  keyIn: (message) => unwrapped(bytesIn(message, 48).subarray(2), "zmk-a")
}

const form1993: Form = {
  dialect: iso8583v1993AsciiRaw,
  kek: "zmk-b",
  kind: "pin",
  taken: "800",
  bring: (key, stan) => ({
    mti: "1804",
    fields: {
      ...{ 7: "1126100001", 11: stan, 12: "251126100001", 24: "811" },
      96: Buffer.from(`U${wrapped(key, "zmk-b").toString("hex").toUpperCase()}${shownOf(key)}`)
    }
  }),
  question: () => {
    throw new Error("nobody asks for a key in 1993")
  },
  isQuestion: () => false,
  isDelivery: ({ mti, fields }) => mti === "1804" && fields[24] === "811",
  keyIn: (message) => unwrapped(Buffer.from(bytesIn(message, 96).toString("latin1").slice(1, 33), "hex"), "zmk-b")
}

const blockForm: Form = {
  dialect: iso8583v1987AsciiRaw,
  kek: "aes-kek",
  kind: "pin",
  taken: "00",
  bring: (key, stan) => {
    const of = { version: "D", usage: "P0", algorithm: "T", mode: "B", keyVersion: "00", exportability: "N" } as const
    const random = (length: number) => Buffer.alloc(length, Number(stan))
    const block = wrapKeyBlock(keyOf("aes-kek"), { ...of, optionalBlocks: [] }, key, random)
    return { mti: "0800", fields: { 7: "1126100001", 11: stan, 70: "161", 110: block as string } }
  },
  question: (stan) => ({ mti: "0800", fields: { 7: "1126100001", 11: stan, 70: "162" } }),
  isQuestion: ({ mti, fields }) => mti === "0800" && fields[70] === "162",
  isDelivery: ({ mti, fields }) => mti === "0800" && fields[70] === "161",
  keyIn: (message) => {
    const read = unwrapKeyBlock(keyOf("aes-kek"), bytesIn(message, 110).toString("latin1"))
    if (!("key" in read)) throw new Error("no key block")
    return Buffer.from(read.key)
  }
}

/** The forms by name. */
export const forms = { cups: cupsForm, 1993: form1993, tr31: blockForm } as const

/** What a partner that gives keys does at the next connection, when a key of its own was not answered for. */
export type Manner = "repeats it" | "brings another" | "says nothing"

/** A partner. */
export interface Partner {
  /** The key that it uses, and those that it takes on receipt besides. */
  current: Buffer | undefined
  readonly others: ReadonlyArray<Buffer>
  readonly begin: (line: Connected) => void
  /** The next connection, after the switch was killed. */
  readonly again: (line: Connected) => void
  readonly hear: (message: Message, line: Connected) => void
}

/** A message of the switch with another type, without these fields, and with a code. */
const answerTo = (message: Message, mti: string, without: ReadonlyArray<number>, code: string): Message => {
  const kept = Object.entries(message.fields).filter(([de]) => !without.includes(Number(de)))
  return {
    ...message,
    ...(message.header === undefined ? {} : { header }),
    mti,
    fields: { ...Object.fromEntries(kept), 39: code }
  }
}

const answered = (mti: string): string => `${mti.slice(0, 2)}${Number(mti[2]) + 1}${mti[3]}`

/** Gives keys: unasked, or when it is asked. */
export class Giver implements Partner {
  current: Buffer | undefined
  private readonly form: Form
  private readonly manner: Manner
  private readonly isUnasked: boolean
  private before: Buffer | undefined
  private next: Buffer | undefined
  private drawn = 0
  private stan = 100

  constructor(form: Form, isUnasked: boolean, manner: Manner, first?: string) {
    this.form = form
    this.isUnasked = isUnasked
    this.manner = manner
    if (first !== undefined) this.current = keyOf(first)
  }

  get others(): ReadonlyArray<Buffer> {
    return [this.before, this.next].filter((key) => key !== undefined)
  }

  begin(line: Connected): void {
    if (this.isUnasked) this.bring(line, this.draw())
  }

  again(line: Connected): void {
    const { manner, next } = this
    if (next === undefined) return
    if (manner === "repeats it") this.bring(line, next)
    else if (manner === "brings another") this.bring(line, this.draw())
    else this.next = undefined
  }

  hear(message: Message, line: Connected): void {
    const { form, next } = this
    if (form.isQuestion(message)) {
      line.say(answerTo(message, answered(message.mti), [], "00"))
      return this.bring(line, next ?? this.draw())
    }
    const isAnswer = next !== undefined && Number(message.fields[11]) === this.stan && message.mti[2] === "1"
    if (!isAnswer || message.fields[39] !== form.taken) return
    if (form.kind === "mac" && !isSealed(message, next)) throw new Error("the answer's MAC is not of the new key")
    this.before = this.current
    this.current = next
    this.next = undefined
  }

  private draw(): Buffer {
    return oddKeyNamed(`given ${++this.drawn}`)
  }

  private bring(line: Connected, key: Buffer): void {
    this.next = key
    line.say(this.form.bring(key, String(++this.stan).padStart(6, "0")))
  }
}

/** Takes the keys that the switch gives, and asks for one, if it `asks`. */
export class Taker implements Partner {
  current: Buffer | undefined
  /** All that it was given, by their hex. */
  readonly heard = new Set<string>()
  private readonly form: Form
  private readonly asks: boolean
  private before: Buffer | undefined
  private isOwed = false
  private stan = 500

  constructor(form: Form, asks: boolean, first?: string) {
    this.form = form
    this.asks = asks
    if (first !== undefined) this.current = keyOf(first)
  }

  get others(): ReadonlyArray<Buffer> {
    return this.before === undefined ? [] : [this.before]
  }

  begin(line: Connected): void {
    if (!this.asks) return
    this.isOwed = true
    line.say(this.form.question(String(++this.stan).padStart(6, "0")))
  }

  again(line: Connected): void {
    if (this.isOwed) this.begin(line)
  }

  hear(message: Message, line: Connected): void {
    const { form } = this
    if (!form.isDelivery(message)) return
    const key = form.keyIn(message)
    this.heard.add(key.toString("hex"))
    if (this.current === undefined || !this.current.equals(key)) this.before = this.current
    this.current = key
    this.isOwed = false
    const answer = answerTo(message, answered(message.mti), [48, 96, 110, 128], form.taken)
    line.say(form.kind === "mac" ? { ...answer, fields: { ...answer.fields, 128: macOf(answer, key) } } : answer)
  }
}

/** The centre of terminals that ask for their keys: it uses those of its answer once that has left. */
export class PosCentre implements Partner {
  current: Buffer | undefined = keyOf("pos-pik-16")
  readonly others: ReadonlyArray<Buffer> = []
  private drawn = 0

  begin(): void {}
  again(): void {}

  hear(message: Message, line: Connected): void {
    if (message.mti !== "0800") return
    const pin = oddKeyNamed(`pin ${++this.drawn}`)
    const mac = oddKeyNamed(`mac ${this.drawn}`).subarray(0, 8)
    const whole = (key: Buffer) =>
      (encryptBlocks(key.length === 8 ? "des" : "tdes", key, Buffer.alloc(8)) as Buffer).subarray(0, 4)
    const keys = [wrapped(pin, "pos-tmk"), whole(pin), wrapped(mac, "pos-tmk"), Buffer.alloc(8), whole(mac)]
    line.say({ ...message, mti: "0810", fields: { ...message.fields, 39: "00", 62: Buffer.concat(keys) } })
    this.current = pin
  }
}

/** A terminal: it signs on, and uses the keys of the answer; without one it signs on again. */
export class PosTerminal implements Partner {
  current: Buffer | undefined = keyOf("pos-pik-16")
  readonly others: ReadonlyArray<Buffer> = []
  private isOwed = true
  private stan = 0

  begin(line: Connected): void {
    const fields = {
      11: String(++this.stan).padStart(6, "0"),
      41: "JINKA001",
      42: "JINKA MERCHANT1",
      60: "00000001003"
    }
    line.say({ mti: "0800", header: {}, fields })
  }

  again(line: Connected): void {
    if (this.isOwed) this.begin(line)
  }

  hear(message: Message): void {
    if (message.mti !== "0810" || message.fields[39] !== "00") return
    this.current = unwrapped(bytesIn(message, 62).subarray(0, 16), "pos-tmk")
    this.isOwed = false
  }
}
