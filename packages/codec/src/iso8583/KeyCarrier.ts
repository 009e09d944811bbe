/**
 * Reads wrapped keys out of a message, and lays them into one, as an exchange of the dialect says. Pure; no key is unwrapped
 * here, and no error names what a field holds.
 */
import type { Cipher } from "../security/BlockCipher.ts"
import type { Layout } from "./Dialect.ts"
import type { CarriedKey, KeyExchange, KeyKind, KeyMessage, KeyPart, KeyPlace, KeyStatement } from "./KeyExchange.ts"
import { keyBlockMeaning } from "./KeyExchange.ts"
import type { MessageIndex } from "./MessageIndex.ts"

/** Why a message brings no key that can be read, in a sentence without values. */
export interface KeyUnreadable {
  readonly _tag: "KeyUnreadable"
  readonly rule: string
}

const unreadable = (rule: string): KeyUnreadable => ({ _tag: "KeyUnreadable", rule })

/** Whether what was read is no key. */
export const isKeyUnreadable = (read: object): read is KeyUnreadable => "_tag" in read && read._tag === "KeyUnreadable"

/** The positions of a field, one byte each. */
const positionsOf = (index: MessageIndex, de: number): Buffer => {
  const encoding = index.layout?.fields[de]?.encoding
  if (encoding === "hex") return Buffer.from(index.bytes(de).toString("latin1"), "hex")
  return encoding === "ascii" || encoding === "gbk" || encoding === "binary"
    ? index.bytes(de)
    : Buffer.from(index.text(de), "latin1")
}

/** What a place holds; `undefined`: it is not there, or not in its form. */
const read = (index: MessageIndex, { de, at, length, form }: KeyPlace): Buffer | undefined => {
  const all = positionsOf(index, de)
  const end = length === undefined ? all.length : at + length
  if (end > all.length || end <= at) return undefined
  const found = all.subarray(at, end)
  if (form !== "hex") return Buffer.from(found)
  const text = found.toString("latin1")
  return /^(?:[0-9A-Fa-f]{2})+$/.test(text) ? Buffer.from(text, "hex") : undefined
}

/** Whether a message is this one of an exchange. */
export const isKeyMessage = ({ mti, code }: KeyMessage, index: MessageIndex): boolean =>
  index.mti === mti && index.has(code.de) && index.text(code.de).startsWith(code.value, code.at ?? 0)

const stated = <Meaning extends string>(
  said: Meaning | KeyStatement<Meaning> | undefined,
  index: MessageIndex
): Meaning | undefined => {
  if (said === undefined || typeof said === "string") return said
  const text = index.text(said.de)
  return Object.entries<Meaning>(said.values).find(([value]) => text.startsWith(value, said.at))?.[1]
}

/** What a message says that its key is for, or that a key is asked for; a member is left out where it does not say. */
export const keyMeaning = (
  { algorithm, kind }: KeyExchange,
  index: MessageIndex
): { readonly kind: KeyKind | undefined; readonly algorithm: Cipher | undefined } => ({
  kind: stated(kind, index),
  algorithm: stated(algorithm, index)
})

const isFor = (part: KeyPart, kind: KeyKind | undefined, algorithm: Cipher | undefined): boolean =>
  (part.kind === undefined || kind === undefined || part.kind === kind) &&
  (part.algorithm === undefined || algorithm === undefined || part.algorithm === algorithm)

const isThere = ({ begins, de, whole }: KeyPart, index: MessageIndex): boolean => {
  if (!index.has(de)) return false
  const all = positionsOf(index, de)
  return (begins === undefined || all.toString("latin1").startsWith(begins)) && (whole ?? all.length) === all.length
}

/** The keys of a message that brings some: one, or as many as its field holds where each part says what it is for. */
export const carriedKeys = (exchange: KeyExchange, index: MessageIndex): ReadonlyArray<CarriedKey> | KeyUnreadable => {
  const { algorithm, kind } = keyMeaning(exchange, index)
  if (exchange.kind !== undefined && kind === undefined)
    return unreadable("the message does not say what the key is for")
  if (exchange.algorithm !== undefined && algorithm === undefined)
    return unreadable("the message does not say which cipher the key is for")
  const parts = exchange.parts.filter((part) => isFor(part, kind, algorithm) && isThere(part, index))
  const found: Array<CarriedKey> = []
  for (const part of exchange.kind === undefined ? parts : parts.slice(0, 1)) {
    const bytes = read(index, part)
    if (bytes === undefined) return unreadable(`DE ${part.de} does not hold a key in the form that was agreed`)
    const value = part.check === undefined ? undefined : read(index, part.check)
    if (part.check !== undefined && value === undefined)
      return unreadable(`DE ${part.check.de} does not hold a check value in the form that was agreed`)
    const block = exchange.wrap === "tr31" ? keyBlockMeaning(bytes.toString("latin1")) : undefined
    found.push({
      kind: kind ?? part.kind ?? block?.kind,
      algorithm: algorithm ?? part.algorithm ?? block?.algorithm,
      bytes,
      check: value === undefined ? undefined : { method: part.check!.method, value }
    })
  }
  if (found.length === 0) return unreadable("there is no key where the dialect has it")
  return found.some((one) => one.kind === undefined || one.algorithm === undefined)
    ? unreadable("the key block does not say what the key is for")
    : found
}

