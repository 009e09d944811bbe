/**
 * Everything that the switch measures, by the names that monitoring systems read: one table. Pure.
 *
 * Names follow the Prometheus conventions: a prefix, the unit at the end (`_seconds`, `_bytes`), `_total` for what only grows.
 * Labels are names of the configuration, response codes and words of ours: their number is bounded, and nothing that a message
 * carries beside its response code is among them. docs/reference/metrics.md lists them.
 */
import { bounds, type DurationsStatus } from "../../exchange/watch/Durations.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import type { RetentionStatus } from "../../Retention.ts"
import type { LinkWork, SwitchStatus } from "../../SwitchStatus.ts"
import type { ProcessStatus } from "../../transport/NodeProcess.ts"
import type { PauseStatus } from "../alarm/Pauses.ts"
import { ENDED_MIN, type SuccessStatus } from "../alarm/SuccessRates.ts"
import type { EndingCertificate } from "../Certificates.ts"
import type { RefusedCalls } from "./RefusedCalls.ts"

/** Labels of one value. */
export type Labels = Readonly<Record<string, string>>

/** A value that is now, or that has only grown. */
interface Values {
  readonly type: "Gauge" | "Counter"
  readonly read: (seen: Seen) => ReadonlyArray<readonly [Labels, number]>
}

/** Durations, by bounds. */
interface Distribution {
  readonly type: "Histogram"
  readonly read: (seen: Seen) => ReadonlyArray<readonly [Labels, DurationsStatus]>
}

/** What is looked at: the switch, and both clocks at that moment. */
export interface SwitchSeen {
  readonly status: SwitchStatus
  /** Monotonic milliseconds. */
  readonly now: number
  /** Milliseconds since 1970. */
  readonly wallMs: number
  /** When the switch was started, milliseconds since 1970. */
  readonly startedAt: number
  /** Certificates of ours that end within 30 days. */
  readonly certificates: ReadonlyArray<EndingCertificate>
  /** What the operators' listener has refused since the start. */
  readonly refusedCalls: RefusedCalls
  /** What share of its requests a link's partner approves. */
  readonly success: (link: string) => SuccessStatus | undefined
  /** How long its partner has sent no request, where it is known how long it usually pauses. */
  readonly pause: (link: string) => PauseStatus | undefined
}

/** The same with the process. */
export interface Seen extends SwitchSeen {
  readonly process: ProcessStatus
}

/** One of them. */
export type Measure = { readonly name: string; readonly help: string } & (Values | Distribution)

/** Bounds of all distributions, in seconds. */
export const boundaries = bounds

const perLink = (
  type: Values["type"],
  name: string,
  help: string,
  read: (link: LinkWork, seen: Seen) => number
): Measure => ({
  type,
  name: `jinka_${name}`,
  help,
  read: (seen) => seen.status.links.map((link) => [{ link: link.name }, read(link, seen)])
})

const gauge = (name: string, help: string, read: (link: LinkWork, seen: Seen) => number): Measure =>
  perLink("Gauge", `link_${name}`, help, read)

const counter = (name: string, help: string, read: (link: LinkWork) => number): Measure =>
  perLink("Counter", `link_${name}_total`, help, read)

const whole = (type: Values["type"], name: string, help: string, read: (seen: Seen) => number): Measure => ({
  type,
  name: `jinka_${name}`,
  help,
  read: (seen) => [[{}, read(seen)]]
})

const durations = (name: string, help: string, read: (link: LinkWork) => DurationsStatus): Measure => ({
  type: "Histogram",
  name: `jinka_link_${name}_seconds`,
  help,
  read: ({ status }) => status.links.map((link) => [{ link: link.name }, read(link)])
})

const flag = (is: boolean): number => (is ? 1 : 0)

/** Seconds since a monotonic moment; 0 for none. */
const age = (at: number, now: number): number => (at === 0 ? 0 : Math.max(0, (now - at) / 1000))

/** MACs and PIN blocks; links that have neither say 0. */
const guarding: ReadonlyArray<Measure> = [
  counter("macs_right", "MACs of the partner that fitted a key.", ({ guard }) =>
    guard === undefined ? 0 : guard.current + guard.previous
  ),
  counter("macs_previous", "MACs of the partner that fitted the previous key.", ({ guard }) => guard?.previous ?? 0),
  counter("macs_wrong", "Messages of the partner with a wrong MAC, or without one.", ({ guard }) =>
    guard === undefined ? 0 : guard.wrong + guard.missing
  ),
  counter("macs_unproved", "Messages of the partner whose MAC could not be checked.", ({ guard }) =>
    guard === undefined ? 0 : guard.unproved
  ),
  counter("macs_made", "Messages that left with a MAC of ours.", ({ guard }) => guard?.made ?? 0),
  counter("macs_unmade", "Messages that did not leave, because they had no MAC.", ({ guard }) => guard?.unmade ?? 0),
  counter("macs_refused", "Answers in which the partner says that our MAC is wrong.", ({ guard }) =>
    guard === undefined ? 0 : guard.refusedByPartner
  ),
  counter("pins_translated", "PIN blocks translated for the partner.", ({ guard }) => guard?.translated ?? 0),
  counter(
    "pins_untranslated",
    "PIN blocks for the partner that could not be translated.",
    ({ guard }) => guard?.untranslated ?? 0
  )
]

