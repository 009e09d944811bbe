import { writeFileSync } from "node:fs"
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { answerTo, Line, until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, type RunningSwitch, runSwitch, runSwitchIn } from "./program.ts"
import { pan, purchase } from "./swiped.ts"

afterEach(cleanUp)

const viewer = "v".repeat(40)
const operator = "o".repeat(40)
const keeper = "k".repeat(40)

const withAdmin = (users: string) => (text: string) =>
  text.replace("requestTimeout:", `admin: { listen: { port: 0 }${users} }\nrequestTimeout:`)

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly text: string
}

const get = (
  running: RunningSwitch,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { port } = running.ready.admin!
    const method = body === undefined ? "GET" : "POST"
    const all = body === undefined ? headers : { "content-type": "application/json", ...headers }
    const call = request({ host: "127.0.0.1", port, path, method, headers: all, agent: false }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () =>
        resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() })
      )
    })
    call.once("error", reject)
    call.end(body === undefined ? undefined : JSON.stringify(body))
  })

/** Values of a metric, by labels as they are written. */
const values = (text: string, name: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .map((line) => [line.slice(name.length, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))])
  )

describe("The administrative listener", () => {
  it("tells whether the switch lives and is ready, and what has passed, as Prometheus reads it", async () => {
    const running = await runSwitch(configuration(folder(), withAdmin("")))

    const before = await get(running, "/ready")
    const owner = await get(running, "/owner")
    const alive = await get(running, "/live")
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
    acquirer.send(purchase(7))
    issuer.send(answerTo(await issuer.next(), "51"))
    await acquirer.next()
    const after = await get(running, "/ready")
    const { headers, text } = await get(running, "/metrics")
    await running.stop()

    expect([before.status, JSON.parse(before.text)]).toEqual([
      503,
      { ready: false, because: ["no link is ready"], links: { ready: 0, all: 2 } }
    ])
    expect([alive.status, after.status]).toEqual([200, 200])
    // The address of a switch comes to it before a partner does.
    expect(owner.status).toBe(200)
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8")
    expect(headers["cache-control"]).toBe("no-store")
    expect(values(text, "jinka_link_ready")).toEqual({ '{link="acquirer"}': 1, '{link="issuer"}': 1 })
    expect(values(text, "jinka_link_requests_in_total")).toEqual({ '{link="acquirer"}': 1, '{link="issuer"}': 0 })
    expect(values(text, "jinka_link_answers_total")).toEqual({
      '{link="acquirer",direction="out",code="51"}': 1,
      '{link="issuer",direction="in",code="51"}': 1
    })
    expect(values(text, "jinka_link_partner_time_seconds_count")).toMatchObject({ '{link="issuer"}': 1 })
    expect(values(text, "jinka_link_partner_time_seconds_bucket")).toMatchObject({ '{link="issuer",le="+Inf"}': 1 })
    expect(values(text, "jinka_journal_entries_total")).toMatchObject({
      '{kind="accepted"}': 1,
      '{kind="answered"}': 1
    })
    expect(text).not.toContain(pan)

    // Each line is a comment, or a sample whose name has a type.
    const typed = new Set([...text.matchAll(/^# TYPE (\S+) (?:counter|gauge|histogram)$/gm)].map(([, name]) => name))
    const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
    const untyped = samples.filter(
      (line) => !typed.has(/^[a-z_]+/.exec(line)![0].replace(/_(?:bucket|sum|count)$/, ""))
    )

    expect(untyped).toEqual([])
  })

  it("asks for a token where there are users, and tells nobody which part of it was wrong", async () => {
    const directory = folder()
    writeFileSync(join(directory, "operator.token"), `${operator}\n`, { mode: 0o600 })
    const users = `, users: [
      { name: grafana, role: view, token: { env: JINKA_TEST_TOKEN } },
      { name: anna, role: operate, token: { file: operator.token } } ]`
    const running = await runSwitchIn({ JINKA_TEST_TOKEN: viewer }, configuration(directory, withAdmin(users)))

    const stranger = await get(running, "/metrics")
    const wrong = await get(running, "/metrics", { authorization: `Bearer ${"w".repeat(40)}` })
    const pretended = await get(running, "/metrics", { "jinka-user": "anna" })
    const good = await get(running, "/metrics", { authorization: `Bearer ${viewer}` })
    const more = await get(running, "/metrics", { authorization: `Bearer ${operator}` })
    const health = await get(running, "/live")
    await running.stop()

    expect([stranger, wrong, pretended].map(({ status }) => status)).toEqual([401, 401, 401])
    expect(stranger.headers["www-authenticate"]).toBe("Bearer")
    expect(wrong.text).toBe(stranger.text)
    expect([good, more, health].map(({ status }) => status)).toEqual([200, 200, 200])
  })

  it("lets each user look and act as far as his role goes, and writes into the journal who did what and why", async () => {
    const directory = folder()
    const users = `, users: [
      { name: grafana, role: view, token: { env: JINKA_VIEWER } },
      { name: anna, role: operate, token: { env: JINKA_OPERATOR } },
      { name: kai, role: keys, token: { env: JINKA_KEEPER } } ]`
    const file = configuration(directory, withAdmin(users))
    const tokens = { JINKA_VIEWER: viewer, JINKA_OPERATOR: operator, JINKA_KEEPER: keeper }
    const running = await runSwitchIn(tokens, file)
    const as = (token: string) => ({ authorization: `Bearer ${token}` })
    const post = (path: string, token: string, body: unknown) => get(running, path, as(token), body)
    const reason = "partner asked, case 12"

    const nobody = await get(running, "/api/status")
    const seen = await get(running, "/api/status", as(viewer))
    const one = await get(running, "/api/links/issuer", as(viewer))
    const none = await get(running, "/api/links/nobody", as(viewer))
    const pending = await get(running, "/api/pending", as(viewer))
    const keys = await get(running, "/api/keys", as(viewer))
    const askedByOthers = await post("/api/keys/issuer/ask", operator, { reason })
    const askedOfNobody = await post("/api/keys/nobody/ask", keeper, { reason })
    const retired = await post("/api/keys/issuer/retire", keeper, { purpose: "mac", direction: "both", reason })
    const summed = await get(running, "/api/totals?date=2026-11-28", as(viewer))
    const undated = await get(running, "/api/totals?date=today", as(viewer))
    const monthless = await get(running, "/api/totals?date=2026-13-01", as(viewer))
    const traced = await post("/api/trace", viewer, { stan: "7" })
    const tracedNothing = await post("/api/trace", viewer, {})
    const forbidden = await post("/api/links/issuer/block", viewer, { reason })
    const silent = await post("/api/links/issuer/block", operator, {})
    const digits = await post("/api/links/issuer/block", operator, { reason: `card ${pan}` })
    const unknown = await post("/api/links/issuer/explode", operator, { reason })
    const blocked = await post("/api/links/issuer/block", operator, { reason })
    const closed = await post("/api/pending/4711/close", operator, { reason })
    const undayed = await post("/api/days/issuer/cut-over", operator, { to: "2026-02-30", reason })
    const dayless = await post("/api/days/nobody/cut-over", operator, { to: "2026-11-29", reason })
    const dry = await post("/api/reload", operator, { dryRun: true, reason })
    const contract = await get(running, "/openapi.json")
    const elsewhere = await get(running, "/api/status", { ...as(viewer), host: "evil.example:80" })
    const { links } = await running.status()
    const drained = await post("/api/drain", operator, { reason })
    const { err } = await running.ended

    expect(nobody.status).toBe(401)
    expect([seen, one, pending, traced].map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(JSON.parse(seen.text)).toMatchObject({ name: "demo", links: [{ name: "acquirer" }, { name: "issuer" }] })
    expect(JSON.parse(one.text).links.map(({ name }: { name: string }) => name)).toEqual(["issuer"])
    expect([none.status, forbidden.status, closed.status, elsewhere.status]).toEqual([404, 403, 409, 421])
    expect([keys.status, JSON.parse(keys.text)]).toEqual([200, { keys: [] }])
    expect([askedByOthers, askedOfNobody, retired].map(({ status }) => status)).toEqual([403, 404, 409])
    expect([undayed, dayless].map(({ status }) => status)).toEqual([400, 404])
    expect([silent, digits, unknown].map(({ status }) => status)).toEqual([400, 400, 400])
    expect([monthless, tracedNothing].map(({ status }) => status)).toEqual([400, 400])
    expect(unknown.text).toContain("What the path of POST /api/links/:name/:act got is not as /openapi.json says: act")
    expect(digits.text).not.toContain(pan)
    expect(JSON.parse(blocked.text)).toMatchObject({ link: "issuer", act: "block" })
    expect(links.map(({ blocked }) => blocked)).toEqual([false, true])
    expect(JSON.parse(dry.text)).toMatchObject({ applied: false })
    expect(Object.keys(JSON.parse(contract.text).paths).sort()).toEqual([
      "/api/alarms",
      "/api/alarms/{kind}/silence",
      "/api/alarms/{kind}/unsilence",
      "/api/audit/{before}",
      "/api/days/{name}/{act}",
      "/api/drain",
      "/api/keys",
      "/api/keys/{name}/ask",
      "/api/keys/{name}/retire",
      "/api/links/{name}",
      "/api/links/{name}/{act}",
      "/api/pending",
      "/api/pending/{exchange}/{act}",
      "/api/reload",
      "/api/status",
      "/api/totals",
      "/api/trace",
      "/api/why"
    ])
    expect([summed.status, JSON.parse(summed.text), undated.status]).toEqual([
      200,
      { dates: [], days: [], rows: [] },
      400
    ])
    expect(JSON.parse(drained.text)).toEqual({ unfinished: [] })
    expect(err).toContain("operator anna: block (partner asked, case 12)")
    expect(err).toContain("operator anna: stop (partner asked, case 12)")
    expect(err).toContain("operator grafana: trace by stan")
    expect([seen, one, contract].every(({ headers }) => headers["x-content-type-options"] === "nosniff")).toBe(true)
  })

  it("is refused in clear on an address that others reach, and with a user without exactly one proof", async () => {
    const open = configuration(folder(), (text) =>
      text.replace(
        "requestTimeout:",
        `admin:
  listen: { host: 0.0.0.0, port: 0 }
  users:
    - { name: grafana, role: view }
    - { name: anna, role: root, token: { env: A } }
    - { name: berta, role: keys, certificate: { names: [berta] } }
requestTimeout:`
      )
    )

    const { code, err } = await jinka(["check", open])

    expect(code).toBe(2)
    expect(err).toContain("admin.listen.host: without `tls` operators are only listened for on this machine itself")
    expect(err).toContain("admin.users[0]: a user has exactly one of `token` and `certificate`")
    expect(err).toContain("admin.users[1].role")
    expect(err).toContain("admin.users[2].certificate: only TLS shows certificates")
  })

  it("does not start with a token that is short, shared or not there, and never shows it", async () => {
    const directory = folder()
    const file = configuration(
      directory,
      withAdmin(`, users: [
      { name: a, role: view, token: { env: JINKA_SHORT } },
      { name: b, role: view, token: { env: JINKA_NOT_THERE } },
      { name: c, role: view, token: { file: open.token } } ]`)
    )
    writeFileSync(join(directory, "open.token"), operator, { mode: 0o644 })

    const { code, err } = await jinka(["run", file], { env: { JINKA_SHORT: "geheim" } })

    expect(code).toBe(2)
    expect(err).toContain("admin.users[0].token.env: a token is 32 to 200 letters, digits and -._~")
    expect(err).toContain("admin.users[1].token.env: the environment variable JINKA_NOT_THERE holds the token")
    expect(err).toContain("admin.users[2].token.file: the token's file is the switch's alone")
    expect(err).not.toContain("geheim")
    expect(err).not.toContain(operator)
  })

  it("sends the same metrics to a collector, and goes on without one", async () => {
    const bodies: Array<string> = []
    const collector = createServer((call, answer) => {
      const chunks: Array<Buffer> = []
      call.on("data", (chunk: Buffer) => chunks.push(chunk))
      call.on("end", () => {
        bodies.push(`${call.url} ${Buffer.concat(chunks).toString()}`)
        answer.end("{}")
      })
    })
    await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve))
    const { port } = collector.address() as AddressInfo
    const sending = (otlp: string) => (text: string) =>
      text.replace(
        "requestTimeout:",
        `telemetry: { otlp: "${otlp}", every: 100 millis, logs: true, traces: 1 }\nrequestTimeout:`
      )
    const sent = (what: string) => bodies.filter((body) => body.startsWith(`/v1/${what} `)).join("\n")

    const running = await runSwitch(configuration(folder(), sending(`http://127.0.0.1:${port}/`)))
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
    acquirer.send(purchase(4711))
    issuer.send(answerTo(await issuer.next(), "51"))
    await acquirer.next()
    const isTold = () => sent("metrics") !== "" && sent("traces") !== "" && sent("logs").includes("issuer")
    await until(isTold, "metrics, traces and logs were sent")
    const alone = await runSwitch(configuration(folder(), sending("http://127.0.0.1:1")))
    const { links } = await alone.status()
    await Promise.all([running.stop(), alone.stop()])
    collector.close()

    expect(sent("metrics")).toContain('"jinka_link_partner_time_seconds"')
    expect(sent("metrics")).toContain('"demo"')
    expect(sent("traces")).toContain('"jinka.transaction"')
    for (const word of ["acquirer", "issuer", "answered", "51"]) expect(sent("traces")).toContain(`"${word}"`)
    expect(sent("logs")).toContain("connected")
    expect(bodies.filter((body) => body.includes(pan))).toEqual([])
    expect(links.length).toBe(2)
  })
})
