/** `jinka-sim partner` as a process: its events, its files that change under it, its signals, and its screen. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { parseHistory } from "../../../packages/simulator/src/history/History.ts"
import { builtProgram } from "../../programs/Programs.ts"
import { testFolder } from "../../TestFolder.ts"
import { simulatorHere } from "../here.ts"
import { money, plansOf, stan } from "./Bench.ts"
import { cleanUp, dialled, until } from "./Sockets.ts"

const program = builtProgram("packages/simulator/src/main.ts")

interface Run {
  readonly child: ChildProcess
  output: string
  errors: string
  readonly exit: Promise<number | null>
}

let folder = ""
const runs: Array<Run> = []

beforeEach(() => {
  folder = mkdtempSync(join(testFolder(), "jinka-partner-"))
})

afterEach(async () => {
  await cleanUp()
  for (const { child } of runs) child.kill("SIGKILL")
  await Promise.all(runs.splice(0).map(({ exit }) => exit))
  rmSync(folder, { recursive: true, force: true })
})

const partner = (...args: ReadonlyArray<string>): Run => {
  const child = spawn(process.execPath, [program, "partner", ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"]
  })
  const run: Run = { child, output: "", errors: "", exit: new Promise((resolve) => child.on("close", resolve)) }
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    run.output += text
  })
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    run.errors += text
  })
  runs.push(run)
  return run
}

/** The n-th event of a name, when it comes. */
const event = async (run: Run, name: string, count = 1): Promise<Record<string, unknown>> => {
  const found = () =>
    run.output
      .split("\n")
      .filter((line) => line.startsWith("{") && line.endsWith("}"))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((one) => one["event"] === name)[count - 1]
  await until(`${name} of ${run.output}${run.errors}`, () => found() !== undefined, 20_000)
  return found()!
}

const text = (answer: string) =>
  `partner: issuer\nlink: { listen: "127.0.0.1:0" }\nhistory: history.jsonl\nrules:\n  - answer: ${answer}\n`

