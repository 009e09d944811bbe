import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { it } from "@effect/vitest"
import { compile, cupsFrame, dialects, isMessageError, MessageIndex } from "@jinka/codec"
import { Effect } from "effect"
import { describe, expect } from "vitest"
import { hasLuhn } from "../../packages/simulator/src/chance/Cards.ts"
import { readProxyFile } from "../../packages/simulator/src/proxy/ProxyFile.ts"
import { startProxy } from "../../packages/simulator/src/proxy/RunningProxy.ts"
import { compareAnswers, noTolerance, readTolerance } from "../../packages/simulator/src/traffic/Compare.ts"
import { isTraced, linesOfPcap, linesOfTrace } from "../../packages/simulator/src/traffic/Import.ts"
import { reCard, reCardedCopy } from "../../packages/simulator/src/traffic/ReCard.ts"
import type { ShadowLine } from "../../packages/simulator/src/traffic/Shadow.ts"
import { lineOf, pairsOf, parseTraffic, readTraffic } from "../../packages/simulator/src/traffic/Traffic.ts"
import { testFolder } from "../TestFolder.ts"
import { framesOf, pcap, pcapng } from "./Captures.ts"
import { eventually } from "./house.ts"
import { codec, framed, message, pan, system } from "./System.ts"

const form = { codec, frame: cupsFrame }
const key = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex")
const track2 = `${pan}=30122011234567890`
const secrets = { 35: track2, 52: Buffer.alloc(8, 0xab), 14: "3012" }

const readOf = (bytes: Buffer): MessageIndex => {
  const index = new MessageIndex()
  expect(codec.index(bytes, 0, bytes.length, index)).toBeUndefined()
  return index
}

const folderOf = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(testFolder(), "jinka-traffic-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A proxy by a file before a system, and a connection through it. */
const proxied = (port: number, more: (folder: string) => string) =>
  Effect.gen(function* () {
    const folder = yield* folderOf
    const file = join(folder, "proxy.yaml")
    writeFileSync(file, `listen: 127.0.0.1:0\ntarget: 127.0.0.1:${port}\ndialect: cups\n${more(folder)}`)
    const { proxy } = yield* startProxy(yield* readProxyFile(file))
    const heard: Array<Buffer> = []
    const socket = yield* Effect.acquireRelease(
      Effect.callback<Socket>((resume) => {
        const made = connect(proxy.endpoint, () => resume(Effect.succeed(made)))
        made.on("data", (bytes: Buffer) => heard.push(bytes))
        made.on("error", () => undefined)
      }),
      (made) => Effect.sync(() => made.destroy())
    )
    return { folder, socket, heard: () => Buffer.concat(heard).toString("latin1") }
  })

const linesIn = <A>(path: string): ReadonlyArray<A> => {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as A)
  } catch {
    return []
  }
}

describe("a card number for the record", () => {
  it("becomes another of the same issuer and length with a right check digit, the same one for the same card and key", () => {
    for (const one of [pan, "6205500000000000004", "4111111111111111", "5555555555554444"]) {
      const other = reCard(one, key)
      expect([other.length, other.slice(0, 6), hasLuhn(other)]).toEqual([one.length, one.slice(0, 6), true])
      expect(other).not.toBe(one)
      expect(reCard(one, key)).toBe(other)
      expect(reCard(one, Buffer.alloc(16, 1))).not.toBe(other)
    }
  })

  it("is other in the whole message, and tracks, PIN block and expiry are zeros", () => {
    const copy = reCardedCopy(codec, message("0200", 7, 1500, secrets), key)!
    const index = readOf(copy)

    expect(index.text(2)).toBe(reCard(pan, key))
    expect(index.text(35)).toBe(`${reCard(pan, key)}=${"0".repeat(17)}`)
    expect(index.bytes(52)).toEqual(Buffer.alloc(8))
    expect([index.text(14), index.text(11), index.text(4)]).toEqual(["0000", "000007", "000000001500"])
    expect(copy.includes(pan) || copy.includes("1234567890") || copy.includes(Buffer.alloc(8, 0xab))).toBe(false)
  })
})

