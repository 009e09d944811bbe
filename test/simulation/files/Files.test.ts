import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import type { PartnerPlan } from "../../../packages/simulator/src/scripted/PartnerPlan.ts"
import { readPartners } from "../../../packages/simulator/src/scripted/PlanFile.ts"
import { simulatorHere } from "../../simulator/here.ts"
import { worldRunner } from "../Runner.ts"
import { runSeed } from "../Simulation.ts"
import { subject } from "../Tested.ts"

const folder = mkdtempSync(join(tmpdir(), "jinka-files-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0

const fileOf = (yaml: string): string => {
  const path = join(folder, `partner-${++files}.yaml`)
  writeFileSync(path, yaml)
  return path
}

const plansOf = (...texts: ReadonlyArray<string>): ReadonlyArray<PartnerPlan> =>
  texts.flatMap((text) => Effect.runSync(readPartners(fileOf(text))).plans)

const issuer = (link: string, more = ""): string =>
  `partner: bank\ndialect: cups\ninstitution: "01020000"\nlink: ${link}\n${more}`

const listening = '{ listen: "127.0.0.1:7812" }'

const everything = `rules:
  - { when: { amount: "> 900000" }, answer: amount limit }
  - { when: { amount: 777 }, answer: decline 51 }
  - { when: { card: "621999*", type: purchase }, delay: 200ms..2s }
  - { when: { type: purchase, every: 7 }, silence: yes }
  - { when: { type: purchase, every: 9 }, silence: lost }
  - { when: { type: purchase, every: 5 }, late: 500ms }
  - { when: { type: purchase, every: 6 }, wrong: amount }
  - { when: { type: purchase, every: 11 }, wrong: stan }
  - { when: { type: purchase, every: 13 }, twice: 100ms }
  - { when: { type: purchase, every: 8 }, out of order: 2 }
  - { when: { share: 5% }, malformed: 39 }
  - { when: { nth: 30 }, disconnect: RST }
  - { when: { nth: 60 }, disconnect: FIN after the answer }
`

const short = { chaos: 20_000, calm: 30_000 }

/** Enough for one kind of link, or one thing that a partner does. */
const shorter = { chaos: 8000, calm: 25_000 }

const run = (seed: number, plans: ReadonlyArray<PartnerPlan>, wishes = shorter) =>
  runSeed(seed, { subject, files: plans, wishes })

describe("partners of files in the world", () => {
  it("play all their rules against the switch, through faults, and no promise is broken; a seed does the same again", () => {
    const plans = plansOf(issuer(listening, everything))
    const results = [1, 2, 3].map((seed) => run(seed, plans, short))

    expect(results.flatMap(({ findings }) => findings)).toEqual([])
    expect(run(2, plans, short).hash).toBe(results[1]!.hash)
    expect(new Set(results.map(({ hash }) => hash)).size).toBe(3)
    const sum = (of: (one: (typeof results)[number]["stats"]) => number) =>
      results.reduce((total, { stats }) => total + of(stats), 0)
    expect(sum(({ approved }) => approved)).toBeGreaterThan(60)
    expect(sum(({ declined }) => declined)).toBeGreaterThan(10)
    expect(sum(({ reversalsSeen }) => reversalsSeen)).toBeGreaterThan(10)
  })

  it.each([
    ["sync-short", '{ mode: sync-short, listen: "127.0.0.1:1" }', ""],
    ["async-short", '{ mode: async-short, listen: "127.0.0.1:1", connect: "127.0.0.1:2" }', ""],
    [
      "async-simplex",
      '{ mode: async-simplex, send: { connect: "127.0.0.1:2" }, receive: { listen: "127.0.0.1:1" }, silence: 20s }',
      ""
    ],
    ["sync-long", '{ mode: sync-long, listen: "127.0.0.1:1" }', ""],
    [
      "a connection that it makes, and a sign-on",
      '{ connect: "127.0.0.1:1", silence: 20s }',
      "sign-on: { send: yes }\n"
    ],
    [
      "MACs, and wrong ones",
      listening,
      "keys: { zak: { mac: ansi-x9.19, hex: 6B948A0134A110705BD325CD6E73BC15 } }\nmac: zak\nrules: [{ when: { share: 10% }, wrong: mac }]\n"
    ]
  ])("do so over %s", (_what, link, more) => {
    const result = run(5, plansOf(issuer(link, more)))
    expect(result.findings).toEqual([])
    expect(result.stats.approved).toBeGreaterThan(10)
  })

  it("are not said to show cards that look like an amount beside something else", () => {
    const cards = Array.from({ length: 300 }, (_, n) => `"${6200000000000000 + n}"`).join(", ")
    const sends = `sends: { rate: 10/s, amount: 1, cards: [${cards}] }\n`
    const result = run(3, plansOf(issuer('{ connect: "127.0.0.1:1", silence: 20s }', sends)))
    expect(result.findings).toEqual([])
  })

  it("may be an acquirer, with its own days, or both sides, in another edition", () => {
    const sends = 'sends: { rate: 2/s, cards: ["6200000000000005"] }\nschedule: [{ send: cut-over, every: 20s }]\n'
    const acquirer = issuer('{ connect: "127.0.0.1:1", silence: 20s }', sends).replace("bank", "shop")
    const later = (text: string) => text.replace("cups", "iso8583v1993Ascii")
    for (const plans of [plansOf(acquirer), plansOf(later(acquirer), later(issuer(listening)))]) {
      const result = run(6, plans)
      expect(result.findings).toEqual([])
      expect(result.stats.approved).toBeGreaterThan(20)
    }
  })

  it("are found out when they lie about money, by the transaction, and the run is made smaller", () => {
    const plans = plansOf(issuer(listening, 'rules: [{ when: { type: purchase, every: 5 }, 39: "05" }]\n'))
    const result = run(7, plans)

    expect(result.findings.join("\n")).toMatch(
      /^money: purchase: acquirer holds it for declined \(0\), .* RRN \d{12}$/m
    )

    const shrunk = worldRunner.shrink(7, "switch", JSON.stringify(shorter), () => undefined, plans)!

    expect(shrunk.result.findings[0]).toMatch(/^money/)
    expect(shrunk.result.faults).toBe(0)
  })

  it("say why they cannot be there", () => {
    const unfit = (mode: string, ...texts: ReadonlyArray<string>) => worldRunner.unfit(mode, plansOf(...texts))

    expect(unfit("switch", issuer(listening))).toBeUndefined()
    expect(unfit("fleet", issuer(listening))).toBe("partners of files are in the world of the mode switch")
    expect(unfit("switch", issuer(listening).replace("bank", "switch"))).toBe(
      "switch: no partner of the world is called switch"
    )
    expect(unfit("switch", issuer(`${listening}\nframe: { kind: until-close, lengthMax: 500 }`))).toMatch(/until-close/)
    expect(unfit("switch", issuer(listening), issuer(listening).replace("cups", "iso8583v1993Ascii"))).toMatch(
      /one edition/
    )
    expect(unfit("switch", `copies: 30\n${issuer(listening).replace("bank", '"bank-{n}"')}`)).toMatch(/at most 20/)
  })
})

describe("jinka-sim world --partner", () => {
  const world = (...args: ReadonlyArray<string>) => simulatorHere("world", ...args)

  it("runs seeds of a file, and prints the command that shows a broken promise again", async () => {
    const good = fileOf(issuer(listening))
    const lying = fileOf(issuer(listening, 'rules: [{ when: { every: 3 }, 39: "05" }]\n'))
    const wishes = ["--wishes", JSON.stringify(shorter)]
    const kept = await world("--partner", good, "--seeds", "1..2", ...wishes)

    expect([kept.code, kept.out]).toEqual([0, expect.stringContaining("2 seeds, 0 broken")])

    const broken = await world("--partner", lying, "--seeds", "1", ...wishes)

    expect(broken.code).toBe(1)
    expect(broken.out).toContain(`again:   npm run sim -- world --trace 1 --partner ${lying} --wishes`)
  })

  it("ends with 2 for a file that is wrong, and for one that cannot be there", async () => {
    const wrong = await world("--partner", fileOf("partner: bank\n"))
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("link")])
    const unfit = await world("--partner", fileOf(issuer(listening)), "--mode", "keys")
    expect([unfit.code, unfit.err]).toEqual([2, expect.stringContaining("mode switch")])
  })
})
