import { createServer } from "node:net"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { freePort } from "../operate/reloading.ts"
import {
  answerTo,
  call,
  cleanUp,
  dialling,
  framed,
  host,
  type LinkAll,
  linkOf,
  purchase,
  type Rig,
  short,
  startRig,
  until
} from "./Rig.ts"

afterEach(cleanUp)

const limits = { requestTimeoutMs: 30_000, recentKeys: 4096, unwrittenRefuse: 1 << 24, unwrittenStop: 1 << 25 }

const reload = ({ running }: Rig, links: ReadonlyArray<LinkAll>) =>
  Effect.runPromise(running.reload({ links, routes: [{ bin: "62", to: 1 }], limits }, { user: "ann" }, 30_000))

const terminalsOn = (port: number) =>
  linkOf("terminals", {
    mode: "sync-short",
    short: short(),
    side: { _tag: "listen", at: { host: "127.0.0.1", port }, from: [], second: "replace" }
  })

/** A partner that holds its answers until it is told to give them; from then on it answers at once. */
const holding = async () => {
  let isTold = false
  const held: Array<() => void> = []
  const partner = await host((message, socket) => {
    const answer = () => socket.write(framed(answerTo(message)))
    if (isTold) answer()
    else held.push(answer)
  })
  const answer = () => {
    isTold = true
    for (const one of held) one()
  }
  return { partner, answer }
}

describe("A reload of short links", () => {
  it("lets the exchange that is under way end on its own connection, and takes the next ones at the new address", async () => {
    const { partner, answer } = await holding()
    const issuer = dialling("issuer", partner.port, { mode: "sync-short", short: short() })
    const [before, after] = [await freePort(), await freePort()]
    const rig = await startRig([terminalsOn(before), issuer])

    const early = call(before, purchase(1))
    await until(() => partner.heard.length === 1)
    const reloaded = reload(rig, [terminalsOn(after), issuer])
    await until(() => rig.running.status().links[0]?.draining === true)
    answer()
    const unfinished = await reloaded
    const late = await call(after, purchase(2))

    expect((await early).messages.map(({ fields }) => fields[39])).toEqual(["00"])
    expect(late.messages.map(({ fields }) => fields[39])).toEqual(["00"])
    expect(unfinished).toEqual([])
    expect(await call(before, purchase(3))).toMatchObject({ messages: [], end: "reset" })
  })

  it("moves a dialled one with what waits for it: the reversal goes to the new address", async () => {
    const silent = await host(() => {})
    const partner = await host((message, socket) => socket.write(framed(answerTo(message))))
    const issuer = (port: number) =>
      dialling("issuer", port, {
        mode: "sync-short",
        short: short(),
        delivery: { timeoutMs: 300, retryMs: 100, attemptsMax: 50, window: 8 }
      })
    const terminals = terminalsOn(0)
    const rig = await startRig([terminals, issuer(silent.port)], { requestTimeoutMs: 300 })

    const called = await call(rig.port("terminals"), purchase(1))
    await until(() => rig.count("queued") === 1)
    await reload(rig, [terminals, issuer(partner.port)])
    await until(() => rig.count("acknowledged") === 1)

    expect(called.messages.map(({ fields }) => fields[39])).toEqual(["98"])
    expect(partner.heard.map(({ mti }) => mti)).toEqual([expect.stringMatching(/^042[01]$/)])
    expect(rig.running.status().links[1]?.stored.size).toBe(0)
  })

  it("does not say that a link listens while it cannot have its new address", async () => {
    const { partner, answer } = await holding()
    const issuer = dialling("issuer", partner.port, { mode: "sync-short", short: short() })
    const [before, taken] = [await freePort(), await freePort()]
    const rig = await startRig([terminalsOn(before), issuer])
    const state = () => rig.running.status().links[0]

    expect(state()).toMatchObject({ state: "listening", ready: true })

    // Another process takes the address while the link is drained for its change.
    const other = createServer()
    const underWay = call(before, purchase(1))
    await until(() => partner.heard.length === 1)
    const reloaded = reload(rig, [terminalsOn(taken), issuer])
    await until(() => rig.running.status().links[0]?.draining === true)
    await new Promise<void>((resolve) => other.listen(taken, "127.0.0.1", resolve))
    answer()
    await Promise.all([underWay, reloaded])

    expect(state()).toMatchObject({ state: "down", ready: false })
    expect(state()?.ends[0]?.why).toContain("EADDRINUSE")

    await new Promise((resolve) => other.close(resolve))
    await until(() => state()?.state === "listening")
    const called = await call(taken, purchase(2))

    expect(called.messages.map(({ fields }) => fields[39])).toEqual(["00"])
  })
})
