/**
 * The canaries through a running switch and its commands: nothing of them is in a file, in the open or sealed where it must
 * not be, in the log, in what commands and the administrative listener tell, in what a collector gets, or in what an error
 * repeats.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { compile, cups, cupsFrame, isMessageError, type Message, wholeFrame } from "@jinka/codec"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { cardNumbers, discretionary, showsNumber, track1Of, track2Of, valuesOf } from "../../codec/cover/Canaries.ts"
import { isLong } from "../../Runs.ts"
import { allEntries, withJournal } from "../journal/Journals.ts"
import { Line, purchase, until } from "./Line.ts"
import {
  cleanUp,
  configuration,
  folder,
  hasty,
  jinka,
  type RunningSwitch,
  runSwitchIn,
  runSwitchProcessIn
} from "./program.ts"

afterEach(cleanUp)

const codec = compile(cups)

/** The first 8 digits of what DE 90 names in place of an institution may be told. */
const DIGITS_IN_REPORT = 9

/** In files of some megabytes 8 digits occur by chance. */
const DIGITS_IN_FILE = 11

const pinBlock = Buffer.from("A1B2C3D4E5F60718", "hex")
const verification = "QZCVV987"

/** Purchases with the canary in one field each, as far as they can be encoded; from the STAN on. */
const messages = (from: number, mti: string): ReadonlyArray<Message> => {
  const canaries = [...cardNumbers, ...cardNumbers.slice(3, 5).flatMap((pan) => [track2Of(pan), track1Of(pan)])]
  let stan = from
  return codec.layout.defined.flatMap((field) =>
    [7, 11, 32, 33, 39].includes(field.de)
      ? []
      : canaries.flatMap((canary) =>
          valuesOf(field, canary).flatMap((value) => {
            const bare = purchase(stan, "6212341234567890123")
            const message = {
              ...bare,
              mti,
              fields: { ...bare.fields, 52: pinBlock, 61: verification, [field.de]: value }
            }
            if (field.de === 2 || isMessageError(codec.encode(message))) return []
            stan++
            return [message]
          })
        )
  )
}

/** Network management with the canaries wherever the dialect has room for them. */
const management = (from: number, mti: string): ReadonlyArray<Message> =>
  messages(from, "0200").flatMap(({ fields, header }) => {
    const { 2: _pan, 3: _code, 4: _amount, ...rest } = fields
    const message = { header, mti, fields: { ...rest, 70: "301" } } as Message
    return isMessageError(codec.encode(message)) ? [] : [message]
  })

/**
 * JINKA_LAB=long: all messages of each type. Otherwise they are of these types by turns: each canary is in each field once, and
 * each type has each field with some of them.
 */
const byTurns = (types: ReadonlyArray<ReadonlyArray<Message>>): ReadonlyArray<Message> =>
  isLong ? types.flat() : types.flatMap((messages, turn) => messages.filter((_, n) => n % types.length === turn))

const token = "t".repeat(40)

