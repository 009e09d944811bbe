/**
 * Thousands of connections from a stranger change nothing for the good links; test plan row 37. A switch of its own process.
 * `JINKA_LAB=long` makes 10,000.
 */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"

import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { patience } from "../../Pace.ts"
import { isLong } from "../../Runs.ts"
import { answerTo, Line, pause, text, until } from "../operate/Line.ts"
import { cleanUp, configuration, folder, type RunningSwitch, runSwitchProcess } from "../operate/program.ts"
import { purchase } from "../operate/swiped.ts"

afterAll(cleanUp)

const CONNECTIONS = isLong ? 10_000 : 2_000
/** Some 20 MiB are the program's own, whoever connects; the rest is less than 6 KiB for each that came and went. */
const GROWN_MAX_KIB = (isLong ? 64 : 32) * 1024
/** Open at once on the stranger's side: as many as a normal file limit allows. */
const AT_ONCE = 200

/** The storm over: how many connections it has made, all of them ended by the switch. */
const storm = (port: number, localAddress: string): Promise<number> =>
  new Promise((resolve) => {
    const script = new URL("./storm.ts", import.meta.url).pathname
    const child = spawn(process.execPath, [script, String(port), localAddress, String(CONNECTIONS), String(AT_ONCE)])
    let out = ""
    child.stdout.on("data", (bytes) => {
      out += String(bytes)
    })
    child.once("close", () => resolve(Number(out)))
  })

/** Two links at addresses of their own, and a third whose partner comes in by a door that everybody may reach. */
const withDoor = (text: string): string =>
  text
    .replace(
      "listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }\n  - name: issuer",
      'listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }\n  - name: third\n    institution: "49990000"\n    dialect: cups\n    door: { name: front }\n  - name: issuer'
    )
    .concat(
      "doors:\n  - name: front\n    listen: { host: 127.0.0.1, port: 0, limits: { pending: 64 } }\n    by: header\n    firstMessage: 1 seconds\n"
    )

const residentKib = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0)

let running: RunningSwitch
let acquirer: Line
let issuer: Line
let stan = 1

/** A purchase and its answer; how many milliseconds they took. */
const ask = async (): Promise<number> => {
  const begun = performance.now()
  acquirer.send(purchase(stan++))
  issuer.send(answerTo(await issuer.next(), "00"))
  const answer = await acquirer.next()
  expect([answer.mti, text(answer, 39)]).toEqual(["0210", "00"])
  return performance.now() - begun
}

/** One switch for both storms. */
beforeAll(async () => {
  running = await runSwitchProcess(configuration(folder(), withDoor))
  acquirer = await Line.connect(running.port("acquirer"))
  issuer = await Line.connect(running.port("issuer"))
  await until(
    async () => (await running.status()).links.filter(({ ready }) => ready).length >= 2,
    "two links are ready"
  )
  for (let warm = 0; warm < 20; warm++) await ask()
})

/** The storm over, and how a partner's requests went meanwhile, in milliseconds each. */
const served = async (port: number, from: string) => {
  const before = residentKib(running.ready.pid)
  const told = running.err().length
  let isOver = false
  const storming = storm(port, from).finally(() => {
    isOver = true
  })
  const times: Array<number> = []
  while (!isOver) {
    times.push(await ask())
    await pause(5)
  }
  const closed = await storming
  const grownKib = residentKib(running.ready.pid) - before
  const { links } = await running.status()
  return { closed, times: times.sort((a, b) => a - b), grownKib, links, err: running.err().slice(told) }
}

const linksUp = (links: ReadonlyArray<{ readonly name: string; readonly epoch: number; readonly ready: boolean }>) =>
  links.filter(({ name }) => name !== "third").map(({ epoch, ready }) => [epoch, ready])

describe("A storm of connections from a stranger", () => {
  it("at a link's own address changes nothing for it or for any other link", async () => {
    const { closed, times, grownKib, links, err } = await served(running.port("acquirer"), "127.0.0.9")

    expect(closed).toBe(CONNECTIONS)
    expect(linksUp(links)).toEqual([
      [1, true],
      [1, true]
    ])
    expect(times.length).toBeGreaterThan(10)
    expect(times[times.length >> 1]!).toBeLessThan(patience(1000))
    expect(grownKib).toBeLessThan(GROWN_MAX_KIB)
    expect(err.split("\n").filter((line) => line.includes("PeerNotAllowed")).length).toBeLessThan(20)
  })

  it("at a door that everybody may reach fills its places and no more, and the links go on", async () => {
    const { closed, times, grownKib, links, err } = await served(running.ready.doors[0]!.listens.port, "127.0.0.9")

    expect(closed).toBe(CONNECTIONS)
    expect(linksUp(links)).toEqual([
      [1, true],
      [1, true]
    ])
    expect(times.length).toBeGreaterThan(10)
    expect(times[times.length >> 1]!).toBeLessThan(patience(1000))
    expect(grownKib).toBeLessThan(GROWN_MAX_KIB)
    expect(err.split("\n").filter((line) => line.includes("DoorFull")).length).toBeLessThan(20)
  })
})
