import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { parseHistory } from "../../packages/simulator/src/history/History.ts"
import { lineOf } from "../../packages/simulator/src/traffic/Traffic.ts"
import { pause } from "../switch/operate/Line.ts"
import { testFolder } from "../TestFolder.ts"
import { simulatorHere, startHere } from "./here.ts"
import { isEachApproved, kindsIn } from "./Kinds.ts"
import { program, Run, startProcess } from "./Run.ts"
import { codec, message } from "./System.ts"

let directory = ""
let runs: Array<Run> = []

const startedBy =
  (begin: typeof startHere) =>
  (...args: ReadonlyArray<string>): Run => {
    const made = new Run(begin, args)
    runs.push(made)
    return made
  }

const start = startedBy(startHere)

const path = (name: string): string => join(directory, name)

beforeEach(() => {
  directory = mkdtempSync(join(testFolder(), "jinka-sim-"))
})

afterEach(async () => {
  for (const one of runs) one.kill()
  await Promise.all(runs.map(({ exit }) => exit))
  runs = []
  rmSync(directory, { recursive: true, force: true })
})

const issuerFiles = (): ReadonlyArray<string> => ["--history", path("issuer"), "--ledger", path("ledger")]

const issuerBy = async (begin: typeof start, ...args: ReadonlyArray<string>) => {
  const issuer = begin("issuer", "--listen", "127.0.0.1:0", "--control", ...issuerFiles(), ...args)
  const { port } = await issuer.event("started")
  return { issuer, address: `127.0.0.1:${port}` }
}

const startIssuer = (...args: ReadonlyArray<string>) => issuerBy(start, ...args)

const check = (...args: ReadonlyArray<string>): Run =>
  start("check", "--acquirer", path("acquirer"), "--issuer", path("issuer"), "--ledger", path("ledger"), ...args)

/** A load against nobody. */
const loadText = `
links: { a: { connect: 127.0.0.1:1, dialect: cups } }
messages: { echo: { mti: "0820", header: { destination: "00010000", source: "48020000" }, 7: "{time}", 11: "{stan}", 33: "48020000", 70: "301" } }
mix: [1 echo]
profile: [fixed 1/s for 1s]
`

