/** What only a fleet promises of its journal: groups in the order of their owners, and nothing acknowledged that is gone. */
import type { StoredGroup } from "./Tables.ts"

/** What a node was told of a group. */
export interface Acknowledged {
  readonly node: string
  readonly first: number
  /** As Latin-1. */
  readonly hash: string
}

/**
 * Each group is of the epoch that its node had, and no epoch comes behind a later one. `owners`: nodes by epoch.
 */
export const ordered = (
  groups: ReadonlyArray<StoredGroup>,
  owners: ReadonlyMap<bigint, string>
): ReadonlyArray<string> => {
  const findings: Array<string> = []
  let [epoch, last] = [0n, 0]
  for (const group of groups) {
    if (group.first === 0) continue
    if (group.first !== last + 1) findings.push(`fleet: group ${group.first} follows entry ${last}`)
    if (group.epoch < epoch)
      findings.push(`fleet: group ${group.first} is of epoch ${group.epoch}, behind one of ${epoch}`)
    const owner = owners.get(group.epoch)
    if (owner !== undefined && owner !== group.node)
      findings.push(`fleet: group ${group.first} of epoch ${group.epoch} is ${group.node}'s, and the epoch ${owner}'s`)
    epoch = group.epoch
    last = group.last
  }
  return findings
}

/** What a node was told to be there is there. */
export const kept = (
  groups: ReadonlyArray<StoredGroup>,
  acknowledged: ReadonlyArray<Acknowledged>
): ReadonlyArray<string> => {
  const hashes = new Map(groups.map(({ first, hash }) => [first, hash.toString("latin1")]))
  return acknowledged
    .filter(({ first, hash }) => hashes.get(first) !== hash)
    .map(({ first, node }) => `fleet: group ${first} was acknowledged to ${node}, and is not in PostgreSQL`)
}
