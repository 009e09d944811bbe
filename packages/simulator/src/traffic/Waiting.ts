/**
 * Requests that wait for their answers, found by what joins an answer to its request.
 *
 * Owns the order of those with one key: a request that was sent again waits behind the first, and has a place of its own. Pure.
 */

/** Those that wait, the oldest first. */
export class Waiting<A extends { readonly key: string }> {
  private readonly all = new Set<A>()
  private readonly byKey = new Map<string, Array<A>>()

  get size(): number {
    return this.all.size
  }

  add(one: A): void {
    const others = this.byKey.get(one.key)
    if (others === undefined) this.byKey.set(one.key, [one])
    else others.push(one)
    this.all.add(one)
  }

  /** The oldest of a key that fits. */
  find(key: string, fits: (one: A) => boolean = () => true): A | undefined {
    return this.byKey.get(key)?.find(fits)
  }

  remove(one: A): void {
    this.all.delete(one)
    const others = this.byKey.get(one.key)?.filter((other) => other !== one) ?? []
    if (others.length === 0) this.byKey.delete(one.key)
    else this.byKey.set(one.key, others)
  }

  /** All, the oldest first. One that is removed meanwhile is passed over. */
  values(): Iterable<A> {
    return this.all
  }
}