describe("a message about another one for the record", () => {
  const reversing = Object.values(dialects).filter(({ reversal }) => reversal != null)

  it.each(reversing.map((dialect) => [dialect.name, dialect] as const))(
    "is another card's and still names its original, whichever numbers that has, in %s",
    (_, dialect) => {
      const own = compile(dialect)
      const field = dialect.reversal!.originalData.field
      const index = new MessageIndex()
      // Whatever the STAN of the original is: of many in a row some make a card number of what names it.
      for (let n = 0; n < 200; n++) {
        const stan = String(n).padStart(dialect.version === 2 ? 12 : 6, "0")
        const time = ["1128085418", "261128085418", "20261128085418"][dialect.version]!
        const named = `${dialect.version === 0 ? "0200" : "1200"}${stan}${time}${dialect.version === 0 ? "0".repeat(22) : ""}`
        const local = dialect.version === 0 ? { 12: "085419", 13: "1128" } : { 12: time.replace(/8$/, "9") }
        const fields = { 2: pan, 3: "000000", 4: "000000001500", 7: "1128085419", 11: stan, ...local, [field]: named }
        const sent = own.encode({ mti: String(dialect.reversal!.mti).padStart(4, "0"), fields })
        if (isMessageError(sent)) throw new Error(sent._tag)
        const copy = reCardedCopy(own, sent, key)!
        expect(own.index(copy, 0, copy.length, index)).toBeUndefined()
        expect([index.text(2), index.text(field)]).toEqual([reCard(pan, key), named])
      }
    }
  )

  it("shows no card number that stands where the original is named", () => {
    for (const hidden of [`0200000001${pan.padStart(32, "0")}`, `0200${pan.padEnd(38, "0")}`]) {
      const where = { at: 0, connection: 1, direction: "toTarget" } as const
      const line = lineOf(codec, message("0420", 1, 1500, { 90: hidden }), where, key)
      expect([line.cards, Buffer.from(line.bytes, "hex").includes(pan)]).toEqual(["masked", false])
    }
  })
})

describe("a proxy that records", () => {
  it.live("writes every message of both directions, without a card number, track or PIN block of the real ones", () =>
    Effect.gen(function* () {
      const { port } = yield* system()
      const { folder, socket, heard } = yield* proxied(
        port,
        (at) => `record: { to: ${at}/traffic.jsonl, card key: ${key.toString("hex")} }\n`
      )
      socket.write(framed(message("0200", 1, 100, secrets)))
      yield* eventually(() => heard() !== "")
      yield* eventually(() => linesIn(join(folder, "traffic.jsonl")).length === 2)
      const text = readFileSync(join(folder, "traffic.jsonl"), "utf8")
      const lines = parseTraffic(text)

      expect(lines.map(({ direction, mti, stan, cards }) => `${direction} ${mti} ${stan} ${cards}`)).toEqual([
        "toTarget 0200 000001 recarded",
        "fromTarget 0210 000001 recarded"
      ])
      for (const secret of [pan, "1234567890", "ababababababab"]) {
        expect(text.toLowerCase()).not.toContain(secret)
        expect(text.toLowerCase()).not.toContain(Buffer.from(secret).toString("hex"))
      }

      const [pair] = pairsOf(codec, lines, "toTarget")
      expect(pair!.answer!.index.text(39)).toBe("00")
    }).pipe(Effect.scoped)
  )
})