/** Keeps all that is sent to it. */
const collector = async () => {
  const bodies: Array<string> = []
  const server = createServer((call, answer) => {
    const chunks: Array<Buffer> = []
    call.on("data", (chunk: Buffer) => chunks.push(chunk))
    call.on("end", () => {
      bodies.push(`${call.url} ${Buffer.concat(chunks)}`)
      answer.end("{}")
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}

/** What the administrative listener tells of the switch. */
const told = async (running: RunningSwitch): Promise<ReadonlyArray<string>> => {
  const asked: ReadonlyArray<readonly [path: string, body?: object]> = [
    ["/metrics"],
    ["/ready"],
    ["/owner"],
    ["/api/status"],
    ["/api/pending"],
    ["/api/totals"],
    ["/api/alarms"],
    ["/api/audit/0"],
    ["/api/trace", { stan: "7" }],
    ["/api/trace", { stan: "20005" }],
    ["/api/trace", { pan: "6212341234567890123" }],
    [`/api/links/${cardNumbers[3]}`],
    ["/api/links/issuer/block", { reason: cardNumbers[3] }],
    [`/api/links/${cardNumbers[3]}/block`, { reason: "none" }],
    [`/api/keys/${cardNumbers[3]}/ask`, { reason: "none" }],
    ["/api/alarms/linkDown/silence", { link: cardNumbers[3], minutes: 1, reason: "none" }],
    ["/api/alarms/linkDown/unsilence", { link: cardNumbers[3], reason: "none" }]
  ]
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
  const answers = asked.map(async ([path, body]) => {
    const url = `http://127.0.0.1:${running.ready.admin!.port}${path}`
    const answer = await fetch(
      url,
      body === undefined ? { headers } : { headers, method: "POST", body: JSON.stringify(body) }
    )
    return answer.text()
  })
  return Promise.all(answers)
}

const everyFile = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile() && !path.endsWith("switch.yaml"))

/** What is shown of the canaries, by name. */
const shownIn = (seen: string | Uint8Array, least?: number): ReadonlyArray<string> => {
  const bytes = Buffer.from(seen as Uint8Array)
  return [
    ...cardNumbers.filter((pan) => showsNumber(bytes, pan, least) !== undefined),
    ...(showsNumber(bytes, "6212341234567890123", least) === undefined ? [] : ["DE 2"]),
    ...authenticationIn(bytes)
  ]
}

const authenticationIn = (bytes: Buffer): ReadonlyArray<string> => [
  ...(showsNumber(bytes, discretionary, DIGITS_IN_FILE) === undefined ? [] : ["a track"]),
  ...(bytes.includes(pinBlock) || bytes.toString("latin1").includes(pinBlock.toString("hex")) ? ["a PIN block"] : []),
  ...(bytes.includes(verification) ? ["a verification code"] : [])
]

describe("A running switch", () => {
  it("writes nothing of them into a file, a log or a report, in every field, answered or not, over a kill", async () => {
    const directory = folder()
    const heard = await collector()
    const more = [
      `admin: { listen: { port: 0 }, users: [{ name: anna, role: keys, token: { env: JINKA_TOKEN } }] }`,
      `telemetry: { otlp: "${heard.url}", every: 200 millis, logs: true, traces: 1 }`
    ]
    const file = configuration(directory, (text) =>
      hasty(text).replace("requestTimeout:", `${more.join("\n")}\nrequestTimeout:`)
    )
    const running = await runSwitchProcessIn({ JINKA_TOKEN: token }, file, "--log-level", "debug")
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    acquirer.onMessage = () => undefined
    let asked = 0
    issuer.onMessage = (message) => {
      // Half of the requests are answered with all that they carry; the others are timed out and reversed.
      if (message.mti === "0200" && ++asked % 2 === 0)
        issuer.send({ ...message, mti: "0210", fields: { ...message.fields, 39: "00" } })
    }
    const all = byTurns([messages(1, "0200"), messages(5001, "0220"), messages(10_001, "0420")])

    expect(all.length).toBeGreaterThan(600)

    for (const message of all) acquirer.send(message)
    // Answers to nothing, and bytes that are no message.
    for (const message of messages(20_001, "0210").slice(0, 100))
      issuer.send({ ...message, fields: { ...message.fields, 39: "00" } })
    for (const message of byTurns([management(30_001, "0820"), management(40_001, "0830")]))
      if (message.mti === "0820") acquirer.send(message)
      else issuer.send({ ...message, fields: { ...message.fields, 39: "00" } })
    acquirer.send(wholeFrame(cupsFrame, Buffer.from(`${track2Of(cardNumbers[3]!)}${cardNumbers[3]}`)))
    await until(async () => {
      const { links } = await running.status()
      return links.some(({ stored }) => stored > 100)
    }, "advices wait for the issuer")
    const reports = await Promise.all([
      jinka(["status", file, "--json"]),
      jinka(["trace", file, "--stan", "7", "--json"]),
      jinka(["trace", file, "--stan", "5050"]),
      jinka(["trace", file, "--pan", "-"], { input: "6212341234567890123\n" }),
      jinka(["why", file]),
      jinka(["totals", file]),
      jinka(["pending", "list", file]),
      jinka(["alarm", "list", file]),
      jinka(["bundle", file, "--link", "issuer", "--stan", "7", "--to", join(directory, "case")]),
      jinka(["journal", "backup", file, join(directory, "backup")])
    ])
    const watching = jinka(["watch", file, "--times", "2"])
    const answers = await told(running)
    const { out: watched } = await watching
    // The stream of a partner that speaks something else: its first bytes are told.
    acquirer.socket.write(`${cardNumbers[3]}${track2Of(cardNumbers[4]!)}`)
    await acquirer.ended
    running.signal("SIGKILL")
    const first = await running.ended
    const again = await runSwitchIn({ JINKA_TOKEN: token }, file, "--log-level", "debug")
    await again.stop()
    const second = await again.ended
    reports.push(await jinka(["journal", "summary", file]), await jinka(["trace", file, "--stan", "7", "--json"]))
    reports.push(await jinka(["journal", "export", file]))
    heard.close()

    expect(reports.filter(({ out }) => out.length <= 10)).toEqual([])
    expect(answers.every((answer) => answer.length > 5)).toBe(true)
    for (const answer of [...answers, watched]) expect(shownIn(Buffer.from(answer), DIGITS_IN_REPORT)).toEqual([])
    for (const path of ["/v1/metrics", "/v1/logs", "/v1/traces"])
      expect([path, heard.bodies.some((body) => body.startsWith(path))]).toEqual([path, true])
    // Times are in nanoseconds there: as many digits as a card number has.
    for (const body of heard.bodies) expect(shownIn(Buffer.from(body), DIGITS_IN_FILE)).toEqual([])
    for (const { out, err } of reports) expect(shownIn(Buffer.from(out + err), DIGITS_IN_REPORT)).toEqual([])
    for (const { lines, err } of [first, second])
      expect(shownIn(Buffer.from(JSON.stringify(lines) + err), DIGITS_IN_REPORT)).toEqual([])

    const files = everyFile(directory)
    expect(files.length).toBeGreaterThan(2)
    for (const path of files) expect([path, shownIn(readFileSync(path), DIGITS_IN_FILE)]).toEqual([path, []])

    // Sealed, a card number may be; authentication data may not.
    const entries = await Effect.runPromise(withJournal(join(directory, "journal"), (journal) => allEntries(journal)))
    const sealed = entries.filter(({ secret }) => secret.length > 0)
    expect(sealed.length).toBeGreaterThan(600)
    for (const { seq, secret, message } of entries) {
      expect([seq, shownIn(message)]).toEqual([seq, []])
      expect([seq, authenticationIn(secret)]).toEqual([seq, []])
    }
  })
})

describe("A command", () => {
  it("does not repeat what was typed at the wrong place, on the line or in a file", async () => {
    const directory = folder()
    const track = track2Of(cardNumbers[3]!)
    const key = "00112233445566778899AABBCCDDEEFF"
    const mistyped = "41111111x11111111"
    const file = join(directory, "switch.yaml")
    writeFileSync(
      file,
      [
        `name: ${cardNumbers[3]}`,
        `institution: "${track}"`,
        `${cardNumbers[4]}: 1`,
        `journal: { directory: ./j, key: { env: ${key} } }`,
        `links: [{ name: "${key}", dialect: "${cardNumbers[3]}", mode: "${track}", requestTimeout: ${cardNumbers[4]} }]`,
        `routes: [{ bin: "${cardNumbers[3]}", to: "${key}" }]`
      ].join("\n")
    )
    const broken = join(directory, "broken.yaml")
    writeFileSync(broken, `name: "${track}\nlinks: [${cardNumbers[3]}`)
    const dialect = join(directory, "dialect.yaml")
    writeFileSync(
      dialect,
      [
        "name: odd",
        "extends: cups",
        "fields:",
        `  ${cardNumbers[3]}: n6`,
        `  52: { sensitivity: none }`,
        `  60: { format: "${track}", "${key}": 1 }`
      ].join("\n")
    )
    const calls = [
      ["check", file],
      ["check", broken],
      ["dialect", "check", dialect],
      ["dialect", "show", cardNumbers[3]!],
      ["trace", file, "--stan", mistyped],
      ["trace", file, `--crad=${cardNumbers[3]}`],
      ["trace", file, cardNumbers[3]!, track],
      [cardNumbers[3]!],
      ["decode", track],
      ["decode", "-", "--form", mistyped],
      ["decode", "-", "--dialect", key],
      ["status", cardNumbers[3]!],
      ["link", track, file]
    ]
    for (const args of calls) {
      const { code, out, err } = await jinka(args)
      const said = out + err
      expect([args, code === 0]).toEqual([args, false])
      expect(said.length).toBeGreaterThan(20)
      for (const secret of [cardNumbers[3]!, cardNumbers[4]!, discretionary, key, mistyped])
        expect([args, said.includes(secret)]).toEqual([args, false])
    }
    writeFileSync(dialect, "name: odd\nextends: cups\nfields:\n  52: { sensitivity: none }\n")

    const refused = await jinka(["dialect", "check", dialect])

    expect(refused.out).toContain("fields.52.sensitivity: DE 52 is card data: none shows more than sad")
  })
})
