/** What operators' programs find in the journal of a running switch over HTTP: as on the command line, and not too often. */
import { afterEach, describe, expect, it } from "vitest"
import { CallLimits } from "../../../packages/switch/src/operate/admin/CallLimits.ts"
import { answerTo, Line, until } from "./Line.ts"
import { cleanUp, configuration, folder, hasty, jinka, type RunningSwitch, runSwitchIn } from "./program.ts"
import { pan, purchase } from "./swiped.ts"

afterEach(cleanUp)

const viewer = "v".repeat(40)

const start = async (changes: (text: string) => string = (text) => text) => {
  const users = ", users: [{ name: berta, role: view, token: { env: JINKA_VIEWER } }]"
  const file = configuration(folder(), (text) =>
    changes(text).replace("requestTimeout:", `admin: { listen: { port: 0 }${users} }\nrequestTimeout:`)
  )
  return { file, running: await runSwitchIn({ JINKA_VIEWER: viewer }, file) }
}

const ask = (running: RunningSwitch, path: string, body: unknown, token = viewer) =>
  fetch(`http://127.0.0.1:${running.ready.admin!.port}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body)
  })

describe("Over the administrative listener", () => {
  it("both sides of a message and the reasons of answers are told as the command line tells them, and who looked is in the journal", async () => {
    const { file, running } = await start()
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
    acquirer.send(purchase(7))
    const request = await issuer.next()
    issuer.send(answerTo(request, "00"))
    await acquirer.next()
    issuer.send(answerTo(request, "00"))
    await until(async () => {
      const { entries } = await running.status()
      return entries["duplicateAnswer"] === 1
    }, "the second answer is noted")

    const differing = await ask(running, "/api/trace", { stan: "7", diff: true })
    const plain = await ask(running, "/api/trace", { stan: "7" })
    const last = await ask(running, "/api/why", {})
    const of = await ask(running, "/api/why", { stan: "7" })
    const wrong = await Promise.all(
      [
        ["/api/why", { stan: "seven" }],
        ["/api/why", { pan: "1" }],
        ["/api/trace", { diff: true }],
        ["/api/trace", { stan: "7", diff: "yes" }]
      ].map(([path, body]) => ask(running, String(path), body))
    )
    const stranger = await ask(running, "/api/why", {}, "w".repeat(40))
    const [told, toldPlain, reasons, ofOne] = await Promise.all(
      [differing, plain, last, of].map((answer) => answer.text())
    )
    const [cliTrace, cliWhy] = await Promise.all([
      jinka(["trace", file, "--stan", "7", "--diff", "--json"]),
      jinka(["why", file, "--json"])
    ])
    await running.stop()

    expect(JSON.parse(told!)).toEqual(JSON.parse(cliTrace.out))
    expect(JSON.parse(told!).exchanges[0].changes.map(({ what }: { what: string }) => what)).toEqual([
      "request",
      "answer"
    ])
    expect(JSON.parse(toldPlain!).exchanges[0].changes).toBeUndefined()
    expect(JSON.parse(reasons!)).toEqual(JSON.parse(cliWhy.out))
    expect(JSON.parse(ofOne!)).toEqual(JSON.parse(reasons!))
    expect(JSON.parse(reasons!).answers).toMatchObject([{ kind: "duplicateAnswer", link: "issuer", mti: "0210" }])
    expect(wrong.map(({ status }) => status)).toEqual([400, 400, 400, 400])
    expect(stranger.status).toBe(401)
    expect(`${told}${reasons}`).not.toContain(pan)
    expect(running.err()).toContain("operator berta: why the last answers")
    expect(running.err()).toContain("operator berta: why by stan")
  })

  it("what persons did is told with its whole reason, what they did with messages in doubt too", async () => {
    const { file, running } = await start(hasty)
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
    acquirer.send(purchase(8))
    await issuer.next()
    await acquirer.next()
    issuer.send(answerTo(await issuer.next(), "57"))
    await until(async () => (await running.status()).inDoubt > 0, "something is in doubt")
    const { messages } = JSON.parse((await jinka(["pending", "list", file, "--json"])).out)
    const exchange = String(messages[0].exchange)

    const why = 'settled (case 12): see "mail" :)'
    const closed = await jinka(["pending", "close", file, "--exchange", exchange, "--reason", why])
    const blocked = await jinka(["link", "block", file, "issuer", "--reason", why])
    const { port } = running.ready.admin!
    const audit = await fetch(`http://127.0.0.1:${port}/api/audit/0`, {
      headers: { authorization: `Bearer ${viewer}` }
    })
    const { acts } = (await audit.json()) as { acts: ReadonlyArray<{ what: string; why: string; link: string }> }
    const told = await jinka(["audit", file])
    const rest = await jinka(["audit", file, "--before", "3", "--json"])
    const wrong = await jinka(["audit", file, "--before=-1"])
    await running.stop()
    const read = await jinka(["audit", file])

    expect([closed.code, blocked.code]).toEqual([0, 0])
    expect(told.out).toContain(`  because: ${why}\n`)
    expect(told.out).toContain("that is all since the journal began")
    expect(read.out).toContain(told.out)
    expect([JSON.parse(rest.out), wrong.code]).toEqual([{ acts: [], before: 0 }, 2])
    expect(acts.slice(0, 2)).toMatchObject([
      { link: "issuer", what: expect.stringMatching(/^block: /), why },
      { link: "issuer", what: `pending close exchange ${exchange}`, why }
    ])
  })

  it("a word that is not known is named and changes nothing, and card numbers among the words are covered", async () => {
    const { running } = await start()
    const places = async (path: string, body: unknown) => {
      const answer = await ask(running, path, body)
      const { error } = (await answer.json()) as { readonly error: string }
      return [answer.status, error.replace(/^.* is not as /, "").replace(/; where .*$/, "")]
    }
    const silence = { minutes: 5, reason: "line is changed" }
    const misspelt = await places("/api/alarms/linkDown/silence", { ...silence, lnk: "issuer" })
    const two = await places("/api/alarms/linkDown/silence", { link: "issuer", minutes: 0, reason: "" })
    const card = await places("/api/why", { [pan]: "x" })
    const query = await fetch(`http://127.0.0.1:${running.ready.admin!.port}/api/pending?olderms=5`, {
      headers: { authorization: `Bearer ${viewer}` }
    })
    await running.stop()

    expect(misspelt).toEqual([400, "/openapi.json says: lnk"])
    expect(two[1]).toContain("/openapi.json says: ")
    expect(card[0]).toBe(400)
    expect(card[1]).not.toContain(pan)
    expect([query.status, await query.text()]).toEqual([400, expect.stringContaining("olderms")])
    expect(running.err()).not.toContain("silence alarm")
  })

  it("a page hears no more of the switch when its session ends", async () => {
    const { running } = await start()
    const at = `http://127.0.0.1:${running.ready.admin!.port}`
    const page = { "content-type": "application/json", "sec-fetch-site": "same-origin" }
    const begun = await fetch(`${at}/session`, { method: "POST", headers: { authorization: `Bearer ${viewer}` } })
    const cookie = begun.headers.get("set-cookie")!.split(";")[0]!
    const events = await fetch(`${at}/api/events`, { headers: { cookie } })
    const reader = events.body!.getReader()
    const first = await reader.read()
    await fetch(`${at}/session/end`, { method: "POST", headers: { ...page, cookie }, body: "{}" })
    for (let more = first; !more.done; more = await reader.read()) expect(more.done).toBe(false)
    const again = await fetch(`${at}/api/events`, { headers: { cookie } })
    await running.stop()

    expect(JSON.parse(Buffer.from(first.value!).toString().slice("data: ".length))).toMatchObject({
      alarms: 0,
      inDoubt: 0
    })
    expect(again.status).toBe(401)
  })

  it("whoever asks for more than the journal should give is told to wait, and nobody else is", async () => {
    const { running } = await start()

    const flood = await Promise.all(Array.from({ length: 100 }, () => ask(running, "/api/why", {})))
    const status = await fetch(`http://127.0.0.1:${running.ready.admin!.port}/api/status`, {
      headers: { authorization: `Bearer ${viewer}` }
    })
    const live = await fetch(`http://127.0.0.1:${running.ready.admin!.port}/live`)
    await running.stop()

    const limited = flood.filter((answer) => answer.status === 429)
    expect(limited.length).toBeGreaterThan(0)
    expect(limited[0]!.headers.get("retry-after")).toBe("1")
    expect(await limited[0]!.json()).toEqual({ error: expect.stringContaining("Ask again in a second.") })
    expect(flood.filter((answer) => answer.status === 200).length).toBeGreaterThanOrEqual(5)
    expect([status.status, live.status]).toEqual([200, 200])
  })
})

describe("How often somebody may ask", () => {
  it("is a hundred times a second, ten times for what is in the journal, each for himself, and as often as he likes for life", () => {
    const limits = new CallLimits()
    const count = (user: string, path: string, times: number, now: number) =>
      Array.from({ length: times }, () => limits.may(user, path, now)).filter(Boolean).length

    expect(count("anna", "/api/trace", 20, 1000)).toBe(10)
    expect(count("anna", "/api/audit/0", 20, 1000)).toBe(0)
    expect(count("berta", "/api/totals", 20, 1000)).toBe(10)
    // However the path is written: the routes take it all the same.
    for (const path of ["/API/Trace", "//api//trace", "/api/%74race", "/api/trace/"]) {
      expect([path, count("anna", path, 5, 1000)]).toEqual([path, 0])
    }
    expect(count("anna", "/api/status", 200, 1000)).toBe(40)
    expect(count("", "/metrics", 200, 1000)).toBe(100)
    expect(count("", "/live", 500, 1000)).toBe(500)
    // A stranger's flood takes no address away from the node that has the switch.
    for (const path of ["/live", "/ready", "/owner"]) expect(count("", path, 500, 1000)).toBe(500)
    expect(count("anna", "/api/why", 20, 2000)).toBe(10)
  })
})
