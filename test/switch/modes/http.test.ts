/** The HTTP door over real sockets: calls become short connections, and everything that HTTP callers expect is said in HTTP. */
import { readFileSync } from "node:fs"
import { Agent, type IncomingHttpHeaders, request } from "node:http"
import { request as requestTls } from "node:https"
import { connect } from "node:net"
import { compile, cups, isMessageError, messageToJson, toHex } from "@jinka/codec"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { Authority, type Issued } from "../../../examples/08-many-institutions/Authority.ts"
import type { HttpDoorSettings } from "../../../packages/switch/src/link/door/HttpDoor.ts"
import { patience } from "../../Pace.ts"
import { folder, cleanUp as removeFolders, tls } from "../transport/Sockets.ts"
import { answerTo, cleanUp, dialling, framed, host, type LinkAll, linkOf, purchase, short, startRig } from "./Rig.ts"

afterEach(cleanUp)
afterAll(removeFolders)

const codec = compile(cups)

const encoded = (stan: number): Buffer => {
  const bytes = codec.encode(purchase(stan))
  if (isMessageError(bytes)) throw new Error(bytes._tag)
  return bytes
}

const web = (more: Partial<HttpDoorSettings> = {}): HttpDoorSettings => ({
  name: "web",
  at: { host: "127.0.0.1", port: 0 },
  from: [],
  limits: { connections: 100, perSource: 100, newPerSecond: 1000, pending: 100 },
  bodyMax: 16_384,
  requestMs: 30_000,
  idleMs: 30_000,
  ...more
})

/** Terminals whose calls come to `/terminals`. */
const terminals = (more: Partial<LinkAll> = {}): LinkAll =>
  linkOf("terminals", {
    mode: "sync-short",
    frame: { kind: "until-close", lengthMax: 1892 },
    short: short(),
    side: {
      _tag: "door",
      door: "web",
      sign: { from: [], certificate: undefined, value: "/terminals" },
      second: "refuse"
    },
    ...more
  })

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const post = (
  port: number,
  body: Buffer | string,
  {
    path = "/terminals",
    type = "application/octet-stream",
    method = "POST",
    encoding = undefined as string | undefined,
    agent = undefined as Agent | undefined
  } = {}
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const call = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        headers: { "content-type": type, ...(encoding === undefined ? {} : { "content-encoding": encoding }) },
        ...(agent === undefined ? {} : { agent })
      },
      (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk) => chunks.push(chunk))
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
        )
      }
    )
    call.once("error", reject)
    call.end(body)
  })

/** A switch with an HTTP door, and an issuer that answers with the request's own amount. */
/** `answers`: whether the partner answers, or what it waits for until it does. */
const start = async (
  link: Partial<LinkAll> = {},
  http: Partial<HttpDoorSettings> = {},
  answers: boolean | Promise<void> = true,
  requestTimeoutMs = 30_000
) => {
  const partner = await host(async (message, socket) => {
    if (answers === false) return
    await answers
    socket.write(framed(answerTo(message)))
  })
  const issuer = dialling("issuer", partner.port)
  const rig = await startRig([terminals(link), issuer], { http: [web(http)], requestTimeoutMs })
  while (!rig.running.links[1]!.isReady) await new Promise((resolve) => setImmediate(resolve))
  return { rig, partner, port: rig.running.status().doors[0]!.at.port }
}

