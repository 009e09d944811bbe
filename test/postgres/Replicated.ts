/** A primary and a standby of it, real ones on this machine: to fail over between, there and back. */
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { testFolder } from "../TestFolder.ts"
import { RealPostgres } from "./RealPostgres.ts"

/** The standby as the primary knows it. */
const standbyName = "s1"

/** A standby that has lost its primary looks for it again at once. */
const settings = { wal_retrieve_retry_interval: "100ms" }

/** The way of a standby to its primary: the port to dial instead of the primary's own. */
type Way = (port: number) => Promise<number>

const directly: Way = async (port) => port

const until = async (what: string, look: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 600; tries++) {
    if (await look()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`it was waited in vain for this: ${what}`)
}

/** See the header. */
export class Replicated {
  primary: RealPostgres
  standby: RealPostgres
  private readonly isSynchronous: boolean
  private readonly way: Way

  private constructor(primary: RealPostgres, standby: RealPostgres, isSynchronous: boolean, way: Way) {
    this.primary = primary
    this.standby = standby
    this.isSynchronous = isSynchronous
    this.way = way
  }

  /** `isSynchronous`: each commit waits for the standby's word. */
  static async begin(isSynchronous: boolean, way: Way = directly): Promise<Replicated> {
    const primary = await RealPostgres.begin({ settings })
    await primary.stop()
    const standby = await RealPostgres.on(primary.data, settings)
    await primary.start()
    const pair = new Replicated(primary, standby, isSynchronous, way)
    await pair.follow()
    return pair
  }

  /** Of both servers, in an order that stays. */
  get ports(): ReadonlyArray<number> {
    return [this.primary.port, this.standby.port].sort((one, other) => one - other)
  }

  /** The primary dies, and the standby takes its place; what it has not received is lost. */
  async failOver(): Promise<void> {
    await this.primary.stop("immediate")
    if (!this.standby.isUp) await this.standby.start()
    await this.standby.administer("SELECT pg_promote()")
    const { primary, standby } = this
    this.primary = standby
    this.standby = primary
  }

  /** The server that died becomes the standby of the other one, as a new copy at its old port. */
  async rebuild(): Promise<void> {
    const folder = mkdtempSync(join(testFolder(), "jinka-copy-"))
    try {
      await this.primary.backUp(join(folder, "data"))
      const { port } = this.standby
      await this.standby.end()
      this.standby = await RealPostgres.on(join(folder, "data"), settings, port)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
    await this.follow()
  }

  async end(): Promise<void> {
    await this.primary.end()
    await this.standby.end()
  }

  private async follow(): Promise<void> {
    const { primary, standby } = this
    const port = await this.way(primary.port)
    const from = `host=127.0.0.1 port=${port} user=jinka application_name=${standbyName}`
    standby.write("standby.signal", "")
    standby.write("postgresql.auto.conf", `primary_conninfo = '${from}'\n`)
    await standby.start()
    const names = this.isSynchronous ? standbyName : ""
    await primary.administer(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`, "SELECT pg_reload_conf()")
    const state = this.isSynchronous ? "sync" : "async"
    await until("the standby follows", async () => {
      const rows = await primary.administer(
        `SELECT 1 AS here FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '${state}'`
      )
      return rows.length === 1
    })
  }
}
