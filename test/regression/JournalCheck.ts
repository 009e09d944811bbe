/**
 * What must hold of a journal after any dialogue: every request that was accepted has exactly one end, nothing that is stored
 * ends twice, the chain is whole, and no file of it holds card data of the dialogue in any form.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import type { CardDatum } from "../../packages/simulator/src/dialogue/index.ts"
import type { Entry } from "../../packages/switch/src/journal/Entry.ts"
import { EntryKind, entryKindName } from "../../packages/switch/src/journal/EntryKind.ts"
import { openReadOnly } from "../../packages/switch/src/journal/JournalReader.ts"
import { testKey } from "./System.ts"

const requestEnds: ReadonlySet<number> = new Set([EntryKind.answered, EntryKind.timedOut, EntryKind.notSent])
const storedEnds: ReadonlySet<number> = new Set([EntryKind.acknowledged, EntryKind.abandoned, EntryKind.declined])

const named = (entries: ReadonlyArray<Entry>): string =>
  entries.length === 0 ? "none" : entries.map(({ code, kind }) => `${entryKindName(kind)} "${code}"`).join(" and ")

/** What is wrong with the ends of the exchanges. */
export const endFindings = (entries: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  const byExchange = Map.groupBy(entries, ({ exchange, seq }) => (exchange === 0 ? seq : exchange))
  return entries.flatMap((entry) => {
    const own = byExchange.get(entry.exchange === 0 ? entry.seq : entry.exchange) ?? []
    if (entry.kind === EntryKind.accepted) {
      const ends = own.filter(({ kind }) => requestEnds.has(kind))
      return ends.length === 1 ? [] : [`request ${entry.seq} has ${ends.length} ends, not one: ${named(ends)}`]
    }
    if (entry.kind !== EntryKind.queued) return []
    const ends = own.filter(({ kind }) => storedEnds.has(kind))
    return ends.length <= 1 ? [] : [`stored message ${entry.seq} has ${ends.length} ends: ${named(ends)}`]
  })
}

/** The forms in which bytes may have been written. Base64 in each of its three alignments, without the ends that vary. */
const formsOf = ({ bytes, name }: CardDatum): ReadonlyArray<readonly [string, Buffer]> => {
  const hex = bytes.toString("hex")
  const digits = bytes.toString("latin1")
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replace(/=+$/, "")
    return Buffer.from(text.slice(shift === 0 ? 0 : shift + 1, Math.floor((shift + bytes.length) / 3) * 4))
  })
  const packed = /^\d+$/.test(digits) ? [Buffer.from(digits.slice(0, digits.length & ~1), "hex")] : []
  return [
    [`${name} as it is`, bytes],
    [`${name} in hex`, Buffer.from(hex)],
    [`${name} in HEX`, Buffer.from(hex.toUpperCase())],
    ...packed.map((one) => [`${name} in BCD`, one] as const),
    ...base64.filter(({ length }) => length >= 10).map((one) => [`${name} in base64`, one] as const)
  ]
}

/** Card data found in the files of a directory. A field of zeros holds none. */
export const leaksIn = (directory: string, cardData: ReadonlyArray<CardDatum>): ReadonlyArray<string> =>
  readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const bytes = readFileSync(join(entry.parentPath, entry.name))
      return cardData
        .filter((datum) => datum.bytes.some((byte) => byte !== 0))
        .flatMap(formsOf)
        .filter(([, form]) => bytes.includes(form))
        .map(([form]) => `${entry.name} holds ${form}`)
    })

/** Everything that is wrong with the journal in `directory`; the switch must have stopped. */
export const journalFindings = (directory: string, cardData: ReadonlyArray<CardDatum>) =>
  Effect.gen(function* () {
    const journal = yield* openReadOnly(directory, { keys: [testKey] })
    const entries: Array<Entry> = []
    yield* journal.scan(1, (entry) => {
      entries.push(entry)
    })
    const { bad } = yield* journal.verify()
    const chain = bad === undefined ? [] : [`the chain is broken at ${bad.seq}: ${bad.why}`]
    return { entries, findings: [...endFindings(entries), ...chain, ...leaksIn(directory, cardData)] }
  }).pipe(Effect.scoped)
