/**
 * The places of a listener for people and their programs, and who gives his up when they are taken: whoever has asked nothing for
 * longest, of the address that has most of them; then whoever has listened for longest to what goes on (a page in a browser asks
 * again by itself). So neither connections that say nothing nor open pages keep out who asks whether the switch lives. Pure.
 */

/** One connection. */
interface Place {
  readonly address: string
  readonly abort: () => void
  /** Requests under way. */
  busy: number
  /** One of them goes on for as long as its asker listens. */
  listens: boolean
}

/** The places of one listener. */
export class Places<Key> {
  /** Whoever was idle longest comes first. */
  private readonly taken = new Map<Key, Place>()
  private readonly all: number
  private readonly perAddress: number

  /** `all` at once, and `perAddress` of one address. */
  constructor(all: number, perAddress: number) {
    this.all = all
    this.perAddress = perAddress
  }

  /**
   * A connection comes: takes a place, and breaks another one (`abort`) where there is none left. False: all that could give way
   * are being answered in a moment.
   */
  arrive(key: Key, address: string, abort: () => void): boolean {
    const own = this.of(address)
    if (own >= this.perAddress || this.taken.size >= this.all) {
      const from = own >= this.perAddress ? address : undefined
      const idle = this.idlest(from, ({ busy }) => busy === 0) ?? this.idlest(from, ({ listens }) => listens)
      if (idle === undefined) return false
      this.taken.get(idle)!.abort()
      this.taken.delete(idle)
    }
    this.taken.set(key, { address, abort, busy: 0, listens: false })
    return true
  }

  /** A request of it begins. */
  asks(key: Key): void {
    const place = this.taken.get(key)
    if (place !== undefined) place.busy++
  }

  /** Its request goes on for as long as its asker listens. */
  listens(key: Key): void {
    const place = this.taken.get(key)
    if (place !== undefined) place.listens = true
  }

  /** A request of it is answered. */
  answered(key: Key): void {
    const place = this.taken.get(key)
    if (place === undefined) return
    place.busy--
    place.listens = false
    this.taken.delete(key)
    this.taken.set(key, place)
  }

  /** It is gone. */
  gone(key: Key): void {
    this.taken.delete(key)
  }

  private of(address: string): number {
    let count = 0
    for (const place of this.taken.values()) if (place.address === address) count++
    return count
  }

  private idlest(from: string | undefined, may: (place: Place) => boolean): Key | undefined {
    let found: Key | undefined
    let most = 0
    for (const [key, place] of this.taken) {
      const { address } = place
      if (!may(place) || (from !== undefined && address !== from)) continue
      const count = this.of(address)
      if (count > most) [found, most] = [key, count]
    }
    return found
  }
}
