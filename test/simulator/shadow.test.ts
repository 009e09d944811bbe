/** A second host that does whatever hosts do: the partner hears the first one alone, and each request is one true line. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { join } from "node:path"
import { it } from "@effect/vitest"
import { cupsFrame, Framer, MessageIndex, PatchList, responseMti } from "@jinka/codec"
import { Effect } from "effect"
import { describe, expect } from "vitest"
import { chanceOf } from "../../packages/simulator/src/chance/Chance.ts"
import { readProxyFile } from "../../packages/simulator/src/proxy/ProxyFile.ts"
import { startProxy } from "../../packages/simulator/src/proxy/RunningProxy.ts"
import type { ShadowLine } from "../../packages/simulator/src/traffic/Shadow.ts"
import { testFolder } from "../TestFolder.ts"
import { eventually } from "./house.ts"
import { codec, framed, message, system } from "./System.ts"

/** The answer of the live system to a request. */
const rightAnswer = (request: Buffer): Buffer => {
  const index = new MessageIndex()
  codec.index(request, 0, request.length, index)
  const patches = new PatchList()
  patches.mti(responseMti(index.mti))
  patches.answer()
  patches.set(39, "00")
  return codec.patched(index, patches)
}

/** What a second host does with a connection; gives what it does with a request. */
type Nature = (socket: Socket) => (request: Buffer) => void

const chance = chanceOf(7, "shadow")
const ignoring = (): undefined => undefined
const natures: Readonly<Record<string, Nature>> = {
  "answers well": (socket) => (request) => void socket.write(framed(rightAnswer(request))),
  "is silent": () => ignoring,
  "does not read": (socket) => {
    socket.pause()
    return ignoring
  },
  "resets each connection": (socket) => {
    socket.resetAndDestroy()
    return ignoring
  },
  "resets at each request": (socket) => () => void socket.resetAndDestroy(),
  "closes its half": (socket) => {
    socket.end()
    return ignoring
  },
  "answers with noise": (socket) => () => void socket.write(Buffer.from(`0009${chance.digits(9)}${chance.digits(3)}`)),
  "answers twice": (socket) => (request) => {
    for (const _ of [1, 2]) socket.write(framed(rightAnswer(request)))
  },
  "answers what nobody asked": (socket) => () => void socket.write(framed(rightAnswer(message("0200", 999_999, 1)))),
  "has a bad byte in each answer": (socket) => (request) => {
    const answer = rightAnswer(request)
    answer[chance.between(0, answer.length - 1)] = chance.between(0, 255)
    socket.write(framed(answer))
  }
}

const REQUESTS = 100

const secondHost = (nature: Nature) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly end: () => void }>((resume) => {
      const sockets = new Set<Socket>()
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        sockets.add(socket)
        socket.on("error", ignoring)
        const answer = nature(socket)
        const framer = new Framer(cupsFrame)
        const sink = {
          frame: (...[bytes, from, to]: [Buffer, number, number]) => answer(bytes.subarray(from, to)),
          idle: ignoring
        }
        socket.on("data", (chunk: Buffer) => framer.push(chunk, sink))
      })
      const end = () => {
        server.close()
        for (const socket of sockets) socket.destroy()
      }
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ port: (server.address() as AddressInfo).port, end })))
    }),
    ({ end }) => Effect.sync(end)
  )

/** A hundred requests through a proxy with this second host: what the partner heard, and the report. */
const shadowed = (secondPort: number) =>
  Effect.gen(function* () {
    const live = yield* system()
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(testFolder(), "jinka-shadow-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    const [file, report] = [join(folder, "proxy.yaml"), join(folder, "shadow.jsonl")]
    const shadow = `shadow: { connect: 127.0.0.1:${secondPort}, timeout: 500ms, report: ${report} }`
    writeFileSync(file, `listen: 127.0.0.1:0\ntarget: 127.0.0.1:${live.port}\ndialect: cups\n${shadow}\n`)
    const { proxy } = yield* startProxy(yield* readProxyFile(file))
    let heard = 0
    const socket = yield* Effect.acquireRelease(
      Effect.sync(() => connect(proxy.endpoint)),
      (made) => Effect.sync(() => made.destroy())
    )
    const framer = new Framer(cupsFrame)
    const sink = { frame: () => void heard++, idle: ignoring }
    socket.on("data", (bytes: Buffer) => framer.push(bytes, sink))
    yield* Effect.sleep(250)
    for (let stan = 1; stan <= REQUESTS; stan++) {
      socket.write(framed(message("0200", stan, stan)))
      if (stan % 10 === 0) yield* Effect.sleep(5)
    }
    yield* eventually(() => heard >= REQUESTS)
    const lines = () =>
      readFileSync(report, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    yield* eventually(() => lines().length >= REQUESTS)
    yield* Effect.sleep(50)
    const outcomes: Record<string, number> = {}
    for (const line of lines()) {
      const { outcome } = JSON.parse(line) as ShadowLine
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
    return { answers: heard, lines: lines().length, outcomes }
  })

describe("The live side of a shadow", () => {
  it.live.each(Object.entries(natures))(
    "hears each answer once, and the report has each request once: the second host %s",
    ([what, nature]) =>
      Effect.gen(function* () {
        const { port } = yield* secondHost(nature)
        const { answers, lines, outcomes } = yield* shadowed(port)

        expect({ answers, lines }).toEqual({ answers: REQUESTS, lines: REQUESTS })
        if (what === "answers well" || what === "answers twice") return expect(outcomes).toEqual({ same: REQUESTS })
        // Some bytes of an answer tell nothing: the header's, and the numbers that pair it with its request.
        if (what.includes("bad byte"))
          return expect((outcomes["differs"] ?? 0) + (outcomes["liveOnly"] ?? 0)).toBeGreaterThan(20)
        expect((outcomes["liveOnly"] ?? 0) + (outcomes["notMirrored"] ?? 0)).toBe(REQUESTS)
      }).pipe(Effect.scoped)
  )

  it.live("hears each answer once where nobody is the second host", () =>
    Effect.gen(function* () {
      expect(yield* shadowed(1)).toEqual({ answers: REQUESTS, lines: REQUESTS, outcomes: { notMirrored: REQUESTS } })
    }).pipe(Effect.scoped)
  )
})
