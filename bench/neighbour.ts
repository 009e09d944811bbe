/**
 * `npm run bench neighbour`: what a good partner notices of one that floods the switch, in eleven ways. Its baseline is the
 * same partner alone, right before and right after each: on a shared machine only neighbouring figures may be compared. Then
 * the same for stored messages: tens of thousands of made-up reversals wait, and one reversal of the good partner, and one of
 * ours for a purchase of it that nobody answers, have to come through.
 *
 * All processes share one machine; the one that floods has the lowest claim to it. What is the machine's part is measured,
 * too: the good partner at the switch while the flood goes to a process that only reads it. A flood that is cut (a connection
 * that does not read its answers) connects again. And a process that forces a few bytes to the same disk tells in which seconds
 * the disk held everybody: these are counted, and compared are the others.
 */
import { type ChildProcess, fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Table from "cli-table3"
import { asServed, said } from "./Children.ts"
import { FLOOD_PER_SECOND, floods } from "./neighbour/Floods.ts"
import type { Measured } from "./neighbour/good.ts"

/** One flood, and what the good partner had beside it. Milliseconds. */
export interface Row extends Measured {
  readonly beside: string
  /** p99 of a usual second beside it, and without those in which the disk held everybody; how many these were. */
  readonly p99: number
  readonly free: number
  readonly held: number
  /** The longest that the disk held the other process, milliseconds. */
  readonly disk: number
  /** The same without it, of the seconds right before and right after: of all of them, and of those that were free. */
  readonly alone: number
  readonly aloneFree: number
  /** The same while as many messages a second went to another process of the machine. */
  readonly elsewhere: number
  /** p99 of the turns of the switch's main thread meanwhile; a tick of its clock among it, some 1.1 ms. */
  readonly loop: number
  /** Messages of the flood that the switch took, a second. */
  readonly floodPerSecond: number
}

/** How long reversals took to their issuer, beside `queued` others; milliseconds, NaN: not in time. */
export interface StoredRow {
  readonly queued: number
  readonly theirs: number
  /** From the time-out of its request. */
  readonly ours: number
}

const file = (name: string) => new URL(`./neighbour/${name}.ts`, import.meta.url).pathname

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Purchases of the good partner, a second. */
const PER_SECOND = 200

const REQUEST_TIMEOUT_MS = 2000

/** Milliseconds of the disk for a few bytes of another process: a second in which it took so long is the disk's. */
const HELD_MS = 10

/** A flood's time before it is measured. */
const WARM_MS = 1000

/** Made-up reversals that wait while the good partner's has to come through; fewer, where the issuer takes them as fast. */
const QUEUED = 34_000

/** How many of them are offered a second, and for how long at most, milliseconds. */
const FASTER = 60_000
const PILING_MS = 15_000

/** The middle one. */
const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((one, other) => one - other)[Math.floor((values.length - 1) / 2)] ?? Number.NaN

/** A measurement, and the longest that the disk held another process in each second. */
interface Seconds extends Measured {
  readonly longest: ReadonlyArray<number>
}

/** The p99 of these seconds in which the disk held nobody; of all when it always did. */
const freeOf = (...all: ReadonlyArray<Seconds>): ReadonlyArray<number> => {
  const free = all.flatMap(({ seconds, longest }) => seconds.filter((_, second) => longest[second]! < HELD_MS))
  return free.length > 0 ? free : all.flatMap(({ seconds }) => seconds)
}

/** Runs the bench; `seconds` beside each flood and half of them without it, only the floods named when any are. */
export const run = async (seconds = 4, only: ReadonlyArray<string> = []) => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  const children: Array<ChildProcess> = []
  const start = (name: string, ...args: ReadonlyArray<string>) => {
    const child = fork(file(name), args, name === "switch" ? { execArgv: [...process.execArgv, ...asServed] } : {})
    children.push(child)
    return child
  }
  try {
    const issuers = start("issuers")
    const ports = await said<object>(issuers, "ports")
    const relay = start("switch", JSON.stringify(ports), directory)
    const at = await said<{ flood: number; good: number }>(relay, "ports")
    const good = start("good", String(at.good))
    await said(good, "connected")
    const disk = start("disk", directory)
    const measure = async (during = seconds): Promise<Seconds> => {
      const told = said<Measured>(good, "measured")
      good.send({ perSecond: PER_SECOND, seconds: during })
      const measured = await told
      const longest = said<ReadonlyArray<number>>(disk, "longest")
      disk.send({ since: measured.since, seconds: during })
      return { ...measured, longest: await longest }
    }
    /** Starts the flood, and starts it again whenever it is cut. */
    const pour = (name: string, port = at.flood, perSecond?: number) => {
      let isOver = false
      let taken = 0
      let first = (children.length + 1) * 3_000_000
      const begin = () => {
        const child = start(
          "flood",
          String(port),
          name,
          String(first),
          ...(perSecond === undefined ? [] : [String(perSecond)])
        )
        first += 1_000_000
        child.on("message", ({ cut }: { cut?: boolean }) => {
          if (cut !== true || isOver) return
          child.kill()
          current = begin()
        })
        return child
      }
      let current = begin()
      const sent = async (): Promise<number> => {
        const answer = said<number>(current, "sent")
        current.send("sent")
        return answer
      }
      return {
        sent,
        stop: async () => {
          isOver = true
          taken += await sent().catch(() => 0)
          current.kill()
          return taken
        }
      }
    }
    /** The good partner beside the flood that goes to this port. */
    const beside = async (name: string, port = at.flood) => {
      const flood = pour(name, port)
      await pause(WARM_MS)
      await loopOf(relay)
      const before = await flood.sent().catch(() => 0)
      const from = performance.now()
      const measured = await measure()
      const now = await flood.sent().catch(() => 0)
      const perSecond = Math.round((Math.max(0, now - before) * 1000) / (performance.now() - from))
      const loop = await loopOf(relay)
      await flood.stop()
      return { ...measured, loop, floodPerSecond: perSecond }
    }
    const alone = () => measure(Math.ceil(seconds / 2))
    await alone()
    const sink = start("sink")
    const elsewhere = new Map<number, number>()
    const sinkPort = await said<number>(sink, "port")
    const rows: Array<Row> = []
    let before = await alone()
    for (const [name, { perSecond = FLOOD_PER_SECOND }] of Object.entries(floods)) {
      if (only.length > 0 && !only.includes(name)) continue
      if (!elsewhere.has(perSecond)) elsewhere.set(perSecond, median((await beside(name, sinkPort)).seconds))
      const measured = await beside(name)
      // What the flood left behind in queues and on the way to disk is not the next one's.
      await settled(relay)
      const after = await alone()
      rows.push({
        beside: name,
        p99: median(measured.seconds),
        free: median(freeOf(measured)),
        held: measured.longest.filter((ms) => ms >= HELD_MS).length,
        disk: Math.max(...measured.longest),
        alone: median([...before.seconds, ...after.seconds]),
        aloneFree: median(freeOf(before, after)),
        elsewhere: elsewhere.get(perSecond)!,
        ...measured
      })
      before = after
    }
    const stored = only.length > 0 ? [] : [await besideStored(issuers, relay, good, pour)]
    return { rows, stored }
  } finally {
    for (const child of children) child.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** p99 of the turns of the switch's main thread since it was last asked, milliseconds. */
const loopOf = (relay: ChildProcess): Promise<number> => {
  const loop = said<number>(relay, "loop")
  relay.send("loop")
  return loop
}

const queuedNow = async (relay: ChildProcess): Promise<number> => {
  const status = said<ReadonlyArray<number>>(relay, "status")
  relay.send("status")
  return (await status).reduce((sum, size) => sum + size, 0)
}

/** Waits until what is stored does not change any more, ten seconds at most: reversals to the silent issuer end much later. */
const settled = async (relay: ChildProcess): Promise<void> => {
  let last = Number.NaN
  for (let n = 0; n < 20; n++) {
    await pause(500)
    const now = await queuedNow(relay)
    if (now === last) return
    last = now
  }
}

const besideStored = async (
  issuers: ChildProcess,
  relay: ChildProcess,
  good: ChildProcess,
  pour: (name: string, port?: number, perSecond?: number) => { readonly stop: () => Promise<number> }
): Promise<StoredRow> => {
  const before = await queuedNow(relay)
  const flood = pour("made-up reversals", undefined, FASTER)
  let queued = 0
  const until = Date.now() + PILING_MS
  while (queued < QUEUED && Date.now() < until) {
    await pause(50)
    queued = (await queuedNow(relay)) - before
  }
  const arrival = (isOurs: boolean): Promise<number> =>
    Promise.race([
      new Promise<number>((resolve) => {
        issuers.on("message", (said: { reversal?: number; isOurs?: boolean }) => {
          if (said.reversal !== undefined && said.isOurs === isOurs) resolve(said.reversal)
        })
      }),
      pause(60_000).then(() => Number.NaN)
    ])
  const from = Date.now()
  const theirs = arrival(false)
  const ours = arrival(true)
  good.send({ one: "reversal" })
  good.send({ one: "unanswered" })
  const row = { queued, theirs: (await theirs) - from, ours: (await ours) - from - REQUEST_TIMEOUT_MS }
  await flood.stop()
  return row
}

/** The rows as tables. */
export const report = ({ rows, stored }: Awaited<ReturnType<typeof run>>): string => {
  const table = new Table({
    head: [
      "beside",
      "p50 ms",
      "max",
      "p99",
      "p99 alone",
      "times",
      "without the disk",
      "alone",
      "times",
      "seconds held, longest",
      "p99, flood elsewhere",
      "loop p99",
      "sent",
      "approved",
      "refused",
      "unanswered",
      "flood/s"
    ]
  })
  for (const row of rows) {
    table.push([
      row.beside,
      row.p50.toFixed(1),
      row.max.toFixed(1),
      row.p99.toFixed(1),
      row.alone.toFixed(1),
      (row.p99 / row.alone).toFixed(1),
      row.free.toFixed(1),
      row.aloneFree.toFixed(1),
      (row.free / row.aloneFree).toFixed(1),
      `${row.held}, ${row.disk.toFixed(0)}`,
      row.elsewhere.toFixed(1),
      row.loop.toFixed(1),
      row.sent,
      row.approved,
      row.refused,
      row.unanswered,
      row.floodPerSecond
    ])
  }
  const reversals = new Table({ head: ["made-up reversals waiting", "a partner's reversal, ms", "one of ours, ms"] })
  for (const { queued, theirs, ours } of stored) reversals.push([queued, theirs.toFixed(0), ours.toFixed(0)])
  return stored.length === 0 ? table.toString() : `${table.toString()}\n${reversals.toString()}`
}