const decoded = (body: Buffer) => {
  const message = codec.decode(body, 0, body.length)
  if (isMessageError(message)) throw new Error(message._tag)
  return message
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe("The HTTP door", () => {
  it("carries messages as bytes, as hex and as JSON, and answers in the form of the request", async () => {
    const { port } = await start()
    const raw = await post(port, encoded(1))
    const hex = await post(port, `${toHex(encoded(2))}\n`, { type: "text/hex; charset=us-ascii" })

    const json = await post(port, JSON.stringify(messageToJson(purchase(3), { reveal: true })), {
      type: "application/json"
    })

    expect([raw.status, raw.headers["content-type"]]).toEqual([200, "application/octet-stream"])
    expect(decoded(raw.body).fields).toMatchObject({ 11: "000001", 39: "00" })
    expect(decoded(Buffer.from(hex.body.toString(), "hex")).fields).toMatchObject({ 11: "000002", 39: "00" })
    expect(JSON.parse(json.body.toString())).toMatchObject({ mti: "0210", fields: { 11: "000003", 39: "00" } })
    expect(raw.headers["content-length"]).toBe(String(raw.body.length))
  })

  it("keeps a connection for the next call, and shares one long link upstream among many callers", async () => {
    const { port, partner, rig } = await start()
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    const calls = Array.from({ length: 60 }, (_, at) => post(port, encoded(at + 1), { agent }))
    const stans = (await Promise.all(calls)).map(({ body }) => decoded(body).fields[11])

    expect(stans).toEqual(Array.from({ length: 60 }, (_, at) => String(at + 1).padStart(6, "0")))
    expect(partner.connections).toBe(1)
    expect(rig.running.status().doors[0]).toMatchObject({ admitted: 60, pending: 0 })
    expect(rig.running.status().doors[0]!.open).toBeLessThanOrEqual(4)
    agent.destroy()
  })

  it("answers 200 with the network's own code when no answer comes in time: the outcome is a message, not an HTTP error", async () => {
    const { port } = await start({}, {}, false, 300)
    const answer = await post(port, encoded(1))

    expect(answer.status).toBe(200)
    expect(decoded(answer.body).fields[39]).toBe("98")
  })

  it("says what is wrong with a call in HTTP's codes, with a stable name and no value of a field", async () => {
    const { port } = await start()
    const broken = Buffer.from(encoded(1))
    broken.fill("x", 60, 64)
    const told = async (...args: Parameters<typeof post> extends [unknown, ...infer Rest] ? Rest : never) => {
      const { status, body } = await post(port, ...args)
      expect(body.toString()).not.toContain("6200000000000005")
      return [status, JSON.parse(body.toString()).error]
    }

    expect(await told(encoded(1), { path: "/nowhere" })).toEqual([404, "PathUnknown"])
    expect(await told(encoded(1), { method: "PUT" })).toEqual([405, "MethodNotAllowed"])
    expect(await told(encoded(1), { type: "application/xml" })).toEqual([415, "TypeUnknown"])
    expect(await told(encoded(1), { encoding: "gzip" })).toEqual([415, "EncodingUnknown"])
    expect(await told("")).toEqual([400, "BodyEmpty"])
    expect(await told("zz", { type: "text/hex" })).toEqual([400, "NotHex"])
    expect(await told("{", { type: "application/json" })).toEqual([400, "NotJson"])

    const twice = '{"mti":"0200","fields":{"4":"000000000100","4":"000000999900"}}'
    expect(await told(twice, { type: "application/json" })).toEqual([400, "NotJson"])
    for (const other of ["[]", "null", '{"fields":{}}', '{"mti":"0200","feilds":{}}', '{"mti":"0200","fields":["1"]}'])
      expect([other, await told(other, { type: "application/json" })]).toEqual([other, [400, "NotMessage"]])
    expect(await told('{"mti":"0200","fields":{"3":"abc"}}', { type: "application/json" })).toEqual([
      400,
      "FieldInvalid"
    ])
    expect(await told(broken)).toEqual([400, expect.stringMatching(/Invalid|Unknown|Trailing|Short/)])
    expect(await told(Buffer.alloc(20_000))).toEqual([413, "BodyTooLong"])
    expect(await told(Buffer.alloc(3000))).toEqual([413, "BodyTooLong"])
  })

  it("answers 503 with Retry-After when the link takes no more connections", async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { port, rig } = await start({ short: short({ connectionsMax: 1 }) }, {}, promise, 60_000)
    const first = post(port, encoded(1))
    while (rig.running.status().links.every(({ outstanding }) => outstanding === 0)) await nextTurn()
    const second = await post(port, encoded(2))
    resolve()

    expect([second.status, second.headers["retry-after"]]).toEqual([503, "1"])
    expect((await first).status).toBe(200)
  })

  it("ends a caller that sends its request byte by byte, and one that is silent after its answer", async () => {
    const { port } = await start({}, { requestMs: patience(400), idleMs: patience(400) })
    const slow = connect(port, "127.0.0.1")
    slow.on("error", () => undefined)
    const drip = setInterval(() => slow.write("x"), 50)
    const begun = performance.now()
    await new Promise((resolve) => slow.once("close", resolve))
    clearInterval(drip)
    const took = performance.now() - begun

    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    await post(port, encoded(1), { agent })
    const quiet = Object.values(agent.freeSockets)[0]?.[0]
    const closed = new Promise((resolve) => quiet?.once("close", resolve))
    await closed

    expect(took).toBeGreaterThan(300)
    expect(took).toBeLessThan(patience(3000))
    agent.destroy()
  })

  it("ends a caller whose next request, sent before it had its answer, never becomes whole", async () => {
    const { port } = await start({}, { requestMs: patience(400), idleMs: patience(400) })
    const body = encoded(1)
    const head = `POST /terminals HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\ncontent-length: ${body.length}\r\n\r\n`
    const caller = connect(port, "127.0.0.1")
    caller.on("error", () => undefined)
    let answered = ""
    caller.on("data", (chunk) => {
      answered += String(chunk)
    })
    const begun = performance.now()
    const closed = new Promise<number>((resolve) => caller.once("close", () => resolve(performance.now() - begun)))
    caller.write(Buffer.concat([Buffer.from(head), body, Buffer.from(head), body.subarray(0, 10)]))
    const drip = setInterval(() => caller.write("0"), 150)
    const late = new Promise<number>((resolve) => setTimeout(resolve, patience(4000), Number.POSITIVE_INFINITY))
    const took = await Promise.race([closed, late])
    clearInterval(drip)
    caller.destroy()

    expect(answered).toContain("HTTP/1.1 200")
    expect(took).toBeLessThan(patience(3000))
  })

  it("closes an address that no link names before a byte is read, and a path of another partner with 403", async () => {
    const sign = { from: ["127.0.0.9"], certificate: undefined, value: "/terminals" }
    const closed = await start({ side: { _tag: "door", door: "web", sign, second: "refuse" } })

    await expect(post(closed.port, encoded(1))).rejects.toThrow()

    const open = await start({ side: { _tag: "door", door: "web", sign, second: "refuse" } }, { from: ["127.0.0.0/8"] })

    expect((await post(open.port, encoded(1))).status).toBe(403)
    expect(closed.rig.running.status().doors[0]?.refused).toEqual({ PeerNotAllowed: 1 })
  })

  it("speaks HTTPS with the caller's certificate, and keeps a path for the partner whose certificate it is", async () => {
    const directory = folder()
    const authority = await Authority.make(directory, "centre-ca")
    const own = await authority.issue("switch.example")
    const [known, other] = [await authority.issue("shop.example"), await authority.issue("else.example")]
    const certificate = { fingerprints: [known.fingerprint], names: [] }
    const sign = { from: [], certificate, value: "/terminals" }
    const { port } = await start(
      { side: { _tag: "door", door: "web", sign, second: "refuse" } },
      { tls: tls(own, { ca: [authority.file] }) }
    )
    const ask = (papers: Issued) =>
      new Promise<number>((resolve, reject) => {
        const call = requestTls({
          host: "127.0.0.1",
          port,
          path: "/terminals",
          method: "POST",
          servername: "switch.example",
          headers: { "content-type": "application/octet-stream" },
          ca: readFileSync(authority.file),
          cert: readFileSync(papers.certificate),
          key: readFileSync(papers.key)
        })
        call.once("error", reject)
        call.once("response", (response) => {
          response.resume()
          resolve(response.statusCode ?? 0)
        })
        call.end(encoded(1))
      })

    expect(await ask(known)).toBe(200)
    expect(await ask(other)).toBe(403)
  })
})
