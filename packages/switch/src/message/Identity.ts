/** Whether a message says enough of itself to be told from every other. Pure. */
import { type Codec, type MessageIndex, matchFields } from "@jinka/codec"
import { isUnclear } from "./Reversal.ts"

/** Whether the field, which is there, has only digits in it where the dialect has digits. */
const isGood = ({ layout }: Codec, index: MessageIndex, de: number): boolean =>
  layout.fields[de]?.content !== "n" || !Number.isNaN(index.number(de))

/** What has to be good in a message of the transactions, or of network management. */
interface Identifying {
  /** Fields of its key: they have to be there. */
  readonly key: ReadonlyArray<number>
  /** Other fields that a reversal has to name it by, where they are there. */
  readonly named: ReadonlyArray<number>
}

const identifying = (key: ReadonlyArray<number>, parts: ReadonlyArray<{ readonly de: number }>): Identifying => ({
  key,
  named: [...new Set(parts.map(({ de }) => de))].filter((de) => !key.includes(de))
})

/** Says of the messages of one codec whether they are identified. */
export class Identity {
  private readonly codec: Codec
  private readonly transaction: Identifying
  private readonly management: Identifying
  private readonly hasOriginals: boolean

  constructor(codec: Codec) {
    const { match, reversal } = codec.dialect
    const parts = reversal?.originalData.parts ?? []
    this.codec = codec
    this.transaction = identifying(match.transaction, parts)
    this.management = identifying(match.networkManagement, parts)
    this.hasOriginals = reversal !== undefined
  }

  /**
   * Whether the message has every data element of its key (without one, two messages could be taken for each other, G6), and in
   * digits what a reversal has to name it by; and whether what it says of its original can be read, if it says anything. The
   * index has not looked into the fields.
   */
  has(index: MessageIndex): boolean {
    const { codec } = this
    const isTransaction = matchFields(codec.dialect, index.mti) === codec.dialect.match.transaction
    const { key, named } = isTransaction ? this.transaction : this.management
    for (let i = 0; i < key.length; i++) if (!index.has(key[i]!) || !isGood(codec, index, key[i]!)) return false
    if (this.hasOriginals && isUnclear(codec.layout, index)) return false
    for (let i = 0; i < named.length; i++) {
      if (index.has(named[i]!) && !isGood(codec, index, named[i]!)) return false
    }
    return true
  }
}