const links: ReadonlyArray<Measure> = [
  gauge("up", "1 while the link has a connection.", ({ local }) => flag(local !== "")),
  gauge(
    "ready",
    "1 while requests may go over the link: connected, signed on, not blocked. A link whose partner only calls: 1 while its calls are taken.",
    ({ ready }) => flag(ready)
  ),
  gauge("blocked", "1 while an operator blocks the link.", ({ blocked }) => flag(blocked)),
  gauge("draining", "1 while the link takes no new requests and ends what is open.", ({ draining }) => flag(draining)),
  gauge("state_seconds", "How long the link has been in its present state.", ({ since }, { now }) => age(since, now)),
  gauge("silent_seconds", "Since the last byte of the partner; 0 when none has come.", ({ lastReceived }, { now }) =>
    age(lastReceived, now)
  ),
  counter("connections", "Connections since the start, the present one included.", ({ epoch }) => epoch),
  gauge("unsent_bytes", "Bytes that wait to be taken by the partner.", ({ unsent }) => unsent),
  counter("requests_in", "Requests of the partner.", ({ traffic }) => traffic.requestsIn),
  counter("requests_out", "Requests sent to the partner.", ({ traffic }) => traffic.requestsOut),
  {
    type: "Counter",
    name: "jinka_link_refused_total",
    help: "Requests and other messages of the partner that we refused ourselves, by why.",
    read: ({ status }) =>
      status.links.flatMap(({ name, traffic }) =>
        Object.entries(traffic.refusals).map(([why, count]) => [{ link: name, why }, count] as const)
      )
  },
  counter("timeouts", "Requests to the partner without an answer in time.", ({ traffic }) => traffic.timeouts),
  counter("lost", "Requests to the partner whose connection ended before the answer.", ({ traffic }) => traffic.lost),
  counter("late", "Answers of the partner that came after the end of their request.", ({ traffic }) => traffic.late),
  counter("duplicates", "Answers of the partner that came a second time.", ({ traffic }) => traffic.duplicates),
  counter("unmatched", "Answers of the partner to no request.", ({ traffic }) => traffic.unmatched),
  counter(
    "undelivered",
    "Answers to the partner that were not handed over before its connection ended.",
    ({ traffic }) => traffic.undelivered
  ),
  {
    type: "Gauge",
    name: "jinka_certificate_days",
    help: "Days until a certificate of ours ends, where 30 or fewer are left; negative: it has ended.",
    read: ({ certificates }) => certificates.map(({ days, file }) => [{ file }, days])
  },
  {
    type: "Gauge",
    name: "jinka_link_clock_ahead_seconds",
    help: "How far the partner's clock is ahead of ours, by the times in its requests; negative: behind. Absent until three have come, and an hour after the last one.",
    read: ({ status }) =>
      status.links.flatMap(({ clockAheadMs, name }) =>
        clockAheadMs === undefined ? [] : [[{ link: name }, clockAheadMs / 1000] as const]
      )
  },
  {
    type: "Gauge",
    name: "jinka_link_approved_ratio",
    help: "Share of the requests to the partner that ended in the last 15 minutes and were approved. Absent below 30 requests.",
    read: ({ status, success }) =>
      status.links.flatMap(({ name }) => {
        const { approved = 0, ended = 0 } = success(name) ?? {}
        return ended < ENDED_MIN ? [] : [[{ link: name }, approved / ended] as const]
      })
  },
  {
    type: "Gauge",
    name: "jinka_link_approved_usual_ratio",
    help: "The same share at this hour on the seven days before: the middle of them. Absent where too little is known.",
    read: ({ status, success }) =>
      status.links.flatMap(({ name }) => {
        const usual = success(name)?.usual
        return usual === undefined ? [] : [[{ link: name }, usual] as const]
      })
  },
  counter("over_rate", "Messages of the partner above its rate limit.", ({ overRate }) => overRate),
  counter("impostures", "Messages of the partner that spoke for another one, and were refused.", ({ lies }) =>
    lies === undefined ? 0 : lies.count
  ),
  ...guarding,
  {
    type: "Counter",
    name: "jinka_link_answers_total",
    help: "Answers by response code: `in` from the partner, `out` to it.",
    read: ({ status }) =>
      status.links.flatMap(({ name, traffic }) => [
        ...answers(name, "in", traffic.answersIn),
        ...answers(name, "out", traffic.answersOut)
      ])
  },
  {
    type: "Counter",
    name: "jinka_link_macs_total",
    help: "MACs of the partner that were right (by the present or the previous key), wrong, missing or could not be checked, and those that we made or could not make.",
    read: ({ status }) =>
      status.links.flatMap(({ guard, name }) =>
        guard === undefined
          ? []
          : (["current", "previous", "wrong", "missing", "unproved", "made", "unmade"] as const).map(
              (result): readonly [Labels, number] => [{ link: name, result }, guard[result]]
            )
      )
  },
  {
    type: "Counter",
    name: "jinka_link_pins_total",
    help: "PIN blocks that were translated for the partner, and those that could not be.",
    read: ({ status }) =>
      status.links.flatMap(({ guard, name }) =>
        guard === undefined
          ? []
          : (["translated", "untranslated"] as const).map((result): readonly [Labels, number] => [
              { link: name, result },
              guard[result]
            ])
      )
  },
  gauge("outstanding", "Requests sent to the partner and not answered.", ({ outstanding }) => outstanding),
  gauge("window", "How many may be outstanding.", ({ window }) => window),
  gauge("waiting", "Requests that wait for a place in the window.", ({ waiting }) => waiting),
  gauge("oldest_outstanding_seconds", "Age of the oldest request that is not answered.", (link, { now }) =>
    age(link.oldestOutstanding, now)
  ),
  gauge(
    "unanswered_requests",
    "Requests in a row that the partner did not answer.",
    ({ unanswered }) => unanswered.inARow
  ),
  gauge("stored", "Advices and reversals that wait to be acknowledged.", ({ stored }) => stored.size),
  gauge("stored_resting", "Advices and reversals that wait for their next attempt.", ({ stored }) => stored.resting),
  gauge("oldest_stored_seconds", "Age of the oldest advice or reversal that waits.", ({ stored }, { wallMs }) =>
    stored.oldest === undefined ? 0 : Math.max(0, (wallMs - stored.oldest.at) / 1000)
  ),
  {
    type: "Gauge",
    name: "jinka_link_in_doubt",
    help: "Messages for the partner that are in doubt, by why: abandoned, declined or unreversed.",
    read: ({ status }) =>
      status.links.flatMap(({ inDoubt, name }) =>
        Object.entries(inDoubt).map(([end, count]) => [{ link: name, end }, count] as const)
      )
  },
  durations(
    "partner_time",
    "From sending a request to the partner to its answer.",
    ({ durations }) => durations.partner
  ),
  durations(
    "our_time",
    "What the switch itself took for a request of the partner: all of its time without the other partner's.",
    ({ durations }) => durations.ours
  )
]

