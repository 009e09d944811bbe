/** A running switch takes other doors, HTTP doors and another listener for operators: one process for all of it, real sockets. */
import { writeFileSync } from "node:fs"
import { Agent, request } from "node:http"
import { connect, createServer, type Socket } from "node:net"
import { join } from "node:path"
import { connect as connectTls } from "node:tls"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Authority } from "../../../examples/08-many-institutions/Authority.ts"
import { answerTo, frameOf, Line, purchase, text, until } from "./Line.ts"
import { cleanUp, configuration, folder, key, type RunningSwitch, runSwitch } from "./program.ts"
import { freePort, linkOf, ready, refusalOf, reload } from "./reloading.ts"

/** What a test changes of the file; the rest stays as it was. */
interface Parts {
  readonly front: string
  readonly http: string
  readonly admin: string
  readonly more: string
  readonly moreLinks: string
}

const token = "o".repeat(40)
let directory: string
let running: RunningSwitch
let parts: Parts
let issuerPort: number
let issuer: Line

const write = (changes: Partial<Parts>): string => {
  parts = { ...parts, ...changes }
  return configuration(
    directory,
    () => `name: demo
institution: "00010000"
journal: { directory: ./journal, key: { env: JINKA_TEST_KEY }, reserve: 1 MiB }
requestTimeout: 5 seconds
drainTimeout: 5 seconds
${parts.admin}
doors:
  - { name: front, ${parts.front} }
${parts.more}
http:
  - { name: web, ${parts.http} }
links:
  - { name: bank-a, institution: "48020000", dialect: cups, door: { name: front, from: [127.0.0.2] } }
  - { name: bank-b, institution: "48030000", dialect: cups, door: { name: front, from: [127.0.0.3] } }
  - name: terminals
    institution: "48020001"
    dialect: cups
    mode: sync-short
    frame: { kind: until-close, lengthMax: 1892 }
    door: { name: web, path: /purchases, from: [127.0.0.1] }
  - { name: issuer, institution: "01020000", dialect: cups, listen: { host: 127.0.0.1, port: ${issuerPort}, from: [127.0.0.1] } }
${parts.moreLinks}
routes:
  - { bin: "62", to: issuer }
`
  )
}

const at = (port: number, more = "") => `listen: { host: 127.0.0.1, port: ${port}${more} }, by: address`
const webAt = (port: number) => `listen: { host: 127.0.0.1, port: ${port} }`
const admin = (port: number) =>
  `admin: { listen: { port: ${port} }, users: [{ name: ops, role: operate, token: { file: ops.token } }] }`

/** What becomes of a bare connection that is not let in. */
const knocked = (port: number, from: string): Promise<"refused" | "reset"> =>
  new Promise((resolve) => {
    const socket: Socket = connect({ port, host: "127.0.0.1", localAddress: from })
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED" ? "refused" : "reset"))
    socket.once("close", () => resolve("reset"))
  })

interface Answer {
  readonly status: number
  readonly connection: string | undefined
  readonly body: Buffer
}

const http = (port: number, path: string, headers: Readonly<Record<string, string>>, body?: Buffer, agent?: Agent) =>
  new Promise<Answer>((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST"
    const call = request({ host: "127.0.0.1", port, path, method, headers, ...(agent && { agent }) }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () =>
        resolve({
          status: response.statusCode!,
          connection: response.headers.connection,
          body: Buffer.concat(chunks)
        })
      )
    })
    call.once("error", reject)
    call.end(body)
  })

const status = (port: number, shown = token, path = "/api/status") =>
  http(port, path, { authorization: `Bearer ${shown}` }).then(
    ({ status }) => status,
    (error: NodeJS.ErrnoException) => error.code
  )

const doorOf = async (name: string) => (await running.status()).doors.find((door) => door.name === name)

const institutions: Readonly<Record<string, string>> = {
  "127.0.0.2": "48020000",
  "127.0.0.3": "48030000",
  "127.0.0.4": "48040000"
}

const purchaseOf = (source: string, stan: number) => {
  const { fields, ...message } = purchase(stan)
  return { ...message, header: { destination: "00010000", source }, fields: { ...fields, 32: source, 33: source } }
}

/** A bank's end of a line: it answers signs of life. */
class Bank {
  readonly line: Line
  private readonly institution: string
  private readonly waiting: Array<(code: string) => void> = []

  private constructor(line: Line, institution: string) {
    this.line = line
    this.institution = institution
    line.onMessage = (message) => {
      if (message.mti === "0210") this.waiting.shift()?.(text(message, 39))
      else line.send(answerTo(message))
    }
  }

  static async at(port: number, from: string): Promise<Bank> {
    return new Bank(await Line.connect(port, from), institutions[from]!)
  }

