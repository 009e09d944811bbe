import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { join } from "node:path"
import { it } from "@effect/vitest"
import { cups, cupsFrame, Framer, interpret, MessageIndex, PatchList, responseMti, wholeFrame } from "@jinka/codec"
import { Effect } from "effect"
import { HistogramLogReader } from "hdr-histogram-js"
import { describe, expect } from "vitest"
import { answerCodesOf } from "../../packages/simulator/src/load/AnswerCodes.ts"
import { histogramLog } from "../../packages/simulator/src/load/HistogramLog.ts"
import { type LoadSettings, readLoadFile } from "../../packages/simulator/src/load/LoadFile.ts"
import { loadHtml } from "../../packages/simulator/src/load/LoadHtml.ts"
import { kneeTable, loadJson, loadTable } from "../../packages/simulator/src/load/LoadReport.ts"
import { Measure } from "../../packages/simulator/src/load/Measure.ts"
import { parsePhase } from "../../packages/simulator/src/load/Profile.ts"
import {
  findKnee,
  invalidBecause,
  judged,
  type LoadResult,
  type LoadWatch,
  parseBound,
  runLoad,
  wentWrong
} from "../../packages/simulator/src/load/RunLoad.ts"
import { patience } from "../Pace.ts"
import { testFolder } from "../TestFolder.ts"
import { messagesWith } from "./LoadSystems.ts"

const codec = interpret(cups)

/** How the system under test answers: milliseconds until it does, or not at all. */
type Manner = (mti: number, count: number) => number | undefined

/** A system that answers every request with 00, and what it has seen. */
const system = (manner: Manner = () => 0) =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    const seen: Array<string> = []
    let count = 0
    const answer = (socket: Socket, buffer: Buffer, start: number, end: number): void => {
      const index = new MessageIndex()
      if (codec.index(buffer, start, end, index) !== undefined)
        throw new Error("the system cannot read what it was sent")
      count++
      seen.push(`${index.mti} ${index.text(11)} ${index.text(4)} ${index.text(2)}`)
      const delay = manner(index.mti, count)
      if (delay === undefined) return
      const patches = new PatchList()
      patches.mti(responseMti(index.mti))
      patches.answer()
      patches.set(39, "00")
      const frame = wholeFrame(cupsFrame, codec.patched(index, patches))
      if (delay <= 0) socket.write(frame)
      else setTimeout(() => socket.write(frame), delay)
    }
    const server = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const made = createServer((socket) => {
          sockets.add(socket)
          const framer = new Framer(cupsFrame)
          socket.on("error", () => undefined)
          socket.on("data", (chunk: Buffer) => {
            framer.push(chunk, { frame: (...at) => answer(socket, ...at), idle: () => undefined })
          })
        })
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (made) =>
        Effect.sync(() => {
          made.close()
          for (const socket of sockets) socket.destroy()
        })
    )
    return { port: (server.address() as AddressInfo).port, seen, sockets }
  })

const fileOf = (port: number, profile: string, more = ""): string => `
seed: 3
data: cards.csv
links:
  acquirer: { connect: 127.0.0.1:${port}, dialect: cups, connections: 2, sign on: signOn }
${messagesWith(['42: "M00000000000001"'])}
mix: [100 purchase]
profile: ["${profile}"]
timeout: 1s
${more}`

const folderOf = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = mkdtempSync(join(testFolder(), "jinka-load-"))
    writeFileSync(join(folder, "cards.csv"), "pan,expiry\n6200000000000005,3012\n6205500000000000004,3101\n")
    return folder
  }),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const watch: LoadWatch = { tell: () => undefined, onSecond: () => undefined, stop: Effect.never }

const settingsOf = (port: number, profile: string, more = "", change = (text: string) => text) =>
  Effect.gen(function* () {
    const folder = yield* folderOf
    const file = join(folder, "load.yaml")
    writeFileSync(file, change(fileOf(port, profile, more)))
    return yield* readLoadFile(file)
  })

