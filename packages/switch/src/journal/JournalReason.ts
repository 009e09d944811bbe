/**
 * Why a journal stopped or would not open, as plain objects that cross threads. No Effect here: the journal's thread
 * starts without it. `JournalError` wraps these for everybody else.
 */

/**
 * The reasons, one for each thing an operator does about it. `DiskFull`, `DiskFailed`, `DiskStalled`: the disk. `Corrupt`:
 * bytes that are not what was written. `Truncated`: the end of the journal is missing. `Gone`: all of it is, and there was one.
 * `Locked`: another process has it. `VersionUnknown`: written by another version. `SettingsWrong`: SQLite did not take the
 * settings that make a commit durable. `KeyWrong`, `KeyWeak`, `KeyMissing`: the journal's key. `NotJournal`: the file is
 * something else. `DirectoryUnusable`: the directory cannot be made, read or written. `ThreadFailed`: the journal's thread
 * broke for a reason that is not the disk's. Of a journal in PostgreSQL: `StoreAway`: the server cannot be reached or takes no
 * writes, or has not answered for as long as it may be away. `StoreRefused`: it is there, and refuses this user, certificate or
 * database. `Overtaken`: another node has taken the journal over.
 */
export const journalReasonTags = [
  "DiskFull",
  "DiskFailed",
  "DiskStalled",
  "Corrupt",
  "Truncated",
  "Gone",
  "Locked",
  "VersionUnknown",
  "SettingsWrong",
  "KeyWrong",
  "KeyWeak",
  "KeyMissing",
  "NotJournal",
  "DirectoryUnusable",
  "ThreadFailed",
  "Overtaken",
  "StoreAway",
  "StoreRefused"
] as const

/** One of {@link journalReasonTags}. */
export type JournalReasonTag = (typeof journalReasonTags)[number]

interface Facts<Tag extends JournalReasonTag> {
  readonly _tag: Tag
  /** The directory or file. */
  readonly place: string
  /** What was found, in a sentence without message bytes. */
  readonly problem: string
  /** What to do, in a sentence. */
  readonly remedy: string
  /** Seq that the problem is at, where there is one. */
  readonly seq?: number
}

/** A tagged reason. */
export type JournalReason = { readonly [Tag in JournalReasonTag]: Facts<Tag> }[JournalReasonTag]

/** Carries a reason through code that throws, inside the journal's thread only. */
export class JournalStop extends Error {
  readonly reason: JournalReason

  constructor(reason: JournalReason) {
    super(`${reason._tag}: ${reason.problem}`)
    this.name = "JournalStop"
    this.reason = reason
  }
}

/** Throws a reason. */
export const stop = (
  tag: JournalReasonTag,
  place: string,
  problem: string,
  remedy: string = standardRemedy[tag],
  seq?: number
): never => {
  throw new JournalStop(makeReason(tag, place, problem, remedy, seq))
}

/** Builds a reason; the remedy defaults to the tag's own. */
export const makeReason = (
  tag: JournalReasonTag,
  place: string,
  problem: string,
  remedy: string = standardRemedy[tag],
  seq?: number
): JournalReason => ({ _tag: tag, place, problem, remedy, ...(seq === undefined ? {} : { seq }) }) as JournalReason

