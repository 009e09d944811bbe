/** What a switch and its process give away, and to whom they listen: a real switch, looked at from outside. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { connect, createServer, type Socket } from "node:net"
import { userInfo } from "node:os"
import { dirname, join } from "node:path"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { openReadOnly } from "../../../packages/switch/src/journal/JournalReader.ts"
import { ask } from "../../../packages/switch/src/operate/control/ControlCall.ts"
import { askSocket, serveSocket } from "../../../packages/switch/src/operate/control/HttpSocket.ts"
import { OperatedReport } from "../../../packages/switch/src/operate/control/Report.ts"
import { pause, until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, key, runSwitch, runSwitchUnder } from "./program.ts"

afterEach(cleanUp)

const me = userInfo().username
const post = (socket: string, url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  Effect.runPromise(askSocket(socket, { method: "POST", url, body, headers, limitMs: 60_000 }))

/** The texts of a journal's events. */
const textsIn = (directory: string): Promise<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const journal = yield* openReadOnly(directory, {})
    const texts: Array<string> = []
    yield* journal.scan(1, ({ code }) => {
      texts.push(code)
    })
    return texts
  }).pipe(Effect.scoped, Effect.runPromise)

/** An HTTP door that takes whoever comes, as long as there are handles. */
const withDoor = (yaml: string): string =>
  yaml.replace(
    "routes:",
    `  - name: terminals
    institution: "70030000"
    dialect: cups
    mode: sync-short
    frame: { kind: until-close, lengthMax: 1892 }
    door: { name: web, path: /purchases, from: [127.0.0.1] }
http:
  - name: web
    listen: { host: 127.0.0.1, port: 0, limits: { connections: 1000, perSource: 1000, newPerSecond: 1000, pending: 1000 } }
routes:`
  )

describe("The control socket", () => {
  it("names who asks by what the kernel says of him, and never by what he writes", async () => {
    const running = await runSwitch(configuration(folder()))
    const { control } = running.ready
    await Effect.runPromise(ask(control, "POST", "/links/issuer/block", OperatedReport, { user: "mallory" }))
    await post(control, "/links/issuer/unblock", { user: "mallory" })
    await post(control, "/links/issuer/block", {}, { "jinka-proof": `../../etc/passwd ${process.pid}` })
    await running.stop()

    const { err } = await running.ended

    expect(err).toContain(`operator ${me}: block`)
    expect(err).toContain(`operator ${me}, not shown who: unblock`)
    expect(err).toContain(`operator ${me}, not shown who: block`)
    expect(err).not.toContain("mallory")
    // A proof is for one request, and is gone with it.
    expect(readdirSync(dirname(control)).filter((name) => name.startsWith("proof-"))).toEqual([])
  })

  it("writes into the journal who looked at a transaction and who stopped the switch", async () => {
    const place = folder()
    const file = configuration(place)
    const running = await runSwitch(file)
    await jinka(["trace", file, "--stan", "1"])
    await jinka(["stop", file])
    const { err } = await running.ended

    const kept = await textsIn(join(place, "journal"))

    for (const text of [`operator ${me}: trace by stan`, `operator ${me}: stop (no reason given)`]) {
      expect(kept).toContain(text)
      expect(err).toContain(text)
    }
  })

  it("that a silent process holds does not keep a switch from starting", async () => {
    const place = folder()
    const file = configuration(place)
    await (await runSwitch(file)).stop()
    const held = new Set<Socket>()
    const silent = createServer((socket) => held.add(socket.on("error", () => {})))
    await new Promise<void>((resolve) => silent.listen(join(place, "journal", "control.sock"), resolve))
    const running = await runSwitch(file)

    const { links } = await running.status()

    expect(links).toHaveLength(2)

    await running.stop()
    for (const socket of held) socket.destroy()
    silent.close()
  })

  it("answers however many wait for an answer that takes long", async () => {
    const socket = join(folder(), "control.sock")
    const asked = (url: string) => askSocket(socket, { method: "GET", url, limitMs: 10_000 })
    const answer = (request: Request) =>
      request.url.endsWith("/slow") ? new Promise<Response>(() => {}) : Promise.resolve(new Response("{}"))
    const seen = await Effect.gen(function* () {
      yield* serveSocket(socket, answer)
      for (let n = 0; n < 14; n++) yield* Effect.forkScoped(Effect.ignore(asked("/slow")))
      const answers = []
      for (let n = 0; n < 6; n++) answers.push((yield* asked("/status")).text)
      return answers
    }).pipe(Effect.scoped, Effect.runPromise)

    expect(seen).toEqual(new Array(6).fill("{}"))
  })

  it("answers what is no question with 400 or 413, and goes on", async () => {
    const running = await runSwitch(configuration(folder()))
    const { control } = running.ready
    const tooLong = await post(control, "/links/issuer/block", { reason: "x".repeat(100_000) })
    const noJson = await post(control, "/reload", "dry")

    const { links } = await running.status()

    expect([tooLong.status, noJson.status]).toEqual([413, 400])
    expect(links).toHaveLength(2)
    await running.stop()
  })
})

