/**
 * What the search index reads out of journalled messages: STAN and RRN for a person's search, and what a partner asked, for its
 * repeats. With `Asked`, the only place of the journal that reads messages.
 */
import { cups, type Dialect, iso8583v1987Ascii, iso8583v1987AsciiRaw, MessageIndex } from "@jinka/codec/reading"
import { type AskedOf, askedOf, codecsOf } from "./Asked.ts"
import { noSearchKeys } from "./IndexedKeys.ts"
import type { KeysOf } from "./JournalStore.ts"

/** Both readings. */
export interface Readings {
  readonly keysOf: KeysOf
  readonly askedOf: AskedOf
}

/** Reads with the codec: the built-in dialects and those given, by name. A message in any other has no keys. */
export const readingsOf = (dialects: Readonly<Record<string, Dialect>>): Readings => {
  const known = new Map<string, Dialect>()
  for (const dialect of [cups, iso8583v1987Ascii, iso8583v1987AsciiRaw]) known.set(dialect.name, dialect)
  for (const [name, dialect] of Object.entries(dialects)) known.set(name, dialect)
  const dialectOf = (name: string) => known.get(name)
  const codecOf = codecsOf(dialectOf)
  const index = new MessageIndex()
  const keysOf: KeysOf = (name, message) => {
    const codec = codecOf(name)
    if (codec === undefined || codec.index(message, 0, message.length, index) !== undefined) return noSearchKeys
    const { roles } = codec.layout
    const stan = index.has(roles.stan) ? index.number(roles.stan) : -1
    return {
      stan: Number.isSafeInteger(stan) && stan >= 0 ? stan : -1,
      rrn: index.text(roles.rrn).trim()
    }
  }
  return { keysOf, askedOf: askedOf(codecOf, dialectOf) }
}
