import { rmSync } from "node:fs"
import { createServer } from "node:net"
import { userInfo } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { ask } from "../../../packages/switch/src/operate/control/ControlCall.ts"
import { TraceReport } from "../../../packages/switch/src/operate/trace/TraceReport.ts"
import { answerTo, Line, text, until } from "./Line.ts"
import {
  cleanUp,
  configuration,
  folder,
  hasty,
  jinka,
  jinkaProcess,
  jinkaSignalled,
  key,
  type RunningSwitch,
  runLimitedSwitch,
  runSwitch,
  runSwitchProcess
} from "./program.ts"
import { pan, purchase } from "./swiped.ts"

afterEach(cleanUp)

const json = (text: string) => JSON.parse(text)

/** Both partners, once both links are ready: that is a moment after their connections. */
const connected = async (running: RunningSwitch) => {
  const acquirer = await Line.connect(running.port("acquirer"))
  const issuer = await Line.connect(running.port("issuer"))
  await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
  return { acquirer, issuer }
}

describe("A switch from its configuration file", () => {
  it("says when it listens and on which ports, forwards, answers, and ends with its counts", async () => {
    const file = configuration(folder())
    const running = await runSwitchProcess(file)
    const { acquirer, issuer } = await connected(running)

    acquirer.send(purchase(7))
    const request = await issuer.next()
    issuer.send(answerTo(request, "00"))
    const answer = await acquirer.next()
    const stop = await jinkaProcess(["stop", file])
    const { code, err, lines } = await running.ended

    expect(text(answer, 39)).toBe("00")
    expect(text(answer, 37)).toBe("RRN000000007")
    expect(stop).toMatchObject({ code: 0, out: "stopped; nothing was left open\n" })
    expect(err).toContain(`operator ${userInfo().username}: stop`)
    expect(code).toBe(0)
    expect(lines.map(({ event }) => event)).toEqual(["ready", "stopped"])
    expect(lines[1]).toMatchObject({ entries: { accepted: 1, answered: 1 }, answers: { "00": 1 }, unfinished: [] })
  })

  it("tells a transaction's life while it runs and after its end alike, without card data", async () => {
    const directory = folder()
    const file = configuration(directory, hasty)
    const running = await runSwitch(file)
    const { acquirer, issuer } = await connected(running)
    acquirer.send(purchase(8))
    const request = await issuer.next()

    expect(text(await acquirer.next(), 39)).toBe("98")

    const reversal = await issuer.next()
    issuer.send(answerTo(reversal, "00"))

    const key = ["--rrn", "RRN000000008"]
    const live = await jinkaProcess(["trace", file, ...key, "--json"])
    const byPan = await jinka(["trace", file, "--pan", "-", "--json"], { input: `${pan}\n` })
    // A process begins with the quick answer; within this one the whole program answers.
    const whole = await jinka(["trace", file, ...key, "--json"])
    const texts = [await jinkaProcess(["trace", file, ...key]), await jinka(["trace", file, ...key])]
    await running.stop()
    const after = await jinka(["trace", file, ...key, "--json"])
    const fromDirectory = await jinka(["trace", join(directory, "journal"), "--stan", "8"])

    expect([text(request, 11), reversal.mti]).toEqual(["000008", "0420"])
    expect(json(byPan.out)).toEqual(json(live.out))
    expect(whole).toEqual(live)
    expect(texts[0]).toEqual(texts[1])
    expect(json(after.out)).toEqual(json(live.out))

    const [told] = json(live.out).exchanges
    expect(told.entries.map(({ kind }: { kind: string }) => kind)).toEqual(["accepted", "timedOut"])
    expect(told.deliveries[0].entries.map(({ kind }: { kind: string }) => kind)).toEqual([
      "queued",
      "sent",
      "acknowledged"
    ])
    expect(fromDirectory.out).toContain("no answer in time: the outcome is unknown")
    expect(fromDirectory.out).toContain("issuer acknowledged with 00 (approved)")
    expect(fromDirectory.out).toContain("621234*********0003")
    for (const { out, err } of [live, after, byPan, fromDirectory]) expect(out + err).not.toContain(pan)
  })

  it("lists every exchange of its journal with its end and its reversal", async () => {
    const file = configuration(folder(), hasty)
    const running = await runSwitch(file)
    const { acquirer, issuer } = await connected(running)
    acquirer.send(purchase(1))
    issuer.send(answerTo(await issuer.next(), "51"))
    await acquirer.next()
    acquirer.send(purchase(2))
    await issuer.next()
    await acquirer.next()
    issuer.send(answerTo(await issuer.next(), "00"))
    acquirer.send({
      ...purchase(3),
      fields: { ...purchase(3).fields, 2: "4111111111111111", 35: "4111111111111111=2512" }
    })
    await acquirer.next()
    await running.stop()

    const { code, out, err } = await jinka(["journal", "summary", file, "--json"])
    const lines = out.trim().split("\n").map(json)
    const [declined, timedOut, refused, reversal] = [1, 2, 3]
      .map((stan) => lines.find((line) => Number(line.stan) === stan))
      .concat(lines.find((line) => line.mti === "0420"))

    expect(code).toBe(0)
    expect(declined).toMatchObject({
      kind: "request",
      link: "acquirer",
      target: "issuer",
      end: "Answered",
      code: "51",
      reversed: false
    })
    expect(timedOut).toMatchObject({
      end: "TimedOut",
      code: "98",
      reason: "timeout",
      reversal: reversal.exchange,
      reversed: true
    })
    expect(refused).toMatchObject({ end: "Rejected", code: "92", target: "" })
    expect(reversal).toMatchObject({
      kind: "delivery",
      link: "",
      target: "issuer",
      end: "Acknowledged",
      about: timedOut.exchange,
      attempts: 1
    })
    expect(declined.key).toBe("00000111222104110004802000000048020000")
    expect(json(err).totals).toMatchObject({ exchanges: 4, requests: 3, deliveries: 1, reversed: 1 })
    expect(out).not.toContain(pan)
  })
})

