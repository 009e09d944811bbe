/**
 * The directory of a journal before its database is opened: whether it may be used, who may look in, what is left of an earlier
 * journal, whether there is room. Runs in the journal's thread or the command line's; synchronous; throws `JournalStop`.
 */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  statfsSync,
  statSync
} from "node:fs"
import { dirname, join } from "node:path"
import { anchorFile } from "./Anchor.ts"
import { type JournalReason, reasonOf, stop } from "./JournalReason.ts"
import { indexFile } from "./SearchIndex.ts"
import { databaseFile } from "./SqliteFile.ts"

/** Copy of a WAL that was found when an opening was refused; SQLite would leave nothing of it. */
export const refusedWalFile = `${databaseFile}-wal.refused`

/** Where a running switch takes commands; one that is left behind shows that a switch ran here. */
const controlFile = "control.sock"

/** What a switch has learnt of its partners' rates (operate/alarm/SuccessRatesFile.ts). */
const ratesFile = "success-rates.jsonl"

const ofDatabase = [databaseFile, `${databaseFile}-wal`, refusedWalFile]
const ofIndex = [indexFile, `${indexFile}-wal`, `${indexFile}-shm`]

/** Files of a journal that hold entries, or what can be found out about them. */
const privateFiles = [...ofDatabase, ...ofIndex, anchorFile]

/** Free bytes that a start needs at least: to write that it began, and what it ends. */
const START_ROOM = 4 * 1024 * 1024

/** Rights of the group and of everybody. */
const OTHERS = 0o077
const EVERYBODY_WRITES = 0o002
const ONLY_OWNERS_DELETE = 0o1000
/** A directory such as /tmp. */
const SHARED = EVERYBODY_WRITES | ONLY_OWNERS_DELETE

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, "0")

/** Makes the directory, or looks whether it can be used. Returns what was put right, and what is not, in sentences. */
export const prepareDirectory = (directory: string, readOnly: boolean): ReadonlyArray<string> => {
  try {
    if (!readOnly) mkdirSync(directory, { recursive: true, mode: 0o700 })
    const stat = statSync(directory)
    if (!stat.isDirectory()) stop("DirectoryUnusable", directory, "This is not a directory.")
    const reads = constants.R_OK | constants.X_OK
    accessSync(directory, readOnly ? reads : reads | constants.W_OK)
    if (!readOnly) return [...closeToOthers(directory, stat.mode), ...openAbove(directory)]
    const database = join(directory, databaseFile)
    if (existsSync(database)) accessSync(database, constants.R_OK)
    return []
  } catch (error) {
    if (readOnly && error instanceof Error && "code" in error && error.code === "ENOENT")
      stop("DirectoryUnusable", directory, "There is no such directory.", nowhereRemedy)
    const reason = reasonOf(error, directory, "The journal's directory cannot be used")
    return reason._tag === "NotJournal"
      ? stop("NotJournal", directory, reason.problem)
      : stop("DirectoryUnusable", directory, reason.problem, remedyFor(error, readOnly) ?? remedyOf(reason))
  }
}

const nowhereRemedy =
  "If a configuration names it, no switch has run with this configuration yet. Otherwise give the directory of a journal, or what `jinka journal backup` or `archive` has made."

const remedyOf = ({ _tag, remedy }: JournalReason): string | undefined =>
  _tag === "DirectoryUnusable" ? remedy : undefined

/** What to do about what the system said of a directory; it is another thing for who only reads. */
const remedyFor = (error: unknown, readOnly: boolean): string | undefined => {
  const code = error instanceof Error && "code" in error ? error.code : undefined
  if (code === "EACCES" || code === "EPERM") {
    return readOnly
      ? "Run this as the user that the switch runs as, or as root."
      : "Give the directory to the user that runs the switch (`chown`), with mode 0700 and its way there open to it."
  }
  if (code === "ENOTDIR" || code === "EEXIST") return "A file has this name, or one above it: give another directory."
  if (code === "EROFS") return "Mount this file system for writing, or give the journal a directory elsewhere."
  return undefined
}

/** Directories above in whose place anybody may put others, as sentences for the log. */
const openAbove = (directory: string): ReadonlyArray<string> => {
  const said: Array<string> = []
  for (let below = realpathSync(directory), above = dirname(below); above !== below; above = dirname(above)) {
    below = above
    const { mode } = statSync(above)
    // Where only owners may delete, as in /tmp, nobody else's directory can be put away.
    if ((mode & EVERYBODY_WRITES) === 0 || (mode & ONLY_OWNERS_DELETE) !== 0) continue
    said.push(
      `${above}, above the journal, may be written by everybody (mode ${octal(mode)}): anybody may put another journal in its place; \`chmod o-w\``
    )
  }
  return said
}

