import { readFileSync } from "node:fs"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import type { Transport } from "../../packages/switch/src/transport/Transport.ts"
import { defects } from "./Defects.ts"
import { jinkaSwitch } from "./JinkaSwitch.ts"
import { drawOptions } from "./Options.ts"
import { runnerOf, worldRunner } from "./Runner.ts"
import type { Subject } from "./Subject.ts"

describe("the deliberate defects of `npm run canary`", () => {
  it("are thirteen of the switch and five of a fleet, and each still fits the line that it spoils", () => {
    expect(defects.filter(({ mode }) => mode === undefined).length).toBe(13)
    expect(defects.filter(({ mode }) => mode === "fleet").length).toBe(5)

    const root = new URL("../../", import.meta.url)
    const unfit = defects.filter(({ file, find }) => readFileSync(new URL(file, root), "utf8").split(find).length !== 2)

    expect(unfit.map(({ name }) => name)).toEqual([])
    for (const { find, put } of defects) expect(put).not.toBe(find)
  })
})

/** Members that a text uses: `write` of `this.write(slot)`, `messages` of `this.messages.write(slot)`. */
const membersIn = (text: string): ReadonlyArray<string> => [...text.matchAll(/\bthis\.(\w+)/g)].map(([, name]) => name!)

/** What a class declares, or what the rest of the file uses too. */
const hasMember = (text: string, name: string): boolean =>
  new RegExp(`^  (private |readonly |get )*${name}[(<:=?]|\\bthis\\.${name}\\b`, "m").test(text)

describe("what a deliberate defect puts in its place", () => {
  it("names no member that its file does not have: a switch that breaks down is no find", () => {
    const root = new URL("../../", import.meta.url)
    const unknown = defects.flatMap(({ file, name, put }) => {
      const text = readFileSync(new URL(file, root), "utf8")
      return membersIn(put).flatMap((member) => (hasMember(text, member) ? [] : [`${name}: ${member}`]))
    })
    expect(unknown).toEqual([])
  })
})

/** A switch with a defect at its edge: of what it writes to an issuer, each thirtieth write leaves twice. */
const twiceWriting: Subject = {
  ...jinkaSwitch,
  start: (place) => jinkaSwitch.start({ ...place, transport: twice(place.transport) })
}

const twice = (transport: Transport["Service"]): Transport["Service"] => {
  let writes = 0
  return {
    ...transport,
    connect: (to) =>
      Effect.map(transport.connect(to), (connection) => ({
        ...connection,
        pull: connection.pull,
        unsent: () => connection.unsent(),
        finish: () => connection.finish?.(),
        close: (how) => connection.close(how),
        write: (bytes) =>
          ++writes % 30 === 0
            ? Effect.andThen(connection.write(bytes), connection.write(bytes))
            : connection.write(bytes)
      }))
  }
}

describe("the world as a command", () => {
  const short = JSON.stringify({ acquirers: 1, issuers: 1, chaos: 5000, calm: 40_000, simplex: 0, groups: 0 })

  it("gives the same hash for a seed and its wishes, another for another seed, and its whole trace when asked", () => {
    const [first, again, other] = [5, 5, 6].map((seed) => worldRunner.run(seed, "switch", short, false))

    expect(again!.hash).toBe(first!.hash)
    expect(other!.hash).not.toBe(first!.hash)
    expect(worldRunner.run(5, "switch", short, true).trace.length).toBeGreaterThan(first!.trace.length)
    expect(first!.findings).toEqual([])
    expect(first!.linkHours).toBeGreaterThan(0)
  })

  it("has a net that bears the purchases that are wished", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { acquirers, net } = drawOptions(seed, { acquirer: { pause: [10, 10] } })
      // 100 a second of each, with 400 bytes, must be on their way at once.
      expect(net.kernelRoom / net.latencyMs[1]).toBeGreaterThanOrEqual((acquirers.length * 400) / 10)
    }
  })

  it("says what is wrong with wishes, and that there is nothing to shrink", () => {
    expect(() => worldRunner.run(1, "switch", "{", false)).toThrow("the wishes are no JSON")
    expect(() => worldRunner.run(1, "switch", '{"fault":[]}', false)).toThrow('"fault" is no wish; known are acquirers')
    expect(worldRunner.shrink(5, "switch", short, () => undefined)).toBeUndefined()
  })

  it("takes what is thrown out of a run for a finding, with the seed that shows it again", () => {
    const thrower: Subject = {
      ...jinkaSwitch,
      start: () => {
        throw new Error("a defect at the start")
      }
    }
    const { findings, seed } = runnerOf(thrower).run(3, "switch", short, false)

    expect(seed).toBe(3)
    expect(findings.join()).toMatch(/^the run threw: Error: a defect at the start/)
  })

  it("makes the run of a broken promise smaller: the same promise, fewer faults and partners, and less of it", () => {
    const world = runnerOf(twiceWriting)
    const wished = JSON.stringify({
      acquirers: 2,
      issuers: 1,
      chaos: 30_000,
      short: 0,
      simplex: 0,
      acquirer: { pause: [300, 900] }
    })
    const seed = [1, 2, 3, 4, 5].find((one) => world.run(one, "switch", wished, false).findings.length > 0)!
    const whole = world.run(seed, "switch", wished, true)
    const steps: Array<string> = []

    const shrunk = world.shrink(seed, "switch", wished, (says) => steps.push(says))!

    expect(whole.findings[0]).toMatch(/^G4: request /)
    expect(shrunk.result.findings[0]).toMatch(/^G4: request /)
    expect(steps.length).toBeGreaterThan(1)
    // What takes nothing away is no step: it would be tried again and again.
    expect([shrunk.tried < 60, new Set(steps).size]).toEqual([true, steps.length])
    expect(shrunk.result.faults).toBe(0)
    expect(JSON.parse(shrunk.wishes)).toMatchObject({ acquirers: 1, issuers: 1, faults: [] })
    // What is printed is enough to see it again, and there is less to read.
    const again = world.run(seed, "switch", shrunk.wishes, true)
    expect(again.hash).toBe(shrunk.result.hash)
    expect(again.trace.length).toBeLessThan(whole.trace.length / 2)
  })
})