const answers = (link: string, direction: string, counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).map(([code, count]) => [{ link, direction, code }, count] as const)

/** Absent until somebody has looked at the journal: within a minute of the start. */
const ofJournal = (name: string, help: string, read: (status: RetentionStatus, seen: Seen) => number): Measure => ({
  type: "Gauge",
  name: `jinka_journal_${name}`,
  help,
  read: (seen) => (seen.status.retention === undefined ? [] : [[{}, read(seen.status.retention, seen)]])
})

const theSwitch: ReadonlyArray<Measure> = [
  whole(
    "Gauge",
    "start_time_seconds",
    "When the switch was started, seconds since 1970.",
    ({ startedAt }) => startedAt / 1000
  ),
  whole(
    "Gauge",
    "in_doubt",
    "All that waits for a person, also of links that are no longer in the configuration.",
    (seen) => seen.status.inDoubt
  ),
  whole(
    "Counter",
    "defects_total",
    "Messages that were given up because of a defect of the switch.",
    (seen) => seen.status.defects
  ),
  {
    type: "Counter",
    name: "jinka_admin_refused_total",
    help: "Calls and connections that the operators' listener refused, by why: nobody, token, role, rate, host, address, certificate.",
    read: ({ refusedCalls }) => [...refusedCalls.counts].map(([by, count]) => [{ by }, count] as const)
  },
  whole("Counter", "stalls_total", "How often disk or process stalled for a second or longer.", ({ status }) =>
    status.stalls === undefined ? 0 : status.stalls.count
  ),
  {
    type: "Gauge",
    name: "jinka_full",
    help: "1 while new requests are refused on every link, by what is in the way: disk or lag has no room, or the store is away.",
    read: ({ status: { fullBy } }) => (fullBy === undefined ? [] : [[{ by: fullBy }, 1]])
  },
  {
    type: "Counter",
    name: "jinka_journal_entries_total",
    help: "Entries of the journal by kind, since it began.",
    read: ({ status }) =>
      Object.entries(EntryKind).map(([kind, number]) => [{ kind }, status.entries[number] ?? 0] as const)
  },
  whole(
    "Gauge",
    "journal_unwritten_entries",
    "Entries that are not on disk yet.",
    ({ status }) => status.unwritten.entries
  ),
  whole(
    "Gauge",
    "journal_unwritten_bytes",
    "Bytes of the journal that are not on disk yet.",
    ({ status }) => status.unwritten.bytes
  ),
  whole(
    "Gauge",
    "journal_lag_seconds",
    "How long the entry that is followed takes to be on disk, or the last one took; 0 when there was none for a minute.",
    ({ status }) => status.lag.ms / 1000
  ),
  whole("Gauge", "journal_trouble", "1 while the journal's disk works and something is wrong with it.", ({ status }) =>
    flag(status.diskTrouble !== "")
  ),
  ofJournal("size_bytes", "Room that the journal's files take, the search index among them.", ({ size }) => size),
  ofJournal("free_bytes", "How much of this room is free for new entries.", ({ free }) => free),
  ofJournal("day_bytes", "Room of the entries of the last 24 hours.", ({ perDay }) => perDay),
  ofJournal("droppable_bytes", "Room of old days that nothing needs any more.", ({ droppable }) => droppable),
  ofJournal("oldest_seconds", "Age of the oldest entry that is kept.", ({ since }, { wallMs }) =>
    since === 0 ? 0 : Math.max(0, (wallMs - since) / 1000)
  ),
  ofJournal(
    "retention_trouble",
    "1 while days older than `journal.keep` stay, because they cannot be archived or dropped, or something has not ended.",
    ({ heldBy, keepMs, trouble }) => flag(keepMs !== undefined && (trouble !== "" || heldBy !== ""))
  ),
  {
    type: "Gauge",
    name: "jinka_security_module_up",
    help: "1 while the security module takes calls; otherwise links with keys take no new requests. Absent: there is none.",
    read: ({ status: { module } }) => (module === undefined ? [] : [[{}, flag(module.state !== "away")]])
  },
  {
    type: "Gauge",
    name: "jinka_security_device_up",
    help: "1 while the device takes calls.",
    read: ({ status: { module } }) =>
      (module?.devices ?? []).map(({ name, state }) => [{ device: name }, flag(state === "up")])
  },
  {
    type: "Gauge",
    name: "jinka_security_device_seconds",
    help: "Time of a call to the device, as a moving average.",
    read: ({ status: { module } }) =>
      (module?.devices ?? []).flatMap(({ answerMs, name }) =>
        answerMs === undefined ? [] : [[{ device: name }, answerMs / 1000] as const]
      )
  },
  {
    type: "Gauge",
    name: "jinka_group_ready",
    help: "1 while a member of the group takes requests.",
    read: ({ status }) =>
      status.groups.map(({ members, name }) => [{ group: name }, flag(members.some(({ state }) => state === "used"))])
  },
  {
    type: "Gauge",
    name: "jinka_door_connections",
    help: "Connections that are open at a door.",
    read: ({ status }) => status.doors.map(({ name, open }) => [{ door: name }, open])
  },
  {
    type: "Counter",
    name: "jinka_door_refused_total",
    help: "Connections and calls that a door turned away, by reason.",
    read: ({ status }) =>
      status.doors.flatMap(({ name, refused }) =>
        Object.entries(refused).map(([reason, count]) => [{ door: name, reason }, count] as const)
      )
  }
]