describe.skipIf(process.platform !== "linux")("The process", () => {
  it("keeps open files for its operators however many strangers come, and goes on when they leave", async () => {
    const few = ["bash", "-c", 'ulimit -n 64; exec "$0" "$@"']
    const place = folder()
    const running = await runSwitchUnder(few, configuration(place, withDoor))
    const { port } = running.ready.doors[0]!.listens
    const sockets = Array.from({ length: 100 }, () => connect(port, "127.0.0.1").on("error", () => {}))
    const crowded = async () => ((await running.status()).doors[0]!.refused["HandlesFull"] ?? 0) > 0
    await until(crowded, "the process has no more open files for strangers")
    const seen = await jinka(["status", join(place, "switch.yaml")])
    for (const socket of sockets) socket.destroy()
    // The strangers' handles come back one by one: the partner tries until it is let in.
    await until(async () => {
      const partner = connect(running.port("issuer"), "127.0.0.1").on("error", () => {})
      await pause(200)
      const isIn = (await running.status()).links.some(({ ready }) => ready)
      partner.destroy()
      return isIn
    }, "a partner is let in again")

    expect(seen.code).toBe(0)
    expect(seen.out).toContain("HandlesFull")

    await running.stop()
    expect((await running.ended).code).toBe(0)
  })

  it("answers its operators beside many that hold the control socket and say nothing, or half a question", async () => {
    const few = ["bash", "-c", 'ulimit -n 64; exec "$0" "$@"']
    const place = folder()
    const running = await runSwitchUnder(few, configuration(place))
    const { control } = running.ready
    const hold = (say: string): Promise<Socket> =>
      new Promise((resolve) => {
        const socket: Socket = connect(control, () => {
          if (say !== "") socket.write(say)
          resolve(socket)
        }).on("error", () => resolve(socket))
      })
    const half = "POST /reload HTTP/1.1\r\nhost: jinka\r\ncontent-length: 20\r\n\r\n{"
    const held = await Promise.all(Array.from({ length: 70 }, (_, n) => hold(n % 2 === 0 ? "" : half)))
    const seen = await jinka(["status", join(place, "switch.yaml")])
    const isHeld = held.filter(({ destroyed, readyState }) => !destroyed && readyState === "open").length
    for (const socket of held) socket.destroy()

    expect(seen).toMatchObject({ code: 0, err: "" })
    expect(seen.out).toContain("issuer")
    expect(isHeld).toBeLessThan(20)

    await running.stop()
    expect((await running.ended).code).toBe(0)
  })

  it("takes the journal's key out of its environment and reports, opens no debugger, and leaves its memory out of a core dump", async () => {
    const place = folder()
    const look = join(place, "look.mjs")
    writeFileSync(
      look,
      `import { writeFileSync } from "node:fs"
import { isMainThread, threadId } from "node:worker_threads"
const write = (name) => writeFileSync(${JSON.stringify(place)} + "/env-" + name, JSON.stringify(process.env))
if (isMainThread) {
  write("before")
  process.on("SIGUSR2", () => write("main"))
} else write("thread-" + threadId)
`
    )
    const options = `--import=${look} --report-on-signal --report-directory=${place}`
    const running = await runSwitchUnder(["env", `NODE_OPTIONS=${options}`], configuration(place))
    const { pid } = running.ready
    running.signal("SIGUSR1")
    running.signal("SIGUSR2")
    const limits = readFileSync(`/proc/${pid}/limits`, "utf8")
    const isDumped = !/^Max core file size +0 /m.test(limits)
    const filter = readFileSync(`/proc/${pid}/coredump_filter`, "utf8").trim()
    const written = (name: RegExp) => readdirSync(place).filter((file) => name.test(file))
    await until(async () => written(/^report\..*json$/).length > 0 && written(/^env-main$/).length > 0, "a report")
    await running.stop()
    const { err } = await running.ended
    const read = (file: string) => readFileSync(join(place, file), "utf8")

    expect(read("env-before")).toContain(key)

    const threads = written(/^env-thread/)
    expect(threads.length).toBeGreaterThan(0)
    for (const file of ["env-main", ...threads]) expect([file, read(file).includes(key)]).toEqual([file, false])

    const [report] = written(/^report/)
    expect(read(report!)).toContain("javascriptStack")
    expect(read(report!)).not.toContain(key)
    // What else is in the environment Node tells in the parts of other threads only, and there is no way to stop it.
    expect(JSON.parse(read(report!)).environmentVariables).toBeUndefined()

    // The report at SIGUSR2 is behind SIGUSR1: that has been dealt with.
    expect(err).not.toMatch(/[Dd]ebugger listening/)
    if (isDumped) expect(Number.parseInt(filter, 16)).toBe(0)
  })
})