describe("a load file", () => {
  const wrongOf = (more: string, text = fileOf(1, "fixed 10/s for 1s", more)) =>
    Effect.gen(function* () {
      const folder = yield* folderOf
      const file = join(folder, "load.yaml")
      writeFileSync(file, text)
      return (yield* Effect.flip(readLoadFile(file))).message.replace(folder, "")
    }).pipe(Effect.scoped)

  it.effect("says place, rule and nearest name of what is wrong, and tries every message before it sends one", () =>
    Effect.gen(function* () {
      const good = fileOf(1, "fixed 10/s for 1s")

      expect(yield* wrongOf("", good.replace("100 purchase", "100 purchas"))).toContain('did you mean "purchase"?')
      expect(yield* wrongOf("", good.replace("{row.pan}", "{row.pam}"))).toContain(
        'the data has no column "pam"; it has pan, expiry'
      )
      expect(yield* wrongOf("", good.replace('"000000"', '"00A000"'))).toContain(
        "message purchase: field 3: only the digits 0-9"
      )
      expect(yield* wrongOf("", good.replace("100..9999", "9999..100"))).toContain(
        "the larger amount comes after the dots"
      )
      expect(yield* wrongOf("", good.replace("{stan}", "{stam}"))).toContain('"{stam}" is not known; known are {stan}')
      expect(yield* wrongOf("utc offset: -900\n")).toContain("minutes from -720 to 840")
      expect(yield* wrongOf("warmup: 5s\n")).toContain('"warmup" is not known here; did you mean "warm up"?')
      expect(yield* wrongOf("", good.replace("sign on: signOn", "sign on: signon"))).toContain('did you mean "signOn"?')
      expect(yield* wrongOf("", good.replace("connections: 2", "mode: sync-short"))).toContain("nothing signs on there")
      expect(yield* wrongOf("", good.replace("connections: 2", "mode: sync-shot"))).toContain("sync-short")
    })
  )
})