describe("The end of a switch", () => {
  it("waits for what is outstanding when it is told to end, and takes nothing new", async () => {
    const file = configuration(folder(), (yaml) => yaml.replace("drainTimeout: 2", "drainTimeout: 20"))
    const running = await runSwitch(file)
    const { acquirer, issuer } = await connected(running)
    acquirer.send(purchase(1))
    const request = await issuer.next()

    running.signal("SIGTERM")
    let refused: string
    do {
      acquirer.send(purchase(2))
      refused = text(await acquirer.next(), 39)
    } while (refused === "")
    issuer.send(answerTo(request, "00"))
    const answer = await acquirer.next()
    const { code, lines } = await running.ended

    expect(refused).toBe("91")
    expect([text(answer, 11), text(answer, 39)]).toEqual(["000001", "00"])
    expect(code).toBe(0)
    expect(lines[1]).toMatchObject({ reason: "SIGTERM", unfinished: [] })
  })

  it("says what it could not wait for, and it is reversed after the next start", async () => {
    const file = configuration(folder(), (yaml) => yaml.replace("drainTimeout: 2 seconds", "drainTimeout: 100 millis"))
    const first = await runSwitch(file)
    const { acquirer, issuer } = await connected(first)
    acquirer.send(purchase(1))
    await issuer.next()
    first.signal("SIGTERM")
    const { code, lines, err } = await first.ended

    const second = await runSwitch(file)

    expect(code).toBe(0)
    expect(lines[1]?.unfinished).toMatchObject([{ link: "issuer", outcome: "Unknown" }])
    expect(err).toContain("outcome Unknown")

    const { ended, resumed } = second.ready.recovered
    expect(ended + resumed).toBe(1)
  })

  it("comes at once when the journal fails, and everything that was answered is in the journal", async () => {
    const file = configuration(folder())
    const running = await runLimitedSwitch(file)
    const { acquirer, issuer } = await connected(running)
    const answered: Array<string> = []
    let isOver = false
    void running.ended.then(() => {
      isOver = true
    })
    issuer.onMessage = (message) => issuer.send(answerTo(message, "00"))
    acquirer.onMessage = (answer) => answered.push(text(answer, 11))
    for (let stan = 1; !isOver && stan <= 20_000; stan++) {
      acquirer.send(purchase(stan))
      if (stan % 50 === 0) await running.status().catch(() => undefined)
    }
    const { code, err } = await running.ended

    const { out } = await jinka(["journal", "summary", file, "--json"])
    const journalled = new Map(
      out
        .trim()
        .split("\n")
        .map(json)
        .map(({ stan, end }) => [stan, end])
    )

    expect(code).toBe(3)
    expect(err).toMatch(/^jinka: Disk(Failed|Full): /m)
    expect(answered.length).toBeGreaterThan(0)
    expect(answered.filter((stan) => journalled.get(stan) === undefined || journalled.get(stan) === "Open")).toEqual([])
  })

  it("comes at once with a second signal, and says that it did not wait", async () => {
    const file = configuration(folder(), (yaml) => yaml.replace("drainTimeout: 2", "drainTimeout: 20"))
    const running = await runSwitchProcess(file)
    const { acquirer, issuer } = await connected(running)
    acquirer.send(purchase(1))
    await issuer.next()

    running.signal("SIGTERM")
    running.signal("SIGINT")
    const { code, err } = await running.ended

    expect(code).toBe(5)
    expect(err).toMatch(/jinka: A second signal \(SIG(INT|TERM)\) came before the switch was drained/)
  })
})

