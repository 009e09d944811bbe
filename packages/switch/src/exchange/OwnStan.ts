/**
 * STANs of our own: what a request is called on a link where many callers meet, whose STANs may be the same.
 *
 * The STAN follows from the exchange's number, so nothing has to be remembered: a restart, a reversal and a late answer find the
 * same one. The caller never sees it; the answer gets its own back. Recent numbers do not meet: 999,999 entries lie between two
 * equal STANs, and the transmission time stands in the key beside it.
 */
import { type Codec, MessageIndex, PatchList } from "@jinka/codec"
import { pad } from "../link/Stamp.ts"
import * as Reversal from "./Reversal.ts"

/** DE 11. */
export const STAN = 11

/** The STAN of an exchange, as DE 11 writes it. */
export const stanOf = (exchange: number): string => pad(Reversal.stanOf(exchange), 6)

/** Makes copies of messages with another STAN. Each copy holds until the next one is made. */
export class OwnStan {
  private readonly index = new MessageIndex()
  private readonly patches = new PatchList()
  private bytes = Buffer.allocUnsafeSlow(1024)

  /** The message of `index` with this STAN in DE 11; the message itself when it has no DE 11. */
  with(codec: Codec, index: MessageIndex, stan: string): MessageIndex {
    if (!index.has(STAN)) return index
    this.patches.clear()
    this.patches.set(STAN, stan)
    const length = codec.patchedLength(index, this.patches)
    if (length > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(2 * length)
    codec.index(this.bytes, 0, codec.patch(index, this.patches, this.bytes, 0), this.index)
    return this.index
  }
}
