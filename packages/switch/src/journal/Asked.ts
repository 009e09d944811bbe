/**
 * What a partner asked for, as repeats of it are found in the journal: the link that it came on, what it was, and its match key.
 *
 * The index has it for every entry that took a partner's message over (`accepted`, and `queued` for a partner), so that a
 * repeat is recognised long after memory has forgotten it. Pure but for the codecs that it makes.
 */
import { type Codec, compile, type Dialect, MessageIndex, mtiClass } from "@jinka/codec/reading"
import { EntryKind } from "./EntryKind.ts"
import type { Asked, AskedKind, NameRecord } from "./JournalStore.ts"
import { sourceOf } from "./Source.ts"

/** The same with DE 7 as a number, where the key has it; otherwise infinite: nothing in the key says when it was asked. */
export interface AskedAt extends Asked {
  readonly time: number
}

/** The kind of a message of the type `mti` that a partner sends. */
export const askedKind = (mti: number): AskedKind => {
  const kind = mtiClass(mti)
  return kind === "request" || kind === "reversal" ? kind : "advice"
}

/** An entry, as far as it matters here. */
export interface AskedEntry {
  readonly kind: number
  readonly code: string
  readonly message: Buffer
  /** The link that the entry is of. */
  readonly link: NameRecord
}

/** Reads what was asked out of entries. `undefined`: the entry took over no message of a partner, or it cannot be read. */
export type AskedOf = (entry: AskedEntry, dialectOf: (link: string) => string) => AskedAt | undefined

/** Room for one data element of a key: 999 bytes as hex. */
const FIELD_ROOM = 2000

/** Reads with the codecs of these dialects, by name. */
export const askedOf = (
  codecOf: (dialect: string) => Codec | undefined,
  dialects: (name: string) => Dialect | undefined
): AskedOf => {
  const index = new MessageIndex()
  let room = Buffer.alloc(FIELD_ROOM)
  return ({ kind, code, message, link }, dialectOf) => {
    if (kind !== EntryKind.accepted && kind !== EntryKind.queued) return undefined
    // A stored message is in the language of the link that it goes to; its key is one of the link that it came on.
    const source = kind === EntryKind.accepted ? { link: link.name, stan: undefined } : sourceOf(code)
    const codec = codecOf(link.dialect)
    if (source === undefined || codec === undefined) return undefined
    if (codec.index(message, 0, message.length, index) !== undefined) return undefined
    const dialect = dialects(kind === EntryKind.accepted ? link.dialect : dialectOf(source.link))
    if (dialect === undefined) return undefined
    const { networkManagement, transaction } = dialect.match
    const fields = mtiClass(index.mti) === "networkManagement" ? networkManagement : transaction
    const { stan, transmissionTime } = codec.layout.roles
    if (room.length < FIELD_ROOM * fields.length) room = Buffer.alloc(FIELD_ROOM * fields.length)
    const keyOf = (des: ReadonlyArray<number>) => room.toString("latin1", 0, codec.matchKey(index, des, room, 0))
    const { stan: said } = source
    const key = said === undefined ? keyOf(fields) : fields.map((de) => (de === stan ? said : keyOf([de]))).join("|")
    const time = fields.includes(transmissionTime) ? index.number(transmissionTime) : Number.NaN
    return {
      link: source.link,
      kind: askedKind(index.mti),
      key,
      time: Number.isNaN(time) ? Number.POSITIVE_INFINITY : time
    }
  }
}

/** Makes a codec for a dialect when it is first asked for. */
export const codecsOf = (dialects: (name: string) => Dialect | undefined): ((name: string) => Codec | undefined) => {
  const codecs = new Map<string, Codec>()
  return (name) => {
    const known = codecs.get(name)
    const dialect = known === undefined ? dialects(name) : undefined
    if (dialect === undefined) return known
    const codec = compile(dialect)
    codecs.set(name, codec)
    return codec
  }
}
