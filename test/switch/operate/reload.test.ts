/** A running switch takes a changed file: real sockets, real load, the command as it is typed. */

import { writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { ask } from "../../../packages/switch/src/operate/control/ControlCall.ts"
import { OperatedReport } from "../../../packages/switch/src/operate/control/Report.ts"
import { answerTo, Line, text, until } from "./Line.ts"
import { cleanUp, configuration, folder, hasty, jinka, runSwitch } from "./program.ts"
import { freePort, link, linkOf, ready, refusalOf, reload, withIssuer } from "./reloading.ts"
import { purchase } from "./swiped.ts"

afterEach(cleanUp)

/** Answers whatever comes: echoes, sign-ons, requests and reversals. */
const answering = (partner: Line) => {
  partner.onMessage = (message) => {
    if (!message.mti.endsWith("10") && !message.mti.endsWith("30")) partner.send(answerTo(message, "00"))
  }
}

/** Sends purchases all the time and counts the answers by STAN. */
const load = (acquirer: Line, first = 1) => {
  const codes = new Map<number, Array<string>>()
  let sent = first - 1
  let isOver = false
  acquirer.onMessage = (answer) => {
    const stan = Number(text(answer, 11))
    codes.set(stan, [...(codes.get(stan) ?? []), text(answer, 39)])
  }
  const sending = async () => {
    while (!isOver) {
      for (let n = 0; n < 3; n++) acquirer.send(purchase(++sent))
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const whole = sending()
  return {
    codes,
    /** Stops sending and waits until everything is answered; returns the counts by code. */
    end: async () => {
      isOver = true
      await whole
      while (codes.size < sent - first + 1) await new Promise((resolve) => setTimeout(resolve, 5))
      const counts: Record<string, number> = {}
      for (const [code] of codes.values()) counts[code!] = (counts[code!] ?? 0) + 1
      return { sent: sent - first + 1, counts, doubled: [...codes.values()].filter(({ length }) => length > 1).length }
    }
  }
}

describe("A reload under load", () => {
  it("adds, changes and removes other links; the unchanged ones keep their connection and lose nothing", async () => {
    const [issuerPort, going, changing, coming] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
    const directory = folder()
    const before = link("going", going!) + link("changing", changing!)
    const file = configuration(directory, withIssuer(issuerPort!, before))
    const running = await runSwitch(file)
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(issuerPort!)
    const parting = await Line.connect(going!)
    await Line.connect(changing!)
    await ready(running, "acquirer", "issuer", "going", "changing")
    answering(issuer)
    const traffic = load(acquirer)
    while (traffic.codes.size < 100) await new Promise((resolve) => setTimeout(resolve, 5))

    configuration(
      directory,
      withIssuer(issuerPort!, link("changing", changing!, "    window: 7\n") + link("coming", coming!))
    )
    const answeredBefore = traffic.codes.size
    const report = await reload(running)
    await parting.ended
    while (traffic.codes.size < answeredBefore + 100) await new Promise((resolve) => setTimeout(resolve, 5))
    const { counts, doubled, sent } = await traffic.end()
    await Line.connect(coming!)
    await Line.connect(changing!)
    // A reopened connection has to answer echoes before it is used; that it is up is enough here.
    await until(
      async () => (await linkOf(running, "changing"))?.epoch === 2 && (await linkOf(running, "coming"))?.epoch === 1,
      "both links are up"
    )
    const { links } = await running.status()

    expect(report).toMatchObject({
      applied: true,
      added: ["coming"],
      removed: ["going"],
      changed: [{ name: "changing", what: ["window: 2048 becomes 7"] }],
      unchanged: 2,
      unfinished: []
    })
    expect({ counts, doubled }).toEqual({ counts: { "00": sent }, doubled: 0 })
    expect(links.map(({ name, epoch, window }) => [name, epoch, window])).toEqual([
      ["acquirer", 1, 2048],
      ["issuer", 1, 2048],
      ["changing", 2, 7],
      ["coming", 1, 2048]
    ])
    expect((await linkOf(running, "changing"))?.ends[0]).toMatchObject({ reason: "Reloaded", by: "operator" })

    await running.stop()
    const summary = await jinka(["journal", "summary", file])
    expect(summary.err + summary.out).toContain(`Answered ${sent}`)
  })

  it("moves the busy link itself: each request has one answer, from the old address, from the new one, or a refusal", async () => {
    const [oldPort, newPort] = await Promise.all([freePort(), freePort()])
    const directory = folder()
    const file = configuration(directory, withIssuer(oldPort!))
    const running = await runSwitch(file)
    const acquirer = await Line.connect(running.port("acquirer"))
    const old = await Line.connect(oldPort!)
    await ready(running, "acquirer", "issuer")
    answering(old)
    const traffic = load(acquirer)
    while (traffic.codes.size < 100) await new Promise((resolve) => setTimeout(resolve, 5))

    configuration(directory, withIssuer(newPort!))
    const report = await reload(running)
    await old.ended
    const next = await Line.connect(newPort!)
    answering(next)
    await ready(running, "issuer")
    const answeredThen = traffic.codes.size
    while (traffic.codes.size < answeredThen + 100) await new Promise((resolve) => setTimeout(resolve, 5))
    const { counts, doubled, sent } = await traffic.end()

    expect(report).toMatchObject({ applied: true, unfinished: [], unchanged: 1 })
    expect(doubled).toBe(0)
    expect(Object.keys(counts).sort()).toEqual(["00", "91"])
    expect(counts["00"]! + counts["91"]!).toBe(sent)
    expect(await linkOf(running, "issuer")).toMatchObject({ epoch: 2, outstanding: 0, stored: 0 })
    expect(await linkOf(running, "acquirer")).toMatchObject({ epoch: 1 })
  })
})

describe("A reload", () => {
  const quiet = async (change: (yaml: string) => string = (yaml) => yaml) => {
    const directory = folder()
    const file = configuration(directory, change)
    const running = await runSwitch(file)
    return { directory, file, running }
  }

  it("swaps routes and limits without touching a link, once as a dry run and once in earnest", async () => {
    const { directory, file, running } = await quiet()
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    await ready(running, "acquirer", "issuer")
    acquirer.send({
      ...purchase(1),
      fields: { ...purchase(1).fields, 2: "4111111111111111", 35: "4111111111111111=2512" }
    })
    const refused = await acquirer.next()

    configuration(directory, (yaml) =>
      yaml.replace("routes:", 'routes:\n  - { bin: "4", to: issuer }').replace("drainTimeout: 2", "drainTimeout: 3")
    )
    const dry = await jinka(["reload", file, "--dry-run"])
    acquirer.send({
      ...purchase(2),
      fields: { ...purchase(2).fields, 2: "4111111111111111", 35: "4111111111111111=2512" }
    })
    const refusedStill = await acquirer.next()
    const done = await jinka(["reload", file])
    acquirer.send({
      ...purchase(3),
      fields: { ...purchase(3).fields, 2: "4111111111111111", 35: "4111111111111111=2512" }
    })
    const request = await issuer.next()

    expect([text(refused, 39), text(refusedStill, 39), text(request, 11)]).toEqual(["92", "92", "000003"])
    expect(dry).toMatchObject({ code: 0, out: expect.stringMatching(/^would change this; nothing was changed:/) })
    expect(done).toMatchObject({ code: 0, out: expect.stringMatching(/^reloaded in/) })

    for (const { out } of [dry, done]) {
      expect(out).toContain("card numbers 4... to issuer: added")
      expect(out).toContain("drainTimeout: 2 seconds becomes 3 seconds")
      expect(out).toContain("2 links keep their connection")
    }
    expect((await running.status()).links.map(({ epoch }) => epoch)).toEqual([1, 1])
  })

  it("of a wrong file is refused with all of its errors, and the switch can still be asked", async () => {
    const { directory, file, running } = await quiet()
    configuration(directory, (yaml) =>
      yaml.replace("requestTimeout: 20 seconds", "requestTimeout: 400").replace("to: issuer", "to: isuer")
    )

    const { code, err } = await jinka(["reload", file])
    const status = await jinka(["status", file])

    expect(code).toBe(2)
    expect(err).toContain("requestTimeout")
    expect(err).toContain("Did you mean `issuer`?")
    expect(err).toContain("Nothing was changed.")
    expect(status.code).toBe(0)
    expect((await running.status()).links).toHaveLength(2)
  })

  it("of what a running switch cannot change is refused by name, with everything else in the file", async () => {
    const { directory, running } = await quiet()
    configuration(directory, (yaml) =>
      yaml
        .replace("./journal", "./other")
        .replace("name: demo", "name: other")
        .replace("routes:", 'routes:\n  - { bin: "4", to: issuer }')
    )

    const { exit, says } = await refusalOf(running)

    expect(exit).toBe("usage")
    expect(says).toMatch(
      /restart needed: journal\.directory \(a switch has one journal\), name\. Nothing was changed\./
    )

    configuration(directory)
    expect((await reload(running)).routes).toEqual([])
  })

  it("onto an address that is taken is refused before anything is closed", async () => {
    const port = await freePort()
    const taken = createServer().listen(port, "127.0.0.1")
    const { directory, running } = await quiet()
    const issuer = await Line.connect(running.port("issuer"))
    await ready(running, "issuer")
    configuration(directory, withIssuer(port))

    const { says } = await refusalOf(running)
    taken.close()

    expect(says).toContain(`Cannot listen on 127.0.0.1:${port}: EADDRINUSE`)
    expect(await linkOf(running, "issuer")).toMatchObject({ ready: true, epoch: 1, draining: false })
    issuer.close()
  })

  it("that removes a link with messages to deliver is refused, and one that moves it takes them along", async () => {
    const [port, elsewhere] = await Promise.all([freePort(), freePort()])
    const { directory, running } = await quiet((yaml) => hasty(withIssuer(port!)(yaml)))
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(port!)
    await ready(running, "acquirer", "issuer")
    acquirer.send(purchase(1))
    await issuer.next()
    await acquirer.next()
    issuer.close()
    await until(async () => (await linkOf(running, "issuer"))?.stored === 1, "the reversal is stored")

    configuration(directory, (yaml) =>
      hasty(yaml)
        .replace(/ {2}- name: issuer\n(?: {4}.*\n)+/, "")
        .replace("to: issuer", "to: acquirer")
    )
    const { says } = await refusalOf(running)
    const kept = await linkOf(running, "issuer")
    configuration(directory, (yaml) => hasty(withIssuer(elsewhere!)(yaml)))
    const moved = await reload(running)
    const there = await Line.connect(elsewhere!)
    await there.prove(3)
    const reversal = await there.next()
    there.send(answerTo(reversal, "00"))
    await until(async () => (await linkOf(running, "issuer"))?.stored === 0, "the reversal is delivered")

    expect(says).toMatch(/1 open exchanges of links .*: issuer\..*Nothing was changed\./)
    expect(kept).toMatchObject({ stored: 1, draining: false, state: "down" })
    expect(moved.changed).toMatchObject([{ name: "issuer", what: [expect.stringContaining("listen.port")] }])
    expect(["0420", "0421"]).toContain(reversal.mti)
    expect(text(reversal, 90).slice(4, 10)).toBe("000001")
  })

  it("comes with SIGHUP too; what comes of it is in the log, and a refusal does not end the switch", async () => {
    const { directory, file, running } = await quiet()
    configuration(directory, (yaml) => yaml.replace("drainTimeout: 2", "drainTimeout: 4"))
    running.signal("SIGHUP")
    await until(async () => (await reload(running, true)).limits.length === 0, "the reload is in force")
    writeFileSync(file, "name: demo\n")
    running.signal("SIGHUP")
    await until(() => running.err().includes("reload by SIGHUP refused: "), "the refusal is in the log")
    configuration(directory, (yaml) => yaml.replace("drainTimeout: 2", "drainTimeout: 4"))
    const again = await reload(running)
    await running.stop()

    const { code, err } = await running.ended

    expect(again.limits).toEqual([])
    expect(code).toBe(0)
    expect(err).toContain(
      "reloaded by SIGHUP: links added 0, changed 0, removed 0; groups changed 0; routes changed 0; limits changed 1"
    )
  })

  it("that removes a link and one that brings it back give it its old place, and a block outlives a change", async () => {
    const port = await freePort()
    const { directory, running } = await quiet(withIssuer(port, ""))
    const without = (yaml: string) =>
      yaml.replace(/ {2}- name: issuer\n(?: {4}.*\n)+/, "").replace("to: issuer", "to: acquirer")
    configuration(directory, without)
    const removed = await reload(running)
    const gone = await running.status()
    configuration(directory, withIssuer(port))
    const back = await reload(running)
    await Effect.runPromise(ask(running.ready.control, "POST", "/links/issuer/block", OperatedReport, {}))
    configuration(directory, withIssuer(port, "", "    window: 9\n"))
    await reload(running)
    await Line.connect(port)
    await until(async () => (await linkOf(running, "issuer"))?.epoch === 1, "the issuer has connected")

    expect(removed.removed).toEqual(["issuer"])
    expect(gone.links.map(({ name }) => name)).toEqual(["acquirer"])
    expect(back.added).toEqual(["issuer"])
    expect(await linkOf(running, "issuer")).toMatchObject({ blocked: true, window: 9, state: "blocked" })
  })
})
