/**
 * The answers that are on their way to disk and to their origins and not known to be delivered, by the number of their exchange.
 *
 * Each answer comes in here and leaves again within a turn or two. The slots themselves are the chains, so that costs no
 * allocation and no garbage: a `Map` takes 160 ns for both and is rebuilt whenever enough has been deleted from it.
 */
import type { Slot } from "./Outstanding.ts"

/** Chains at first; doubled whenever there are as many answers. */
const CHAINS_MIN = 64

/** See above. */
export class AnswersUnderWay {
  private chains: Array<Slot | undefined> = new Array<Slot | undefined>(CHAINS_MIN).fill(undefined)
  private count = 0

  /** The answer in the slot is what a repeat gets, too. */
  add(slot: Slot): void {
    if (this.count === this.chains.length) this.grow()
    this.count++
    this.link(slot)
  }

  /** It is known what became of it. */
  delete(slot: Slot): void {
    const at = this.chainOf(slot.exchange)
    if (this.chains[at] === slot) this.chains[at] = slot.chained
    else {
      let before = this.chains[at]
      while (before !== undefined && before.chained !== slot) before = before.chained
      if (before === undefined) return
      before.chained = slot.chained
    }
    slot.chained = undefined
    this.count--
  }

  /** The slot of the exchange whose answer is under way. */
  of(exchange: number): Slot | undefined {
    let slot = this.chains[this.chainOf(exchange)]
    while (slot !== undefined && slot.exchange !== exchange) slot = slot.chained
    return slot
  }

  /** For how many `is` holds. Looks at every one. */
  countOf(is: (slot: Slot) => boolean): number {
    let count = 0
    for (let slot of this.chains) for (; slot !== undefined; slot = slot.chained) if (is(slot)) count++
    return count
  }

  /** Exchanges are numbered one behind the other: the last bits divide them evenly. */
  private chainOf(exchange: number): number {
    return (exchange >>> 0) & (this.chains.length - 1)
  }

  private link(slot: Slot): void {
    const at = this.chainOf(slot.exchange)
    slot.chained = this.chains[at]
    this.chains[at] = slot
  }

  private grow(): void {
    const old = this.chains
    this.chains = new Array<Slot | undefined>(2 * old.length).fill(undefined)
    for (const first of old)
      for (let slot = first; slot !== undefined; ) {
        const next = slot.chained
        this.link(slot)
        slot = next
      }
  }
}
