/**
 * Totals of a business day as a message says them, held against others; and its answer. Pure. Where each count and sum is, is
 * the dialect's (`Dialect.reconciliation`).
 */
import {
  type Codec,
  type MessageIndex,
  PatchList,
  type Reconciliation,
  responseMti,
  type Totals,
  totalsKinds,
  totalsNet,
  totalsSums
} from "@jinka/codec"

/** A count or sum that is not the same on both sides. */
export interface Different {
  /** As the dialect's field is called. */
  readonly name: string
  readonly theirs: number
  readonly ours: number
}

/** What came of a comparison; `none`: the message says no totals. */
export type Compared = { readonly count: number; readonly different: ReadonlyArray<Different> } | "none"

/** Holds the totals of a message against ours, as far as it says any. */
export const compared = (
  { layout }: Codec,
  { net, totals }: Reconciliation,
  index: MessageIndex,
  ours: Totals
): Compared => {
  const said: Array<Different> = []
  const say = (de: number | undefined, value: number, read: (text: string) => number) => {
    if (de !== undefined && index.has(de))
      said.push({ name: layout.fields[de]!.name, theirs: read(index.text(de)), ours: value })
  }
  for (const kind of totalsKinds) for (const sum of totalsSums) say(totals[kind]?.[sum], ours[kind][sum], Number)
  const signed = (text: string) => Number(text.slice(1)) * (text.startsWith(net!.positive) ? 1 : -1)
  say(net?.de, totalsNet(ours), signed)
  return said.length === 0 ? "none" : { count: said.length, different: said.filter((one) => one.theirs !== one.ours) }
}

const patches = new PatchList()

/** The answer: the message's own totals, and what came of the comparison. */
export const totalsAnswer = (
  codec: Codec,
  { outcome }: Reconciliation,
  index: MessageIndex,
  what: "inBalance" | "outOfBalance" | "notKnown"
): Buffer => {
  const { answers, roles } = codec.layout
  const { field } = outcome
  patches.clear()
  patches.mti(responseMti(index.mti))
  patches.set(roles.responseCode, field === undefined ? outcome[what] : answers.approved)
  if (field !== undefined) patches.set(field, outcome[what])
  patches.answer()
  return codec.patched(index, patches)
}
