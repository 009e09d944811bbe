/** What the webhook does when the other system does not take a notice. The server is real, the pauses are the test's. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect, Fiber, Logger } from "effect"
import { TestClock } from "effect/testing"
import { expect, it } from "vitest"
import { telling } from "../../../packages/switch/src/operate/alarm/Webhook.ts"

const secret = "s".repeat(40)
const pause = (ms: number) => Effect.promise(() => new Promise((resolve) => setTimeout(resolve, ms)))

/** Sends one notice to `url`, lets the pauses pass, and gives the log until it has a line. */
const logOf = (url: string, notices = 1) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])
    const sending = Effect.gen(function* () {
      const tell = yield* telling("demo", { url, secret })
      for (let n = 0; n < notices; n++)
        yield* tell({ event: "raised", kind: "linkDown", link: `issuer-${n}`, says: "down", since: 0 })
      yield* Effect.never
    })
    const fiber = yield* Effect.forkChild(Effect.provide(Effect.scoped(sending), logger))
    while (lines.length === 0) {
      yield* pause(20)
      yield* TestClock.adjust("1 seconds")
    }
    yield* Fiber.interrupt(fiber)
    return lines
  }).pipe(Effect.provide(TestClock.layer()), Effect.runPromise)

const served = async (answer: (call: IncomingMessage, response: ServerResponse) => void) => {
  const calls: Array<string> = []
  const server = createServer((call, response) => {
    calls.push(`${call.method} ${call.url}`)
    answer(call, response)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return { calls, url: `http://127.0.0.1:${port}/secret-place`, close: () => server.close() }
}

it("follows no redirect: the notice would get lost on the way, and nobody would know", async () => {
  for (const status of [301, 302, 303, 307]) {
    const to = await served((_, response) => response.writeHead(status, { location: "/elsewhere" }).end())
    const [line = ""] = await logOf(to.url)
    to.close()

    expect(new Set(to.calls)).toEqual(new Set(["POST /secret-place"]))
    expect(to.calls.length).toBe(5)
    expect(line).toBe(
      `the alarm linkDown (raised) of issuer-0 could not be sent to the webhook in 5 attempts: HTTP status ${status}: redirects are not followed, give the final address`
    )
  }
})

it("says why a notice did not arrive, and never where to: the address may be a secret", async () => {
  const failing = await served((_, response) => response.writeHead(500).end())
  const silent = await served(() => undefined)
  const gone = await served(() => undefined)
  gone.close()

  const told = [await logOf(failing.url), await logOf(silent.url), await logOf(gone.url)].map(([line = ""]) => line)
  failing.close()
  silent.close()

  expect(told.map((line) => line.replace(/^.* in 5 attempts: /, ""))).toEqual([
    "HTTP status 500",
    "no answer within 5 seconds",
    "no connection (ECONNREFUSED)"
  ])
  expect(told.join()).not.toContain("secret-place")
})

it("says which notices it leaves out when too many wait", async () => {
  const silent = await served(() => undefined)
  const lines = await logOf(silent.url, 103)
  silent.close()

  // One is under way, a hundred wait.
  expect(lines[0]).toMatch(/^the alarm linkDown \(raised\) of issuer-10\d is not sent: 100 wait for the webhook$/)
})
