/** The history of a proxy has each fault, also those that befall bytes and no message. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { join } from "node:path"
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { describe, expect } from "vitest"
import { parseFaultHistory } from "../../packages/simulator/src/proxy/FaultHistory.ts"
import { readProxyFile } from "../../packages/simulator/src/proxy/ProxyFile.ts"
import { parseRule } from "../../packages/simulator/src/proxy/RuleText.ts"
import { startProxy } from "../../packages/simulator/src/proxy/RunningProxy.ts"
import { testFolder } from "../TestFolder.ts"
import { eventually } from "./house.ts"

/** A proxy of bytes with these rules, one connection through it, and its history. */
const arrange = (...rules: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(testFolder(), "jinka-history-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    const sockets = new Set<Socket>()
    const server = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const made = createServer((socket) => void sockets.add(socket.on("error", () => undefined)))
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (made) =>
        Effect.sync(() => {
          made.close()
          for (const socket of sockets) socket.destroy()
        })
    )
    const [file, history] = [join(folder, "proxy.yaml"), join(folder, "faults.jsonl")]
    const { port } = server.address() as AddressInfo
    writeFileSync(
      file,
      `listen: 127.0.0.1:0\ntarget: 127.0.0.1:${port}\nhistory: ${history}\nrules: ${JSON.stringify(rules)}\n`
    )
    const running = yield* startProxy(yield* readProxyFile(file))
    const socket = yield* Effect.acquireRelease(
      Effect.sync(() => connect(running.proxy.endpoint).on("error", () => undefined)),
      (made) => Effect.sync(() => made.destroy())
    )
    const lines = () => parseFaultHistory(readFileSync(history, "utf8"))
    return { running, socket, sockets, lines }
  })

describe("The history of a proxy", () => {
  const kinds = ["latency 5ms", "bandwidth 4kB/s", "slice 50", "hold", "black-hole to target", "refuse"]

  it.live.each(kinds)("has when a fault of bytes begins and when it has ended: %s", (kind) =>
    Effect.gen(function* () {
      const rule = `${kind} at 20ms for 1s`
      const { lines } = yield* arrange(rule)
      yield* eventually(() => lines().some(({ did }) => did === "ended"))
      const told = lines().filter(({ did }) => did === "began" || did === "ended")

      expect(told.map(({ did, rule: text }) => [did, text])).toEqual([
        ["began", rule],
        ["ended", rule]
      ])
      expect(told[0]!.direction).toBe(kind.includes("to target") ? "toTarget" : undefined)
    }).pipe(Effect.scoped)
  )

  it.live("has the end of one that is cleared, and of one whose place another takes", () =>
    Effect.gen(function* () {
      const { lines, running } = yield* arrange("hold")
      yield* eventually(() => lines().some(({ did }) => did === "began"))
      running.rules.set(parseRule("latency 5ms"), 1)
      yield* eventually(() => lines().filter(({ did }) => did === "began").length === 2)
      running.rules.clear()
      yield* eventually(() => lines().some(({ did }) => did === "cleared"))
      const told = lines().flatMap(({ did, rule }) => (rule === undefined ? [] : [`${did} ${rule}`]))

      expect(told).toEqual([
        "began hold",
        "ended hold",
        "set latency 5ms",
        "began latency 5ms",
        "ended latency 5ms",
        "cleared latency 5ms"
      ])
    }).pipe(Effect.scoped)
  )

  it.live("says of a connection how many of its bytes a black hole took", () =>
    Effect.gen(function* () {
      const { lines, socket, sockets } = yield* arrange("black-hole to target at 200ms for 200ms")
      yield* eventually(() => sockets.size === 1)
      yield* eventually(() => lines().some(({ did }) => did === "began"))
      socket.write("twelve bytes")
      yield* eventually(() => lines().some(({ did }) => did === "disconnected"))

      expect(lines().find(({ did }) => did === "disconnected")!.says).toBe("bytes lost in a black hole: 12")
    }).pipe(Effect.scoped)
  )
})