describe("a load", () => {
  it.live("signs on, sends each request at its instant with a number of its own, and hears every answer", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* system()
      const result = yield* runLoad(yield* settingsOf(port, "poisson 150/s for 1s"), watch)
      const { measure } = result
      const { answered, notSent, sent, timedOut } = measure.totals()

      expect(sent).toBeGreaterThan(100)
      expect({ answered, notSent, timedOut }).toEqual({ answered: sent, notSent: 0, timedOut: 0 })
      expect(measure.series[0]!.codes).toEqual(new Map([["00", sent]]))
      expect(measure.unmatched + measure.late).toBe(0)

      const purchases = seen.filter((line) => line.startsWith("200 "))
      expect(seen.filter((line) => line.startsWith("820 ")).length).toBe(2)
      expect(new Set(purchases.map((line) => line.split(" ")[3]))).toEqual(
        new Set(["6200000000000005", "6205500000000000004"])
      )
      expect(new Set(purchases.map((line) => line.split(" ")[2])).size).toBeGreaterThan(80)
    }).pipe(Effect.scoped)
  )

  it.live(
    "makes a connection for each request where the mode is sync-short, and has one request at a time on one of sync-long",
    () =>
      Effect.gen(function* () {
        const { port, seen, sockets } = yield* system(() => 5)
        const modeOf = (mode: string) => (text: string) =>
          text.replace("connections: 2, sign on: signOn", `connections: 8, mode: ${mode}`)
        const short = yield* runLoad(yield* settingsOf(port, "fixed 100/s for 1s", "", modeOf("sync-short")), watch)
        const shorts = { ...short.measure.totals(), sockets: sockets.size }
        const long = yield* runLoad(yield* settingsOf(port, "fixed 100/s for 1s", "", modeOf("sync-long")), watch)
        const { answered, sent } = long.measure.totals()

        expect(shorts).toMatchObject({ sent: shorts.answered, sockets: shorts.sent, lost: 0, timedOut: 0 })
        expect(shorts.sent).toBeGreaterThan(50)
        expect(sockets.size - shorts.sockets).toBe(8)
        expect(answered).toBe(sent)
        expect(sent).toBeGreaterThan(50)
        // Each connection has numbers of its own: no two requests of a link have one key.
        expect(new Set(seen.slice(0, shorts.sent).map((line) => line.split(" ")[1])).size).toBe(shorts.sent)
      }).pipe(Effect.scoped)
  )

  it.live("counts a request of sync-short as lost when its connection ends or is refused, and says why", () =>
    Effect.gen(function* () {
      const { port, sockets } = yield* system(() => undefined)
      const told: Array<string> = []
      const short = (text: string) =>
        text.replace("connections: 2, sign on: signOn", "connections: 8, mode: sync-short")
      const cutting = Effect.repeat(
        Effect.andThen(
          Effect.sync(() => {
            for (const socket of sockets) socket.destroy()
          }),
          Effect.sleep(20)
        ),
        { until: () => false }
      )
      yield* Effect.forkChild(cutting)
      const settings = yield* settingsOf(port, "fixed 50/s for 500ms", "", short)
      const { measure } = yield* runLoad(settings, { ...watch, tell: (text) => told.push(text) })
      const refused = yield* runLoad(yield* settingsOf(1, "fixed 50/s for 200ms", "", short), {
        ...watch,
        tell: (text) => told.push(text)
      })

      expect(measure.totals()).toMatchObject({ answered: 0, lost: measure.totals().sent })
      expect(refused.measure.totals()).toMatchObject({ answered: 0, lost: refused.measure.totals().sent })
      expect(told).toContain("acquirer: a connection ended before its answer (closed by the far side)")
      expect(told).toContain("acquirer: a connection ended before its answer (ECONNREFUSED)")
    }).pipe(Effect.scoped)
  )

  it.live("shows a stall of the system in every request that it kept waiting, not in one alone", () =>
    Effect.gen(function* () {
      // From the 200th request on nothing is answered for half a second: a closed model would lose one sample to it.
      let stalledUntil = 0
      const { port } = yield* system((_, count) => {
        if (count === 200) stalledUntil = performance.now() + 500
        return Math.max(0, stalledUntil - performance.now())
      })
      const { measure } = yield* runLoad(yield* settingsOf(port, "fixed 500/s for 2s"), watch)

      expect(measure.all.getValueAtPercentile(90)).toBeGreaterThan(150_000)
      expect(measure.all.maxValue).toBeGreaterThan(400_000)
    }).pipe(Effect.scoped)
  )

  it.live("counts what is never answered with its timeout, and what was lost with its connection", () =>
    Effect.gen(function* () {
      const { port, sockets } = yield* system((mti, count) => (mti === 200 && count % 5 === 0 ? undefined : 0))
      const settings = yield* settingsOf(port, "fixed 200/s for 1s", "warm up: 0s\n")
      const cutting = Effect.delay(
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
        }),
        700
      )
      yield* Effect.forkChild(cutting)
      const { measure } = yield* runLoad(settings, watch)

      const { answered, lost, notSent, sent, timedOut } = measure.totals()

      expect(timedOut + lost).toBeGreaterThan(15)
      expect(lost).toBeGreaterThan(0)
      expect(answered + timedOut + lost).toBe(sent)
      expect(sent + notSent).toBe(200)
      expect(measure.all.maxValue).toBeGreaterThanOrEqual(999_000)
    }).pipe(Effect.scoped)
  )

  it("is INVALID when the generator was the limit, or nothing was measured", () => {
    const measure = new Measure()
    expect(invalidBecause(measure)[0]).toContain("nothing was measured")

    const series = measure.newSeries("purchase", "a")
    for (let at = 0; at < 1000; at++) {
      measure.wasSent(series, at, at + 1)
      measure.wasAnswered(series, at, at + 20)
    }
    expect(invalidBecause(measure)).toEqual([])

    for (let at = 0; at < 100; at++) {
      measure.wasSent(series, at, at + 30)
      measure.wasAnswered(series, at, at + 50)
    }
    expect(invalidBecause(measure)[0]).toContain(
      "the generator was the limit: one request in a hundred left 30.0 ms late"
    )
  })

  it("does not keep a bound by the few requests that left: those without an answer break it", () => {
    const measure = new Measure()
    const series = measure.newSeries("purchase", "a")
    for (let at = 0; at < 250; at++) {
      measure.wasSent(series, at, at)
      measure.wasAnswered(series, at, at + 2)
    }
    const bound = parseBound("p99 < 100 ms")!
    const result = { invalid: [], measure } as unknown as LoadResult

    expect(judged(bound, result)).toMatchObject({ isKept: true })

    series.counts.notSent += 1250

    expect(judged(bound, result)).toMatchObject({ isKept: false, says: "1250 of 1500 requests had no answer" })
  })

  const ended = (codes: Readonly<Record<string, number>>, silent = 0, named?: ReadonlySet<string>) => {
    const measure = new Measure()
    const series = measure.newSeries("purchase", "a", answerCodesOf(cups, named))
    for (const [code, times] of Object.entries(codes)) {
      series.codes.set(code, times)
      for (let at = 0; at < times; at++) measure.wasAnswered(series, at, at + 2)
    }
    for (let at = 0; at < silent; at++) measure.wasTimedOut(series, at, 100)
    return { invalid: [], measure } as unknown as LoadResult
  }

  it("went wrong without answers, with errors or without any approval, as fast as it may have been", () => {
    const bound = parseBound("p99 < 10 s")!
    const wrong: ReadonlyArray<readonly [LoadResult, string]> = [
      [ended({}, 40), "40 of 40 requests had no answer"],
      [ended({ "00": 990 }, 10), "10 of 1000 requests had no answer"],
      [ended({ "96": 40 }), "40 of 40 requests had an error code (96: 40)"],
      [ended({ "00": 90, "91": 10 }), "10 of 100 requests had an error code (00: 90, 91: 10)"],
      [ended({ "00": 80, "68": 10 }, 10), "20 of 100 requests had no answer or an error code (00: 80, 68: 10)"],
      [ended({ "14": 30, "05": 10 }), "no request was approved (14: 30, 05: 10)"],
      [ended({ "00": 10, "51": 10 }, 0, new Set(["51"])), "10 of 20 requests had an error code (51: 10, 00: 10)"]
    ]
    for (const [result, why] of wrong) {
      expect(wentWrong(result.measure)).toContain(why)
      expect(judged(bound, result)).toMatchObject({ isKept: false, says: expect.stringContaining(why) })
    }

    const good = [
      ended({ "00": 40 }),
      ended({ "00": 1, "51": 20, "05": 19 }),
      ended({ "00": 1999 }, 1),
      ended({ "14": 40 }, 0, new Set(["14"])),
      ended({ "00": 20, "96": 20 }, 0, new Set(["00", "96"])),
      ended({ "": 40 })
    ]
    for (const result of good) {
      expect(wentWrong(result.measure)).toBeUndefined()
      expect(judged(bound, result)).toMatchObject({ isKept: true })
    }
  })

  it("takes no bound that nothing can keep, and says so of a load or a search that somebody stopped", () => {
    for (const text of ["p99.9<0ms", "max < 0.0 s", "mean<0 ms", "p100 < 1 ms", "p99 < 5"]) {
      expect([text, parseBound(text)]).toEqual([text, undefined])
    }
    const measure = new Measure()
    const series = measure.newSeries("purchase", "a")
    measure.wasSent(series, 0, 0)
    measure.wasSent(series, 1, 1)
    measure.wasAnswered(series, 0, 2)
    const settings = { phases: parsePhase("soak 1/s for 8h", () => "") }
    const stopped = { invalid: [], measure, settings, lasted: 2000, isStopped: true } as unknown as LoadResult

    expect(loadTable(stopped)).toContain(
      "STOPPED: the profile lasts 28800.0 s; requests that still waited for their answers: 1"
    )
    const page = loadHtml({ ...stopped, settings: { ...settings, file: "a<b", seed: 1 } as LoadSettings, startedAt: 0 })
    expect(page).toContain("<b>STOPPED</b>: the profile lasts 28800.0 s")
    expect(loadTable({ ...stopped, isStopped: false })).not.toContain("STOPPED")
    const many = Array.from({ length: 7 }, (_, at) => `second ${at}`)
    const phases = [...many, ...many].map((name) => ({ name }))
    for (const name of many) measure.newSeries(name, "a")
    const long = loadHtml({
      ...stopped,
      settings: { phases, file: "a", seed: 1 } as unknown as LoadSettings,
      startedAt: 0
    })
    expect(long).toMatch(/14 phases: second 0, .*, and 2 more\.</)
    expect(long).toContain("the first 5 of 8 series")

    const step = { rate: 10, value: Number.POSITIVE_INFINITY, isKept: false, says: "", isInvalid: false }
    const knee = {
      bound: parseBound("p99 < 5 ms")!,
      rate: 20,
      steps: [step],
      isStopped: true,
      isInvalid: false,
      says: "",
      last: undefined
    }
    expect(kneeTable(knee)).toMatch(/nothing measured[\s\S]*the search was stopped; 20\/s kept p99 < 5 ms so far$/)
  })

  it.live("is told as a table, JSON, a page that fetches nothing, and a histogram log that others read", () =>
    Effect.gen(function* () {
      const { port } = yield* system(() => 1)
      const result = yield* runLoad(yield* settingsOf(port, "fixed 100/s for 1200ms"), watch)
      const { measure } = result

      expect(loadTable(result)).toContain("purchase")
      expect(loadJson(result)).toMatchObject({
        event: "load",
        sent: 120,
        series: [{ message: "purchase", codes: { "00": 120 } }]
      })

      const page = loadHtml(result)
      expect(page).not.toMatch(/(?:src|href)=|https?:|<script|@import|url\(/)
      expect(page.match(/<polyline /g)!.length).toBe(9)

      const read = new HistogramLogReader(histogramLog(result)).nextIntervalHistogram()!
      expect(read.totalCount).toBe(120)
      expect(read.tag).toBe("purchase@acquirer")
      expect(read.getValueAtPercentile(99)).toBe(measure.all.getValueAtPercentile(99))
    }).pipe(Effect.scoped)
  )

  it.live("finds the rate above which a bound breaks", () =>
    Effect.gen(function* () {
      // Above 300 requests in any second it answers too late.
      const arrivals: Array<number> = []
      const { port } = yield* system(() => {
        const now = performance.now()
        arrivals.push(now)
        while (arrivals[0]! < now - 200) arrivals.shift()
        return arrivals.length > 60 ? 150 : 0
      })
      const settings = yield* settingsOf(port, "fixed 100/s for 1s")
      const told: Array<string> = []
      const listening = { ...watch, tell: (text: string) => void told.push(text) }
      const knee = yield* findKnee(settings, parseBound("p90 < 100 ms")!, 400, listening, () => undefined)

      // Each step ends its connections itself: none of them fell.
      expect(told.filter((text) => text.includes("no connection"))).toEqual([])

      expect(knee.rate).toBeLessThan(600)
      expect(knee.steps.some(({ isKept }) => !isKept)).toBe(true)
      expect(kneeTable(knee)).toContain("p90")
    }).pipe(Effect.scoped)
  )

  it.live("says of a search that the generator was the limit, and takes no moment of lateness for the system's", () =>
    Effect.gen(function* () {
      // This process is both: what holds its thread makes the generator late. Once below 150 a second, always above. A busy
      // machine is late by itself: its bound is wider.
      const slow = Math.min(40, Math.ceil(patience(5)))
      const never = new Int32Array(new SharedArrayBuffer(4))
      const arrivals: Array<number> = []
      let hiccups = 1
      const { port } = yield* system(() => {
        const now = performance.now()
        arrivals.push(now)
        while (arrivals[0]! < now - 200) arrivals.shift()
        const isOverwhelmed = arrivals.length > 30
        if (!isOverwhelmed && hiccups-- <= 0) return 0
        Atomics.wait(never, 0, 0, slow * (isOverwhelmed ? 2 : 15))
        return 0
      })
      const settings = yield* settingsOf(port, "fixed 50/s for 1s")
      const knee = yield* findKnee(settings, parseBound(`p90 < ${slow} ms`)!, 500, watch, () => undefined)

      expect(knee.rate).toBeGreaterThanOrEqual(50)
      expect(knee.isInvalid).toBe(true)
      expect(knee.steps.filter(({ isInvalid }) => isInvalid).length).toBeGreaterThanOrEqual(3)
      expect(kneeTable(knee)).toMatch(/INVALID: \d+\/s kept p90 < \d+ ms, and above it the generator was the limit/)
    }).pipe(Effect.scoped)
  )
})
