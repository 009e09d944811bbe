/** A switch as a process of its own with many links, and what the kernel says of that process. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { stringify } from "yaml"
import { patience } from "../../Pace.ts"
import { answerTo, Line, pause, purchase, text, until } from "../../switch/operate/Line.ts"
import { folder, type RunningSwitch, runSwitchProcess } from "../../switch/operate/program.ts"

/** A link of a configuration file. */
export interface LinkText {
  readonly name: string
  readonly institution: string
  readonly [more: string]: unknown
}

/** A link that waits for its partner on a free port of this machine. */
export const listening = (name: string, institution: string, more: object = {}): LinkText => ({
  ...{ name, institution, dialect: "cups" },
  listen: { host: "127.0.0.1", port: 0, from: ["127.0.0.1"] },
  ...more
})

/** The links of the pair whose traffic must not suffer, whatever is done to the others. */
export const goodLinks: ReadonlyArray<LinkText> = [listening("acquirer", "48020000"), listening("issuer", "01020000")]

/** Starts a switch with these links; cards 62 go to `issuer`. */
export const switchWith = (links: ReadonlyArray<LinkText>, more: object = {}): Promise<RunningSwitch> => {
  const directory = folder()
  const file = join(directory, "switch.yaml")
  const journal = { directory: "./journal", key: { env: "JINKA_TEST_KEY" }, reserve: "1 MiB" }
  const routes = [{ bin: "62", to: "issuer" }]
  writeFileSync(file, stringify({ name: "lab", institution: "00010000", journal, links, routes, ...more }))
  return runSwitchProcess(file)
}

/** Open files and sockets of a process. */
export const handlesOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

/** Resident memory of a process, in MiB. */
export const residentMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) / 1024

/** Why handles and memory cannot be read here; "" when they can. */
export const procHindrance = process.platform === "linux" ? "" : `/proc is of Linux, this is ${process.platform}`

/** Pause between two purchases, in ms: without it they take all of a core, which others wait for, and show no more. */
const BETWEEN_MS = 20

/** Purchases, one after the other, between an acquirer and an issuer that do nothing else. */
export class GoodPair {
  /** Milliseconds from each purchase to its answer, since the first fifty. */
  took: Array<number> = []
  /** Answers other than 00. */
  readonly others: Array<string> = []
  private atRest = 0
  private isOn = true
  private readonly ended: Promise<void>

  private constructor(acquirer: Line, issuer: Line) {
    issuer.onMessage = (message) => issuer.send(answerTo(message))
    this.ended = this.trade(acquirer).finally(() => {
      acquirer.end("FIN")
      issuer.end("FIN")
    })
  }

  /** Connects both and begins. */
  static async begin(running: RunningSwitch): Promise<GoodPair> {
    const issuer = await Line.connect(running.port("issuer"))
    const acquirer = await Line.connect(running.port("acquirer"))
    await until(async () => {
      const { links } = await running.status()
      return links.filter(({ name, ready }) => (name === "issuer" || name === "acquirer") && ready).length === 2
    }, "the good links ready")
    const pair = new GoodPair(acquirer, issuer)
    await until(() => pair.took.length >= 50, "fifty good purchases")
    pair.atRest = pair.p99
    pair.took = []
    return pair
  }

  /** The time below which 99 of 100 purchases were answered. */
  get p99(): number {
    return [...this.took].sort((one, other) => one - other)[Math.floor(this.took.length * 0.99)] ?? 0
  }

  /** The longest p99 that is no disturbance: a second on a quiet machine, or ten times that of the first fifty. */
  get p99Max(): number {
    return Math.max(patience(1000), 10 * this.atRest)
  }

  async end(): Promise<void> {
    this.isOn = false
    await this.ended
  }

  private async trade(acquirer: Line): Promise<void> {
    for (let stan = 1; this.isOn; stan++) {
      const began = performance.now()
      acquirer.send(purchase(stan))
      const answer = await acquirer.next()
      if (text(answer, 39) !== "00") this.others.push(text(answer, 39))
      this.took.push(performance.now() - began)
      await pause(BETWEEN_MS)
    }
  }
}
