/**
 * The whole switch against partners that lie, in virtual time: from a message's first byte to its delivery, with the journal.
 * Two partners of two dialects lie to it and to each other; two others trade honestly beside them and must not notice.
 */
import { type Codec, type Dialect, interpret, type Message } from "@jinka/codec"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Chance } from "../../codec/fuzz/Mutation.ts"
import { endFindings } from "../../regression/JournalCheck.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, settle, startBench } from "../../switch/core/Bench.ts"
import { keptOf } from "./Corpus.ts"
import { FuzzedMessages } from "./FuzzedMessages.ts"
import { Ledger } from "./Ledger.ts"

/** One world: who lies to whom, and how the links are. */
export interface World {
  readonly from: Dialect
  readonly to: Dialect
  readonly stan: LinkAll["stan"]
  readonly identity: LinkAll["identity"]
  readonly grouped: boolean
  readonly seed: number
  readonly rounds: number
  /** Whether the liar sends first what once led somewhere (`Corpus.ts`). */
  readonly replays: boolean
  /** Breaks the hosts' codec: for the test of this test. */
  readonly corrupt?: (codec: Codec) => Codec
}

/** What came of it. */
export interface Run {
  readonly findings: ReadonlyArray<string>
  readonly messages: number
  /** Requests that reached the lying issuer: a world in which everything is refused proves little. */
  readonly forwarded: number
}

/** Messages in one read. */
const READ_MAX = 32
/** Honest trades of one world. */
const TRADES = 10

const stations: Message["header"] = { destination: "00010000", source: "70010000" }

const liar = (name: string, port: number, dialect: Dialect, { identity, corrupt, stan }: World): LinkAll => {
  const link = linkOf(name, port, dialect)
  return { ...link, identity, stan, codec: corrupt === undefined ? link.codec : corrupt(link.codec) }
}

/** The links by their places. */
const LIAR = 0
const HOST = 1
const ACQUIRER = 2
const ISSUER = 3
const OTHER_HOST = 4

const plainWorld = ({ corrupt: _, ...world }: World): World => world

/** Runs one world to its end. */
export const runWorld = (world: World): Effect.Effect<Run> =>
  Effect.gen(function* () {
    const chance = new Chance(world.seed)
    const disk = makeDisk()
    const links = [
      liar("liar", 7001, world.from, { ...plainWorld(world), stan: "callers" }),
      liar("host", 7002, world.to, world),
      { ...linkOf("acquirer", 4802), institution: "48020000" },
      { ...linkOf("issuer", 4803), institution: "48030000" },
      liar("host-b", 7003, world.to, world)
    ]
    const members = [1, 4].map((link) => ({ link, name: links[link]!.name, weight: 1 }))
    const hosts = { name: "hosts", members, use: "round-robin", by: [], failbackMs: 0, fallTogether: false } as const
    const bench = yield* startBench(links, disk, {
      groups: world.grouped ? [hosts] : [],
      routes: [
        { bin: "6210", to: 3 },
        { bin: "62", to: world.grouped ? links.length : 1 }
      ]
    })
    const failed = yield* Effect.forkChild(bench.running.failed)
    const fuzzed = [
      new FuzzedMessages(world.from, chance, keptOf(world.from.name)),
      new FuzzedMessages(world.to, chance, keptOf(world.to.name))
    ] as const
    const findings: Array<string> = []
    const ledger = new Ledger(links.map(({ dialect }) => interpret(dialect)))
    let wires = links.map((_, id) => bench.dial(id))
    const say = (link: number, ...messages: ReadonlyArray<Buffer>) => {
      ledger.said(link, messages)
      wires[link]!.say(...messages)
    }
    const hear = (link: number, isHeld = false): ReadonlyArray<Buffer> => {
      const heard = wires[link]!.heardBytes()
      ledger.heard(link, heard, isHeld)
      return heard
    }
    /** What was said is with the switch, and nothing of it on disk: nobody hears of it yet. */
    const held = Effect.map(settle, () => {
      for (const link of [LIAR, HOST, OTHER_HOST]) hear(link, true)
    })
    let messages = 0
    let forwarded = 0
    const trade = (stan: number) =>
      Effect.gen(function* () {
        const number = String(stan).padStart(6, "0")
        wires[ACQUIRER]!.say(purchase({ 2: "6210000000000003", 11: number, 32: "48020000", 33: "48020000" }))
        yield* bench.commit
        const seen = wires[ISSUER]!.heard().find(({ fields }) => fields[11] === number)
        if (seen !== undefined) wires[ISSUER]!.say(answerTo(seen, "0210"))
        yield* bench.commit
        const answer = wires[ACQUIRER]!.heard().find(({ fields }) => fields[11] === number)
        if (answer?.fields[39] !== "00")
          findings.push(`honest trade ${number} got ${answer?.fields[39] ?? "no answer"}`)
      })
    const kept = world.replays ? [...keptOf(world.from.name)] : []
    yield* bench.commit
    for (let round = 0; round < world.rounds || kept.length > 0; round++) {
      wires = wires.map((wire, id) => (wire.isOpen ? wire : bench.dial(id)))
      const drawn = Array.from({ length: 1 + chance.below(READ_MAX) }, () => fuzzed[0].next("70010000", stations))
      // Answers and deliveries of before, so that what is heard next was caused by what is said next.
      const before = [HOST, OTHER_HOST].map((link) => hear(link))
      hear(LIAR)
      const own = kept.length > 0 ? kept.splice(0, READ_MAX) : drawn
      say(LIAR, ...own)
      messages += own.length
      if (chance.below(4) === 0) say(HOST, fuzzed[1].next("70020000", { destination: "00010000", source: "70020000" }))
      yield* held
      yield* bench.commit
      for (const [n, host] of [HOST, OTHER_HOST].entries()) {
        const heard = [...before[n]!, ...hear(host)]
        forwarded += heard.length
        const answers = heard.flatMap((bytes) => fuzzed[1].answer(bytes) ?? [])
        messages += answers.length
        if (answers.length > 0 && wires[host]!.isOpen) say(host, ...answers)
      }
      yield* bench.commit
      hear(LIAR)
      yield* TestClock.adjust(chance.below(10) === 0 ? 1100 : 1 + chance.below(20))
      if (round % Math.ceil(world.rounds / TRADES) === 0) yield* trade(round + 1)
    }
    for (let second = 0; second < 60; second++) {
      yield* TestClock.adjust(1000)
      yield* bench.commit
    }
    for (const link of [LIAR, HOST, OTHER_HOST]) hear(link)
    const { defects } = bench.running.status()
    const why = bench.store.entries
      .filter(({ code }) => code.includes("a defect of the switch"))
      .map(({ code }) => code)
    if (defects > 0) findings.push(`${defects} defects: ${[...new Set(why)].join("; ")}`)
    if (failed.pollUnsafe() !== undefined) findings.push(`the switch stopped: ${String(yield* Fiber.await(failed))}`)
    findings.push(...endFindings(bench.store.entries))
    findings.push(...ledger.findings(bench.store.entries, [[LIAR], [HOST, OTHER_HOST]]))
    const open = bench.running.status().links.reduce((sum, { outstanding }) => sum + outstanding, 0)
    if (open > 0) findings.push(`${open} requests are open a minute after the last`)
    return { findings, messages, forwarded }
  }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.orDie)
