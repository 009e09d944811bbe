/** The close of a connection over real sockets: in order, and by a reset. */
import { type AddressInfo, createServer, type Socket } from "node:net"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { ConnectFailed, type Connection } from "../../../packages/switch/src/transport/Transport.ts"
import { dial } from "./Sockets.ts"

const closing: Array<() => void> = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** Bytes that no kernel takes at once. */
const MUCH = 32 << 20

/** A connection and the partner's end of it, which does not read. */
const connected = async (): Promise<{ readonly near: Connection; readonly far: Socket }> => {
  const server = createServer()
  const accepted = new Promise<Socket>((resolve) => server.once("connection", (socket) => resolve(socket.pause())))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const near = await dial((server.address() as AddressInfo).port)
  if (near instanceof ConnectFailed) throw near
  const far = await accepted
  closing.push(
    () => far.destroy(),
    () => void server.close(),
    () => near.close("reset")
  )
  far.on("error", () => undefined)
  return { near, far }
}

/** A connection with much unsent, which is closed in order. */
const backlog = async (): Promise<{ readonly near: Connection; readonly far: Socket }> => {
  const { near, far } = await connected()
  Effect.runFork(Effect.ignore(near.write(Buffer.alloc(MUCH))))
  expect(near.unsent()).toBeGreaterThan(0)
  near.close("fin")
  return { near, far }
}

describe("A write to a partner whose reset is here, and not read yet", () => {
  it("has failed: the kernel took nothing, so nobody may be told that the partner has it", async () => {
    const { near, far } = await connected()
    far.resetAndDestroy()

    expect(Effect.runSyncExit(near.write(Buffer.from("an answer")))).toMatchObject({
      _tag: "Failure",
      cause: { reasons: [{ error: { _tag: "ConnectionEnded", how: "reset" } }] }
    })
    expect(near.unsent()).toBe(0)
  })
})

describe("An orderly close with bytes unsent", () => {
  it("sends them all to a partner that reads, and FIN behind them", async () => {
    const { far } = await backlog()
    let bytes = 0
    far.on("data", (chunk) => {
      bytes += chunk.length
    })
    far.resume()
    await new Promise((resolve) => far.once("end", resolve))

    expect(bytes).toBe(MUCH)
  })

  it("gives the connection up when a partner that does not read has taken nothing for a while", async () => {
    const { far } = await backlog()
    await new Promise((resolve) => setTimeout(resolve, 11_000))
    let bytes = 0
    far.on("data", (chunk) => {
      bytes += chunk.length
    })
    far.resume()
    await new Promise((resolve) => far.once("close", resolve))

    expect(bytes).toBeLessThan(MUCH)
  })
})
