import { createHmac } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import type { SwitchSeen } from "../../../packages/switch/src/operate/admin/Measures.ts"
import { RefusedCalls } from "../../../packages/switch/src/operate/admin/RefusedCalls.ts"
import { Alarms } from "../../../packages/switch/src/operate/alarm/Alarms.ts"
import { type Condition, Conditions } from "../../../packages/switch/src/operate/alarm/Conditions.ts"
import type { LinkWork } from "../../../packages/switch/src/SwitchStatus.ts"
import { until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitchIn } from "./program.ts"

afterEach(cleanUp)

const down: Condition = { kind: "linkDown", link: "issuer", says: "it takes no requests: down" }
const secret = "s".repeat(40)

const withAlarms = (alarms: string) => (whole: string) =>
  whole.replace("requestTimeout:", `alarms: ${alarms}\nrequestTimeout:`)

const calm: SwitchSeen["status"] = {
  links: [],
  groups: [],
  doors: [],
  inDoubt: 0,
  entries: [],
  answers: {},
  unwritten: { entries: 0, bytes: 0 },
  lag: { ms: 1, slowMs: 0 },
  defects: 0,
  stalls: undefined,
  fullBy: undefined,
  module: undefined,
  diskTrouble: "",
  retention: undefined
}

describe("Alarms", () => {
  it("are said once, again while they last, and once when they are over; what comes and goes is one alarm", () => {
    const alarms = new Alarms(60_000)
    const told = (at: number, ...conditions: ReadonlyArray<Condition>) =>
      alarms.look(conditions, at, at).map(({ event, kind, since }) => [event, kind, since])

    expect(told(0, down)).toEqual([["raised", "linkDown", 0]])
    expect(told(5000, down)).toEqual([])
    expect(told(10_000)).toEqual([])
    expect(told(15_000, down)).toEqual([])
    expect(told(60_000, down)).toEqual([["lasts", "linkDown", 0]])
    expect(told(65_000)).toEqual([])
    expect(told(90_000, { ...down, link: "other" })).toEqual([
      ["raised", "linkDown", 90_000],
      ["over", "linkDown", 0]
    ])
    expect(told(95_000, down, { ...down, link: "other" })).toEqual([["raised", "linkDown", 95_000]])
  })

  it("say so when they are not there any more, until they are over; a leap of the clock neither ends nor repeats one", () => {
    const alarms = new Alarms(60_000)
    const hour = 3_600_000
    expect(alarms.look([down], hour, 1000)).toHaveLength(1)
    expect(alarms.report().alarms).toMatchObject([{ says: "it takes no requests: down", since: hour }])

    expect(alarms.look([down], 40 * hour, 6000)).toEqual([])
    expect(alarms.look([], 0, 11_000)).toEqual([])
    expect(alarms.report().alarms).toMatchObject([
      { says: "it takes no requests: down (not so any more: over in half a minute, unless it comes back)" }
    ])
    expect(alarms.look([], 0, 36_000)).toMatchObject([{ event: "over", says: "it takes no requests: down" }])
  })

  it("are told to nobody while they are silenced, and told then if they still stand, as if they had just come", () => {
    const alarms = new Alarms(60_000)
    const told = (at: number, ...conditions: ReadonlyArray<Condition>) =>
      alarms.look(conditions, at, at).map(({ event, link, since }) => [event, link, since])
    const by = { user: "anna", reason: "line is changed" }

    alarms.silence({ kind: "linkDown", link: "issuer", until: 50_000, ...by })
    expect(told(0, down, { ...down, link: "other" })).toEqual([["raised", "other", 0]])
    expect(alarms.report().alarms.map(({ link, silenced }) => [link, silenced])).toEqual([
      ["issuer", true],
      ["other", false]
    ])
    expect(told(45_000, down, { ...down, link: "other" })).toEqual([])
    expect(told(50_000, down, { ...down, link: "other" })).toEqual([["raised", "issuer", 0]])
    expect(alarms.report().silences).toEqual([])

    alarms.silence({ kind: "linkDown", link: "", until: 900_000, ...by })
    expect(told(120_000, down)).toEqual([])
    expect(told(160_000)).toEqual([])
    expect(alarms.report()).toMatchObject({ alarms: [], silences: [{ kind: "linkDown", link: "", user: "anna" }] })
    expect(alarms.unsilence({ kind: "linkDown", link: "" })).toBe(true)
    expect(alarms.unsilence({ kind: "linkDown", link: "" })).toBe(false)
    expect(told(170_000, down)).toEqual([["raised", "issuer", 170_000]])
  })

  it("of a link that is down are in the log, and are told to another system, signed, until it takes them", async () => {
    const calls: Array<{ readonly signature: string; readonly body: string }> = []
    const heard = createServer((call, answer) => {
      const chunks: Array<Buffer> = []
      call.on("data", (chunk: Buffer) => chunks.push(chunk))
      call.on("end", () => {
        calls.push({ signature: String(call.headers["jinka-signature"]), body: Buffer.concat(chunks).toString() })
        answer.writeHead(calls.length === 1 ? 500 : 204).end()
      })
    })
    await new Promise<void>((resolve) => heard.listen(0, "127.0.0.1", resolve))
    const { port } = heard.address() as AddressInfo
    const webhook = `webhook: { url: "http://127.0.0.1:${port}/alarms", secret: { env: JINKA_HOOK } }`
    const file = configuration(folder(), withAlarms(`{ linkDown: 1 seconds, ${webhook} }`))

    const running = await runSwitchIn({ JINKA_HOOK: secret }, file)
    await until(() => calls.length >= 3, "three calls came")
    const silence = ["alarm", "silence", file, "--kind", "linkDown", "--for", "2 hours", "--reason", "line is changed"]
    const silenced = await jinka(silence)
    const wrong = await jinka([...silence.slice(0, 6), "2", "--reason", "no"])
    const ofNobody = await jinka([...silence, "--link", "isuer"])
    const again = await jinka(["alarm", "unsilence", file, "--kind", "linkDown", "--reason", "done"])
    const twice = await jinka(["alarm", "unsilence", file, "--kind", "linkDown", "--reason", "done"])
    const listed = await jinka(["alarm", "list", file, "--json"])
    await running.stop()
    heard.close()

    expect(silenced.out).toMatch(/linkDown is silenced until \S+ \S+ by \S+: line is changed\n2 alarms, 1 silenced\n$/)
    expect(wrong).toMatchObject({ code: 2 })
    expect(ofNobody).toMatchObject({ code: 2, out: "" })
    expect(ofNobody.err).toContain("There is no link isuer. The links are: acquirer, issuer.")
    expect(again.out).toMatch(/2 alarms, 0 silenced\n$/)
    expect(twice).toMatchObject({ code: 1 })
    expect(twice.err).toContain("is not silenced")
    expect(JSON.parse(listed.out).alarms.length).toBe(2)
    expect(running.err()).toContain("silence alarm linkDown for 120 minutes (line is changed)")
    const bodies = calls.map(({ body }) => JSON.parse(body))
    expect(running.err()).toContain("ALARM linkDown: issuer: it takes no requests: down")
    expect(bodies[0]).toMatchObject({ switch: "demo", event: "raised", kind: "linkDown" })
    // The first was refused and came again before the second.
    expect(bodies[1]).toEqual(bodies[0])
    expect(new Set(bodies.map(({ link }) => link))).toEqual(new Set(["acquirer", "issuer"]))
    for (const { body, signature } of calls) {
      const [, seconds, hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature)!
      expect(createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")).toBe(hex)
    }
    expect(running.err()).not.toContain(secret)
  })

  it("go to an address that can be called, or the configuration says no; check shows the host, and nothing that may be a secret", async () => {
    const checked = (url: string) =>
      jinka(
        [
          "check",
          configuration(
            folder(),
            withAlarms(`{ webhook: { url: "${url}", secret: { env: JINKA_HOOK } } }\ntelemetry: { otlp: "${url}" }`)
          )
        ],
        { env: { JINKA_HOOK: secret } }
      )

    for (const url of ["http://[::bad/hook", "https://anna:geheim@alarms.example/x", "http://alarms.example:99999/x"]) {
      const { code, err } = await checked(url)
      expect(code).toBe(2)
      expect(err).toMatch(/alarms\.webhook\.url: .*an address such as/)
      expect(err).toMatch(/telemetry\.otlp: .*an address such as/)
      expect(err).not.toContain("geheim")
    }
    const good = await checked("https://alarms.example/services/T0PSECRET")
    expect(good.code).toBe(0)
    expect(good.out).toContain("alarms   also to alarms.example\n".trimEnd())
    expect(good.out).not.toContain("T0PSECRET")
  })

  it("are refused with a secret that is short, with a wrong address and with a threshold that is none", async () => {
    const file = configuration(
      folder(),
      withAlarms("{ timeouts: 300, queueAge: 5, webhook: { url: alarms.example, secret: {} } }")
    )
    const short = configuration(
      folder(),
      withAlarms('{ webhook: { url: "http://a.example", secret: { env: JINKA_HOOK } } }')
    )

    const wrong = await jinka(["check", file])
    const weak = await jinka(["check", short], { env: { JINKA_HOOK: "geheim" } })

    expect([wrong.code, weak.code]).toEqual([2, 2])
    for (const place of ["alarms.timeouts", "alarms.queueAge", "alarms.webhook.url", "alarms.webhook.secret"]) {
      expect(wrong.err).toContain(place)
    }
    expect(weak.err).toContain("a secret is 32 to 200 letters")
    expect(weak.err).not.toContain("geheim")
  })
})

const quietLink = {
  ...{ ready: true, blocked: false, draining: false, since: 0, legs: [], ends: [], stored: { size: 0 } },
  inDoubt: { abandoned: 0, declined: 0, unreversed: 0 },
  traffic: { requestsIn: 0, othersIn: 0, refusals: {}, requestsOut: 0, answersIn: {}, timeouts: 0, lost: 0 }
} as unknown as LinkWork

describe("What is wrong now", () => {
  const limits = {
    linkDownMs: 1e9,
    noTrafficMs: 1e9,
    isTrafficUsual: true,
    timeoutsPercent: 0,
    refusalsPercent: 10,
    queueAgeMs: 1e9,
    macFailures: 0,
    clockMs: 30_000
  }

  it("is a journal that takes half a second for every entry, for ten seconds, be it for a few bytes", () => {
    const few = { ...calm, unwritten: { entries: 3, bytes: 1200 } }
    const look = {
      status: few,
      now: 0,
      wallMs: 0,
      startedAt: 0,
      certificates: [],
      refusedCalls: new RefusedCalls(),
      success: () => undefined,
      pause: () => undefined
    }
    const says = (ms: number, slowMs: number) =>
      new Conditions(limits).look({ ...look, status: { ...look.status, lag: { ms, slowMs } } })

    expect(says(1800, 9000)).toEqual([])
    expect(says(1800, 25_000)).toEqual([
      {
        kind: "lag",
        link: "",
        says: "the journal is too slow: it takes 1.8 s for an entry and has been slow for 25 seconds, and 1200 bytes are not on disk yet; requests end without an answer for it"
      }
    ])
  })

  it("is a partner of whom we refuse a tenth, by why, as far as no other alarm says so", () => {
    const look = { now: 0, wallMs: 0, startedAt: 0, certificates: [], pause: () => undefined }
    const told = (refusals: Readonly<Record<string, number>>, fullBy?: "lag") => {
      const conditions = new Conditions(limits)
      const at = (now: number, requestsIn: number, all: Readonly<Record<string, number>>) => {
        const traffic = { ...quietLink.traffic, requestsIn: requestsIn - 90, othersIn: 90, refusals: all }
        const status = { ...calm, fullBy, links: [{ ...quietLink, name: "acquirer", traffic }] }
        const seen = { ...look, now, status, refusedCalls: new RefusedCalls(), success: () => undefined }
        return conditions.look(seen).filter(({ kind }) => kind === "refusals")
      }
      at(0, 1000, { noRoute: 500 })
      return at(5000, 1200, { ...refusals, noRoute: 500 + (refusals["noRoute"] ?? 0) }).map(({ says }) => says)
    }

    expect(told({ noRoute: 16, formatError: 3 })).toEqual([])
    expect(told({ noRoute: 16, formatError: 4 })).toEqual([
      "20 of 200 messages of the last five minutes were refused by us: noRoute 16, formatError 4"
    ])
    expect(told({ issuerDown: 150, macFailed: 20, identity: 5, noRoute: 2 })).toEqual([])
    expect(told({ malfunction: 150 }, "lag")).toEqual([])
    expect(told({ malfunction: 150 })).toHaveLength(1)
  })

  it("is a partner that leaves requests unanswered, of those that have ended: never more than there were", () => {
    const look = { wallMs: 0, startedAt: 0, certificates: [], pause: () => undefined, success: () => undefined }
    const conditions = new Conditions({ ...limits, timeoutsPercent: 50 })
    const at = (now: number, requestsOut: number, answered: number, timeouts: number) => {
      const traffic = { ...quietLink.traffic, requestsOut, answersIn: { "00": answered }, timeouts }
      const status = { ...calm, links: [{ ...quietLink, name: "issuer", traffic }] }
      const seen = conditions.look({ ...look, now, status, refusedCalls: new RefusedCalls() })
      return seen.filter(({ kind }) => kind === "timeouts").map(({ says }) => says)
    }

    // At the first look 40 requests are under way: they time out behind it, and five more are sent.
    expect(at(0, 50, 10, 0)).toEqual([])
    expect(at(5000, 55, 15, 9)).toEqual(["9 of 14 requests of the last five minutes had no answer in time"])
    expect(at(10_000, 55, 15, 40)).toEqual(["40 of 45 requests of the last five minutes had no answer in time"])
  })

  it("is a pause that is three times the usual one, where the alarm goes by what is usual", () => {
    const pause = () => ({ ms: 900_000, usualMs: 60_000, days: 7 })
    const links = [{ ...quietLink, name: "acquirer" }]
    const look = { status: { ...calm, links }, now: 0, wallMs: 0, startedAt: 0, certificates: [], pause }
    const kinds = (isTrafficUsual: boolean) =>
      new Conditions({ ...limits, isTrafficUsual })
        .look({ ...look, refusedCalls: new RefusedCalls(), success: () => undefined })
        .map(({ kind, link, says }) => `${kind} ${link}: ${says}`)

    expect(kinds(true)).toEqual([
      "noTraffic acquirer: no request for 15 minutes; at this hour 60 seconds are the longest that is usual, by 7 earlier days"
    ])
    expect(kinds(false)).toEqual([])
  })

  it("is a certificate of ours that ends soon, with its days", () => {
    const certificates = [
      { file: "a.pem", days: 12 },
      { file: "b.pem", days: -1 }
    ]
    const look = {
      status: calm,
      now: 0,
      wallMs: 0,
      startedAt: 0,
      certificates,
      refusedCalls: new RefusedCalls(),
      success: () => undefined,
      pause: () => undefined
    }

    expect(new Conditions(limits).look(look)).toEqual([
      {
        kind: "certificate",
        link: "",
        says: "our certificate a.pem runs out in 12 days: whoever checks it refuses it then; our certificate b.pem has run out: whoever checks it refuses it then"
      }
    ])
    expect(new Conditions(limits).look({ ...look, certificates: [] })).toEqual([])
  })
})