describe("a capture file", () => {
  it.each([
    ["pcap", pcap],
    ["pcapng of a little-endian machine", pcapng(true)],
    ["pcapng of a big-endian one", pcapng(false)]
  ])("gives the messages of both directions with their times, whatever the order of their segments: %s", (_, write) => {
    const request = framed(message("0200", 1, 100, secrets))
    const answer = framed(message("0210", 1, 100, { 39: "00" }))
    const file = write(
      framesOf([
        { at: 5000, from: 40_000, to: 7801, seq: 100, bytes: request.subarray(0, 30) },
        { at: 5020, from: 40_000, to: 7801, seq: 160, bytes: request.subarray(60) },
        { at: 5030, from: 40_000, to: 7801, seq: 100, bytes: request.subarray(0, 30) },
        { at: 5040, from: 40_000, to: 7801, seq: 130, bytes: request.subarray(30, 60) },
        { at: 5100, from: 7801, to: 40_000, seq: 900, bytes: answer },
        { at: 5110, from: 40_000, to: 9999, seq: 1, bytes: request }
      ])
    )

    const { lines, says } = linesOfPcap(file, 7801, form, key)

    expect(says).toEqual([])
    expect(lines.map(({ at, connection, direction, mti }) => `${at} ${connection} ${direction} ${mti}`)).toEqual([
      "5020 1 toTarget 0200",
      "5100 1 fromTarget 0210"
    ])
    expect(() => linesOfPcap(Buffer.from("no capture at all, of any kind"), 7801, form, key)).toThrow(
      "it is neither a pcap nor a pcapng file"
    )
  })

  it.each([
    ["pcap", pcap],
    ["pcapng", pcapng(true)]
  ])("says what it lacks, wherever it was cut off, and that a packet is missing: %s", (_, write) => {
    const request = framed(message("0200", 1, 100))
    const sent = (at: number, seq: number) => ({ at, from: 40_000, to: 7801, seq, bytes: request })
    const file = write(framesOf([sent(1000, 100), sent(2000, 100 + request.length)]))
    const whole = linesOfPcap(file, 7801, form, key)

    expect([whole.lines.length, whole.says]).toEqual([2, []])
    // Every length at which something of the last packet is there.
    const last = request.length + 54 + 16
    for (let length = file.length - 1; length > file.length - last; length--) {
      const { lines, says } = linesOfPcap(file.subarray(0, length), 7801, form, key)

      expect([length, lines.length, says]).toEqual([
        length,
        1,
        ["the file was cut off: its last packet is not whole, and is left out"]
      ])
    }

    // Packets that were captured short (`tcpdump -s 96`), or a capture that ended in the middle of a message.
    const short = linesOfPcap(
      write(framesOf([sent(1000, 100), { ...sent(2000, 100 + request.length), bytes: request.subarray(0, 40) }])),
      7801,
      form,
      key
    )

    expect([short.lines.length, short.says]).toEqual([
      1,
      [
        expect.stringMatching(
          /^10\.0\.0\.\d:40000 to 10\.0\.0\.2:7801: it ends with \d+ bytes of a message that is not whole$/
        )
      ]
    ])

    const holed = linesOfPcap(write(framesOf([sent(1000, 100), sent(2000, 100 + 3 * request.length)])), 7801, form, key)

    expect([holed.lines.length, holed.says]).toEqual([
      1,
      [expect.stringContaining("a packet is missing in the capture")]
    ])
  })

  it("may be what a journal tells, whose covered cards are drawn", () => {
    const fieldsOf = (mti: string, more: ReadonlyArray<readonly [string, string]>) =>
      [
        ["mti", mti],
        ["header.destination", "00010000"],
        ["header.source", "48020000"],
        ["2", "620000******0005"],
        ["3", "000000"],
        ["7", "0301120000"],
        ["11", "000009"],
        ["32", "48020000"],
        ["33", "48020000"],
        ["35", "*".repeat(37)],
        ...more
      ].map(([id, value]) => ({ id: id!, value: value! }))
    const at = "2026-03-01T12:00:00.000Z"
    const traced = {
      exchanges: [
        {
          exchange: 1,
          entries: [
            { at, fields: fieldsOf("0200", []) },
            { at, fields: [] },
            { at, fields: fieldsOf("0210", [["39", "00"]]) }
          ]
        }
      ]
    }
    const { lines } = linesOfTrace(traced, form, key)

    expect(lines.map(({ cards, mti, stan }) => `${mti} ${stan} ${cards}`)).toEqual([
      "0200 000009 recarded",
      "0210 000009 recarded"
    ])

    for (const wrong of [{ exchanges: [{ exchange: 1 }] }, { exchanges: [null] }, { exchanges: {} }, null]) {
      expect(isTraced(wrong)).toBe(false)
    }
    expect(isTraced(traced)).toBe(true)

    const number = readOf(Buffer.from(lines[0]!.bytes, "hex")).text(2)
    expect([number.slice(0, 6), number.slice(-4), hasLuhn(number)]).toEqual(["620000", "0005", true])
  })
})

describe("a tolerance", () => {
  const one = message("0210", 1, 100, { 39: "51", 38: "AB1234" })
  const other = message("0210", 1, 103, { 39: "05" })

  it.effect("lets places differ, numbers lie near each other, and codes be of one class", () =>
    Effect.gen(function* () {
      const places = (tolerance = noTolerance) => compareAnswers(codec, one, other, tolerance).map(({ place }) => place)
      expect(places()).toEqual(["4", "38", "39"])

      const folder = yield* folderOf
      const file = join(folder, "tolerance.yaml")
      writeFileSync(file, "ignore: [38, header]\nwithin: { 4: 5 }\nsame class: true\n")

      expect(places(yield* readTolerance(file))).toEqual([])

      writeFileSync(file, "ignore: [38, header]\nwithin: { 4: 2 }\n")
      expect(places(yield* readTolerance(file))).toEqual(["4", "39"])

      writeFileSync(file, "ignored: [38]\n")
      expect((yield* Effect.flip(readTolerance(file))).message).toContain('did you mean "ignore"?')
    }).pipe(Effect.scoped)
  )
})

