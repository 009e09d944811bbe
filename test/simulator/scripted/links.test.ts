/** The link of a partner file in all modes, on both sides, with TLS, and two hundred of them in one process. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { connect as connectTls } from "node:tls"
import { dialects, type Message } from "@jinka/codec"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { Authority, type Issued } from "../../../examples/08-many-institutions/Authority.ts"
import { testFolder } from "../../TestFolder.ts"
import { money, plansOf, stan } from "./Bench.ts"
import { cleanUp, dialled, Line, listening, start, until } from "./Sockets.ts"

afterEach(cleanUp)

const planned = (link: string, more = "", dialect = "cups") =>
  plansOf(`partner: issuer\ndialect: ${dialect}\nlink: ${link}\n${more}`)

const purchases = (line: Line, count: number): ReadonlyArray<Message> =>
  Array.from({ length: count }, (_, n) => money(line.codec, { 11: stan(n + 1) }))

const stans = (messages: ReadonlyArray<Message>) => messages.map(({ fields }) => fields[11])

describe("async-duplex", () => {
  it.each(Object.keys(dialects))(
    "answers on the connection that it was asked on, in the dialect %s",
    async (dialect) => {
      const plans = planned('{ listen: "127.0.0.1:0" }', "", dialect)
      const { port } = await start(plans)
      const line = await dialled(port(), plans[0]!)
      line.say(...purchases(line, 3))
      const answers = await line.heard(3)

      const { approved } = line.codec.layout.answers

      expect(answers.map(({ fields }) => fields[39])).toEqual([approved, approved, approved])
    }
  )

  it("takes several connections, and dials where the far side listens, again and again", async () => {
    const far = await listening(() => plans[0]!)
    const plans = planned(`{ connect: "127.0.0.1:${far.port}", redial: 20ms }`)
    await start(plans)
    const first = await far.line(1)
    first.say(...purchases(first, 1))
    await first.heard(1)
    first.socket.destroy()
    const second = await far.line(2)
    second.say(...purchases(second, 1))

    expect(await second.heard(1)).toHaveLength(1)
  })

  it.each([
    ["FIN", "FIN"],
    ["RST", "RST"]
  ])("is ended by a rule with %s", async (how, seen) => {
    const plans = planned('{ listen: "127.0.0.1:0" }', `rules:\n  - disconnect: ${how}\n`)
    const { port } = await start(plans)
    const line = await dialled(port(), plans[0]!)
    line.say(...purchases(line, 1))

    expect(await line.ended()).toBe(seen)
    expect(line.messages).toEqual([])
  })
})

describe("sync-long", () => {
  it("answers one request after the other: what is behind a slow one waits for it", async () => {
    const plans = planned(
      '{ mode: sync-long, listen: "127.0.0.1:0" }',
      "rules:\n  - { when: { nth: 1 }, delay: 60ms }\n"
    )
    const { port } = await start(plans)
    const line = await dialled(port(), plans[0]!)
    line.say(...purchases(line, 3))

    expect(stans(await line.heard(3))).toEqual([stan(1), stan(2), stan(3)])
  })
})

describe("sync-short", () => {
  it("answers one request on each connection and closes it, unless it is kept", async () => {
    const plans = planned('{ mode: sync-short, listen: "127.0.0.1:0" }')
    const { port } = await start(plans)
    for (const _ of [1, 2]) {
      const line = await dialled(port(), plans[0]!)
      line.say(...purchases(line, 1))
      await line.heard(1)
      expect(await line.ended()).toBe("FIN")
    }
    const kept = planned('{ mode: sync-short, keep: yes, listen: "127.0.0.1:0" }')
    const keeping = await start(kept)
    const line = await dialled(keeping.port(), kept[0]!)
    for (const n of [1, 2]) {
      line.say(money(line.codec, { 11: stan(n) }))
      await line.heard(n)
    }

    expect(line.end).toBe("")
  })

  it("takes what came until the far side closed its half for a message, and answers behind it", async () => {
    const plans = planned('{ mode: sync-short, listen: "127.0.0.1:0" }', "frame: { kind: until-close }\n")
    const { port } = await start(plans)
    const line = await dialled(port(), plans[0]!)
    line.say(...purchases(line, 1))
    line.socket.end()

    expect(stans(await line.heard(1))).toEqual([stan(1)])
  })

  it("dials for each message of its own, takes the answer there, and closes", async () => {
    const far = await listening(() => plans[0]!)
    const plans = planned(
      `{ mode: sync-short, connect: "127.0.0.1:${far.port}" }`,
      "schedule: [{ send: echo, every: 50ms }]\n"
    )
    const started = await start(plans)
    const line = await far.line(1)
    const [echo] = await line.heard(1)
    line.say({ mti: "0830", fields: { ...echo!.fields, 39: "00" } })

    expect(await line.ended()).toBe("FIN")
    await until("the answer in the history", () => started.lines.some(({ what }) => what === "echo"))
  })
})

describe("async-short", () => {
  it("takes a message on the far side's connection and answers on one of its own", async () => {
    const far = await listening(() => plans[0]!)
    const plans = planned(`{ mode: async-short, listen: "127.0.0.1:0", connect: "127.0.0.1:${far.port}" }`)
    const { port } = await start(plans)
    const line = await dialled(port(), plans[0]!)
    line.say(...purchases(line, 1))
    line.socket.end()

    const back = await far.line(1)

    expect(stans(await back.heard(1))).toEqual([stan(1)])
    expect(await back.ended()).toBe("FIN")
    expect(line.messages).toEqual([])
  })

  it.each([
    ["async-short", '{ mode: async-short, listen: "127.0.0.1:0", connect: "127.0.0.1:1" }'],
    ["sync-short", '{ mode: sync-short, listen: "127.0.0.1:0" }']
  ])("closes a connection whose far side has closed its half and waits for nothing: %s", async (_, link) => {
    const plans = planned(link)
    const { port } = await start(plans)
    const line = await dialled(port(), plans[0]!)
    line.socket.end()

    expect(await line.ended()).toBe("FIN")
  })

  it("tells when an answer found nobody", async () => {
    const plans = planned('{ mode: async-short, listen: "127.0.0.1:0", connect: "127.0.0.1:1" }')
    const { port, troubles } = await start(plans)
    const line = await dialled(port(), plans[0]!)
    line.say(...purchases(line, 1))
    await until("the trouble", () => troubles.some((text) => text.includes("ECONNREFUSED")))
  })
})

describe("async-simplex", () => {
  it.each(["dials one and listens for the other", "listens for both"])(
    "%s: hears on one, answers on the other",
    async (sides) => {
      const far = await listening(() => plans[0]!)
      const send = sides.startsWith("dials") ? `{ connect: "127.0.0.1:${far.port}" }` : '{ listen: "127.0.0.1:0" }'
      const plans = planned(
        `{ mode: async-simplex, receive: { listen: "127.0.0.1:0" }, send: ${send}, redial: 20ms, silence: 300ms }`
      )
      const started = await start(plans)
      const asking = await dialled(started.port(), plans[0]!)
      const hearing = sides.startsWith("dials")
        ? await far.line(1)
        : await dialled(started.port("issuer", 1), plans[0]!)
      await until("both legs", () => started.lines.some(({ what }) => what === "linkUp"))
      asking.say(...purchases(asking, 2))

      expect(stans(await hearing.heard(2))).toEqual([stan(1), stan(2)])
      expect(asking.messages).toEqual([])

      asking.socket.destroy()
      await hearing.ended()
      await until("the link down", () => started.lines.some(({ what }) => what === "linkDown"))
    }
  )

  it("answers on the leg that came last, where one is made again before the old one has ended", async () => {
    const plans = planned(
      '{ mode: async-simplex, receive: { listen: "127.0.0.1:0" }, send: { listen: "127.0.0.1:0" } }'
    )
    const started = await start(plans)
    const ups = () => started.lines.filter(({ what }) => what === "linkUp").length
    const asking = await dialled(started.port(), plans[0]!)
    const old = await dialled(started.port("issuer", 1), plans[0]!)
    await until("both legs", () => ups() === 1)
    const hearing = await dialled(started.port("issuer", 1), plans[0]!)
    await old.ended()
    await until("the pair anew", () => ups() === 2)
    asking.say(...purchases(asking, 1))

    expect(stans(await hearing.heard(1))).toEqual([stan(1)])
  })
})

describe("TLS", () => {
  const folder = mkdtempSync(join(testFolder(), "jinka-partner-tls-"))
  let ours: Authority
  let own: Issued
  let far: Issued
  let stranger: Issued

  beforeAll(async () => {
    ours = await Authority.make(folder, "centre-ca")
    own = await ours.issue("issuer.example")
    far = await ours.issue("switch.example")
    stranger = await (await Authority.make(folder, "other-ca")).issue("other.example")
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const dialTls = (port: number, shown: Issued | undefined) =>
    connectTls({
      port,
      host: "127.0.0.1",
      servername: "issuer.example",
      ca: readFileSync(ours.file),
      ...(shown === undefined ? {} : { cert: readFileSync(shown.certificate), key: readFileSync(shown.key) })
    })

  it("is made on the side that listens, for those with a certificate of its authority", async () => {
    const plans = planned(
      `{ listen: "127.0.0.1:0", tls: { certificate: ${own.certificate}, key: ${own.key}, ca: [${ours.file}] } }`,
      "rules:\n  - { when: { nth: 2 }, disconnect: RST }\n"
    )
    const { port, troubles } = await start(plans)
    const line = new Line(dialTls(port(), far), plans[0]!)
    line.say(...purchases(line, 1))
    await line.heard(1)
    line.say(money(line.codec, { 11: stan(2) }))

    expect(await line.ended()).toBe("RST")

    for (const shown of [stranger, undefined]) {
      const refused = new Line(dialTls(port(), shown), plans[0]!)
      refused.say(...purchases(refused, 1))
      await refused.ended()
      expect(refused.messages).toEqual([])
    }
    await until("two refusals", () => troubles.filter((text) => text.includes("was refused")).length >= 2)
  })

  it("is made on the side that connects, with the name that the far side has to have", async () => {
    const listens = planned(
      `{ listen: "127.0.0.1:0", tls: { certificate: ${far.certificate}, key: ${far.key} } }`,
      "sign-on: { expect: yes }\n"
    )
    const there = await start(listens)
    const dials = (name: string) =>
      planned(
        `{ connect: "127.0.0.1:${there.port()}", tls: { ca: [${ours.file}], name: ${name} } }`,
        "sign-on: { send: yes }\n"
      )
    const here = await start(dials("switch.example"))
    await until("the sign-on", () => here.lines.some(({ what }) => what === "signedOn"))
    const { troubles } = await start(dials("another.example"))
    await until("the refusal", () => troubles.some((text) => text.includes("ERR_TLS_CERT_ALTNAME_INVALID")))
  })
})

describe("Many partners", () => {
  it("answer on two hundred links of one process, each with its own rules' counts and ledger", async () => {
    const plans = plansOf(
      'partner: "branch-{n}"\ncopies: 200\nlink: { listen: "127.0.0.1:0" }\nrules:\n  - { when: { nth: 2 }, answer: 05 }\n'
    )
    const { partners, port } = await start(plans)
    const lines = await Promise.all(plans.map((plan) => dialled(port(plan.name), plan)))
    for (const line of lines) line.say(...purchases(line, 2))

    for (const line of lines) {
      expect((await line.heard(2)).map(({ fields }) => fields[39])).toEqual(["00", "05"])
    }
    for (const partner of partners.all()) expect(partner.totals().ledger.postings).toBe(1)
  })
})

describe("A changed plan", () => {
  const text = (rules: string, link = '{ listen: "127.0.0.1:0" }') =>
    plansOf(`partner: issuer\nlink: ${link}\nrules:\n${rules}\n`)

  it("changes rules and accounts, and leaves connection and ledger as they are", async () => {
    const plans = text("  - answer: 05")
    const started = await start(plans)
    const line = await dialled(started.port(), plans[0]!)
    line.say(money(line.codec, { 11: stan(1) }))
    await line.heard(1)

    expect(await started.apply(text("  - answer: ledger"))).toEqual({
      added: [],
      changed: ["issuer"],
      removed: [],
      failed: []
    })

    line.say(money(line.codec, { 11: stan(2) }), money(line.codec, { 11: stan(1) }))
    const answers = await line.heard(3)
    expect(answers.map(({ fields }) => fields[39])).toEqual(["05", "00", "05"])
    expect(line.end).toBe("")
  })

  it("lets what is as before go on: counts of rules, times of the schedule; and says what is not changed", async () => {
    const text = (code: string, history: string, comment = "") =>
      plansOf(
        [
          `${comment}partner: issuer`,
          'link: { listen: "127.0.0.1:0" }',
          ...(history === "" ? [] : [`history: ${history}`]),
          "schedule: [{ send: echo, after: 50ms }]",
          "rules:",
          "  - { when: { nth: 2 }, answer: 61 }",
          `  - { when: { type: 0100 }, answer: ${code} }`,
          ""
        ].join("\n")
      )
    const plans = text("05", "")
    const started = await start(plans)
    const line = await dialled(started.port(), plans[0]!)
    const echoes = async (n: number) => (await line.heard(n)).filter(({ mti }) => mti === "0820").length
    expect(await echoes(1)).toBe(1)
    line.say(money(line.codec, { 11: stan(1) }))
    await line.heard(2)

    expect(await started.apply(text("05", "", "# only a comment\n"))).toMatchObject({ changed: [], failed: [] })
    expect(await started.apply(text("06", "other.jsonl"))).toMatchObject({
      changed: ["issuer"],
      failed: [expect.stringContaining("the files with which it was started")]
    })

    await new Promise((done) => setTimeout(done, 150))
    line.say(money(line.codec, { 11: stan(2) }), money(line.codec, { 11: stan(3) }))
    const answers = await line.heard(4)
    expect(answers.slice(1).map(({ fields }) => fields[39])).toEqual(["00", "61", "00"])
    expect(await echoes(4)).toBe(1)
  })

  it("makes a changed link anew, and keeps the old one when that cannot be", async () => {
    const plans = text("  - answer: 05")
    const started = await start(plans)
    const line = await dialled(started.port(), plans[0]!)
    const taken = await listening(() => plans[0]!)
    const { failed } = await started.apply(text("  - answer: 06", `{ listen: "127.0.0.1:${taken.port}" }`))

    expect(failed).toEqual([expect.stringContaining("issuer stays as it was: cannot listen on")])

    await line.ended()
    const again = await dialled(started.port(), plans[0]!)
    again.say(money(again.codec))

    expect((await again.heard(1))[0]!.fields[39]).toBe("05")
  })

  it("starts partners that are new and ends those that are gone", async () => {
    const both = (names: ReadonlyArray<string>) =>
      plansOf(`link: { listen: "127.0.0.1:0" }\npartners:\n${names.map((name) => `  - partner: ${name}\n`).join("")}`)
    const plans = both(["one", "two"])
    const started = await start(plans)

    const line = await dialled(started.port("one"), plans[0]!)

    expect(await started.apply(both(["two", "three"]))).toEqual({
      added: ["three"],
      changed: [],
      removed: ["one"],
      failed: []
    })
    expect(await line.ended()).toBe("FIN")
    expect(await dialled(started.port("three"), plans[0]!)).toBeDefined()
  })
})