describe("A command that has not taken signals over", () => {
  it.skipIf(process.platform !== "linux")(
    "dies of the signal that interrupts it: to systemd an exit code of 130 would be a failure",
    async () => {
      expect(await Promise.all([jinkaSignalled(["decode"], "SIGTERM"), jinkaSignalled(["decode"], "SIGINT")])).toEqual([
        "SIGTERM",
        "SIGINT"
      ])
    }
  )
})

describe("A start that cannot be", () => {
  it("names the address that is in use", async () => {
    const taken = createServer().listen(0, "127.0.0.1")
    await new Promise((resolve) => taken.once("listening", resolve))
    const { port } = taken.address() as { port: number }
    const file = configuration(folder(), (yaml) => yaml.replace("port: 0", `port: ${port}`))

    const { code, err } = await jinka(["run", file])
    taken.close()

    expect(code).toBe(4)
    expect(err).toContain(`Cannot listen on 127.0.0.1:${port}: another process listens there already`)
  })

  it("is refused while another switch has the journal, whatever its control socket", async () => {
    const directory = folder()
    const file = configuration(directory)
    await runSwitch(file)
    const other = folder()
    const second = configuration(other, (yaml) =>
      yaml
        .replace("./journal", join(directory, "journal"))
        .replace("requestTimeout", "control: { directory: . }\nrequestTimeout")
        .replace("drainTimeout: 2 seconds", "drainTimeout: 20 seconds")
    )

    const { code, err } = await jinka(["run", second])

    expect(code).toBe(3)
    expect(err).toContain("Locked")
    expect(err.trim().split("\n")).toHaveLength(1)
  })

  it("is refused while another switch answers on the control socket", async () => {
    const directory = folder()
    await runSwitch(configuration(directory))
    const other = folder()
    const second = configuration(other, (yaml) =>
      yaml.replace("requestTimeout", `control: { directory: ${join(directory, "journal")} }\nrequestTimeout`)
    )

    const { code, err } = await jinka(["run", second])

    expect(code).toBe(4)
    expect(err).toMatch(/Another switch, demo \(process \d+\), answers on/)
  })

  it("is possible after a kill, and commands say so; the socket that was left behind is replaced", async () => {
    const file = configuration(folder())
    const first = await runSwitchProcess(file)
    first.signal("SIGKILL")
    await first.ended
    const killed = await jinka(["link", "echo", file, "issuer"])

    expect(killed.code).toBe(4)
    expect(killed.err).toContain("the switch has ended without stopping in order. Start it again.")

    const second = await runSwitch(file)

    expect((await jinka(["status", file])).out).toMatch(/^demo: 0 of 2 links ready; process \d+/)

    second.signal("SIGTERM")
    expect((await second.ended).code).toBe(0)
  })

  it("is refused without the key, before anything is opened", async () => {
    const directory = folder()
    const file = configuration(directory, (yaml) => yaml.replace("JINKA_TEST_KEY", "JINKA_NO_SUCH_KEY"))

    const { code, err } = await jinka(["run", file])

    expect(code).toBe(2)
    expect(err).toContain(
      "journal.key.env: the environment variable JINKA_NO_SUCH_KEY holds the key; found no such variable"
    )
  })

  it("is refused with another key than the journal's", async () => {
    const file = configuration(folder())
    const first = await runSwitch(file)
    const { acquirer, issuer } = await connected(first)
    acquirer.send(purchase(1))
    issuer.send(answerTo(await issuer.next(), "00"))
    await acquirer.next()
    await first.stop()

    const { code, err } = await jinka(["run", file], { env: { JINKA_TEST_KEY: [...key].reverse().join("") } })

    expect(code).toBe(3)
    expect(err).toContain("KeyWrong")
    expect(err).not.toContain("c3c3")
  })
})