  /** A purchase that reaches the issuer; gives the code of its answer. */
  buys(stan: number): Promise<string> {
    this.line.send(purchaseOf(this.institution, stan))
    return new Promise((resolve) => this.waiting.push(resolve))
  }
}

beforeAll(async () => {
  directory = folder()
  const [front, web, operators, issuers] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
  issuerPort = issuers
  writeFileSync(join(directory, "ops.token"), token, { mode: 0o600 })
  parts = { front: at(front), http: webAt(web), admin: admin(operators), more: "", moreLinks: "" }
  running = await runSwitch(write({}))
  issuer = await Line.connect(issuerPort)
  issuer.onMessage = (message) => {
    if (!message.mti.endsWith("10") && !message.mti.endsWith("30")) issuer.send(answerTo(message))
  }
  await ready(running, "issuer")
})

afterAll(cleanUp)

const portOf = (part: string): number => Number(/port: (\d+)/.exec(part)![1])

describe("A reload of doors", () => {
  it("moves a door: who came in by it stays and is answered, newcomers come in at the new address alone", async () => {
    const old = portOf(parts.front)
    const stays = await Bank.at(old, "127.0.0.2")
    await ready(running, "bank-a")
    const next = await freePort()

    write({ front: at(next) })
    const report = await reload(running)
    const answered = await stays.buys(1)
    const other = await Bank.at(next, "127.0.0.3")
    await ready(running, "bank-b")

    expect(report).toMatchObject({
      applied: true,
      doors: [`front: listen.port: ${old} becomes ${next}`],
      changed: [],
      unchanged: 4
    })
    expect([answered, await other.buys(2), await knocked(old, "127.0.0.3")]).toEqual(["00", "00", "refused"])
    expect((await linkOf(running, "bank-a"))?.epoch).toBe(1)
    expect((await doorOf("front"))?.at).toBe(`127.0.0.1:${next}`)

    for (const { line } of [stays, other]) line.close()
  })

  it("changes who may come in without closing the address, and lets stay who is in", async () => {
    const port = portOf(parts.front)
    const stays = await Bank.at(port, "127.0.0.2")
    await ready(running, "bank-a")

    write({ front: at(port, ", from: [127.0.0.3]") })
    const report = await reload(running)

    expect(report.doors).toEqual(["front: listen.from changes"])
    expect(await stays.buys(3)).toBe("00")
    expect(await knocked(port, "127.0.0.2")).toBe("reset")
    expect((await doorOf("front"))?.refused).toMatchObject({ PeerNotAllowed: 1 })

    write({ front: at(port) })
    await reload(running)
    stays.line.close()
  })

  it("asks newcomers for TLS at the same address from then on", async () => {
    const port = portOf(parts.front)
    const own = await (await Authority.make(folder(), "ca")).issue("switch.example")
    const stays = await Bank.at(port, "127.0.0.2")
    await ready(running, "bank-a")

    write({ front: at(port, `, tls: { certificate: ${own.certificate}, key: ${own.key} }`) })
    await reload(running)
    const secured = connectTls({
      socket: connect({ port, host: "127.0.0.1", localAddress: "127.0.0.3" }),
      rejectUnauthorized: false
    })
    await new Promise((resolve) => secured.once("secureConnect", resolve))
    const answered = await stays.buys(4)
    secured.destroy()

    expect(answered).toBe("00")

    stays.line.close()
    write({ front: at(port) })
    await reload(running)
  })

  it("adds a door with its link, gives it the address of another that moves away, and closes one that is gone", async () => {
    const port = portOf(parts.front)
    const next = await freePort()
    const side = `  - { name: side, ${at(port)} }`
    const branch =
      '  - { name: branch, institution: "48040000", dialect: cups, door: { name: side, from: [127.0.0.4] } }'

    write({ front: at(next), more: side, moreLinks: branch })
    const report = await reload(running)
    const newcomer = await Bank.at(port, "127.0.0.4")
    await ready(running, "branch")
    const answered = await newcomer.buys(5)

    expect(report).toMatchObject({
      added: ["branch"],
      doors: ["side: added", `front: listen.port: ${port} becomes ${next}`]
    })
    expect(answered).toBe("00")

    // The two change places: neither address is free before.
    write({ front: at(port), more: `  - { name: side, ${at(next)} }` })
    await reload(running)
    await until(async () => (await doorOf("side"))?.at === `127.0.0.1:${next}`, "side listens at the other's address")

    expect(await newcomer.buys(6)).toBe("00")
    expect((await doorOf("front"))?.at).toBe(`127.0.0.1:${port}`)

    write({ more: "", moreLinks: "" })
    const removed = await reload(running)
    await newcomer.line.ended

    expect(removed).toMatchObject({ removed: ["branch"], doors: ["side: removed"] })
    expect(await knocked(next, "127.0.0.4")).toBe("refused")
    expect(await doorOf("side")).toBeUndefined()
  })

  it("moves an HTTP door: a call that waits for its answer gets it, and with it the end of its connection", async () => {
    const old = portOf(parts.http)
    const next = await freePort()
    const { onMessage } = issuer
    let asked: (() => void) | undefined
    const arrived = new Promise<void>((resolve) => {
      issuer.onMessage = (message) => {
        if (message.mti !== "0200") return onMessage?.(message)
        asked = () => issuer.send(answerTo(message))
        resolve()
      }
    })
    const type = { "content-type": "application/octet-stream" }
    const body = frameOf(purchaseOf("48020001", 7)).subarray(4)
    const agent = new Agent({ keepAlive: true })
    const call = http(old, "/purchases", type, body, agent)
    await arrived

    write({ http: webAt(next) })
    const report = await reload(running)
    asked?.()
    const { body: answer, connection, status } = await call
    issuer.onMessage = onMessage
    const here = await http(next, "/purchases", type, body)
    const there = await http(old, "/purchases", type, body).catch(({ code }: NodeJS.ErrnoException) => code)

    expect(report.doors).toEqual([`web: listen.port: ${old} becomes ${next}`])
    expect([status, connection, answer.length > 0]).toEqual([200, "close", true])
    expect([here.status, there]).toEqual([200, "ECONNREFUSED"])

    agent.destroy()
  })

  it("is refused as a whole when one address cannot be had, and everything is where it was", async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve))
    const { port } = taken.address() as { port: number }
    const before = parts
    const free = await freePort()

    write({ http: webAt(port), front: at(free), admin: admin(await freePort()) })
    const byHttp = await refusalOf(running)
    write({ ...before, admin: admin(port) })
    const byAdmin = await refusalOf(running)
    write({ ...before, admin: before.admin.replace("ops.token", "none.token") })
    const byToken = await refusalOf(running)
    taken.close()

    expect(String(byHttp)).toContain(`Cannot listen on 127.0.0.1:${port}: EADDRINUSE. Nothing was changed.`)
    expect(String(byAdmin)).toContain(`admin: cannot listen on 127.0.0.1:${port}: EADDRINUSE. Nothing was changed.`)
    expect(String(byToken)).toMatch(
      /admin\.users\[0\]\.token\.file: the file holds the token.*\nNothing was changed\./s
    )
    expect((await running.status()).doors.map((door) => door.at)).toEqual([
      `127.0.0.1:${portOf(before.front)}`,
      `127.0.0.1:${portOf(before.http)}`
    ])
    expect(await knocked(free, "127.0.0.2")).toBe("refused")
    expect(await status(portOf(before.admin))).toBe(200)

    write(before)
  })
})

