/** Whether it is said plainly what is wrong: since when, who is not let in, what is waited for, and how loud the log says it. */
import { connect, createServer } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { tlsAdvice } from "../../../packages/switch/src/operate/TlsWords.ts"
import { answerTo, Line, purchase, until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, type RunningSwitch, runSwitch } from "./program.ts"

afterEach(cleanUp)

const linkOf = async (running: RunningSwitch, name: string) =>
  (await running.status()).links.find((link) => link.name === name)!

const isReady = (running: RunningSwitch, name: string) => async () => (await linkOf(running, name)).ready

/** Seconds since the state is what it is. */
const held = (running: RunningSwitch, name: string) =>
  running.status().then(({ at, links }) => {
    const { since, state } = links.find((link) => link.name === name)!
    return { state, seconds: (Date.parse(at) - Date.parse(since!)) / 1000 }
  })

describe("At 3 a.m.", () => {
  it("a link where the partner connects says where it is waited for, and who was not let in", async () => {
    const file = configuration(folder(), (yaml) =>
      yaml.replace("from: [127.0.0.1] }\n  - name: issuer", "from: [127.0.0.1], second: refuse }\n  - name: issuer")
    )
    const running = await runSwitch(file, "--log-level", "warn")
    const port = running.port("acquirer")
    const before = await jinka(["status", file])
    const acquirer = await Line.connect(port)
    await until(isReady(running, "acquirer"), "the acquirer's link is ready")

    // A second connection of the partner, and a stranger's.
    for (const localAddress of ["127.0.0.1", "127.0.0.9"]) {
      const refused = connect({ host: "127.0.0.1", port, localAddress }).on("error", () => {})
      await new Promise((resolve) => refused.once("close", resolve))
    }
    const list = await jinka(["status", file])
    const alone = await jinka(["status", file, "acquirer"])

    expect(before.out).toContain("waits for the partner to connect to 127.0.0.1:")

    for (const { out } of [list, alone]) {
      expect(out).toMatch(
        /\d+ connections were not let in, the last [\d.]+ s ago: PeerNotAllowed: a connection from 127\.0\.0\.9/
      )
    }
    expect((await linkOf(running, "acquirer")).turnedAway!.count).toBe(2)

    acquirer.socket.destroy()
    await until(async () => (await linkOf(running, "acquirer")).state === "down", "the acquirer's link is down")
    await running.stop()
    const { err } = await running.ended

    // The log of what somebody should look at: both strangers and the end of the link, and nothing else of it.
    expect(err).toMatch(/WARN +acquirer#1 a second connection from 127\.0\.0\.1:\d+ was closed, one is up/)
    expect(err).toMatch(/WARN +acquirer#1 PeerNotAllowed/)
    expect(err).toMatch(/WARN +acquirer#1 ended: Peer/)
    expect(err).not.toContain("INFO")
  })

  it("a link says since when its state is what it is, not since when it is connected", async () => {
    const watchdog = "watchdog: { interval: 2 seconds, probe: false }"
    const file = configuration(folder(), (yaml) => yaml.replace("storeAndForward", `${watchdog}\n    storeAndForward`))
    const running = await runSwitch(file)
    const issuer = await Line.connect(running.port("issuer"))
    await until(isReady(running, "issuer"), "the issuer's link is ready")
    const began = performance.now()

    // Two intervals of silence.
    await until(async () => (await held(running, "issuer")).state === "suspect", "the link is suspect")
    const { seconds } = await held(running, "issuer")

    // It was ready for about two intervals; that it is not for so long counts, however long the machine took to tell.
    expect(seconds).toBeLessThan((performance.now() - began) / 1000 - 1.9)

    issuer.socket.destroy()
    await running.stop()
    expect((await running.ended).err).toMatch(/WARN +issuer#1 not ready: suspect/)
  })

  it("a switch that cannot listen calls no partner: another one may have the line", async () => {
    const taken = createServer().listen(0, "127.0.0.1")
    let calls = 0
    const partner = createServer(() => calls++).listen(0, "127.0.0.1")
    const portOf = (server: typeof taken) => (server.address() as { readonly port: number }).port
    await Promise.all([taken, partner].map((server) => new Promise((resolve) => server.once("listening", resolve))))
    const listen = "listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }"
    const file = configuration(folder(), (yaml) =>
      yaml
        .replace(listen, `connect: { host: 127.0.0.1, port: ${portOf(partner)} }`)
        .replace(listen, listen.replace("port: 0", `port: ${portOf(taken)}`))
    )

    const { code, err } = await jinka(["run", file])

    expect(code, err).toBe(4)
    expect(err).toContain("another process listens there already")
    expect(calls).toBe(0)

    taken.close()
    partner.close()
  })

  it("a wrong certificate is not taken for an address where nobody answers", () => {
    const said = tlsAdvice("no connection to 127.0.0.1:7213: CertificateUntrusted (DEPTH_ZERO_SELF_SIGNED_CERT)")

    expect(said).toContain("The address answers, but the TLS handshake failed. It comes from no authority in `ca`")
    expect(tlsAdvice("no connection to 127.0.0.1:7213: Refused (ECONNREFUSED)")).toBeUndefined()
  })

  it("a partner whose clock is wrong is told by link, alarm and metric, with by how much", async () => {
    const file = configuration(folder(), (yaml) =>
      yaml.replace("requestTimeout:", "admin: { listen: { port: 0 } }\nrequestTimeout:")
    )
    const running = await runSwitch(file)
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
    const isKnown = async () => (await linkOf(running, "acquirer")).clockAhead !== null
    let stan = 0
    await until(async () => {
      const bare = purchase(++stan, "6212340000000008")
      // CUPS writes the time of day in China; this partner is two minutes ahead of it.
      const time = new Date(Date.now() + 8 * 3_600_000 + 120_000).toISOString().replace(/\D/g, "").slice(4, 14)
      acquirer.send({ ...bare, fields: { ...bare.fields, 7: time } })
      issuer.send(answerTo(await issuer.next(), "00"))
      await acquirer.next()
      return await isKnown()
    }, "the partner's clock is known")

    const [list, one] = await Promise.all([jinka(["status", file]), jinka(["status", file, "acquirer"])])
    const metrics = await (await fetch(`http://127.0.0.1:${running.ready.admin!.port}/metrics`)).text()
    await until(async () => (await jinka(["alarm", "list", file])).out.includes("clock of acquirer"), "the alarm comes")
    const alarms = await jinka(["alarm", "list", file])
    await running.stop()

    expect(list.out).toMatch(/! the partner's clock is 1[12]\d s ahead of ours/)
    expect(one.out).toMatch(/clock +the partner's clock is 1[12]\d s ahead of ours/)
    expect(metrics).toMatch(/jinka_link_clock_ahead_seconds\{link="acquirer"\} 1[12]\d/)
    expect(metrics).not.toContain('jinka_link_clock_ahead_seconds{link="issuer"}')
    expect(alarms.out).toMatch(/! clock of acquirer since .*: the partner's clock is 1[12]\d s ahead of ours/)
  })

  it("a partner's first business date is no warning, and one that moved without a word of it is", async () => {
    const running = await runSwitch(configuration(folder(), (yaml) => yaml.replace('bin: "621234"', 'bin: "62"')))
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    await until(isReady(running, "acquirer"), "the acquirer's link is ready")
    await until(isReady(running, "issuer"), "the issuer's link is ready")
    const dates = [0, 1].map((days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10))
    for (const [stan, date] of dates.entries()) {
      acquirer.send(purchase(stan + 1))
      const answer = answerTo(await issuer.next())
      issuer.send({ ...answer, fields: { ...answer.fields, 15: date.slice(5).replace("-", "") } })
      await acquirer.next()
    }
    await until(() => running.err().includes(`business day of issuer is ${dates[1]}`), "the second date in the log")
    await running.stop()

    const said = running
      .err()
      .split("\n")
      .filter((line) => line.includes("business day of issuer is"))
    expect(said).toEqual([
      expect.stringMatching(new RegExp(`INFO .*business day of issuer is ${dates[0]}`)),
      expect.stringMatching(new RegExp(`WARN .*business day of issuer is ${dates[1]}`))
    ])
  })

  it("a switch that has not been started is told from one that was killed (`run.test.ts`), with what to do", async () => {
    const { code, err } = await jinka(["status", configuration(folder())])

    expect(code).toBe(4)
    expect(err).toContain("There is no such socket: the switch does not run")
  })
})
