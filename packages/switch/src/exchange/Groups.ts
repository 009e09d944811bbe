/**
 * The groups of one switch at work: what happens to links is told to their group, and a destination gives the link for a request.
 *
 * The links of one group are one partner's; so is a link that is in no group. Repeats, late answers and stored messages are known
 * by partner, because a partner with several links may use any of them (docs/decisions/0011-groups.md). The rules of choosing are
 * in `link/LinkGroup.ts`.
 */
import type { MessageIndex } from "@jinka/codec"
import type { Link } from "../link/Link.ts"
import * as LinkGroup from "../link/LinkGroup.ts"
import type { Desk } from "./Desk.ts"
import { KeyHash } from "./entry/KeyHash.ts"
import type { Route } from "./Router.ts"

/**
 * How long a link must have been lost before another of its group carries what was meant for it, in milliseconds. What the
 * partner had not read when the connection ended may be read yet: a reversal must not get there before its request.
 */
const CARRIED_AFTER_MS = 30_000

/** Bytes of one data element in a key: at most twice its 999, and one between. */
const FIELD_ROOM = 2000

/** What an operator sees of a group. Times are monotonic milliseconds. */
export interface GroupStatus {
  readonly name: string
  readonly use: LinkGroup.Use
  readonly fall: "alone" | "together"
  readonly members: ReadonlyArray<{
    readonly link: string
    /** `used`: requests go to it. `spare`: ready, and only used when no other is. */
    readonly state: "used" | "spare" | "suspect" | "away"
    readonly since: number
    /** When a member that was lost has its place again; `undefined` when none is waited for. */
    readonly failbackDue: number | undefined
    readonly outstanding: number
  }>
  /** When all connections were closed together; `undefined`: never. */
  readonly fellAt: number | undefined
}

/** One group while the switch runs. */
class LiveGroup {
  readonly settings: LinkGroup.GroupSettings
  /** Its members' desks, and their numbers. */
  readonly desks: ReadonlyArray<Desk>
  readonly ids: ReadonlyArray<number>
  state: LinkGroup.LinkGroup
  turn = 0
  private readonly chooser: LinkGroup.Chooser
  /** Room in the window, and room in the waiting line behind it: nobody waits while another member has a place. */
  private readonly placed: LinkGroup.View
  private readonly waiting: LinkGroup.View

  constructor(settings: LinkGroup.GroupSettings, state: LinkGroup.LinkGroup, all: ReadonlyArray<Desk>) {
    this.settings = settings
    this.ids = settings.members.map(({ link }) => link)
    const desks = this.ids.map((id) => all[id]!)
    this.desks = desks
    this.state = state
    this.chooser = new LinkGroup.Chooser(settings)
    const size = (member: number) => desks[member]!.outstanding.size
    const hasPlace = (member: number) => size(member) < desks[member]!.link.settings.window
    this.placed = { hasRoom: hasPlace, outstanding: size }
    this.waiting = { hasRoom: (member) => !desks[member]!.outstanding.isFull, outstanding: size }
  }

  /** The desk for the next request; `undefined`: none. */
  choose(key: number): Desk | undefined {
    const desk = this.next(key)
    this.turn = (this.turn + 1) % 1_000_000_007
    return desk
  }

  /** The same without a choice. */
  next(key: number): Desk | undefined {
    const placed = this.chooser.choose(this.state, this.placed, this.turn, key)
    const member = placed < 0 ? this.chooser.choose(this.state, this.waiting, this.turn, key) : placed
    return this.desks[member]
  }

  step(event: LinkGroup.Event): void {
    this.state = LinkGroup.step(this.settings, this.state, event)
  }
}

/** A short link proves nothing while nothing is asked on it: it is away after a failed attempt, until the pause is over. */
const availability = (link: Link): LinkGroup.Availability => {
  if (link.isReady) return link.short?.isReachable === false ? "away" : "ready"
  return link.isSuspect ? "suspect" : "away"
}

const isUsable = ({ link }: Desk): boolean => availability(link) === "ready"

/** The number of group `n` as a destination: groups are below the links' numbers. */
const destinationOf = (n: number): number => -1 - n

/** Routes whose `to` and `from` count the settings' links and then their groups, with links by their numbers in the switch. */
export const destinations = (routes: ReadonlyArray<Route>, numbers: ReadonlyArray<number>): ReadonlyArray<Route> =>
  routes.map(({ from, ...route }) => ({
    ...route,
    ...(from === undefined ? {} : { from: numbers[from]! }),
    to: numbers[route.to] ?? destinationOf(route.to - numbers.length)
  }))

