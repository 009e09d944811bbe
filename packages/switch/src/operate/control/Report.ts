/**
 * What a running switch tells over its control socket, as JSON with a schema: both ends read it.
 */
import { Schema } from "effect"
import { AlarmReport } from "../alarm/Alarms.ts"
import { RetentionReport, When } from "./JournalReport.ts"
import { Reason } from "./Reason.ts"

/** One end of a connection. */
const EndReport = Schema.Struct({
  at: When,
  /** When the first of `times` equal ones was. */
  firstAt: When,
  times: Schema.Number,
  reason: Schema.String,
  /** partner, network, us, operator. */
  by: Schema.String,
  /** FIN, RST, or what moved us to close. */
  how: Schema.String,
  why: Schema.String,
  /** First bytes of a frame that could not be read, in hexadecimal, masked. */
  first: Schema.String,
  advice: Schema.String
})
/** See the schema. */
export type EndReport = typeof EndReport.Type

/** The kernel's view of one socket. */
const KernelReport = Schema.Struct({
  state: Schema.String,
  /** Bytes that the partner has not acknowledged, and bytes that we have not read. */
  sendQueue: Schema.Number,
  receiveQueue: Schema.Number,
  retransmits: Schema.Number,
  timer: Schema.String,
  timerMs: Schema.Number
})

/** One socket of a link. */
const LegReport = Schema.Struct({
  /** `both`, or `send` and `receive` of a simplex pair. */
  leg: Schema.String,
  local: Schema.String,
  remote: Schema.String,
  /** null: the kernel has no such connection, or cannot be asked (see the report's `kernel`). */
  kernel: Schema.NullOr(KernelReport),
  /** Where the kernel and we differ, in words. */
  disagreements: Schema.Array(Schema.String),
  /** The leg by itself; null on a link of one connection. */
  simplex: Schema.NullOr(
    Schema.Struct({
      /** up, waiting for the other leg, down, connecting, listening. */
      state: Schema.String,
      since: When,
      /** The last byte in the leg's own direction. */
      lastByte: When,
      attempts: Schema.Number,
      nextAttempt: When,
      lastEnd: Schema.NullOr(Schema.Struct({ at: When, why: Schema.String }))
    })
  )
})
/** See the schema. */
export type LegReport = typeof LegReport.Type

/** The clocks of a connection; null: not running. */
const ClocksReport = Schema.Struct({
  /** OKAY, SUSPECT, REOPEN (proving), DOWN (not signed on yet). */
  watchdog: Schema.String,
  /** A probe is under way. */
  probing: Schema.Boolean,
  /** Echoes that a reopened connection still has to answer. */
  proofsMissing: Schema.Number,
  /** When the watchdog acts next unless something comes. */
  watchdogDue: When,
  /** Bytes were written and nothing was received since. */
  unheardSince: When,
  /** A write that the kernel does not take whole. */
  writingSince: When,
  /** A frame that has begun and not ended. */
  frameSince: When,
  /** We do not read, because the journal lags. */
  held: Schema.Boolean
})

/** The connections of a short link. */
const ShortReport = Schema.Struct({
  open: Schema.Number,
  dialling: Schema.Number,
  /** Since the start, and in the last whole second. */
  opened: Schema.Number,
  lastSecond: Schema.Number
})

/** How long something took in the last five to ten minutes, in milliseconds. */
const TimesReport = Schema.Struct({
  count: Schema.Number,
  p50: Schema.Number,
  p99: Schema.Number,
  max: Schema.Number
})

/** Requests and answers of a link since the start; advices and reversals are only in `othersIn` and `refused`. */
const TrafficReport = Schema.Struct({
  /**
   * Requests of the partner, and its other messages; those of both that we refused without sending them on; our answers to them
   * by code, refusals among them.
   */
  requestsIn: Schema.Number,
  othersIn: Schema.Number,
  refused: Schema.Number,
  /** Those that we refused, by why: the names of refusals in docs/reference/errors.md. */
  refusals: Schema.Record(Schema.String, Schema.Number),
  answersOut: Schema.Record(Schema.String, Schema.Number),
  /** Answers that were not handed over before their connection ended. */
  undelivered: Schema.Number,
  /** Requests sent to the partner; its answers by code. */
  requestsOut: Schema.Number,
  answersIn: Schema.Record(Schema.String, Schema.Number),
  /** Those of them that approve. */
  approved: Schema.Number,
  /** Requests to the partner without an answer in time, or whose connection ended before it. */
  timeouts: Schema.Number,
  lost: Schema.Number,
  /** Answers of the partner after the end of their request, a second time, or to no request. */
  late: Schema.Number,
  duplicates: Schema.Number,
  unmatched: Schema.Number,
  /** From the sending of a request to the partner's answer; and what we took of a request of the partner. */
  partnerTime: TimesReport,
  ourTime: TimesReport
})

