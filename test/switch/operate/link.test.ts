/** What an operator sees of a link and does to it: a real switch, real sockets, the command as it is typed. */
import { createServer, type Socket } from "node:net"
import { userInfo } from "node:os"
import type { Message } from "@jinka/codec"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { ask } from "../../../packages/switch/src/operate/control/ControlCall.ts"
import { OperatedReport } from "../../../packages/switch/src/operate/control/Report.ts"
import { answerTo, Line, text, until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, type RunningSwitch, runSwitch } from "./program.ts"
import { purchase } from "./swiped.ts"

afterEach(cleanUp)

const slow = (yaml: string) => yaml.replace("drainTimeout: 2", "drainTimeout: 20")

const start = async (change: (yaml: string) => string = slow) => {
  const file = configuration(folder(), change)
  const running = await runSwitch(file)
  return { file, running }
}

const connected = async (running: RunningSwitch) => {
  const acquirer = await Line.connect(running.port("acquirer"))
  const issuer = await Line.connect(running.port("issuer"))
  await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
  return { acquirer, issuer }
}

const linkOf = async (running: RunningSwitch, name: string) =>
  (await running.status()).links.find((link) => link.name === name)!

/** Waits until the link looks like that. */
const reached = async (
  running: RunningSwitch,
  name: string,
  is: (link: Awaited<ReturnType<typeof linkOf>>) => boolean
) => {
  await until(async () => is(await linkOf(running, name)), `${name} is as it should be`)
}

/** An echo request of the partner. */
const echo = (stan: number): Message => ({
  header: { destination: "00010000", source: "01020000" },
  mti: "0820",
  fields: { 7: "1122210411", 11: String(stan).padStart(6, "0"), 33: "01020000", 70: "301" }
})

/** The same with additional data, which an answer repeats: the kernels of both sides hold some megabytes. */
const long = (message: Message): Message => ({
  ...message,
  fields: { ...message.fields, 48: "A".repeat(500), 61: "C".repeat(190) }
})

const act = (running: RunningSwitch, name: string, what: string) =>
  Effect.runPromise(ask(running.ready.control, "POST", `/links/${name}/${what}`, OperatedReport, {}))

describe("One link at 3 a.m.", () => {
  it("is shown whole: clocks, bytes, the kernel's view, what is outstanding and since when", async () => {
    const { file, running } = await start()
    const { acquirer, issuer } = await connected(running)
    acquirer.send(purchase(1))
    await issuer.next()

    const link = await linkOf(running, "issuer")
    const { code, out } = await jinka(["status", file, "issuer"])

    expect(link).toMatchObject({ outstanding: 1, window: 2048, stored: 0, unsent: 0, signOn: { ours: "none" } })
    expect(link.bytesSent).toBeGreaterThan(100)
    expect(link.oldestOutstanding).not.toBeNull()
    expect(link.clocks).toMatchObject({ watchdog: "OKAY", probing: false, writingSince: null, frameSince: null })
    expect(link.clocks?.unheardSince).not.toBeNull()
    expect(link.legs[0]).toMatchObject({ leg: "both", kernel: { state: "ESTABLISHED" }, disagreements: [] })
    expect(code).toBe(0)

    for (const line of [
      /issuer \(01020000\): ready for/,
      /kernel +ESTABLISHED, send queue 0/,
      /outstanding +1 of 2048, oldest for/
    ])
      expect(out).toMatch(line)
    issuer.send(answerTo(purchase(1), "00"))
  })

  it("keeps its last ends, and a frame that could not be read with its first bytes", async () => {
    const { running } = await start()
    const first = await Line.connect(running.port("issuer"))
    await reached(running, "issuer", ({ ready }) => ready)
    first.close()
    await reached(running, "issuer", ({ ends }) => ends.length === 1)
    const second = await Line.connect(running.port("issuer"))
    await reached(running, "issuer", ({ epoch }) => epoch === 2)
    second.send(Buffer.from("16030102", "hex"))
    await reached(running, "issuer", ({ ends }) => ends[0]?.reason === "FrameError")
    const { ends } = await linkOf(running, "issuer")

    // The second one may come before the first is closed in both directions: that end is told once, and truly.
    expect(ends).toMatchObject([
      { reason: "FrameError", by: "us", first: "16030102", why: expect.stringContaining("looks like TLS") },
      { reason: "PeerClosed", by: "partner", how: "FIN" }
    ])
  })

  it("whose partner has stopped reading says so, from the kernel's view and from ours", async () => {
    const { file, running } = await start((yaml) =>
      slow(yaml).replace("    storeAndForward", "    writeTimeout: 1 minutes\n    unsent: 64 MiB\n    storeAndForward")
    )
    const issuer = await Line.connect(running.port("issuer"))
    await reached(running, "issuer", ({ ready }) => ready)
    issuer.socket.pause()
    const is = ({ clocks, legs }: Awaited<ReturnType<typeof linkOf>>) =>
      clocks?.writingSince != null && legs[0]?.kernel?.timer === "zero window probe"
    while (!is(await linkOf(running, "issuer"))) {
      for (let stan = 1; stan <= 2000; stan++) issuer.send(long(echo(stan)))
      await issuer.drained
    }

    const { out } = await jinka(["status", file, "issuer"])

    expect(out).toMatch(
      /! the partner has stopped reading \(its receive window is closed\): \d{6,} bytes wait in the kernel/
    )
    expect(out).toMatch(/! a write has not been taken whole for/)
    expect(out).toMatch(/kernel +ESTABLISHED, send queue \d{6,}, .* timer zero window probe/)
  })

  it("that is not there is named together with those that are", async () => {
    const { file } = await start()
    for (const args of [
      ["status", file, "isuer"],
      ["link", "block", file, "isuer"]
    ]) {
      const { code, err } = await jinka(args)
      expect(code).toBe(2)
      expect(err).toContain("There is no link isuer. The links are: acquirer, issuer.")
    }
  })
})

