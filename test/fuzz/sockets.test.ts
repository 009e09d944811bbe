/**
 * The same lies over real sockets: a switch of its own process, at a link's port, at a door by header, and with HTTP POST; and in
 * five dialects at once, to a group of lying hosts in a sixth that knows STANs of ours.
 */
import { request } from "node:http"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { cups, cupsFrame, dialects, Framer, interpret, isMessageError, wholeFrame } from "@jinka/codec"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { EntryKind } from "../../packages/switch/src/journal/EntryKind.ts"
import { Chance } from "../codec/fuzz/Mutation.ts"
import { isLong } from "../Runs.ts"
import { endFindings } from "../regression/JournalCheck.ts"
import { allEntries, withJournal } from "../switch/journal/Journals.ts"
import { answerTo, Line, purchase, text, until } from "../switch/operate/Line.ts"
import { cleanUp, configuration, folder, hasty, runSwitchProcess } from "../switch/operate/program.ts"
import { keptOf } from "./whole/Corpus.ts"
import { FuzzedMessages } from "./whole/FuzzedMessages.ts"
import { card, Ledger } from "./whole/Ledger.ts"

afterEach(cleanUp)

const seed = Number(process.env["JINKA_SEED"] ?? 20261127)
/** JINKA_LAB=long: twice as many. */
const turns = isLong ? 2 : 1
const MESSAGES = turns * 200
/** At once; fewer than the door takes of one source. */
const POSTS = 25
/** Of each of five dialects, besides what is kept of it. */
const MESSAGES_EACH = turns * 75

/** A link of each kind of way in, beside the honest acquirer and issuer of the usual configuration. */
const ways = (yaml: string): string =>
  hasty(yaml).replace(
    "routes:",
    `  - name: liar
    institution: "70010000"
    dialect: cups
    listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1], second: replace }
  - name: by-header
    institution: "70020000"
    dialect: cups
    door: { name: front, from: [127.0.0.1] }
  - name: by-http
    institution: "70030000"
    dialect: cups
    mode: sync-short
    frame: { kind: until-close, lengthMax: 1892 }
    door: { name: web, path: /purchases, from: [127.0.0.1] }
doors:
  - { name: front, listen: { host: 127.0.0.1, port: 0 }, by: header }
http:
  - { name: web, listen: { host: 127.0.0.1, port: 0, limits: { perSource: 50, newPerSecond: 1000 } } }
routes:
  - { bin: "62", to: issuer }`
  )

const callers = ["iso8583v1987Bcd", "iso8583v1987Ascii", "iso8583v1993Ascii", "iso8583v2003", "unionPayPos"]
const hostDialect = "iso8583v1993Bcd"

/** A caller of each dialect, and a group of two hosts of another for their card. */
const manyDialects = (yaml: string): string => {
  const link = (name: string, institution: string, dialect: string, more = "") => `  - name: ${name}
    institution: "${institution}"
    dialect: ${dialect}
    frame: ascii4
    listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }${more}
`
  const host = (name: string) =>
    link(
      name,
      "72000000",
      hostDialect,
      "\n    stan: own\n    storeAndForward: { timeout: 1 seconds, retry: 1 seconds }"
    )
  const links = [...callers.map((name, n) => link(name, `7100000${n}`, name)), ...["host-a", "host-b"].map(host)].join(
    ""
  )
  const groups = "groups:\n  - { name: hosts, members: [{ link: host-a }, { link: host-b }], use: round-robin }\n"
  return yaml.replace(
    "routes:",
    `${links}${groups}routes:\n  - { bin: "${card.pan.slice(0, 6)}", to: hosts }\n  - { bin: "62", to: issuer }`
  )
}

/** A host that answers as `fuzzed` says. */
const lyingHost = (port: number, fuzzed: FuzzedMessages): Socket => {
  const socket = connect(port, "127.0.0.1").on("error", () => {})
  const framer = new Framer(cupsFrame)
  const frame = (buffer: Buffer, start: number, end: number) => {
    const answer = fuzzed.answer(Buffer.from(buffer.subarray(start, end)))
    if (answer !== undefined && answer.length < LONGEST) socket.write(wholeFrame(cupsFrame, answer))
  }
  socket.on("data", (chunk) => framer.push(chunk, { frame, idle: () => {} }))
  return socket
}

/** What the frame of these tests can say. */
const LONGEST = 1800

/** Says all, and gives what was answered until nothing comes any more. */
const converse = (port: number, messages: ReadonlyArray<Buffer>): Promise<ReadonlyArray<Buffer>> =>
  new Promise((resolve) => {
    const heard: Array<Buffer> = []
    const framer = new Framer(cupsFrame)
    const socket = connect(port, "127.0.0.1").on("error", () => {})
    const frame = (buffer: Buffer, start: number, end: number) => {
      heard.push(Buffer.from(buffer.subarray(start, end)))
    }
    socket.on("data", (chunk) => framer.push(chunk, { frame, idle: () => {} }))
    socket.once("close", () => resolve(heard))
    for (const message of messages) if (message.length < LONGEST) socket.write(wholeFrame(cupsFrame, message))
    socket.end()
  })

/** Sends all, whatever becomes of the connection; done when the switch has taken them or hung up. */
const throwAt = (port: number, frames: ReadonlyArray<Buffer>): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1").on("error", () => {})
    socket.once("close", () => resolve())
    socket.resume()
    for (const frame of frames) socket.write(frame)
    socket.end()
  })