/** Requests to a partner that ended of late, and those of them that it approved. */
const SuccessReport = Schema.Struct({
  ended: Schema.Number,
  approved: Schema.Number,
  /** The share at this hour on earlier days, 0 to 1; null: too little is known. */
  usual: Schema.NullOr(Schema.Number),
  /** It is so far below the usual one that there is an alarm. */
  isLow: Schema.Boolean,
  /** All of it in words. */
  says: Schema.String
})

/** Store-and-forward of a link. */
const StoredReport = Schema.Struct({
  underWay: Schema.Number,
  resting: Schema.Number,
  nextAttempt: When,
  oldest: Schema.NullOr(Schema.Struct({ at: When, exchange: Schema.Number, attempts: Schema.Number })),
  attemptsMax: Schema.Number
})

/** When the switch stood still. */
const StallReport = Schema.Struct({ what: Schema.Literals(["disk", "process"]), at: When, ms: Schema.Number })

/** What a link's guard has done since the start: see `GuardCounts`. */
const GuardReport = Schema.Struct({
  current: Schema.Number,
  previous: Schema.Number,
  wrong: Schema.Number,
  missing: Schema.Number,
  unproved: Schema.Number,
  made: Schema.Number,
  unmade: Schema.Number,
  translated: Schema.Number,
  untranslated: Schema.Number,
  refusedByPartner: Schema.Number
})

/** One link as an operator sees it. */
export const LinkReport = Schema.Struct({
  name: Schema.String,
  institution: Schema.String,
  /** One word or two: ready, down, signing on, suspect, draining ... */
  state: Schema.String,
  /** Requests may be sent on it now. */
  ready: Schema.Boolean,
  blocked: Schema.Boolean,
  draining: Schema.Boolean,
  /** none, missing, optional, done, off; ours and the partner's. */
  signOn: Schema.Struct({ ours: Schema.String, partners: Schema.String, attempts: Schema.Number }),
  /** Counts connections. */
  epoch: Schema.Number,
  local: Schema.String,
  remote: Schema.String,
  legs: Schema.Array(LegReport),
  /** Since when the state is what it is. */
  since: When,
  /** `host:port` that it takes its partner's connections on; empty: it dials, or is behind a door. */
  listens: Schema.String,
  /** Connections that were not let in since the start, when the last one was, and why; null: none. */
  turnedAway: Schema.NullOr(Schema.Struct({ count: Schema.Number, at: When, why: Schema.String })),
  /** Messages that spoke for another partner and were refused, when the last one came, and what it did; null: none. */
  lies: Schema.NullOr(Schema.Struct({ count: Schema.Number, at: When, why: Schema.String })),
  /** MACs and PIN blocks since the start; null: the link has neither. */
  guard: Schema.NullOr(GuardReport),
  /** The partner's business day: `2026-11-28`, empty: not known; the next one, while it is being closed. null: none is kept. */
  businessDay: Schema.NullOr(
    Schema.Struct({ date: Schema.String, next: Schema.String, state: Schema.Literals(["unknown", "open", "closing"]) })
  ),
  lastReceived: When,
  lastSent: When,
  /** Of this connection, or of the last one. */
  bytesReceived: Schema.Number,
  bytesSent: Schema.Number,
  /** Requests in a row that the partner did not answer; when it was asked by an echo for them, and what came of that. */
  unanswered: Schema.Struct({ inARow: Schema.Number, askedAt: When, came: Schema.String }),
  /** null: the link has one connection at a time. */
  short: Schema.NullOr(ShortReport),
  /** null while it is down. */
  clocks: Schema.NullOr(ClocksReport),
  /** Attempts to connect in a row that failed, and when the next is made. */
  attempts: Schema.Number,
  nextAttempt: When,
  /** Bytes that the partner has not taken. */
  unsent: Schema.Number,
  outstanding: Schema.Number,
  /** Requests among them that wait in line for a place in the window. */
  waiting: Schema.Number,
  window: Schema.Number,
  oldestOutstanding: When,
  /** Seconds that the partner's clock is ahead of ours, negative: behind; null: not known. */
  clockAhead: Schema.NullOr(Schema.Number),
  /** Messages since the start that came above the link's rate limit. */
  overRate: Schema.Number,
  /** Messages left unanswered since the start: they may have come before, and the journal did not say in time. */
  perhapsRepeats: Schema.Number,
  /** Store-and-forward messages that have not ended, and their state. */
  stored: Schema.Number,
  storeAndForward: StoredReport,
  /** What was meant for it and waits for a person: given up, declined, or money without a reversal. */
  inDoubt: Schema.Struct({ abandoned: Schema.Number, declined: Schema.Number, unreversed: Schema.Number }),
  traffic: TrafficReport,
  /** Requests that ended in the last 15 minutes, and which share is approved; null: none ended. */
  success: Schema.NullOr(SuccessReport),
  /** What is wrong with it, by the rules of `alarms`. */
  alarms: Schema.Array(AlarmReport),
  /** Why the last connection ended, and what to look at. */
  lastEnd: Schema.NullOr(EndReport),
  /** The last few, newest first. */
  ends: Schema.Array(EndReport)
})
export type LinkReport = typeof LinkReport.Type

