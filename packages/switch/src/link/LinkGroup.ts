/**
 * Links used as one destination: which member the next request goes to, and when a member that was lost is used as before again.
 *
 * Pure: the switch tells what happened to members (`step`) and asks for one (`choose`). Nothing here moves what is in flight; it
 * stays where it was sent. Every member **has its place** from the start: its rank among primary and backups, or its slot of the
 * sticky keys. It loses its place when it is lost, and has it again after it has been ready for the quiet time (`failbackMs`).
 *
 * Invariant: if a member is ready, one that is ready has its place. See docs/decisions/0011-groups.md.
 */

/** How a member is chosen. */
export type Use = "primary-backup" | "round-robin" | "least-outstanding" | "sticky"

/** One group, whole. */
export interface GroupSettings {
  readonly name: string
  /** Links by their numbers, the first is the primary. `weight` 1..100 is a member's share, where shares make sense. */
  readonly members: ReadonlyArray<{ readonly link: number; readonly name: string; readonly weight: number }>
  readonly use: Use
  /** Data elements that sticky keys are made of. */
  readonly by: ReadonlyArray<number>
  /** How long a lost member must be ready again, without a break, before it has its place again. */
  readonly failbackMs: number
  /** When one connection of the group ends, all of them are closed and made again. */
  readonly fallTogether: boolean
}

/** `suspect`: silent, but the connection is up (RFC 3539). `away`: everything else that is not ready. */
export type Availability = "ready" | "suspect" | "away"

/** One member as the group sees it. */
export interface Member {
  readonly availability: Availability
  /** Since when, in monotonic milliseconds. */
  readonly since: number
  readonly hasPlace: boolean
}

/** All that a group remembers. */
export interface LinkGroup {
  readonly members: ReadonlyArray<Member>
  /** When all of its connections were closed together, in monotonic milliseconds. */
  readonly fellAt: number
}

/** What can happen. `at` is in monotonic milliseconds. */
export type Event =
  | { readonly _tag: "changed"; readonly member: number; readonly as: Availability; readonly at: number }
  | { readonly _tag: "time"; readonly at: number }
  | { readonly _tag: "fell"; readonly at: number }

/** What is asked about a member at the moment of choosing. */
export interface View {
  readonly hasRoom: (member: number) => boolean
  readonly outstanding: (member: number) => number
}

/**
 * After a group has fallen, an end within this time, in milliseconds, is the end of that one connection: the partner closes for
 * the same rule, and two sides would cut each other's new connections for ever.
 */
export const FALL_QUIET_MS = 5000

/** Data elements that a sticky key is made of, at most. */
export const STICKY_MAX = 6

/** A group whose members are not connected, as far as is known since `at`. */
export const initial = ({ members }: GroupSettings, at: number): LinkGroup => ({
  members: members.map(() => ({ availability: "away", since: at, hasPlace: true })),
  fellAt: Number.NEGATIVE_INFINITY
})

/** Whether a member keeps its place when it goes from `was` to `as`. A place that was never used cannot be lost. */
const keepsPlace = ({ use }: GroupSettings, was: Availability, as: Availability): boolean => {
  if (was === "away" || as === "ready") return true
  return use === "sticky" && as === "suspect"
}

const changed = (
  settings: GroupSettings,
  group: LinkGroup,
  member: number,
  as: Availability,
  at: number
): LinkGroup => {
  const was = group.members[member]!
  if (was.availability === as) return group
  const hasPlace = was.hasPlace && keepsPlace(settings, was.availability, as)
  return withPlace({ ...group, members: group.members.with(member, { availability: as, since: at, hasPlace }) })
}

/** Gives a place to the first ready member, if no ready one has one. */
const withPlace = (group: LinkGroup): LinkGroup => {
  const { members } = group
  if (members.some(({ availability, hasPlace }) => availability === "ready" && hasPlace)) return group
  const first = members.findIndex(({ availability }) => availability === "ready")
  return first < 0 ? group : { ...group, members: members.with(first, { ...members[first]!, hasPlace: true }) }
}

const isDue = ({ failbackMs }: GroupSettings, { availability, since, hasPlace }: Member, at: number): boolean =>
  availability === "ready" && !hasPlace && at - since >= failbackMs

/** The group after `event`; the same object when nothing has changed. */
export const step = (settings: GroupSettings, group: LinkGroup, event: Event): LinkGroup => {
  switch (event._tag) {
    case "changed":
      return changed(settings, group, event.member, event.as, event.at)
    case "time":
      if (!group.members.some((member) => isDue(settings, member, event.at))) return group
      return {
        ...group,
        members: group.members.map((one) => (isDue(settings, one, event.at) ? { ...one, hasPlace: true } : one))
      }
    case "fell":
      return { ...group, fellAt: event.at }
  }
}

