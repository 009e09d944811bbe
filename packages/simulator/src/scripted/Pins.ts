/**
 * PINs of a partner's cards: opens the block of a request with the partner's key and compares. Owns how many wrong ones were
 * given in a row; never says a digit of one.
 */
import type { Observed } from "../dialogue/Observed.ts"
import type { Zone } from "./keys/Zone.ts"
import type { PartnerPlan } from "./PartnerPlan.ts"

/** What a PIN is refused for. `pinUnreadable`: the block is not one under this key and for this card. */
export type PinRule = "pinUnreadable" | "wrongPin" | "tooManyPins"

/** Looks at PIN blocks. */
export class Pins {
  private readonly wrong = new Map<string, number>()

  /** Why the request is refused; `undefined`: its PIN is right, or it has none, or the account has none. */
  judge({ accounts }: PartnerPlan, zone: Zone, message: Observed, card: string): PinRule | undefined {
    const { pin, pinTries } = accounts.cards.get(card) ?? accounts.others ?? {}
    const came = zone.pin(message, card)
    if (came === undefined) return undefined
    if (!came.isReadable) return "pinUnreadable"
    if (pin === undefined) return undefined
    const before = this.wrong.get(card) ?? 0
    if (before >= (pinTries ?? before + 1)) return "tooManyPins"
    if (came.pin === pin) {
      this.wrong.delete(card)
      return undefined
    }
    this.wrong.set(card, before + 1)
    return "wrongPin"
  }
}