describe("Questions to a switch", () => {
  it("are answered with states, addresses and the reason of the last end", async () => {
    const file = configuration(folder())
    const running = await runSwitch(file)
    const { acquirer } = await connected(running)
    acquirer.close()
    await until(async () => (await running.status()).links[0]?.lastEnd !== null, "the link has ended")

    const [acquirerLink] = (await running.status()).links

    expect(acquirerLink).toMatchObject({ ready: false, lastEnd: { reason: "PeerClosed" } })
    expect((await jinka(["status", file])).out).toMatch(
      /acquirer {2}48020000 {2}down.*\n(?:.*\n)*? {4}last end .* ago: partner, FIN: PeerClosed/
    )
  })

  it("with a card number in the address are refused: addresses are written down in too many places", async () => {
    const running = await runSwitch(configuration(folder()))
    const asked = ask(running.ready.control, "GET", `/trace?pan=${pan}`, TraceReport)

    const refused = await Effect.runPromise(Effect.flip(asked))

    expect(refused).toMatchObject({ exit: "usage" })
    expect(refused.message).not.toContain(pan)
  })

  it("without a switch say so, and which exit code", async () => {
    const file = configuration(folder())

    const { code, err } = await jinka(["status", file])

    expect(code).toBe(4)
    expect(err).toMatch(/^jinka: No switch answers on .*control\.sock/)
  })

  it("about a transaction that is not there end with 1", async () => {
    const file = configuration(folder())
    const running = await runSwitch(file)

    expect((await jinka(["trace", file, "--stan", "999999"])).code).toBe(1)

    running.signal("SIGTERM")
    await running.ended
    expect((await jinka(["trace", file, "--stan", "999999"])).code).toBe(1)
  })

  it("about a journal that is not there end with 3", async () => {
    const directory = folder()
    rmSync(join(directory, "journal"), { recursive: true, force: true })

    expect((await jinka(["journal", "verify", directory])).code).toBe(3)
  })
})

describe("The log", () => {
  it("is one JSON object a line when asked for, with link and connection", async () => {
    const file = configuration(folder())
    const running = await runSwitch(file, "--log", "json")
    await connected(running)
    running.signal("SIGTERM")
    const { err } = await running.ended

    const lines = err.trim().split("\n").map(json)

    expect(lines.find(({ text }) => text.startsWith("connected"))).toMatchObject({ level: "info", epoch: 1 })
    expect(lines.every(({ at }) => /^\d{4}-\d\d-\d\dT/.test(at))).toBe(true)
  })
})