/** Whether the end of a member's connection at `at` is to close the others. */
export const mustFall = ({ fallTogether }: GroupSettings, { fellAt }: LinkGroup, at: number): boolean =>
  fallTogether && at - fellAt > FALL_QUIET_MS

/** Whether any member may be used. */
export const isReady = ({ members }: LinkGroup): boolean => members.some(({ availability }) => availability === "ready")

/** When a lost member that is ready again will have its place; `undefined` for every other. */
export const failbackDue = (
  { failbackMs }: GroupSettings,
  { availability, since, hasPlace }: Member
): number | undefined => (availability === "ready" && !hasPlace ? since + failbackMs : undefined)

/**
 * The order of turns of a round robin: every member as often as its weight says, spread as evenly as can be (smooth weighted
 * round robin). Made once.
 */
export const turnsOf = ({ members }: GroupSettings): ReadonlyArray<number> => {
  const sum = members.reduce((total, { weight }) => total + weight, 0)
  const credit = members.map(() => 0)
  return Array.from({ length: sum }, () => {
    members.forEach(({ weight }, member) => {
      credit[member]! += weight
    })
    const next = credit.indexOf(Math.max(...credit))
    credit[next]! -= sum
    return next
  })
}

/** A number for a member's name, the same in every run: a key's member does not depend on the order in the file. */
export const seedOf = (name: string): number => {
  let seed = 0x811c9dc5
  for (let at = 0; at < name.length; at++) seed = Math.imul(seed ^ name.charCodeAt(at), 0x01000193)
  return seed | 0
}

/** Spreads the bits of a 32-bit number (the finalizer of MurmurHash3). */
const mixed = (value: number): number => {
  let bits = value
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/**
 * How far a key is from a member: the nearest one owns it (weighted rendezvous hashing). When a member is lost only its own keys
 * move, to the next nearest each; when it is back they come back.
 */
const distance = (key: number, seed: number, weight: number): number =>
  -Math.log((mixed(key ^ mixed(seed)) + 1) / 4_294_967_297) / weight

/** Chooses members; keeps what is made once. Choosing allocates nothing. */
export class Chooser {
  private readonly settings: GroupSettings
  private readonly turns: ReadonlyArray<number>
  private readonly seeds: ReadonlyArray<number>
  private readonly count: number

  constructor(settings: GroupSettings) {
    this.settings = settings
    this.turns = turnsOf(settings)
    this.seeds = settings.members.map(({ name }) => seedOf(name))
    this.count = settings.members.length
  }

  /**
   * The member for the next request, -1 when none is ready with room. `turn` counts requests; `key` is the hash of the sticky
   * data elements. A pure function of its arguments.
   */
  choose(group: LinkGroup, view: View, turn: number, key: number): number {
    switch (this.settings.use) {
      case "primary-backup":
        return this.first(group, view)
      case "round-robin":
        return this.inTurn(group, view, turn)
      case "least-outstanding":
        return this.leastBusy(group, view, turn)
      case "sticky":
        return this.nearest(group, view, key)
    }
  }

  private mayTake({ members }: LinkGroup, view: View, member: number): boolean {
    return members[member]!.availability === "ready" && view.hasRoom(member)
  }

  private first(group: LinkGroup, view: View): number {
    let spare = -1
    for (let member = 0; member < this.count; member++) {
      if (!this.mayTake(group, view, member)) continue
      if (group.members[member]!.hasPlace) return member
      if (spare < 0) spare = member
    }
    return spare
  }

  private inTurn(group: LinkGroup, view: View, turn: number): number {
    const { turns } = this
    for (let n = 0; n < turns.length; n++) {
      const member = turns[(turn + n) % turns.length]!
      if (this.mayTake(group, view, member)) return member
    }
    return -1
  }

  private leastBusy(group: LinkGroup, view: View, turn: number): number {
    const { members } = this.settings
    let best = -1
    let least = Number.POSITIVE_INFINITY
    for (let n = 0; n < this.count; n++) {
      const member = (turn + n) % this.count
      if (!this.mayTake(group, view, member)) continue
      const busy = (view.outstanding(member) + 1) / members[member]!.weight
      if (busy >= least) continue
      least = busy
      best = member
    }
    return best
  }

  private nearest(group: LinkGroup, view: View, key: number): number {
    const { members } = this.settings
    let best = -1
    let least = Number.POSITIVE_INFINITY
    let hasPlace = false
    for (let member = 0; member < this.count; member++) {
      if (!this.mayTake(group, view, member)) continue
      const has = group.members[member]!.hasPlace
      const far = distance(key, this.seeds[member]!, members[member]!.weight)
      if (has === hasPlace ? far >= least : hasPlace) continue
      least = far
      best = member
      hasPlace = has
    }
    return best
  }
}