describe("jinka-sim partner", () => {
  it("plays a file, reads it again when it changes or on SIGHUP, and ends in order with its history written", async () => {
    const file = join(folder, "issuer.yaml")
    writeFileSync(file, text("05"))
    const run = partner("issuer.yaml", "--screen", "lines")
    const { port } = await event(run, "started")
    const [plan] = plansOf(text("05"))
    const line = await dialled(Number(port), plan!)
    const ask = async (n: number) => {
      line.say(money(line.codec, { 11: stan(n) }))
      return (await line.heard(n))[n - 1]!.fields[39]
    }

    expect(await ask(1)).toBe("05")

    writeFileSync(file, text("nonsense here"))
    expect(await event(run, "notReloaded")).toMatchObject({ reason: expect.stringMatching(/^issuer\.yaml:5: /) })

    await until("the sentence", () => run.errors.includes("the partner goes on as before: issuer.yaml:5"))
    expect(await ask(2)).toBe("05")

    writeFileSync(file, text("06"))
    expect(await event(run, "reloaded")).toMatchObject({ changed: ["issuer"], failed: [] })
    expect(await ask(3)).toBe("06")

    run.child.kill("SIGHUP")
    await event(run, "reloaded", 2)
    run.child.kill("SIGTERM")

    expect(await run.exit).toBe(0)
    expect(await event(run, "summary")).toMatchObject({ partner: "issuer", received: 3, declined: 3 })

    const history = parseHistory(readFileSync(join(folder, "history.jsonl"), "utf8"))
    expect(history.filter(({ what }) => what === "received").map(({ code }) => code)).toEqual(["05", "05", "06"])
  })

  it("takes commands on a loopback address: what it is to say, and what becomes of a key", async () => {
    const keys = "key exchange: { kek: 3889D6265E54CDD3F8139DC454203146 }\n"
    writeFileSync(join(folder, "issuer.yaml"), text("05") + keys)
    const run = partner("issuer.yaml", "--screen", "lines", "--control", "127.0.0.1:0")
    const { port } = await event(run, "started")
    const { control } = await event(run, "listening")
    const line = await dialled(Number(port), plansOf(text("05") + keys)[0]!)
    const say = async (...args: ReadonlyArray<string>) => {
      const { code, err, out } = await simulatorHere("partner", "say", "--control", String(control), ...args)
      return [code, out + err] as const
    }

    expect(await say("issuer", "key", "--purpose", "mac", "--key", "[lost, same]")).toEqual([
      0,
      "issuer says it: key\n"
    ])
    expect(await say("issuer", "key", "--key", "sme")).toEqual([2, expect.stringContaining('did you mean "same"?')])
    expect(await say("issue", "echo")).toEqual([2, expect.stringContaining('did you mean "issuer"?')])
    expect((await say("issuer", "key"))[0]).toBe(0)

    const [key] = await line.heard(1)

    expect([key!.mti, key!.fields[70]]).toEqual(["0800", "101"])
    expect((await event(run, "key"))["reason"]).toContain("is given (lost, same)")
    expect((await event(run, "key", 2))["reason"]).toMatch(/^mac key 1, check value [0-9A-F]{6}, is given$/)

    const outside = await simulatorHere("partner", join(folder, "issuer.yaml"), "--control", "0.0.0.0:7000")
    expect([outside.code, outside.err]).toEqual([2, expect.stringContaining("an address of this machine alone")])
  })

  it("goes on with its work when nobody reads its events any more", async () => {
    writeFileSync(join(folder, "issuer.yaml"), text("05"))
    const run = partner("issuer.yaml", "--screen", "lines")
    const { port } = await event(run, "started")
    run.child.stdout!.destroy()
    run.child.stderr!.destroy()
    for (let times = 1; times <= 3; times++) {
      const line = await dialled(Number(port), plansOf(text("05"))[0]!)
      line.say(money(line.codec, { 11: stan(times) }))

      expect((await line.heard(1))[0]!.fields[39]).toBe("05")
    }
    run.child.kill("SIGTERM")

    expect(await run.exit).toBe(0)
    expect(readFileSync(join(folder, "history.jsonl"), "utf8")).toContain(`"key":"${stan(3)}`)
  })

  it("shows a table that is kept up to date on a terminal", async () => {
    writeFileSync(join(folder, "issuer.yaml"), text("05"))
    const run = partner("issuer.yaml", "--screen", "live")
    await until("the table", () => run.output.includes("approved"), 20_000)
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(run.output)![1])
    const line = await dialled(port, plansOf(text("05"))[0]!)
    line.say(money(line.codec))
    await line.heard(1)
    await until("the event", () => /issuer {2}received {2}0200 {2}STAN 000001/.test(run.output))

    expect(run.output).not.toContain("6200000000000005")

    run.child.kill("SIGINT")
    expect(await run.exit).toBe(0)
  })

  it.each([
    [["issuer.yaml"], 2, "issuer.yaml:3: "],
    [["gone.yaml"], 2, "gone.yaml"],
    [["good.yaml", "good.yaml"], 2, 'two of the files have a partner "issuer"'],
    [["good.yaml", "--check"], 0, ""]
  ])("ends at once where it cannot play, or only checks: %j", async (args, code, says) => {
    writeFileSync(join(folder, "issuer.yaml"), "partner: x\nlink: { listen: 'h:1' }\nrule: {}\n")
    writeFileSync(join(folder, "good.yaml"), text("05"))
    const files = args.map((arg) => (arg.startsWith("--") ? arg : join(folder, arg)))
    const { err, out, ...ended } = await simulatorHere("partner", ...files)

    expect(ended).toEqual({ code })
    expect(err).toContain(says)
    if (code === 0) expect(out).toBe("issuer: cups, async-duplex, 1 rule\n")
  })
})
