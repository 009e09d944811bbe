/** The eleven floods of the neighbour bench: what is sent, and how often. */
import { bins, institutions, Template } from "./Messages.ts"

/** Messages a second that a flood offers, unless it says otherwise; what is not read of it waits in its socket. */
export const FLOOD_PER_SECOND = 20_000

/** The same of what is stored and sent on by itself: each is twice as much work as a purchase. */
const STORED_PER_SECOND = 10_000

const me = institutions.flood
const purchase = (bin: string) => new Template(me, bin)
const reversal = new Template(me, bins.shared, "0420", {
  90: `02000000011122101530${me.padStart(11, "0")}${me.padStart(11, "0")}`
})

/** Bytes in a good frame that are no message. */
const garbage = {
  bytes: Buffer.from("00240200FFFFFFFFxxxxxxxxxxxx"),
  write: (out: Buffer, at: number) => at + garbage.bytes.copy(out, at)
}

type Source = Pick<Template, "bytes" | "write">

/** What each of them sends; `perSecond`: {@link FLOOD_PER_SECOND} when left out. */
export const floods: {
  readonly [name: string]: { readonly source: Source; readonly perSecond?: number; readonly isSame?: true }
} = {
  "purchases to the same issuer": { source: purchase(bins.shared) },
  "purchases without a route": { source: purchase(bins.nowhere) },
  "purchases to a silent issuer": { source: purchase(bins.silent) },
  "purchases to a slow issuer": { source: purchase(bins.slow) },
  "advices to the same issuer": { source: new Template(me, bins.shared, "0220"), perSecond: STORED_PER_SECOND },
  "made-up reversals": { source: reversal, perSecond: STORED_PER_SECOND },
  "one request repeated, 500 a second": { source: purchase(bins.shared), perSecond: 500, isSame: true },
  "one request repeated": { source: purchase(bins.shared), isSame: true },
  "answers to nothing": { source: new Template(me, bins.shared, "0210", { 39: "00" }) },
  "unreadable messages": { source: garbage },
  echoes: { source: new Template(me, bins.shared, "0800", { 70: "301" }) }
}