/** A key to be laid into a message. */
export interface GivenKey {
  readonly kind: KeyKind
  readonly algorithm: Cipher
  readonly bytes: Uint8Array
  /** Its check value by a method, as many bytes of it as asked for. */
  readonly check: (method: "zeros" | "cmac", length: number) => Uint8Array
}

/** The part of a message that a key of this kind and cipher is in. */
const partFor = ({ parts }: KeyExchange, kind: KeyKind, algorithm: Cipher): KeyPart | undefined =>
  parts.find((part) => isFor(part, kind, algorithm))

/** How the check value of such a key is written in a message; `undefined`: it has none, or there is no such part. */
export const checkOf = (
  exchange: KeyExchange,
  kind: KeyKind,
  algorithm: Cipher
): { readonly method: "zeros" | "cmac"; readonly length: number } | undefined => {
  const check = partFor(exchange, kind, algorithm)?.check
  if (check === undefined) return undefined
  const length = check.length ?? 4
  return { method: check.method, length: check.form === "hex" ? length / 2 : length }
}

const positions = (bytes: Uint8Array, { form }: KeyPlace): Buffer =>
  form === "hex" ? Buffer.from(Buffer.from(bytes).toString("hex").toUpperCase(), "latin1") : Buffer.from(bytes)

/** A field's positions as they grow. */
const put = (all: Map<number, Buffer>, filler: number, de: number, at: number, bytes: Buffer): void => {
  const old = all.get(de) ?? Buffer.alloc(0)
  const grown = Buffer.alloc(Math.max(old.length, at + bytes.length), filler)
  old.copy(grown)
  bytes.copy(grown, at)
  all.set(de, grown)
}

const codesOf = <Meaning extends string>(
  said: Meaning | KeyStatement<Meaning> | undefined,
  meaning: Meaning
): { readonly de: number; readonly at: number; readonly value: string } | undefined => {
  if (said === undefined || typeof said === "string") return undefined
  const value = Object.entries(said.values).find(([, one]) => one === meaning)?.[0]
  return value === undefined ? undefined : { de: said.de, at: said.at, value }
}

/**
 * The fields of a message of ours but for those that the link knows: its code, what it asks for, and the keys, where it brings
 * some. `undefined`: the message has no place for such a key.
 */
export const keyFields = (
  layout: Layout,
  exchange: KeyExchange,
  { code, fields, values }: KeyMessage,
  kind: KeyKind,
  algorithm: Cipher,
  keys: ReadonlyArray<GivenKey> = []
): { readonly [de: number]: string | Uint8Array } | undefined => {
  const all = new Map<number, Buffer>()
  const fillerOf = (de: number): number => (layout.fields[de]?.bytes === true ? 0 : 0x30)
  const write = (de: number, at: number, text: string | Buffer): void =>
    put(all, fillerOf(de), de, at, typeof text === "string" ? Buffer.from(text, "latin1") : text)
  for (const [de, value] of Object.entries(values ?? {})) write(Number(de), 0, value)
  for (const key of keys) {
    const part = partFor(exchange, key.kind, key.algorithm)
    const bytes = part === undefined ? undefined : positions(key.bytes, part)
    if (part === undefined || bytes === undefined || bytes.length > (part.length ?? bytes.length)) return undefined
    if (part.begins !== undefined) write(part.de, 0, part.begins)
    write(part.de, part.at, bytes)
    const check = checkOf(exchange, key.kind, key.algorithm)
    if (part.check === undefined || check === undefined) continue
    write(part.check.de, part.check.at, positions(key.check(check.method, check.length), part.check))
  }
  for (const said of [codesOf(exchange.kind, kind), codesOf(exchange.algorithm, algorithm), { at: 0, ...code }]) {
    if (said !== undefined) write(said.de, said.at, said.value)
  }
  const result: { [de: number]: string | Uint8Array } = {}
  for (const de of new Set([...all.keys(), ...fields])) {
    const field = layout.fields[de]
    const text = all.get(de)
    if (field === undefined || (text === undefined && !(field.bytes && field.fixed >= 0))) continue
    const length = field.fixed >= 0 ? field.units : (text?.length ?? 0)
    const whole = Buffer.alloc(Math.max(length, text?.length ?? 0), fillerOf(de))
    text?.copy(whole)
    result[de] = field.bytes ? whole : whole.toString("latin1")
  }
  return result
}
