/**
 * Who belongs together: a partner is all links of a group, and all links of one institution. What came on one of its links is
 * known on the others, also on one that was renamed: of that the old desk knows what came on it.
 */
import type { Desk } from "./Desk.ts"
import type { Groups } from "./Groups.ts"

const none: ReadonlyArray<Desk> = []

/** The partners of one switch. */
export class Kin {
  private readonly all: ReadonlyArray<Desk>
  private readonly groups: Groups
  private institutions: ReadonlyMap<string, ReadonlyArray<Desk>> = new Map()

  /** The list of all desks; it grows under it. */
  constructor(all: ReadonlyArray<Desk>, groups: Groups) {
    this.all = all
    this.groups = groups
  }

  /** The links are others from now on. */
  change(): void {
    this.institutions = Map.groupBy(this.all, ({ link }) => link.settings.institution)
    for (const desk of this.all) desk.kin = undefined
  }

  /** The links of the partner behind the desk: its own first, then those of its group, then others of its institution. */
  linksOf(desk: Desk): ReadonlyArray<Desk> {
    const group = this.groups.others(desk.id)
    const all = this.institutions.get(desk.link.settings.institution) ?? []
    return [desk, ...group, ...all.filter((other) => other !== desk && !group.includes(other))]
  }

  /**
   * The same in any order, and none where it is the only one. Asked for each message, so it is looked up once until the links are
   * others; all links of an institution have one list.
   */
  of(desk: Desk): ReadonlyArray<Desk> {
    desk.kin ??= this.now(desk)
    return desk.kin
  }

  private now(desk: Desk): ReadonlyArray<Desk> {
    const kin = this.groups.isInGroup(desk.id)
      ? this.linksOf(desk)
      : this.institutions.get(desk.link.settings.institution)
    return kin === undefined || kin.length === 1 ? none : kin
  }

  /** Whether both links are one partner's: of one group, or of one institution. */
  isOfOne(one: Desk, other: Desk): boolean {
    const isOfGroup = this.groups.partner(one.id) === this.groups.partner(other.id)
    return isOfGroup || one.link.settings.institution === other.link.settings.institution
  }
}