describe("An operator", () => {
  it("blocks a link and unblocks it; new requests are refused in between, the connection stays, and both are journalled", async () => {
    const { file, running } = await start()
    const { acquirer, issuer } = await connected(running)

    const blocked = await jinka(["link", "block", file, "issuer", "--reason", "declines everything"])
    const again = await act(running, "issuer", "block")
    acquirer.send(purchase(1))
    const refused = await acquirer.next()
    const unblocked = await act(running, "issuer", "unblock")
    acquirer.send(purchase(2))
    issuer.send(answerTo(await issuer.next(), "00"))
    const answered = await acquirer.next()
    const { epoch } = await linkOf(running, "issuer")
    await running.stop()
    const { err } = await running.ended

    expect(blocked).toMatchObject({ code: 0, out: expect.stringContaining("state: before ready, now blocked") })
    expect(again).toMatchObject({ before: "blocked", after: "blocked", did: "It was blocked already." })
    expect(unblocked).toMatchObject({ before: "blocked", after: "ready" })
    expect([text(refused, 39), text(answered, 39), epoch]).toEqual(["91", "00", 1])
    expect(err).toContain(`operator ${userInfo().username}: block (declines everything): `)
    expect(err).toContain("Before: ready, after: blocked")
  })

  it("cannot put a number that may be a card's into the journal as a reason", async () => {
    const { file } = await start()
    const { code, err } = await jinka(["link", "block", file, "issuer", "--reason", "card 6200000000000005"])

    expect(code).toBe(2)
    expect(err).toContain("without a run of 8 digits")
    expect(err).not.toContain("6200000000000005")
  })

  it("cuts a connection: what was under way ends as unknown and is reversed, and the link comes back", async () => {
    const { running } = await start()
    const { acquirer, issuer } = await connected(running)
    acquirer.send(purchase(1))
    await issuer.next()

    const cut = await act(running, "issuer", "cut")
    const answer = await acquirer.next()
    const back = await Line.connect(running.port("issuer"))
    await back.prove(3)
    const reversal = await back.next()

    expect(cut.did).toContain("comes back by itself")
    expect([text(answer, 39), reversal.mti]).toEqual(["98", "0420"])
    expect((await linkOf(running, "issuer")).lastEnd).toMatchObject({
      reason: "Operator",
      by: "operator",
      why: `cut by ${userInfo().username}`
    })
    expect((await act(running, "acquirer", "retry")).did).toBe("It has a connection already.")
  })

  it("dials now and not after the pause", async () => {
    const sockets: Array<Socket> = []
    const partner = createServer((socket) => sockets.push(socket))
    await new Promise<void>((resolve) => partner.listen(0, "127.0.0.1", resolve))
    const { port } = partner.address() as { port: number }
    await new Promise((resolve) => partner.close(resolve))
    const { running } = await start((yaml) =>
      yaml.replace(
        /listen: .*\n {4}storeAnd/,
        `connect: { host: 127.0.0.1, port: ${port} }\n    reconnect: { min: 1 hours, max: 1 hours }\n    storeAnd`
      )
    )
    await reached(running, "issuer", ({ attempts, nextAttempt }) => attempts > 0 && nextAttempt !== null)
    await new Promise<void>((resolve) => partner.listen(port, "127.0.0.1", resolve))

    const retried = await act(running, "issuer", "retry")
    await reached(running, "issuer", ({ epoch }) => epoch === 1)
    partner.close()
    for (const socket of sockets) socket.destroy()

    expect(retried.did).toBe("It connects now, without waiting for the pause to end.")
  })

  it("drains a link: what is under way is waited for, sign-off and FIN go out, and it stays down until unblocked", async () => {
    const { running } = await start((yaml) =>
      slow(yaml).replace("    storeAndForward", "    signOn: { send: true }\n    storeAndForward")
    )
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    issuer.send(answerTo(await issuer.next(), "00"))
    await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
    acquirer.send(purchase(1))
    const request = await issuer.next()

    const draining = act(running, "issuer", "drain")
    await reached(running, "issuer", ({ state }) => state === "draining")
    acquirer.send(purchase(2))
    const refused = await acquirer.next()
    issuer.send(answerTo(request, "00"))
    const answered = await acquirer.next()
    const signOff = await issuer.next()
    issuer.send(answerTo(signOff, "00"))
    const drained = await draining
    // It is turned away: behind its connecting, or so soon that it sees the RST as the answer to that.
    await Line.connect(running.port("issuer")).then(
      ({ ended }) => ended,
      () => undefined
    )
    const again = await act(running, "issuer", "drain")
    await act(running, "issuer", "unblock")
    const back = await Line.connect(running.port("issuer"))
    const signOn = await back.next()

    expect([text(refused, 39), text(answered, 39)]).toEqual(["91", "00"])
    expect([text(signOff, 70), text(signOn, 70)]).toEqual(["002", "001"])
    expect(drained).toMatchObject({ before: "ready", after: "down, drained", unfinished: [] })
    expect(again.did).toBe("It was drained already.")
    expect((await linkOf(running, "issuer")).ends[0]).toMatchObject({
      reason: "Operator",
      why: `drained by ${userInfo().username}`
    })
  })

  it("is told of each request that a drain could not wait for", async () => {
    const { running } = await start((yaml) =>
      slow(yaml).replace("drainTimeout: 20 seconds", "drainTimeout: 200 millis")
    )
    const { acquirer, issuer } = await connected(running)
    acquirer.send(purchase(1))
    await issuer.next()

    const drained = await act(running, "issuer", "drain")
    const answer = await acquirer.next()

    expect(drained.unfinished).toMatchObject([{ link: "issuer", outcome: "Unknown" }])
    expect(text(answer, 39)).toBe("98")
    expect((await linkOf(running, "issuer")).stored).toBe(1)
  })

  it("signs off and on, once each, and a link that was signed off by hand stays so on a new connection", async () => {
    const { running } = await start()
    const { issuer } = await connected(running)

    const off = act(running, "issuer", "sign-off")
    const signOff = await issuer.next()
    issuer.send(answerTo(signOff, "00"))
    const wasOff = await off
    const twice = await act(running, "issuer", "sign-off")
    issuer.close()
    await reached(running, "issuer", ({ epoch, local }) => epoch === 1 && local === "")
    const back = await Line.connect(running.port("issuer"))
    await reached(running, "issuer", ({ epoch }) => epoch === 2)
    const { state } = await linkOf(running, "issuer")
    const on = act(running, "issuer", "sign-on")
    back.send(answerTo(await back.next(), "00"))
    const wasOn = await on

    expect(wasOff).toMatchObject({ before: "ready", after: "signed off", did: expect.stringContaining("with 00") })
    expect(twice.did).toBe("We were signed off already.")
    expect(state).toBe("signed off")
    expect(wasOn.did).toBe("The partner accepted our sign-on with 00.")
    expect(wasOn.answerMs).toBeGreaterThan(0)
  })

  it("asks for an echo and hears how long its answer took, or that none came", async () => {
    const { file, running } = await start((yaml) =>
      slow(yaml).replace("    storeAndForward", "    signOn: { timeout: 300 millis }\n    storeAndForward")
    )
    const { issuer } = await connected(running)

    const echo = act(running, "issuer", "echo")
    issuer.send(answerTo(await issuer.next(), "00"))
    const { did, answerMs } = await echo
    const { code, err } = await jinka(["link", "echo", file, "issuer"])

    expect(did).toMatch(/^The partner answered our echo with 00 after [\d.]+ ms\.$/)
    expect(answerMs).toBeGreaterThan(0)
    expect(code).toBe(1)
    expect(err).toContain("The partner did not answer our echo within 300 ms; its connection is still up.")
  })
})