/** What to do about each reason, when the place that found it knows nothing better. */
const standardRemedy: Readonly<Record<JournalReasonTag, string>> = {
  DiskFull: "Free space on this file system, then start the switch again; nothing that was acknowledged is lost.",
  DiskFailed:
    "Check the disk (kernel log, smartctl) before starting again; the switch recovers from what is on disk. Do not copy the journal while it is in doubt.",
  DiskStalled:
    "Check the disk and what else writes to it (kernel log, iostat). Start again when it answers: the switch recovers from what is on disk.",
  Corrupt:
    "Keep the directory as it is, restore the journal from a backup or the standby, and have the disk checked. `jinka journal verify` shows the first bad entry.",
  Truncated:
    "Keep the directory as it is and restore the missing files, or PostgreSQL's missing end. Only when that is gone for good: `jinka journal accept-loss`; the loss is then written into the journal, and exchanges still open are reversed at the next start.",
  Gone: "Restore the directory from a backup or the standby. Only when what it held is gone for good, or belongs elsewhere: begin a new journal here with `jinka journal new`.",
  Locked:
    "Another process has this journal open. Find it (`lsof` on the directory) and stop it, or give this switch its own directory. Never delete the lock.",
  VersionUnknown: "Open it with the version of Jinka that wrote it; never edit the version.",
  SettingsWrong:
    "Use a local file system (WAL does not work on network file systems) and the better-sqlite3 that comes with Jinka.",
  KeyWrong:
    "Give the key that this journal was written with; a changed key needs the old one listed as a previous key.",
  KeyWeak: "Make a random key (`openssl rand -hex 32`); a journal that was written with this one must be begun again.",
  KeyMissing: "Give the journal's key: 32 bytes as 64 hex digits, in a file or from the environment.",
  NotJournal: "Give the journal a directory of its own; move the file that is there if it is not wanted.",
  ThreadFailed:
    "This is a fault of the program or its installation, not of the disk: start the switch again, and report this text.",
  Overtaken:
    "Another node runs this switch now. Start this one again, as its supervisor does: it stands by until that one ends.",
  StoreAway:
    "Look at PostgreSQL and the network to it. Nothing that was acknowledged is lost: a node whose process has ended is started again, as its supervisor does, and stands by; the one that reaches PostgreSQL first goes on.",
  StoreRefused: "Correct user, password, database or rights; docs/operate/postgres.md says what a switch needs.",
  DirectoryUnusable:
    "Make sure that it is there, and that the user that runs the switch owns it and may write to it. To read it only, run as that user or as root."
}

/** The `code` of a system or SQLite error, or empty. */
const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : ""

/**
 * A sentence for what the system or SQLite said: its code and text. SQLite's texts hold names of tables, never
 * values.
 */
const saying = (error: unknown): string => {
  const code = codeOf(error)
  const text = error instanceof Error ? error.message : String(error)
  return code === "" || text.includes(code) ? text : `${code}: ${text}`
}

const byCode: ReadonlyArray<readonly [RegExp, JournalReasonTag]> = [
  [/^(SQLITE_FULL|ENOSPC|EDQUOT)/, "DiskFull"],
  [/^SQLITE_(CORRUPT|CONSTRAINT|MISMATCH|RANGE|TOOBIG|IOERR_SHORT_READ)/, "Corrupt"],
  [/^SQLITE_NOTADB/, "NotJournal"],
  [/^SQLITE_(BUSY|LOCKED|PROTOCOL)/, "Locked"],
  [
    /^(SQLITE_(CANTOPEN|READONLY|PERM|AUTH)|EACCES|EPERM|EROFS|ENOTDIR|EISDIR|ENOENT|EEXIST|ELOOP|ENAMETOOLONG)/,
    "DirectoryUnusable"
  ]
]

/**
 * Turns whatever was thrown into a reason: a reason stays, codes of SQLite and the system are sorted, the rest is
 * DiskFailed.
 */
export const reasonOf = (error: unknown, place: string, doing: string): JournalReason => {
  if (error instanceof JournalStop) return error.reason
  const code = codeOf(error)
  const tag = byCode.find(([pattern]) => pattern.test(code))?.[1] ?? (code === "" ? "ThreadFailed" : "DiskFailed")
  return makeReason(tag, place, `${doing}: ${saying(error)}`)
}

const copyRemedy =
  "Free space there, or name a place on another file system, and do it again. The journal that is copied has its room: a switch that runs goes on."

/**
 * The same of a copy of a journal: what the place `to` refuses is said of it, with what to do there; damage is of the journal
 * `from`.
 */
export const copyReasonOf = (error: unknown, from: string, to: string): JournalReason => {
  if (error instanceof JournalStop) return error.reason
  const reason = reasonOf(error, to, "The copy cannot be written")
  if (reason._tag === "DiskFull") return { ...reason, remedy: copyRemedy }
  return reason._tag === "Corrupt" ? reasonOf(error, from, "The journal cannot be copied") : reason
}
