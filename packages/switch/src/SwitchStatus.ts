/**
 * What a running switch says of itself: its links, what they have outstanding and stored, the counts of its journal. Nothing is
 * asked of disk, kernel or partner, so it is answered at once.
 */
import type { Doors } from "./Doors.ts"
import type { Desk } from "./exchange/Desk.ts"
import type { Desks, FullBy } from "./exchange/Desks.ts"
import { type BusinessDayStatus, dayStatus } from "./exchange/day/BusinessDay.ts"
import type { DoubtCounts } from "./exchange/delivery/Doubts.ts"
import type { StoredStatus } from "./exchange/delivery/StoreAndForward.ts"
import type { GroupStatus } from "./exchange/Groups.ts"
import type { DurationsStatus } from "./exchange/watch/Durations.ts"
import type { LagStatus } from "./exchange/watch/Lag.ts"
import type { StallStatus } from "./exchange/watch/Stalls.ts"
import type { TrafficStatus } from "./exchange/watch/Traffic.ts"
import type { GuardCounts } from "./guard/Guard.ts"
import type { ModuleStatus, SecurityModule } from "./guard/SecurityModule.ts"
import type { DoorStatus } from "./link/door/Gate.ts"
import type { LinkStatus } from "./link/LinkStatus.ts"
import type { Retention, RetentionStatus } from "./Retention.ts"

/** One link with what the exchanges know of it. */
export interface LinkWork extends LinkStatus {
  /** Requests sent on it and not answered, and how many there may be. */
  readonly outstanding: number
  readonly window: number
  /** Requests that wait for a place in the window; they are among the outstanding ones. */
  readonly waiting: number
  /** When the oldest of them was taken, monotonic milliseconds; 0: there is none. */
  readonly oldestOutstanding: number
  /** Messages since the start that came above the link's rate limit. */
  readonly overRate: number
  /** Messages left unanswered since the start: they may have come before, and the journal did not say in time. */
  readonly perhapsRepeats: number
  /** Store-and-forward. */
  readonly stored: StoredStatus
  /** What was meant for it and waits for a person. */
  readonly inDoubt: DoubtCounts
  /** MACs and PIN blocks since the start; `undefined`: the link has neither. */
  readonly guard: GuardCounts | undefined
  /** The partner's business day; `undefined`: none is kept. */
  readonly businessDay: BusinessDayStatus | undefined
  /** What has passed over it since the start. */
  readonly traffic: TrafficStatus
  /** Times since the start, of the partner and of us: see `TrafficStatus`. */
  readonly durations: { readonly partner: DurationsStatus; readonly ours: DurationsStatus }
}

/** What an operator sees at once. */
export interface SwitchStatus {
  readonly links: ReadonlyArray<LinkWork>
  readonly groups: ReadonlyArray<GroupStatus>
  readonly doors: ReadonlyArray<DoorStatus>
  /** What waits for a person, also of links that the configuration does not have any more. */
  readonly inDoubt: number
  /** Entries by kind since the journal began. */
  readonly entries: ReadonlyArray<number>
  /** Answers by response code since the start. */
  readonly answers: { readonly [code: string]: number }
  /** Entries and bytes that are not on disk yet. */
  readonly unwritten: { readonly entries: number; readonly bytes: number }
  /** How long the journal takes. */
  readonly lag: LagStatus
  /** Messages that were given up since the start, because of a defect of the switch. */
  readonly defects: number
  /** When the switch stood still for a second or longer; `undefined`: never since the start. */
  readonly stalls: StallStatus | undefined
  /** Why new requests and advices are refused on every link; `undefined`: they are not. */
  readonly fullBy: FullBy | undefined
  /** What holds the keys of guarded links; `undefined`: nothing does. */
  readonly module: ModuleStatus | undefined
  /** What is wrong with the journal's disk while it still works; "": nothing. */
  readonly diskTrouble: string
  /** How much the journal holds, and what may be dropped, as of the last minute; `undefined`: nobody has looked yet. */
  readonly retention: RetentionStatus | undefined
}

const workOf = (
  { day, guard, line, link, name, outstanding, overRate, stored, perhapsRepeats, traffic }: Desk,
  { doubts, runtime }: Desks
): LinkWork => ({
  ...link.status(),
  outstanding: outstanding.size,
  window: link.settings.window,
  waiting: line?.length ?? 0,
  oldestOutstanding: outstanding.oldest(),
  overRate: overRate.total,
  perhapsRepeats: perhapsRepeats.total,
  stored: stored.status(),
  inDoubt: doubts.counts(name),
  guard: guard?.counts,
  businessDay: dayStatus(day),
  traffic: traffic.status(runtime.monotonicMs(), (code) => link.language.isSuccess(code)),
  durations: { partner: traffic.partnerTime.ever, ours: traffic.ourTime.ever }
})

/** The status now. */
export const statusOf = (
  desks: Desks,
  doors: Doors,
  module: SecurityModule | undefined,
  retention: Retention
): SwitchStatus => ({
  links: desks.present.map((desk) => workOf(desk, desks)),
  groups: desks.groups.status(),
  doors: doors.status(),
  inDoubt: desks.doubts.size,
  entries: desks.journal.counts(),
  answers: desks.answers.all,
  unwritten: { entries: desks.journal.writer.pendingEntries, bytes: desks.journal.writer.pendingBytes },
  lag: desks.lag.status,
  stalls: desks.stalls.status,
  fullBy: desks.fullBy,
  module: module?.status(),
  diskTrouble: desks.journal.trouble(),
  retention: retention.status,
  defects: desks.defects.count
})
