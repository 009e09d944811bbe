/**
 * Traffic that was captured elsewhere: a pcap file, or what `jinka trace --json` tells of a journal.
 *
 * Owns reading both into lines of traffic, card data made safe. Of a journal card data is covered already: with a key the covered
 * digits are drawn, so that the check digit is right; covered fields that are no card number are left out. Pure.
 */
import { createHmac } from "node:crypto"
import { type Codec, Framer, isMessageError, isResponse, messageFromJson } from "@jinka/codec"
import { Schema } from "effect"
import { hasLuhn } from "../chance/Cards.ts"
import type { WireFormat } from "../dialogue/WireFormat.ts"
import { segmentsOf } from "./Pcap.ts"
import { lineOf, type TrafficLine } from "./Traffic.ts"

/** What came of reading a capture. */
export interface Imported {
  readonly lines: ReadonlyArray<TrafficLine>
  /** What could not be read, in sentences. */
  readonly says: ReadonlyArray<string>
}

/** Messages of all connections to `port`, in the order of their last bytes. Throws `CaptureInvalid`. */
export const linesOfPcap = (file: Buffer, port: number, form: WireFormat, key: Uint8Array | undefined): Imported => {
  const lines: Array<TrafficLine> = []
  const says: Array<string> = []
  const framers = new Map<string, Framer | undefined>()
  const connections = new Map<string, number>()
  for (const { at, bytes, from, to } of segmentsOf(file, port, (what) => says.push(what))) {
    const isToTarget = to.endsWith(`:${port}`)
    const caller = isToTarget ? from : to
    const connection = connections.get(caller) ?? connections.size + 1
    connections.set(caller, connection)
    const stream = `${from} ${to}`
    if (!framers.has(stream)) framers.set(stream, new Framer(form.frame))
    const direction = isToTarget ? "toTarget" : "fromTarget"
    const error = framers.get(stream)?.push(bytes, {
      frame: (buffer, start, end) => {
        const message = Buffer.from(buffer.subarray(start, end))
        lines.push(lineOf(form.codec, message, { at, connection, direction }, key))
      },
      idle: () => undefined
    })
    if (error === undefined) continue
    framers.set(stream, undefined)
    says.push(`connection ${connection}, ${direction}: what follows is no frame of this kind (${error._tag})`)
  }
  for (const [stream, framer] of framers) {
    const open = framer?.open ?? 0
    if (open > 0) says.push(`${stream.replace(" ", " to ")}: it ends with ${open} bytes of a message that is not whole`)
  }
  return { lines, says }
}

const TracedEntry = Schema.Struct({
  at: Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\dT/)),
  fields: Schema.Array(Schema.Struct({ id: Schema.String, value: Schema.String }))
})
type TracedEntry = typeof TracedEntry.Type

const Traced = Schema.Struct({
  exchanges: Schema.Array(Schema.Struct({ exchange: Schema.Finite, entries: Schema.Array(TracedEntry) }))
})
type Traced = typeof Traced.Type

/** A card number whose covered digits are drawn: the same for the same mask and key, with a right check digit. */
const uncovered = (masked: string, key: Uint8Array): string => {
  const hash = createHmac("sha256", key).update(masked).digest()
  let at = 0
  const drawn = masked.replaceAll("*", () => String(hash[at++ % hash.length]! % 10))
  const place = masked.lastIndexOf("*")
  for (let digit = 0; digit < 10; digit++) {
    const tried = drawn.slice(0, place) + String(digit) + drawn.slice(place + 1)
    if (hasLuhn(tried)) return tried
  }
  return drawn
}

const messageOf = (codec: Codec, { fields }: TracedEntry, key: Uint8Array | undefined): Buffer | undefined => {
  const values: Record<string, string> = {}
  const header: Record<string, string> = {}
  let mti = ""
  for (const { id, value } of fields) {
    if (id === "mti") mti = value
    else if (id.startsWith("header.")) header[id.slice("header.".length)] = value
    else if (/^\d{1,3}$/.test(id)) {
      const isPan = Number(id) === codec.layout.roles.pan
      if (!value.includes("*")) values[id] = value
      else if (isPan && key !== undefined) values[id] = uncovered(value, key)
    }
  }
  const total = codec.layout.header?.total?.name
  if (total !== undefined) delete header[total]
  const message = messageFromJson(codec, {
    mti,
    fields: values,
    ...(codec.layout.header === undefined ? {} : { header })
  })
  const bytes = isMessageError(message) ? message : codec.encode(message)
  return isMessageError(bytes) ? undefined : bytes
}

/** The requests and answers of `jinka trace --json`, each once. */
export const linesOfTrace = (traced: Traced, { codec }: WireFormat, key: Uint8Array | undefined): Imported => {
  const lines: Array<TrafficLine> = []
  const says: Array<string> = []
  for (const { entries, exchange } of traced.exchanges) {
    const seen = new Set<string>()
    for (const entry of entries) {
      const mti = entry.fields.find(({ id }) => id === "mti")?.value ?? ""
      if (!/^\d{4}$/.test(mti) || seen.has(mti)) continue
      seen.add(mti)
      const message = messageOf(codec, entry, key)
      if (message === undefined) {
        says.push(`exchange ${exchange}: its ${mti} cannot be made of what the journal shows`)
        continue
      }
      const direction = isResponse(Number(mti)) ? "fromTarget" : "toTarget"
      const line = lineOf(codec, message, { at: Date.parse(entry.at), connection: 1, direction }, undefined)
      // Its card is a drawn one already: it stays as it is.
      lines.push(
        key === undefined ? line : { ...line, cards: "recarded", bytes: message.toString("hex").toUpperCase() }
      )
    }
  }
  return { lines: lines.sort((one, other) => one.at - other.at), says }
}

/** Whether a value is what `jinka trace --json` prints. */
export const isTraced: (value: unknown) => value is Traced = Schema.is(Traced)
