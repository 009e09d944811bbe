/** Two connections that are one link (async-simplex): up when both are, down when either falls. Owns which two are a pair. */

/** The direction of a leg, as we see it. */
export type LegName = "sends" | "receives"

/** What a pair of legs does with its connections, and tells. */
export interface LegsOwner<Leg> {
  readonly joined: (sends: Leg, receives: Leg) => void
  readonly parted: (reason: string) => void
  readonly close: (leg: Leg, reason: string) => void
}

/** A pair of legs; see the module header. */
export class Legs<Leg> {
  private readonly owner: LegsOwner<Leg>
  private readonly up = new Map<LegName, Leg>()
  private isJoined = false

  constructor(owner: LegsOwner<Leg>) {
    this.owner = owner
  }

  /** A connection of this leg is up. It takes the place of an earlier one, whose pair is over. */
  came(name: LegName, leg: Leg): void {
    const before = this.up.get(name)
    this.up.set(name, leg)
    if (before !== undefined) {
      this.part("a second connection")
      this.owner.close(before, "a second connection")
    }
    const [sends, receives] = [this.up.get("sends"), this.up.get("receives")]
    if (sends === undefined || receives === undefined) return
    this.isJoined = true
    this.owner.joined(sends, receives)
  }

  /** A connection fell. The other leg of its pair is closed. */
  fell(name: LegName, leg: Leg, reason: string): void {
    if (this.up.get(name) !== leg) return
    this.up.delete(name)
    if (!this.isJoined) return
    const other = this.up.get(name === "sends" ? "receives" : "sends")
    this.part(reason)
    if (other !== undefined) this.owner.close(other, "the other leg fell")
  }

  private part(reason: string): void {
    if (!this.isJoined) return
    this.isJoined = false
    this.owner.parted(reason)
  }
}
