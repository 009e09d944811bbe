/**
 * What became of commits whose acknowledgement was lost with their connection: decided from what is in the table, and from
 * nothing that anybody believes. Pure.
 *
 * Rows never change, and each group is chained to the one before, so a look shows one of four things: all in doubt up to some
 * group is there, and the rest is not; another node owns the journal; acknowledged groups are gone; or what nobody may have
 * written.
 */

/** A group without its bytes. */
export interface Link {
  readonly first: number
  readonly hash: Buffer
}

/** What a look at the table shows. */
export interface Look {
  /** The epoch that the journal has now. */
  readonly epoch: bigint
  /** Rows from the group before the first one in doubt on, in their order. */
  readonly rows: ReadonlyArray<Link & { readonly epoch: bigint }>
}

/** What to do. */
export type Settlement =
  /**
   * So many groups in doubt are in the table. They count as committed once something behind them is acknowledged: the rest,
   * which is sent again, or an empty commit. A commit that still waited for a synchronous standby can be seen before it is there.
   */
  | { readonly what: "go on"; readonly found: number }
  /** Another node has taken the journal over. Nothing in doubt counts, though it may be there: that node has read it as open. */
  | { readonly what: "overtaken"; readonly epoch: bigint }
  /** What was acknowledged before is gone, from the group that begins at `first` on. */
  | { readonly what: "truncated"; readonly first: number }

/**
 * Settles. `before`: the last group that was acknowledged; `inDoubt`: those behind it, in their order; `epoch`: ours.
 */
export const settle = (before: Link, inDoubt: ReadonlyArray<Link>, epoch: bigint, look: Look): Settlement => {
  // Epochs only go up: an older one is what there was before this owner, of which all is forgotten.
  if (look.epoch < epoch) return { what: "truncated", first: before.first }
  if (look.epoch !== epoch) return { what: "overtaken", epoch: look.epoch }
  const at = new Map(look.rows.map((row) => [row.first, row]))
  const known = at.get(before.first)
  if (known === undefined || !known.hash.equals(before.hash)) return { what: "truncated", first: before.first }
  let found = 0
  while (found < inDoubt.length) {
    const group = inDoubt[found]!
    const row = at.get(group.first)
    if (row === undefined) break
    if (!row.hash.equals(group.hash) || row.epoch !== epoch) return { what: "overtaken", epoch: row.epoch }
    found++
  }
  // Behind what is found there must be nothing: it would be somebody else's.
  const end = inDoubt[found - 1]?.first ?? before.first
  const stranger = look.rows.find(({ first }) => first > end)
  return stranger === undefined ? { what: "go on", found } : { what: "overtaken", epoch: stranger.epoch }
}