/** Takes the rights of others away, on the directory and on what is in it, also where it was made beforehand. */
const closeToOthers = (directory: string, mode: number): ReadonlyArray<string> => {
  if ((mode & SHARED) !== 0) {
    const problem = `Everybody may write in this directory (mode ${octal(mode)}).`
    stop("DirectoryUnusable", directory, problem, "Give the journal a directory of its own, mode 0700.")
  }
  const done: Array<string> = []
  const close = (path: string, found: number, wanted: number) => {
    if ((found & OTHERS) === 0) return
    chmodSync(path, wanted)
    done.push(`${path} was open to others (mode ${octal(found)}); it is ${octal(wanted)} now`)
  }
  close(directory, mode, 0o700)
  for (const file of privateFiles) {
    const path = join(directory, file)
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat !== undefined) close(path, stat.mode, 0o600)
  }
  return done
}

/** Makes the database's file, so that it and what SQLite puts beside it is its owner's alone whatever the umask is. */
export const makeDatabaseFile = (directory: string): void =>
  closeSync(openSync(join(directory, databaseFile), "a", 0o600))

/**
 * Files that an earlier journal left, when its anchor is gone or empty and its database is, too (`isOpened`: or holds nothing,
 * now that it was opened): a new journal begun over them would forget without a word what it had promised. What is a link to
 * nowhere was elsewhere.
 */
export const leftovers = (directory: string, isOpened = false): ReadonlyArray<string> => {
  const size = (file: string) => statSync(join(directory, file), { throwIfNoEntry: false })?.size ?? 0
  if (size(anchorFile) > 0 || (!isOpened && size(databaseFile) > 0)) return []
  const has = (file: string) => lstatSync(join(directory, file), { throwIfNoEntry: false }) !== undefined
  const ofDatabase = isOpened ? [] : [`${databaseFile}-wal`]
  const isNowhere = has(databaseFile) && !existsSync(join(directory, databaseFile))
  const others = [...ofDatabase, refusedWalFile, anchorFile, ...ofIndex, controlFile, ratesFile].filter(has)
  return isNowhere ? [databaseFile, ...others] : others
}

/** Files of a search index in the directory. One is made from a journal, and shows that there was one. */
export const indexFiles = (directory: string): ReadonlyArray<string> =>
  ofIndex.filter((file) => existsSync(join(directory, file)))

/** Refuses a start without room on the disk: it would sign on to partners, and then end at its first entry. */
export const checkStartRoom = (directory: string, reserve: number): void => {
  const { bavail, bsize } = statfsSync(directory)
  const [free, needed] = [bavail * bsize, Math.min(reserve, START_ROOM)]
  if (free >= needed) return
  const problem = `There are ${kib(free)} free on this file system; a start needs ${kib(needed)}.`
  stop("DiskFull", directory, problem, "Free space on this file system, then start the switch again.")
}

const kib = (bytes: number): string => `${Math.floor(bytes / 1024)} KiB`

/** `jinka journal verify` could not say more of such a file. */
const endRemedy =
  "Keep the directory as it is, restore the journal from a backup or the standby, and have the disk checked."

const sqliteMagic = "SQLite format 3\0"

/**
 * Refuses a database file that is shorter than its own header says: SQLite calls that a disk error, or nothing at all. Beside a
 * log it may be: a checkpoint that did not end has written the header and left other pages in the log.
 */
export const checkLength = (path: string): void => {
  if (!existsSync(path) || (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return
  const header = Buffer.alloc(100)
  const file = openSync(path, "r")
  try {
    const { size } = fstatSync(file)
    if (
      readSync(file, header, 0, header.length, 0) < header.length ||
      header.toString("latin1", 0, 16) !== sqliteMagic
    ) {
      return
    }
    // sqlite.org/fileformat.html 1.3: the page size (1 stands for 65,536), and the number of pages.
    const page = header.readUInt16BE(16)
    const whole = (page === 1 ? 65_536 : page) * header.readUInt32BE(28)
    if (size >= whole) return
    const says = `The file has ${size} bytes, and its own header says ${whole}: its end is missing.`
    stop("Corrupt", path, says, endRemedy)
  } finally {
    closeSync(file)
  }
}