/** One group of links. */
const GroupReport = Schema.Struct({
  name: Schema.String,
  /** primary-backup, round-robin, least-outstanding, sticky. */
  use: Schema.String,
  /** alone, together. */
  fall: Schema.String,
  members: Schema.Array(
    Schema.Struct({
      link: Schema.String,
      /** used: requests go to it; spare: ready, and only used when no other is; suspect; away. */
      state: Schema.String,
      since: When,
      /** When a member that was lost is primary again, or has its sticky keys again. */
      failbackDue: When,
      outstanding: Schema.Number
    })
  ),
  /** When all of its connections were closed together. */
  fellAt: When
})
/** See the schema. */
export type GroupReport = typeof GroupReport.Type
/** A listening address that links share. */
export const DoorReport = Schema.Struct({
  name: Schema.String,
  /** `host:port`. */
  at: Schema.String,
  /** Connections that are in, and of them those that no link owns yet. */
  open: Schema.Number,
  pending: Schema.Number,
  /** Given to a link, and turned away by reason, since the start. */
  admitted: Schema.Number,
  refused: Schema.Record(Schema.String, Schema.Number)
})
export type DoorReport = typeof DoorReport.Type

/** One device of the security module. */
const DeviceReport = Schema.Struct({
  name: Schema.String,
  /** `host:port`. */
  address: Schema.String,
  /** `suspect`: late, and gets no calls until its heartbeat is answered. `out`: it says that it cannot work. */
  state: Schema.Literals(["up", "suspect", "away", "out"]),
  connections: Schema.Number,
  connected: Schema.Number,
  /** Calls that it has not answered yet. */
  outstanding: Schema.Number,
  /** Milliseconds of a call, as a moving average. Null: none yet. */
  answerMs: Schema.NullOr(Schema.Number),
  /** As its heartbeat says; empty: not yet. */
  lmkCheckValue: Schema.String,
  firmware: Schema.String,
  /** Why it is not up; empty: it is. */
  why: Schema.String
})

/** What holds the keys. `degraded`: not every device takes calls. `away`: none does, and links with keys take no requests. */
const ModuleReport = Schema.Struct({
  module: Schema.Literals(["software", "hsm"]),
  state: Schema.Literals(["up", "degraded", "away"]),
  devices: Schema.Array(DeviceReport)
})
/** See the schema. */
export type ModuleReport = typeof ModuleReport.Type

/** Which node runs a switch whose journal is in PostgreSQL. */
const OwnerReport = Schema.Struct({
  /** What the node that answers does. */
  role: Schema.Literals(["owner", "standby"]),
  /** The node that answers. */
  node: Schema.String,
  /** The node that has the switch; empty: none, or it is not seen. */
  owner: Schema.String,
  /** Counted up by each takeover, and in every group that the owner commits. 0: this node has not had the switch. */
  epoch: Schema.Number,
  /** Since when it does that. */
  since: Schema.String,
  /** Why a node that stands by does not see the owner; empty: it does. */
  blind: Schema.String
})
/** See the schema. */
export type OwnerReport = typeof OwnerReport.Type