describe("jinka-sim", () => {
  it("runs an acquirer and an issuer as processes that are cut, steered and ended in order, and reconciles them", async () => {
    const apart = startedBy(startProcess)
    const { issuer, address } = await issuerBy(apart, "--drop", "4", "--decline", "5")
    const acquirer = apart(
      ...["acquirer", "--connect", address, "--control", "--stay", "--rate", "150", "--duration", "1 minute"],
      ...["--timeout", "400 millis", "--repeat", "200 millis", "--history", path("acquirer"), "--seed", "7"]
    )
    await acquirer.event("signedOn")
    acquirer.say({ do: "cut", how: "reset", for: "200 millis" })
    await acquirer.event("signedOn", 2)
    issuer.say({ do: "cut", how: "fin", for: "100 millis" })
    await acquirer.event("signedOn", 3)
    issuer.say({ do: "behave", ignore: 10, adviceDrop: 20 })

    expect(await issuer.event("done")).toMatchObject({ did: "behave" })

    acquirer.say({ do: "status" })
    expect(await acquirer.event("status")).toMatchObject({ role: "acquirer", isSignedOn: true })

    acquirer.say("nonsense")
    await acquirer.event("refused")
    acquirer.say({ do: "behave", drop: 1 })

    expect(await acquirer.event("refused", 2)).toMatchObject({ reason: "an acquirer cannot behave" })

    for (let asked = 2; ; asked++) {
      acquirer.say({ do: "status" })
      const { reversalsAcknowledged, approved, advicesAcknowledged } = await acquirer.event("status", asked)
      // On a busy machine many requests run out of time: it goes on until each kind was approved once, as the checker wants it.
      const isEnough = Number(reversalsAcknowledged) > 3 && Number(approved) > 100 && Number(advicesAcknowledged) > 3
      if (isEnough && isEachApproved(path("acquirer"))) break
      await pause(100)
    }
    acquirer.say({ do: "stop-load" })
    await acquirer.event("done")
    acquirer.stop()

    expect(await acquirer.exit).toBe(0)

    issuer.say({ do: "finish" })
    expect(await issuer.exit).toBe(0)

    const summary = acquirer.events.at(-1)!
    expect(summary).toMatchObject({
      event: "summary",
      role: "acquirer",
      seed: 7,
      inDoubt: 0,
      advicesOpen: 0,
      outstanding: 0
    })
    expect(Number(summary["links"])).toBeGreaterThanOrEqual(3)
    expect(Number(summary["reversalsAcknowledged"])).toBeGreaterThan(0)

    const checked = check("--format", "json")
    expect(await checked.event("verdict")).toMatchObject({ passed: true, findings: [], doubled: 0, lost: 0 })
    expect(await checked.exit).toBe(0)
  })

  it("ends with exit code 1 and a reason when nothing succeeded and reversals stay open", async () => {
    const { address } = await startIssuer("--ignore", "100", "--advice-ignore", "100")
    const acquirer = start(
      ...["acquirer", "--connect", address, "--count", "5", "--timeout", "100 millis", "--drain", "300 millis"],
      ...["--history", path("acquirer"), "--mix", "purchase=1"]
    )

    expect(await acquirer.exit).toBe(1)
    expect(acquirer.errors).toContain("5 reversals and 0 advices were not acknowledged in time")

    const lines = parseHistory(readFileSync(path("acquirer"), "utf8"))
    expect(lines.filter(({ what }) => what === "unacknowledged").length).toBe(5)
  })

  it("judges such a run as broken, in words", async () => {
    const { issuer, address } = await startIssuer("--advice-ignore", "100", "--drop", "100")
    const acquirer = start(
      ...["acquirer", "--connect", address, "--count", "5", "--timeout", "100 millis", "--drain", "300 millis"],
      ...["--history", path("acquirer"), "--mix", "purchase=1"]
    )
    await acquirer.exit
    issuer.hangUp()

    expect(await issuer.exit).toBe(0)

    const checked = check("--format", "json")
    expect(await checked.exit).toBe(1)
    expect((await checked.event("verdict"))["rules"]).toMatchObject({ progress: 1, settled: 5, money: "kept" })
  })

  it("sends the same workload for the same seed", async () => {
    const run = async (name: string) => {
      const { issuer, address } = await startIssuer()
      const acquirer = start(
        ...["acquirer", "--connect", address, "--count", "60", "--rate", "500", "--seed", "11"],
        ...["--mix", "purchase=3,preAuthorisation=1,balanceInquiry=1", "--history", path(name)]
      )
      expect(await acquirer.exit).toBe(0)
      issuer.hangUp()
      await issuer.exit
      return parseHistory(readFileSync(path(name), "utf8"))
        .filter(({ what }) => what === "sent")
        .map(({ rrn, kind, amount, pan }) => [rrn, kind, amount, pan])
    }

    const first = await run("first")

    expect(first.length).toBe(60)
    expect(await run("second")).toEqual(first)
  })

  it("works with the dialling sides exchanged: the acquirer listens, the issuer dials and signs on", async () => {
    const acquirer = start(
      ...["acquirer", "--listen", "127.0.0.1:0", "--count", "20", "--history", path("acquirer"), "--mix", "purchase=1"]
    )
    const { port } = await acquirer.event("started")
    const issuer = start("issuer", "--connect", `127.0.0.1:${port}`, "--sign-on", "--control", ...issuerFiles())

    expect(await acquirer.exit).toBe(0)

    issuer.hangUp()
    await issuer.exit

    expect(issuer.events.some(({ event, reason }) => event === "signedOn" && reason === "own")).toBe(true)
    expect(await check().exit).toBe(0)
  })

  it("puts a proxy in between that cuts on command", async () => {
    const { issuer, address } = await startIssuer()
    const proxy = start("proxy", "--listen", "127.0.0.1:0", "--target", address)
    const { port } = await proxy.event("started")
    const acquirer = start(
      ...["acquirer", "--connect", `127.0.0.1:${port}`, "--control", "--duration", "10 minutes"],
      ...["--history", path("acquirer")]
    )
    await acquirer.event("signedOn")
    proxy.say({ do: "cut", how: "reset" })

    expect(await proxy.event("done")).toMatchObject({ did: "cut" })

    await acquirer.event("signedOn", 2)
    proxy.say({ do: "fault", direction: "both", delay: "5 millis", slice: 20 })
    await proxy.event("done", 2)
    proxy.say({ do: "heal" })
    await proxy.event("done", 3)
    const sofar = kindsIn(path("acquirer"), "00").length
    while (kindsIn(path("acquirer"), "00").length < sofar + 20 || !isEachApproved(path("acquirer"))) await pause(100)
    acquirer.say({ do: "stop-load" })

    expect(await acquirer.exit).toBe(0)

    issuer.hangUp()
    await issuer.exit

    expect(await check().exit).toBe(0)
  })

  it("is a hardware security module that answers, falls silent and is restarted on command", async () => {
    const hsm = start("hsm", "--listen", "127.0.0.1:0", "--delay", "1 millis")
    const { port } = await hsm.event("started")
    const ask = (): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(Number(port), "127.0.0.1", () => socket.write(Buffer.from("0006484541444e43", "hex")))
        socket.on("data", (answer) => {
          socket.destroy()
          resolve(answer.toString("latin1", 2))
        })
        socket.on("close", () => resolve("closed"))
        socket.on("error", () => undefined)
      })

    expect(await ask()).toBe("HEADND0000000000000000001500-0023")

    hsm.say({ do: "mute" })
    await hsm.event("done")
    const silent = ask()
    let done = 1
    let isCut = false
    void silent.then(() => {
      isCut = true
    })
    // The first ones may come before the connection does.
    while (!isCut) {
      hsm.say({ do: "cut" })
      await hsm.event("done", ++done)
      await pause(5)
    }

    expect(await silent).toBe("closed")

    hsm.say({ do: "speak" })
    await hsm.event("done", ++done)
    hsm.say({ do: "restart", for: "50 millis" })
    await hsm.event("done", ++done)
    hsm.say({ do: "dance" })

    expect(await hsm.event("refused")).toMatchObject({ reason: expect.stringContaining("do") })

    let answer = await ask()
    while (answer === "closed") answer = await ask()

    expect(answer).toContain("ND00")

    hsm.stop()

    expect(await hsm.exit).toBe(0)
    expect(hsm.events.at(-1)).toMatchObject({ event: "summary", role: "hsm" })
  })

  const mistakes: ReadonlyArray<readonly [string, ReadonlyArray<string>, RegExp]> = [
    ["neither --connect nor --listen", ["issuer"], /exactly one of the two/],
    ["an address without a port", ["issuer", "--listen", "localhost"], /--listen takes host:port/],
    ["a mix of unknown kinds", ["acquirer", "--connect", "127.0.0.1:1", "--mix", "gift=1"], /kinds are purchase/],
    ["an error code that is none", ["hsm", "--listen", "127.0.0.1:0", "--error-code", "4"], /--error-code takes two/],
    ["a duration that is none", ["acquirer", "--connect", "127.0.0.1:1", "--timeout", "soon"], /timeout/],
    [
      "a history that cannot be written",
      ["acquirer", "--connect", "127.0.0.1:1", "--history", "/dev/null/x"],
      /--history/
    ],
    [
      "a file that is no history",
      ["check", "--acquirer", program, "--issuer", program, "--ledger", program],
      /main\.js cannot be read as expected: line 1: /
    ],
    [
      "a folder without a dialogue: a run of nothing would be a good run",
      ["dialogue", "run", join(import.meta.dirname, "../fixtures/fuzz"), "--target", "127.0.0.1:1"],
      /no file in it is a dialogue/
    ],
    [
      "a command that there is not",
      ["isuer"],
      /^jinka-sim: Unknown subcommand "isuer".*--help` shows how it is used\.\n$/
    ],
    ["a flag with one dash", ["issuer", "-listen", "127.0.0.1:0"], /^jinka-sim: .*-listen.*`jinka-sim --help` shows/]
  ]
  it("says to whom it cannot connect, once, and goes on trying", async () => {
    const acquirer = start("acquirer", "--connect", "127.0.0.1:1", "--format", "table", "--stay")

    while (acquirer.errors === "") await new Promise((resolve) => setTimeout(resolve, 20))
    await new Promise((resolve) => setTimeout(resolve, 300))
    acquirer.stop()

    expect(await acquirer.exit).toBe(1)
    expect(acquirer.errors).toContain("nothing was sent: no link came up and signed on before the end")
    expect(acquirer.errors.match(/no connection to 127\.0\.0\.1:1 \(ECONNREFUSED\); it is tried again/g)).toHaveLength(
      1
    )
  })

  it("says before a run that its report cannot be written, and what a file is that is no capture; card numbers stay covered", async () => {
    const nowhere = path("nowhere/report")
    const taken = path("taken.yaml")
    writeFileSync(taken, "rule: kept\n")
    writeFileSync(path("load.yaml"), loadText)
    writeFileSync(path("traffic"), '{"at":1}\n{"at":2}\n')
    writeFileSync(path("cut.json"), '{"exchanges":[{"pan":6200000000000005')
    writeFileSync(path("empty"), "\n")
    const line = lineOf(
      codec,
      message("0200", 1, 100),
      { at: 1, connection: 1, direction: "toTarget" },
      Buffer.alloc(16)
    )
    writeFileSync(path("half"), [line, { ...line, bytes: "2E" }].map((one) => `${JSON.stringify(one)}\n`).join(""))
    const { address } = await startIssuer()
    const load = ["load", path("load.yaml")]
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
      [[...load, "--html", nowhere], `${nowhere}: there is no such file or directory`],
      [[...load, "--json", directory], `${directory}: it is a directory; give a file`],
      [[...load, "--find-knee", "p99.9<0ms"], "--find-knee takes a bound above zero"],
      [[...load, "--find-knee", "p99<5ms", "--step", "0 millis"], "--step takes a duration above zero"],
      [[...load, "--find-knee", "p99<5ms", "--expect", "p99<5ms"], "--expect: it is for one load"],
      [["record", path("traffic")], "that goes to `jinka-sim replay` as it is"],
      [["record", path("cut.json")], "this is not JSON: it ends too early"],
      [["record", path("empty")], "it is empty"],
      [
        ["replay", path("half"), "--connect", "127.0.0.1:1"],
        "1 of 2 messages cannot be read in this dialect, and are left out"
      ],
      [
        [...load, "--html", path("长".repeat(100))],
        "The path of flag --html cannot be looked at: a name in it is too long"
      ],
      [["init", path("长".repeat(100))], "The path of argument <folder> cannot be looked at: a name in it is too long"],
      [["init", path("empty")], "a file"],
      [
        ["replay", path("traffic"), "--connect", "127.0.0.1:1", "--link", path("traffic"), "--dialect", "cups"],
        "--link: dialect and frame are said there, or with --dialect and --frame: not both"
      ],
      [
        ["dialogue", "record", "--listen", address, "--target", "127.0.0.1:1", "--out", taken],
        `cannot listen on ${address}: another process listens there already`
      ]
    ]
    for (const [args, words] of cases) {
      const { code, err } = await simulatorHere(...args)
      expect([code, err]).toEqual([2, expect.stringContaining(words)])
      expect(err).not.toContain("6200000000000005")
    }

    expect(readFileSync(taken, "utf8")).toBe("rule: kept\n")
  })

  it("says which key was meant where a needed one is missing, and which member a line lacks", async () => {
    writeFileSync(path("load.yaml"), loadText)
    const { address } = await startIssuer()
    const slips: ReadonlyArray<readonly [RegExp | string, string, string]> = [
      ["connect:", "conect:", '"conect" is not known here; did you mean "connect"?'],
      ["links:", "lnks:", '"lnks" is not known here; did you mean "links"?'],
      ["profile:", "profil:", '"profil" is not known here; did you mean "profile"?'],
      ["profile:", "warm up: 5s\nprofile:", "warm up: nothing is measured: the profile is over by then"]
    ]
    for (const [from, to, words] of slips) {
      writeFileSync(path("slip.yaml"), loadText.replace(from, to))
      const { code, err } = await simulatorHere("load", path("slip.yaml"), "--check")
      expect([code, err]).toEqual([2, expect.stringContaining(words)])
    }
    writeFileSync(path("traffic"), '{"at":1,"conection":1,"direction":"toTarget","cards":"masked","bytes":"00"}\n')
    const { err } = await simulatorHere("replay", path("traffic"), "--connect", address)
    expect(err).toContain("line 1: Missing key (connection)")
    mkdirSync(path("none"))
    for (const call of [
      ["run", path("none"), "--target", address],
      ["check", path("none")]
    ]) {
      expect(await simulatorHere("dialogue", ...call)).toMatchObject({
        code: 2,
        err: expect.stringContaining("no file in it is a dialogue")
      })
    }
    const zone = await simulatorHere("dialogue", "run", path("none"), "--target", address, "--utc-offset", "99999")
    expect(zone.err).toContain("--utc-offset takes minutes from -720 to 840, not 99999")
  })

  it("counts a replay that compared nothing, or not all, as none that went well", async () => {
    const { issuer, address } = await startIssuer()
    const one = (direction: "toTarget" | "fromTarget", mti: string, stan: number) =>
      lineOf(codec, message(mti, stan, 100), { at: 1, connection: 1, direction }, Buffer.alloc(16))
    const written = (lines: ReadonlyArray<object>) =>
      writeFileSync(path("traffic"), `\ufeff${lines.map((line) => JSON.stringify(line)).join("\r\n")}\r\n`)
    const replayed = () =>
      simulatorHere("replay", path("traffic"), "--connect", address, "--speed", "0", "--tolerance", path("tolerance"))
    writeFileSync(
      path("tolerance"),
      "ignore: [2, 3, 4, 7, 11, 12, 13, 14, 15, 18, 22, 25, 32, 33, 37, 38, 39, 41, 42, 49, header]\n"
    )

    written([one("toTarget", "0200", 1)])
    expect(await replayed()).toMatchObject({ code: 1, err: expect.stringContaining("no answer was compared") })

    const both = [one("toTarget", "0200", 2), one("fromTarget", "0210", 2)]
    written(both)
    expect((await replayed()).code).toBe(0)

    written([...both, { ...both[0], bytes: "2E" }])
    expect(await replayed()).toMatchObject({ code: 1, err: expect.stringContaining("1 of 3 messages were left out") })
    issuer.stop()
  })

  for (const [name, args, words] of mistakes) {
    it(`refuses ${name} with exit code 2 and a reason, without a stack trace`, async () => {
      const { code, err } = await simulatorHere(...args)

      expect(code).toBe(2)
      expect(err).toMatch(words)
      expect(err).not.toMatch(/\n\s+at /)
    })
  }

  it("says so as a process, too, and on standard error alone", async () => {
    const wrong = startedBy(startProcess)("isuer")

    expect(await wrong.exit).toBe(2)
    expect(wrong.errors).toMatch(/^jinka-sim: Unknown subcommand "isuer"/)
    expect(wrong.events).toEqual([])
  })
})