describe("jinka day", () => {
  it("shows the days, cuts one over with a reason, and refuses what is no date and no link", async () => {
    const { file, running } = await start()
    const today = new Date().toISOString().slice(0, 10)
    const move = (link: string, to: string) =>
      jinka(["day", "cut-over", file, link, "--to", to, "--reason", "their line is down"])

    const before = await jinka(["day", "show", file])
    const moved = await move("acquirer", today)
    const again = await move("acquirer", today)
    const after = await jinka(["day", "show", file, "acquirer"])
    const [slip, nobody] = [await move("acquirer", "2026-02-30"), await move("nobody", today)]
    await running.stop()

    expect(before.out).toMatch(/^acquirer {2}not known yet: .*\nissuer {2}not known yet: .*\n$/)
    expect(moved).toMatchObject({ code: 0, out: expect.stringContaining(`The business day of acquirer is ${today}.`) })
    expect(again).toMatchObject({ code: 0, out: `The business day of acquirer was ${today} already.\n` })
    expect(after.out).toBe(`acquirer  ${today}\n`)
    expect([slip.code, nobody.code]).toEqual([2, 2])
    expect(slip.err).toContain('--to is a date like 2026-11-29; "2026-02-30" is none.')
    expect((await running.ended).err).toContain(
      `operator ${userInfo().username}: day cut-over to ${today} (their line is down)`
    )
  })
})