describe("a shadow", () => {
  it.live(
    "asks a second host the same, reports what it answers otherwise, and lets the partner hear the first alone",
    () =>
      Effect.gen(function* () {
        const live = yield* system()
        const second = yield* system((index) =>
          index.text(11) === "000003" ? undefined : { code: index.text(11) === "000002" ? "51" : "00" }
        )
        const { folder, socket, heard } = yield* proxied(
          live.port,
          (at) => `shadow: { connect: 127.0.0.1:${second.port}, timeout: 400ms, report: ${at}/shadow.jsonl }\n`
        )
        yield* eventually(() => second.sockets.size === 1)
        yield* Effect.sleep(50)
        socket.write(Buffer.concat([1, 2, 3].map((stan) => framed(message("0200", stan, 100)))))
        yield* eventually(() => heard().match(/0210/g)?.length === 3)
        yield* eventually(() => linesIn(join(folder, "shadow.jsonl")).length === 3)
        const found = linesIn<ShadowLine>(join(folder, "shadow.jsonl"))

        expect(found.map(({ outcome, stan }) => `${stan} ${outcome}`).sort()).toEqual([
          "000001 same",
          "000002 differs",
          "000003 liveOnly"
        ])
        expect(found.find(({ outcome }) => outcome === "differs")!.differences).toEqual([
          { place: "39", name: "Response code", one: "00", other: "51" }
        ])
        expect(second.seen.length).toBe(3)

        // Two with the same numbers are two requests: none is lost from the report.
        socket.write(Buffer.concat([framed(message("0200", 4, 100)), framed(message("0200", 4, 100))]))
        yield* eventually(() => linesIn(join(folder, "shadow.jsonl")).length === 5)
        yield* eventually(() => heard().match(/0210/g)?.length === 5)

        // The partner has its answers from the first host alone.
        yield* Effect.sleep(50)
        expect(heard().match(/0210/g)!.length).toBe(5)
      }).pipe(Effect.scoped)
  )
})

describe("a proxy that cannot start", () => {
  it.live("leaves history, recording and report of the one that runs as they are", () =>
    Effect.gen(function* () {
      const folder = yield* folderOf
      const { port } = yield* system()
      const files = ["history", "traffic", "shadow"].map((name) => join(folder, name))
      for (const file of files) writeFileSync(file, '{"at":1}\n')
      const proxy = join(folder, "proxy.yaml")
      const text = `listen: 127.0.0.1:${port}\ntarget: 127.0.0.1:1\ndialect: cups\nhistory: ${files[0]}
record: { to: ${files[1]} }\nshadow: { connect: 127.0.0.1:1, report: ${files[2]} }\n`
      writeFileSync(proxy, text)
      const error = yield* Effect.flip(Effect.scoped(Effect.flatMap(readProxyFile(proxy), startProxy)))

      expect(error.message).toMatch(/^cannot listen on 127\.0\.0\.1/)
      expect(files.map((file) => readFileSync(file, "utf8"))).toEqual(files.map(() => '{"at":1}\n'))
      writeFileSync(proxy, text.replace(`listen: 127.0.0.1:${port}`, "listen: 127.0.0.1:0"))
      yield* Effect.scoped(Effect.flatMap(readProxyFile(proxy), startProxy))
      expect(files.map((file) => readFileSync(file, "utf8"))).toEqual(["", "", ""])
    }).pipe(Effect.scoped)
  )
})

describe("a traffic file", () => {
  it.effect("says which line is none", () =>
    Effect.gen(function* () {
      const folder = yield* folderOf
      const file = join(folder, "traffic.jsonl")
      writeFileSync(file, '\n{"at":1}\n')

      expect((yield* Effect.flip(readTraffic(file))).message).toMatch(
        /traffic\.jsonl cannot be read as expected: line 2: \S/
      )
    }).pipe(Effect.scoped)
  )
})
