/**
 * STAN and RRN of a journalled message, for the search index. The only place of the journal that reads messages.
 */
import {
  type Codec,
  compile,
  cups,
  type Dialect,
  iso8583v1987Ascii,
  iso8583v1987AsciiRaw,
  MessageIndex
} from "@jinka/codec"
import { type KeysOf, noSearchKeys } from "./JournalStore.ts"

/** Reads keys with the codec: the built-in dialects and those given, by name. A name that is neither has no keys. */
export const searchKeysOf = (dialects: Readonly<Record<string, Dialect>>): KeysOf => {
  const known = new Map<string, Dialect>()
  for (const dialect of [cups, iso8583v1987Ascii, iso8583v1987AsciiRaw]) known.set(dialect.name, dialect)
  for (const [name, dialect] of Object.entries(dialects)) known.set(name, dialect)
  const codecs = new Map<string, Codec>()
  const index = new MessageIndex()
  return (name, message) => {
    let codec = codecs.get(name)
    if (codec === undefined) {
      const dialect = known.get(name)
      if (dialect === undefined) return noSearchKeys
      codec = compile(dialect)
      codecs.set(name, codec)
    }
    if (codec.index(message, 0, message.length, index) !== undefined) return noSearchKeys
    const { roles } = codec.layout
    const stan = index.has(roles.stan) ? index.number(roles.stan) : -1
    return {
      stan: Number.isSafeInteger(stan) && stan >= 0 ? stan : -1,
      rrn: index.text(roles.rrn).trim()
    }
  }
}