const none: ReadonlyArray<Desk> = []

/** All groups. Used only on the switch's own thread. */
export class Groups {
  private readonly desks: ReadonlyArray<Desk>
  private groups: ReadonlyArray<LiveGroup> = []
  private readonly key = Buffer.allocUnsafeSlow(LinkGroup.STICKY_MAX * FIELD_ROOM)
  /** The same at every start, so that a sticky choice outlives one. */
  private readonly stable = new KeyHash(0, 0)

  /** The list of all desks; it grows under it. */
  constructor(desks: ReadonlyArray<Desk>) {
    this.desks = desks
  }

  /**
   * Other groups from now on, at a start or a reload. `numbers` are the switch's numbers of the settings' links. A group of the
   * same name, use and members goes on as it is.
   */
  change(settings: ReadonlyArray<LinkGroup.GroupSettings>, numbers: ReadonlyArray<number>, at: number): void {
    const before = this.groups
    this.groups = settings.map((one) => {
      const members = one.members.map((member) => ({ ...member, link: numbers[member.link]! }))
      const group = { ...one, members }
      const isSame = ({ settings: { name, use }, ids }: LiveGroup) =>
        name === one.name && use === one.use && ids.join() === members.map(({ link }) => link).join()
      return new LiveGroup(group, before.find(isSame)?.state ?? LinkGroup.initial(group, at), this.desks)
    })
    for (const desk of this.desks) {
      desk.group = this.groups.findIndex(({ ids }) => ids.includes(desk.id))
      desk.partner = this.groupOf(desk)?.ids[0] ?? desk.id
      this.changed(desk.link, at)
    }
  }

  /** The other desks of the partner whose link is at desk `id`. */
  others(id: number): ReadonlyArray<Desk> {
    const group = this.groupAt(id)
    return group === undefined ? none : group.desks.filter((desk) => desk.id !== id)
  }

  /** All desks of that group, its own among them; none where it is in no group. */
  desksWith(id: number): ReadonlyArray<Desk> {
    return this.groupAt(id)?.desks ?? none
  }

  /** The desk for a request that goes to destination `to`; `undefined` when none is ready, or none that is has room. */
  target(to: number, origin: Desk, index: MessageIndex): Desk | undefined {
    if (to >= 0) return this.desks[to]!.link.isReady ? this.desks[to] : undefined
    const group = this.groups[destinationOf(to)]!
    return group.choose(group.settings.use === "sticky" ? this.hash(group, origin, index) : 0)
  }

  /** The same as a guess that changes nothing: not where the links of a group take turns. */
  foreseen(to: number, origin: Desk, index: MessageIndex): Desk | undefined {
    if (to >= 0) return this.target(to, origin, index)
    const group = this.groups[destinationOf(to)]!
    const { use } = group.settings
    if (use !== "sticky" && use !== "primary-backup") return undefined
    return group.next(use === "sticky" ? this.hash(group, origin, index) : 0)
  }

  /** The desks of destination `to`. */
  members(to: number): ReadonlyArray<Desk> {
    return to >= 0 ? [this.desks[to]!] : this.groups[destinationOf(to)]!.desks
  }

  /** Whether any link of destination `to` is ready. */
  isReady(to: number): boolean {
    return to >= 0 ? this.desks[to]!.link.isReady : LinkGroup.isReady(this.groups[destinationOf(to)]!.state)
  }

  /** The desk for a message that may wait: the one that a request would take, otherwise the first. */
  home(to: number, origin: Desk, index: MessageIndex): Desk {
    if (to >= 0) return this.desks[to]!
    return this.target(to, origin, index) ?? this.groups[destinationOf(to)]!.desks[0]!
  }

  /** The desk whose link a message stored at `home` leaves on now: its own, or another when that has been lost for a while. */
  carrier(home: Desk, at: number): Desk | undefined {
    if (isUsable(home)) return home
    const group = this.groupOf(home)
    if (group === undefined) return undefined
    const { since } = group.state.members[group.ids.indexOf(home.id)]!
    if (at - since < CARRIED_AFTER_MS) return undefined
    return group.desks.find(isUsable)
  }

  /** Another long link of the same partner, for an answer whose own link is gone; none that asks for one thing at a time. */
  wayBack(id: number): Link | undefined {
    const carries = (link: Link) => link.isReady && link.canSend && link.settings.mode !== "sync-long"
    return this.others(id).find(({ link }) => carries(link))?.link
  }

