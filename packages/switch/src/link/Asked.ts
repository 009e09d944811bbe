/**
 * Our network management requests that have no answer yet, and which of them an answer of the partner belongs to.
 *
 * An answer belongs to a request when its message type is the request's answer and every key field (`match.networkManagement` of
 * the dialect) that both carry is equal; the STAN must be there where it is a key field. Anything else is nobody's answer: it
 * proves nothing, and what differs is said in words. Pure.
 */
import { type Codec, type Dialect, type Message, type MessageIndex, mtiText, responseMti } from "@jinka/codec"
import type * as NetworkManagement from "../message/NetworkManagement.ts"

/** Requests of ours without an answer that are remembered; the oldest is forgotten first. */
const ASKED_MAX = 8

/** The answer to a request that an operator asked for. */
export interface Answered {
  /** The response code. */
  readonly code: string
  readonly isAccepted: boolean
  /** Milliseconds from the request's writing to its answer. */
  readonly ms: number
}

/** One request of ours. */
export interface Asked {
  readonly what: NetworkManagement.Meaning
  /** MTI as a number. */
  readonly mti: number
  /** Its key fields as they were sent, by data element. */
  readonly key: ReadonlyMap<number, string>
  /** Monotonic milliseconds of its writing. */
  readonly at: number
  /** Who waits for the answer besides the link itself. */
  readonly told: ((answer: Answered, index: MessageIndex) => void) | undefined
}

/** A request as it is remembered. */
export const askedOf = (
  dialect: Dialect,
  what: NetworkManagement.Meaning,
  { mti, fields }: Message,
  at: number,
  told: Asked["told"]
): Asked => {
  const key = new Map<number, string>()
  for (const de of dialect.match.networkManagement) if (fields[de] !== undefined) key.set(de, String(fields[de]))
  return { what, mti: Number(mti), key, at, told }
}

/** A value for a sentence: only what is no card data, and short. */
const shown = ({ layout }: Codec, de: number, value: string): string =>
  layout.fields[de]?.sensitivity === "none" && value.length <= 12 ? ` is ${value}` : " differs"

/** What keeps `index` from being the answer to `asked`, one phrase for each difference; empty: it is its answer. */
export const misfits = (codec: Codec, asked: Asked, index: MessageIndex): ReadonlyArray<string> => {
  const found: Array<string> = []
  // A reject of the centre brings our own message back.
  const wanted = index.rejectCode === 0 ? responseMti(asked.mti) : asked.mti
  if (index.mti !== wanted) found.push(`its MTI is ${mtiText(index.mti)}, not ${mtiText(wanted)}`)
  for (const [de, ours] of asked.key) {
    const said = index.has(de) ? index.text(de) : undefined
    if (said === undefined && de === codec.layout.roles.stan) found.push(`DE ${de} is missing`)
    else if (said !== undefined && said !== ours) {
      const value = shown(codec, de, said)
      found.push(value === " differs" ? `DE ${de} differs` : `DE ${de}${value}, not ${ours}`)
    }
  }
  return found
}

/** What an answer is: of which request, or how it differs from the one that it resembles most. */
export type Found =
  | { readonly _tag: "of"; readonly asked: Asked }
  | { readonly _tag: "none"; readonly nearest: Asked | undefined; readonly why: string }

/** The requests of one connection. */
export class AskedList {
  private readonly codec: Codec
  private list: Array<Asked> = []

  constructor(codec: Codec) {
    this.codec = codec
  }

  /** Remembers one. */
  add(asked: Asked): void {
    this.list.push(asked)
    if (this.list.length > ASKED_MAX) this.list.shift()
  }

  /** Finds the request that an answer belongs to, and forgets it. */
  take(index: MessageIndex): Found {
    let nearest: Asked | undefined
    let least: ReadonlyArray<string> = []
    for (const asked of this.list) {
      const differing = misfits(this.codec, asked, index)
      if (differing.length === 0) {
        this.list = this.list.filter((one) => one !== asked)
        return { _tag: "of", asked }
      }
      if (nearest === undefined || differing.length <= least.length) {
        nearest = asked
        least = differing
      }
    }
    return { _tag: "none", nearest, why: nearest === undefined ? "nothing was asked" : least.join(", ") }
  }
}
