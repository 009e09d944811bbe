/** Bytes that came while the process stood still, on connections that it had not accepted yet: they are not taken for fresh. */
import { type ChildProcess, spawn } from "node:child_process"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import type { HttpCall } from "../../../packages/switch/src/transport/Http.ts"
import { type Connection, Transport } from "../../../packages/switch/src/transport/Transport.ts"
import { waitedMs } from "../../../packages/switch/src/transport/Waited.ts"
import { network } from "./Sockets.ts"

const closing: Array<() => unknown> = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const STALL_MS = 1500

/** What waited through the stall has waited for longer; a busy machine keeps what is fresh waiting, but not for so long. */
const WAITED_MS = 1000

/** The partner acts so long after it was told, when the stall has begun. */
const PAUSE_MS = 300

/** A partner in a process of its own: connects and says `first` when it is told to, and says `later` when it is told again. */
const partnerOf = async (port: number, first: string, later = ""): Promise<{ readonly tell: () => void }> => {
  const program = `
    const socket = () => require("node:net").connect(${port}, "127.0.0.1")
    let open
    const act = () => {
      if (open === undefined) (open = socket()).write(${JSON.stringify(first)})
      else open.write(${JSON.stringify(later)})
    }
    process.stdin.on("data", () => setTimeout(act, ${PAUSE_MS}))
    process.stdout.write("here")`
  const child: ChildProcess = spawn(process.execPath, ["-e", program], { stdio: ["pipe", "pipe", "inherit"] })
  closing.push(() => child.kill("SIGKILL"))
  await new Promise((resolve) => child.stdout!.once("data", resolve))
  return { tell: () => void child.stdin!.write("now") }
}

const opened = async () => {
  const scope = Effect.runSync(Scope.make())
  closing.push(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const context = await Effect.runPromise(Scope.provide(Layer.build(network), scope))
  const transport = Context.get(context, Transport)
  return {
    transport,
    run: <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) => Effect.runPromise(Scope.provide(effect, scope))
  }
}

/** The process stands still, and comes to itself: its late timers first, as after a SIGSTOP. */
const stall = async (): Promise<void> => {
  // What was written before must have left.
  await new Promise((resolve) => setTimeout(resolve, 50))
  await new Promise<void>((resolve) =>
    setImmediate(() => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS)
      resolve()
    })
  )
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 2 * PAUSE_MS))

describe("What came while the process stood still", () => {
  it("on a connection that had to wait to be accepted has waited, and what it says later has not", async () => {
    const { transport, run } = await opened()
    let take: (connection: Connection) => void
    const accepted = new Promise<Connection>((resolve) => {
      take = resolve
    })
    const { endpoint } = await run(transport.listen({ host: "127.0.0.1", port: 0 }, (one) => take(one)))
    const partner = await partnerOf(endpoint.port, "first", "later")
    partner.tell()
    await stall()
    const connection = await accepted
    const read = async () => (await Effect.runPromise(connection.pull))[0]!

    const first = await read()
    expect(first.toString()).toBe("first")
    expect(waitedMs(first)).toBeGreaterThan(WAITED_MS)

    await soon()
    partner.tell()
    const later = await read()
    expect(later.toString()).toBe("later")
    expect(waitedMs(later)).toBeLessThan(WAITED_MS)
    connection.close("reset")
  })

  it("on a connection that says nothing then is no matter: its first bytes come later, and are fresh", async () => {
    const { transport, run } = await opened()
    let take: (connection: Connection) => void
    const accepted = new Promise<Connection>((resolve) => {
      take = resolve
    })
    const { endpoint } = await run(transport.listen({ host: "127.0.0.1", port: 0 }, (one) => take(one)))
    const partner = await partnerOf(endpoint.port, "", "later")
    partner.tell()
    await stall()
    const connection = await accepted
    await soon()
    partner.tell()
    const [later] = await Effect.runPromise(connection.pull)

    expect(waitedMs(later!)).toBeLessThan(WAITED_MS)
    connection.close("reset")
  })

  it("as a call over HTTP has waited, on a new connection and on one that was kept", async () => {
    const { transport, run } = await opened()
    const calls: Array<HttpCall> = []
    const limits = { bodyMax: 1000, requestMs: 10_000, idleMs: 10_000 }
    const listen = transport.listenHttp!({ host: "127.0.0.1", port: 0 }, (call) => calls.push(call), limits)
    const { endpoint } = await run(listen)
    const post = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi"
    const partner = await partnerOf(endpoint.port, post, post)
    partner.tell()
    await stall()
    await soon()
    partner.tell()
    await soon()
    partner.tell()
    await stall()
    await soon()

    expect(calls.map(({ body }) => waitedMs(body) > WAITED_MS)).toEqual([true, false, true])
  })
})