  /** The desk of the same partner at which a request with this key is outstanding; `desk` itself when there is none. */
  holder(desk: Desk, key: Buffer, length: number): Desk {
    const group = this.groupOf(desk)
    if (group === undefined || desk.outstanding.find(key, 0, length) !== undefined) return desk
    return group.desks.find(({ outstanding }) => outstanding.find(key, 0, length) !== undefined) ?? desk
  }

  /** Whether another desk of the partner has a request with this key outstanding: its answer could not be told apart (G6). */
  isOutstanding(desk: Desk, key: Buffer, length: number): boolean {
    return this.groupOf(desk) !== undefined && this.holder(desk, key, length) !== desk
  }

  /** Whether the desk's link is one of a group. */
  isInGroup(id: number): boolean {
    return this.groupAt(id) !== undefined
  }

  /** The number of the partner whose link is at desk `id`: that of the first desk of its group. */
  partner(id: number): number {
    return this.desks[id]?.partner ?? id
  }

  /** Whether requests of more than one partner may go to the link at desk `id`: there are others besides its own. */
  isShared(id: number): boolean {
    const own = this.partner(id)
    let first = -1
    for (const desk of this.desks) {
      if (desk.link.isGone) continue
      const partner = this.partner(desk.id)
      if (partner === own || partner === first) continue
      if (first >= 0) return true
      first = partner
    }
    return false
  }

  /** The link may be available otherwise than before. */
  changed(link: Link, at: number): void {
    const group = this.groupAt(link.id)
    group?.step({ _tag: "changed", member: group.ids.indexOf(link.id), as: availability(link), at })
  }

  /** Time has passed: a quiet time may be over. */
  tick(at: number): void {
    for (const group of this.groups) {
      for (const { link } of group.desks) if (link.short !== undefined) this.changed(link, at)
      group.step({ _tag: "time", at })
    }
  }

  /** A connection of the link has ended: its group's name and the links to close with it, where the group falls together. */
  fallsWith({ id }: Link, at: number): { readonly group: string; readonly links: ReadonlyArray<Link> } | undefined {
    const group = this.groupAt(id)
    if (group === undefined || !LinkGroup.mustFall(group.settings, group.state, at)) return undefined
    group.step({ _tag: "fell", at })
    return { group: group.settings.name, links: this.others(id).map(({ link }) => link) }
  }

  /** Everything an operator asks first. */
  status(): ReadonlyArray<GroupStatus> {
    return this.groups.map((group) => this.statusOf(group))
  }

  private statusOf({ settings, state, desks }: LiveGroup): GroupStatus {
    const ready = state.members.filter(({ availability: as }) => as === "ready")
    const first = state.members.find(({ availability: as, hasPlace }) => as === "ready" && hasPlace)
    const isUsed = (member: LinkGroup.Member): boolean => {
      if (settings.use === "primary-backup") return member === first
      return ready.includes(member) && (settings.use !== "sticky" || member.hasPlace)
    }
    return {
      name: settings.name,
      use: settings.use,
      fall: settings.fallTogether ? "together" : "alone",
      members: state.members.map((member, n) => ({
        link: desks[n]!.name,
        state: isUsed(member) ? "used" : member.availability === "ready" ? "spare" : member.availability,
        since: member.since,
        failbackDue: this.hasFailback(settings) ? LinkGroup.failbackDue(settings, member) : undefined,
        outstanding: desks[n]!.outstanding.size
      })),
      fellAt: Number.isFinite(state.fellAt) ? state.fellAt : undefined
    }
  }

  private groupAt(id: number): LiveGroup | undefined {
    const desk = this.desks[id]
    return desk === undefined ? undefined : this.groupOf(desk)
  }

  private groupOf({ group }: Desk): LiveGroup | undefined {
    return group < 0 ? undefined : this.groups[group]
  }

  private hasFailback({ use }: LinkGroup.GroupSettings): boolean {
    return use === "primary-backup" || use === "sticky"
  }

  /** The hash of the sticky data elements; of the turn where the message carries none of them. */
  private hash({ settings, turn }: LiveGroup, origin: Desk, index: MessageIndex): number {
    const length = origin.language.key(index, settings.by, this.key)
    // Nothing but what is between the fields.
    if (length < settings.by.length) return Math.imul(turn, 0x9e3779b9)
    return this.stable.hash(0, this.key, 0, length).first
  }
}