const post = (port: number, body: Buffer): Promise<number> =>
  new Promise((resolve) => {
    const headers = { "content-type": "application/octet-stream", "content-length": body.length }
    const call = request(
      { port, host: "127.0.0.1", path: "/purchases", method: "POST", headers, agent: false },
      (answer) => {
        answer.resume()
        answer.once("end", () => resolve(answer.statusCode ?? 0))
      }
    )
    call.once("error", () => resolve(0))
    call.end(body)
  })

/** An issuer that approves what it can read, and leaves lying about what it cannot. */
const honestIssuer = (port: number): Socket => {
  const lenient = interpret({ ...cups, lenient: true })
  const socket = connect(port, "127.0.0.1").on("error", () => {})
  const framer = new Framer(cupsFrame)
  const frame = (buffer: Buffer, start: number, end: number) => {
    const message = lenient.decode(Buffer.from(buffer.subarray(start, end)))
    if (isMessageError(message) || !/^0[24][0-4][01]$/.test(message.mti)) return
    const answer = lenient.encode(answerTo(message, "00"))
    if (!isMessageError(answer)) socket.write(wholeFrame(cupsFrame, answer))
  }
  socket.on("data", (chunk) => framer.push(chunk, { frame, idle: () => {} }))
  return socket
}

describe("A running switch among partners that lie", () => {
  it(`goes on and serves the honest ones, at every way in (JINKA_SEED=${seed})`, async () => {
    const running = await runSwitchProcess(configuration(folder(), ways))
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = honestIssuer(running.port("issuer"))
    await until(async () => (await running.status()).links.filter(({ ready }) => ready).length >= 2, "both are there")
    const door = (name: string) => running.ready.doors.find((one) => one.name === name)!.listens.port
    const chance = new Chance(seed)
    const fuzzed = new FuzzedMessages(cups, chance)
    const lies = (institution: string, count: number) =>
      Array.from({ length: count }, () => fuzzed.next(institution, { destination: "00010000", source: institution }))

    await throwAt(
      running.port("liar"),
      lies("70010000", MESSAGES).map((bytes) => wholeFrame(cupsFrame, bytes))
    )
    for (let turn = 0; turn < 4; turn++) {
      await throwAt(
        door("front"),
        lies("70020000", MESSAGES / 4).map((bytes) => wholeFrame(cupsFrame, bytes))
      )
    }
    const statuses: Array<number> = []
    const posted = lies("70030000", MESSAGES / 4)
    // Some of them wait for an answer that never comes: many at once.
    for (let at = 0; at < posted.length; at += POSTS)
      statuses.push(...(await Promise.all(posted.slice(at, at + POSTS).map((bytes) => post(door("web"), bytes)))))
    acquirer.send(purchase(999_001))
    let answer = await acquirer.next()
    // An echo comes first where the machine was slow.
    while (answer.mti !== "0210") answer = await acquirer.next()
    const { defects } = await running.status()
    issuer.destroy()
    await running.stop()
    const { code } = await running.ended

    expect([text(answer, 11), text(answer, 39)]).toEqual(["999001", "00"])
    expect(statuses.every((status) => status >= 200)).toBe(true)
    expect([defects, code]).toEqual([0, 0])
  })

  it(`goes on in other dialects, in translation, to a group that knows STANs of ours (JINKA_SEED=${seed})`, async () => {
    const place = folder()
    const running = await runSwitchProcess(configuration(place, manyDialects))
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = honestIssuer(running.port("issuer"))
    const chance = new Chance(seed)
    const hostFuzzedMessages = new FuzzedMessages(dialects[hostDialect]!, chance, keptOf(hostDialect))
    const hosts = ["host-a", "host-b"].map((name) => lyingHost(running.port(name), hostFuzzedMessages))
    await until(async () => (await running.status()).links.filter(({ ready }) => ready).length >= 4, "all are there")
    const ledger = new Ledger(callers.map((name) => interpret(dialects[name]!)))
    const conversations = callers.map((name, n) => {
      const fuzzed = new FuzzedMessages(dialects[name]!, chance, keptOf(name))
      const institution = `7100000${n}`
      const lies = Array.from({ length: MESSAGES_EACH }, () =>
        fuzzed.next(institution, { destination: "00010000", source: institution })
      )
      const said = [...keptOf(name), ...lies]
      ledger.said(n, said)
      return converse(running.port(name), said)
    })
    // All at once: each of them has requests whose time has to run out.
    for (const [n, heard] of (await Promise.all(conversations)).entries()) ledger.heard(n, heard)
    acquirer.send(purchase(999_002))
    const answer = await acquirer.next()
    const { defects } = await running.status()
    for (const socket of [issuer, ...hosts]) socket.destroy()
    await running.stop()
    const { code } = await running.ended
    const entries = await Effect.runPromise(withJournal(join(place, "journal"), (journal) => allEntries(journal)))

    expect([text(answer, 11), text(answer, 39)]).toEqual(["999002", "00"])
    expect([defects, code]).toEqual([0, 0])
    expect(endFindings(entries)).toEqual([])
    expect(
      ledger.findings(
        entries,
        callers.map((_, n) => [n])
      )
    ).toEqual([])
    // Something went all the way.
    expect(entries.filter(({ kind }) => kind === EntryKind.answered).length).toBeGreaterThan(1)
  })
})