const process: ReadonlyArray<Measure> = [
  {
    type: "Gauge",
    name: "jinka_event_loop_delay_seconds",
    help: "How late the main thread was in the last quarter of a minute: the median, the 99th percentile and the worst.",
    read: ({ process: { loop } }) => [
      [{ at: "p50" }, loop.p50],
      [{ at: "p99" }, loop.p99],
      [{ at: "max" }, loop.max]
    ]
  },
  whole("Counter", "gc_runs_total", "Garbage collections of the main thread.", ({ process: { gc } }) => gc.runs),
  whole(
    "Counter",
    "gc_pause_seconds_total",
    "Time that garbage collections took.",
    ({ process: { gc } }) => gc.seconds
  ),
  whole("Counter", "cpu_seconds_total", "Processor time of the process.", ({ process: { cpuSeconds } }) => cpuSeconds),
  whole("Gauge", "resident_memory_bytes", "Memory of the process.", ({ process: { memory } }) => memory.rss),
  whole("Gauge", "heap_used_bytes", "JavaScript memory in use.", ({ process: { memory } }) => memory.heap),
  whole(
    "Gauge",
    "external_memory_bytes",
    "Memory of buffers outside of the JavaScript heap.",
    ({ process: { memory } }) => memory.external
  )
]

/** All of them, in the order in which they are told. */
export const measures: ReadonlyArray<Measure> = [...theSwitch, ...links, ...process]