describe("A reload of the operators' listener", () => {
  it("takes a token that was written anew, and ends what the old one had opened", async () => {
    const port = portOf(parts.admin)
    const fresh = "n".repeat(40)
    const signedOn = await new Promise<string>((resolve) => {
      const headers = { authorization: `Bearer ${token}` }
      request({ host: "127.0.0.1", port, path: "/session", method: "POST", headers }, (response) => {
        response.resume()
        resolve(String(response.headers["set-cookie"]).split(";", 1)[0]!)
      }).end()
    })
    const bySession = () => http(port, "/api/status", { cookie: signedOn }).then(({ status }) => status)
    const before = await bySession()

    writeFileSync(join(directory, "ops.token"), fresh, { mode: 0o600 })
    const report = await reload(running)

    expect(report.admin).toEqual(["admin.users: what the tokens are"])
    expect([before, await bySession()]).toEqual([200, 401])
    expect([await status(port), await status(port, fresh)]).toEqual([401, 200])

    writeFileSync(join(directory, "ops.token"), token, { mode: 0o600 })
    await reload(running)
  })

  it("moves it at the word of somebody who is there, who still gets his answer; closes it, and opens it again", async () => {
    const old = portOf(parts.admin)
    const next = await freePort()
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }

    write({ admin: admin(next) })
    const order = Buffer.from(JSON.stringify({ dryRun: false, reason: "the proxy has moved" }))
    const answer = await http(old, "/api/reload", headers, order)

    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body.toString()).admin).toEqual([`admin.listen.port: ${old} becomes ${next}`])
    expect(await status(next)).toBe(200)

    await until(async () => (await status(old)) === "ECONNREFUSED", "the old address is closed")

    write({ admin: "" })
    await reload(running)
    await until(async () => (await status(next)) === "ECONNREFUSED", "it is closed")

    write({ admin: admin(next) })
    await reload(running)

    expect(await status(next)).toBe(200)
    expect(await status(next, key)).toBe(401)
  })
})