/** The whole switch. */
export const StatusReport = Schema.Struct({
  name: Schema.String,
  pid: Schema.Number,
  startedAt: Schema.String,
  /** When this was said. */
  at: Schema.String,
  /** What is wrong with the whole switch, by the rules of `alarms`. */
  alarms: Schema.Array(AlarmReport),
  /** Null: the journal is on this machine, and no other node can have the switch. */
  owner: Schema.NullOr(OwnerReport),
  links: Schema.Array(LinkReport),
  groups: Schema.Array(GroupReport),
  doors: Schema.Array(DoorReport),
  /** What waits for a person, of all links: `jinka pending list`. */
  inDoubt: Schema.Number,
  /** Empty: the kernel was asked. Else why its view is absent. */
  kernelAbsent: Schema.String,
  /** Journal entries by kind since the journal began. */
  entries: Schema.Record(Schema.String, Schema.Number),
  /** Messages that were given up since the start, because of a defect of the switch. */
  defects: Schema.Number,
  /** Answers by response code since the start. */
  answers: Schema.Record(Schema.String, Schema.Number),
  /** What is not on disk yet, and how many milliseconds the journal takes for an entry: 0 when nothing is known. */
  unwritten: Schema.Struct({ entries: Schema.Number, bytes: Schema.Number, lagMs: Schema.Number }),
  /** When the switch stood still for a second or longer: its disk confirmed nothing, or the process did not run. Null: never. */
  stalls: Schema.NullOr(Schema.Struct({ count: Schema.Number, last: StallReport, longest: StallReport })),
  /**
   * Why new requests and advices are refused on every link: the journal's disk has no room left or lags, or its store is away.
   * Null: they are not.
   */
  fullBy: Schema.NullOr(Schema.Literals(["disk", "lag", "away"])),
  /** What holds the keys of partners. Null: nothing does. */
  module: Schema.NullOr(ModuleReport),
  /** What is wrong with the journal's disk while it still works; empty: nothing. */
  diskTrouble: Schema.String,
  /** Null: nobody has looked since the start. */
  retention: Schema.NullOr(RetentionReport)
})
export type StatusReport = typeof StatusReport.Type

/** A request that had not ended when the switch stopped. */
export const UnfinishedReport = Schema.Struct({
  exchange: Schema.Number,
  link: Schema.String,
  /**
   * Unknown: it may have reached the partner, and is reversed if it is money. NotSent: no byte left. Undelivered: it came from
   * this link's partner, and its answer will find no connection.
   */
  outcome: Schema.Literals(["Unknown", "NotSent", "Undelivered"])
})

/** The end of a drain. */
export const DrainReport = Schema.Struct({ unfinished: Schema.Array(UnfinishedReport) })
export type DrainReport = typeof DrainReport.Type

/** What came of an operator's act on a link. */
export const OperatedReport = Schema.Struct({
  link: Schema.String,
  act: Schema.String,
  before: Schema.String,
  after: Schema.String,
  did: Schema.String,
  answerMs: Schema.optionalKey(Schema.Number),
  unfinished: Schema.Array(UnfinishedReport)
})
export type OperatedReport = typeof OperatedReport.Type

/** Who asks for an act, as it travels: the unix user, and why. */
export const OperatorReport = Schema.Struct({
  reason: Schema.optionalKey(Reason)
})

/** What a reload changed, or would change. */
export const ReloadReport = Schema.Struct({
  /** False for a dry run. */
  applied: Schema.Boolean,
  added: Schema.Array(Schema.String),
  removed: Schema.Array(Schema.String),
  changed: Schema.Array(Schema.Struct({ name: Schema.String, what: Schema.Array(Schema.String) })),
  /** Links that keep their connection. */
  unchanged: Schema.Number,
  groups: Schema.Array(Schema.String),
  routes: Schema.Array(Schema.String),
  limits: Schema.Array(Schema.String),
  doors: Schema.Array(Schema.String),
  admin: Schema.Array(Schema.String),
  warnings: Schema.Array(Schema.String),
  unfinished: Schema.Array(UnfinishedReport),
  tookMs: Schema.Number
})
export type ReloadReport = typeof ReloadReport.Type

/** How a reload is asked for, as it travels. */
export const ReloadRequest = Schema.Struct({ dryRun: Schema.Boolean, reason: Schema.optionalKey(Reason) })

/** Why a question was not answered. */
export const Refused = Schema.Struct({
  error: Schema.String,
  /** The exit code that the command ends with, by name. */
  exit: Schema.optionalKey(Schema.Literals(["bad", "usage", "journal", "network"]))
})
