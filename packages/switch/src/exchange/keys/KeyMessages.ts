/**
 * The messages by which keys are exchanged, made and read: what we ask, what we give, what we answer, and their MACs. It reads
 * them out of copies, because a security module may take its time. Pure but for the module's MACs.
 */
import {
  type Cipher,
  type Codec,
  type GivenKey,
  isMessageError,
  type KeyExchange,
  type KeyKind,
  type KeyMessage,
  keyFields,
  type MacAlgorithm,
  type Message,
  MessageIndex,
  macAlgorithms,
  PatchList,
  responseMti
} from "@jinka/codec"
import { Effect } from "effect"
import type { KeyHandle } from "../../guard/KeyHandle.ts"
import { fieldOfMac, readMac, setMac } from "../../guard/MacField.ts"
import { MacText } from "../../guard/MacText.ts"
import { type ModuleError, moduleError } from "../../guard/ModuleError.ts"
import type { SharedModule } from "../../guard/SharedModule.ts"
import type { LinkSettings } from "../../link/Settings.ts"
import { ownMessage } from "../../message/NetworkManagement.ts"

/** The MAC that a key of each cipher makes in a key message: ANSI X9.9 and X9.19 for DES, of a single or a double key. */
const algorithms: Record<Cipher, MacAlgorithm> = {
  des: macAlgorithms["ansi-x9.9"],
  tdes: macAlgorithms["ansi-x9.19"],
  aes: macAlgorithms["aes-cmac"],
  sm4: macAlgorithms["sm4-cbc"]
}

/** A message out of its bytes, in memory of its own. */
export const indexOf = (codec: Codec, bytes: Buffer): MessageIndex => {
  const index = new MessageIndex()
  const wrong = codec.index(bytes, 0, bytes.length, index)
  if (wrong !== undefined) throw new Error(`a key message of ours is wrong: ${wrong._tag}`)
  return index
}

/** The rules of the MACs of key messages on a link; `undefined`: they have none. */
const rulesOf = ({ codec }: LinkSettings, { mac }: KeyExchange) => {
  const rules = codec.layout.dialect.security?.mac
  if (mac === undefined || rules === undefined) return undefined
  return { ...rules, fields: mac.fields ?? rules.fields, isZeroed: false, isHexText: false }
}

const text = new MacText()

/** What the MAC of a key message covers, in memory of its own. */
const coveredBy = (codec: Codec, rules: NonNullable<ReturnType<typeof rulesOf>>, index: MessageIndex): Buffer => {
  text.take(codec.layout, rules, index)
  return Buffer.from(text.buffer.subarray(text.from, text.to))
}

/** `bytes` with a MAC under `key`. */
export const withMac = (
  module: SharedModule,
  settings: LinkSettings,
  exchange: KeyExchange,
  bytes: Buffer,
  key: KeyHandle
): Effect.Effect<Buffer, ModuleError> =>
  Effect.suspend(() => {
    const { codec } = settings
    const rules = rulesOf(settings, exchange)
    const index = indexOf(codec, bytes)
    const de = rules === undefined ? 0 : fieldOfMac(codec.layout, rules.field, index)
    if (rules === undefined || codec.layout.fields[de] === undefined) return Effect.succeed(bytes)
    const patches = new PatchList()
    const put = (mac: Buffer): Buffer => {
      patches.clear()
      setMac(codec.layout, rules, de, mac, patches)
      return codec.patched(index, patches)
    }
    const covered = coveredBy(codec, rules, indexOf(codec, put(Buffer.alloc(rules.bytes))))
    return Effect.map(module.macOf(algorithms[key.algorithm], key, covered, rules.bytes), put)
  })

/** What the MAC of a received key message says: it is of the first key that fits, of none, or not there. */
export const macFits = (
  module: SharedModule,
  settings: LinkSettings,
  exchange: KeyExchange,
  index: MessageIndex,
  keys: ReadonlyArray<KeyHandle>
): Effect.Effect<"right" | "wrong" | "missing", ModuleError> =>
  Effect.gen(function* () {
    const rules = rulesOf(settings, exchange)
    if (rules === undefined || !index.has(fieldOfMac(settings.codec.layout, rules.field, index))) return "missing"
    const mac = readMac(settings.codec.layout, rules, index)
    if (mac === undefined) return "wrong"
    const received = Buffer.from(mac)
    const covered = coveredBy(settings.codec, rules, index)
    for (const key of keys) {
      if (yield* module.proves(algorithms[key.algorithm], key, covered, received)) return "right"
    }
    return "wrong"
  })

const encoded = (settings: LinkSettings, message: Message, what: string): Buffer | ModuleError => {
  const bytes = settings.codec.encode(message)
  return isMessageError(bytes)
    ? moduleError("NotSupported", what, `the dialect ${settings.dialect.name} cannot write it: ${bytes._tag}`)
    : bytes
}

/** A message of ours: it asks for keys, or brings them. */
export const keyMessage = (
  settings: LinkSettings,
  exchange: KeyExchange,
  message: KeyMessage,
  kind: KeyKind,
  algorithm: Cipher,
  keys: ReadonlyArray<GivenKey>,
  stan: number,
  now: number
): Message | ModuleError => {
  const fields = keyFields(settings.codec.layout, exchange, message, kind, algorithm, keys)
  if (fields === undefined) {
    return moduleError("NotSupported", exchange.name, `the exchange has no place for a ${algorithm} key for ${kind}`)
  }
  return ownMessage(settings, message.mti, message.fields, fields, stan, now)
}

/** The bytes of a message of ours, with its MAC where `key` makes one. */
export const sealedMessage = (
  module: SharedModule,
  settings: LinkSettings,
  exchange: KeyExchange,
  message: Message,
  key: KeyHandle | undefined
): Effect.Effect<Buffer, ModuleError> =>
  Effect.suspend(() => {
    const bytes = encoded(settings, message, exchange.name)
    if (!Buffer.isBuffer(bytes)) return Effect.fail(bytes)
    return key === undefined ? Effect.succeed(bytes) : withMac(module, settings, exchange, bytes, key)
  })

/** The answer to a key message, without a MAC: what `fields` names of it, with response code `code`, and `more`. */
export const answerTo = (
  { codec }: LinkSettings,
  index: MessageIndex,
  fields: ReadonlyArray<number>,
  code: string,
  more: { readonly [de: number]: string | Uint8Array } = {}
): Buffer => {
  const patches = new PatchList()
  patches.mti(responseMti(index.mti))
  for (const { de } of codec.layout.defined) if (index.has(de) && !fields.includes(de)) patches.remove(de)
  for (const [de, value] of Object.entries(more)) patches.set(Number(de), value)
  patches.set(codec.layout.roles.responseCode, code)
  patches.answer()
  return codec.patched(index, patches)
}
