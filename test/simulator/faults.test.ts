import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { join } from "node:path"
import { it } from "@effect/vitest"
import { cups, cupsFrame, dialects, interpret, type Message, MessageIndex, wholeFrame } from "@jinka/codec"
import { Effect } from "effect"
import { describe, expect } from "vitest"
import { type FaultLine, parseFaultHistory } from "../../packages/simulator/src/proxy/FaultHistory.ts"
import { readProxyFile } from "../../packages/simulator/src/proxy/ProxyFile.ts"
import { askRules } from "../../packages/simulator/src/proxy/RuleControl.ts"
import { parseRule, ruleWords } from "../../packages/simulator/src/proxy/RuleText.ts"
import { startProxy } from "../../packages/simulator/src/proxy/RunningProxy.ts"
import { testFolder } from "../TestFolder.ts"
import { eventually } from "./house.ts"

const codec = interpret(cups)
const pan = "6200000000000005"

/** A purchase or its answer, whole, without its frame. */
const message = (mti: string, stan: number, amount: number): Buffer =>
  codec.encode({
    header: { destination: "00010000   ", source: "48020000   " },
    mti,
    fields: {
      ...{
        2: pan,
        3: "000000",
        4: String(amount).padStart(12, "0"),
        7: "0301120000",
        11: String(stan).padStart(6, "0")
      },
      ...{ 32: "48020000", 33: "48020000", 37: String(stan).padStart(12, "0"), 41: "T0000001", 42: "M00000000000001" },
      128: "ABCDEF01"
    }
  } as Message) as Buffer

const framed = (bytes: Buffer): Buffer => wholeFrame(cupsFrame, bytes)
const idle = Buffer.from("0000")

/** What one message says. */
const read = (frame: Buffer): MessageIndex => {
  const index = new MessageIndex()
  const bytes = frame.subarray(4)
  expect(codec.index(bytes, 0, bytes.length, index)).toBeUndefined()
  return index
}

/** A target that keeps what it is sent, behind a proxy with these rules, and a connection through it. */
const arrange = (rules: ReadonlyArray<string>, more = "") =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(testFolder(), "jinka-faults-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    const taken: Array<Buffer> = []
    const sockets: Array<Socket> = []
    let ends = ""
    const server = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const made = createServer((socket) => {
          sockets.push(socket)
          socket.on("data", (bytes: Buffer) => taken.push(bytes))
          socket.on("error", () => undefined)
          socket.on("end", () => {
            ends += "FIN "
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
    const file = join(folder, "proxy.yaml")
    const history = join(folder, "faults.jsonl")
    const target = (server.address() as AddressInfo).port
    writeFileSync(
      file,
      `listen: 127.0.0.1:0\ntarget: 127.0.0.1:${target}\ndialect: cups\nhistory: ${history}\nseed: 5\n${more}` +
        `rules:\n${rules.map((rule) => `  - '${rule}'\n`).join("")}`
    )
    const running = yield* startProxy(yield* readProxyFile(file))
    const dial = Effect.acquireRelease(
      Effect.callback<Socket>((resume) => {
        const socket = connect(running.proxy.endpoint, () => resume(Effect.succeed(socket)))
        socket.on("error", () => undefined)
      }),
      (socket) => Effect.sync(() => socket.destroy())
    )
    return {
      ...{ dial, running, sockets },
      bytes: () => Buffer.concat(taken),
      frames: () => framesOf(Buffer.concat(taken)),
      ends: () => ends,
      lines: (): ReadonlyArray<FaultLine> => parseFaultHistory(readFileSync(history, "utf8"))
    }
  })

const framesOf = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const frames: Array<Buffer> = []
  for (let at = 0; at + 4 <= bytes.length; ) {
    const size = 4 + Number(bytes.toString("latin1", at, at + 4))
    frames.push(bytes.subarray(at, at + size))
    at += size
  }
  return frames
}

const stans = (frames: ReadonlyArray<Buffer>): string =>
  frames.map((frame) => (frame.length === 4 ? "idle" : String(Number(read(frame).text(11))))).join(" ")

/** The STANs that reach the target when 1 to `count` are sent, all with this amount or their own. */
const through = (rules: ReadonlyArray<string>, count = 10, amount?: number) =>
  Effect.gen(function* () {
    const house = yield* arrange(rules)
    const socket = yield* house.dial
    const sent = Array.from({ length: count }, (_, at) => framed(message("0200", at + 1, amount ?? (at + 1) * 100)))
    socket.write(Buffer.concat(sent))
    socket.end()
    yield* eventually(() => house.ends() !== "")
    yield* eventually(() => house.lines().some(({ did }) => did === "connected"))
    return { house, stans: () => stans(house.frames()) }
  })

describe("fault rules as text", () => {
  const refused = (text: string): string => {
    try {
      parseRule(text)
    } catch (error) {
      return (error as Error).message
    }
    return "good"
  }

  it("are read with every clause", () => {
    expect(
      parseRule(
        'drop 0210, 04xx from target where 4 > 1000 and 39 = "05" every 7th after 2 on connection 3 at 10s for 1m'
      )
    ).toMatchObject({
      fault: { kind: "drop" },
      direction: "fromTarget",
      mtis: ["0210", "04xx"],
      conditions: [
        { de: 4, is: ">", value: "1000" },
        { de: 39, is: "=", value: "05" }
      ],
      frequency: { every: 7, after: 2, percent: 100 },
      connection: 3,
      from: 10_000,
      until: 70_000
    })
    expect(parseRule("change 4 by -1 in 0200 leaving mac and prefix wrong with 2.5% chance")).toMatchObject({
      fault: { kind: "change", de: 4, by: -1, wrong: { mac: true, prefix: true } },
      frequency: { percent: 2.5 }
    })
    expect(parseRule("bandwidth 64kB/s to target").fault).toEqual({ kind: "bandwidth", bytesPerSecond: 64_000 })
  })

  it("say which column is wrong and which word was meant", () => {
    expect(refused("drpo 0210")).toBe(
      'column 1 of the rule: "drpo" is no fault; did you mean "drop"?\n    drpo 0210\n    ^'
    )
    expect(refused("drop 0210 wehre 4 > 1")).toContain(
      'column 11 of the rule: "wehre" is no part of a rule; did you mean "where"?'
    )
    expect(refused("delay 0210 by 16")).toContain(
      "column 15 of the rule: a duration like 200ms, 2s, 1m or 1h is expected"
    )
    expect(refused("drop 0210 where 4 >")).toContain("column 20 of the rule: a value is expected at the end")
    expect(refused("drop 02")).toContain("an MTI like 0210 or 02xx is expected")
    expect(refused("delay 0210")).toContain("a delay says how long")
    expect(refused("latency 20ms where 4 > 1")).toContain("latency is about all bytes of a direction")
    expect(refused("drop 0210 leaving mac wrong")).toContain("only a change leaves something wrong")
    expect(refused("reset at 5s for 5s")).toContain("reset happens at a moment")
  })

  it("have all their words in the reference", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/reference/faults.md"), "utf8")
    const missing = [...ruleWords.verbs, ...ruleWords.clauses].filter((word) => !page.includes(`\`${word}`))
    expect(missing).toEqual([])
  })
})

describe("a proxy file", () => {
  const reading = (text: string) =>
    Effect.gen(function* () {
      const folder = mkdtempSync(join(testFolder(), "jinka-faults-"))
      const file = join(folder, "proxy.yaml")
      writeFileSync(file, text)
      const wrong = yield* Effect.flip(readProxyFile(file))
      rmSync(folder, { recursive: true })
      return wrong.message.replace(folder, "")
    })

  it.effect("says file and line of what is wrong, and the nearest name", () =>
    Effect.gen(function* () {
      const head = "listen: 127.0.0.1:0\ntarget: 127.0.0.1:1\n"

      expect(yield* reading(`${head}dialcet: cups\n`)).toContain(
        '/proxy.yaml:3: "dialcet" is not known here; did you mean "dialect"? known are '
      )
      expect(yield* reading(`${head}dialect: cup\n`)).toContain('did you mean "cups"?')
      expect(yield* reading("listen: 127.0.0.1:0\n")).toContain('"target:" is missing')
      expect(yield* reading(`${head}rules:\n  - drop 0210\n`)).toContain("is about messages: say the dialect")
      expect(yield* reading(`${head}control: 0.0.0.0:7190\n`)).toContain("an address of this machine alone")
      expect(yield* reading(`${head}rules:\n  - latency fast\n`)).toMatch(
        /proxy\.yaml:4: column 9 of the rule: a duration .* is expected, not "fast": latency fast$/
      )
      expect(yield* reading(`${head}mac: { algorithm: ansi-x9.9, key: "0011" }\n`)).toContain("key:")
    })
  )
})

describe("a proxy with rules about messages", () => {
  it.live("passes everything as it came where no rule fits, idle frames and half frames too", () =>
    Effect.gen(function* () {
      const house = yield* arrange(["drop 0420"])
      const socket = yield* house.dial
      const sent = Buffer.concat([
        idle,
        framed(message("0200", 1, 5)),
        idle,
        framed(message("0200", 2, 5)),
        Buffer.from("01")
      ])
      socket.end(sent)
      yield* eventually(() => house.ends() !== "")

      expect(house.bytes()).toEqual(sent)
    }).pipe(Effect.scoped)
  )

  it.live("drops each n-th message that fits a condition, and says so in the history with the card covered", () =>
    Effect.gen(function* () {
      const { house, stans: left } = yield* through(["drop 0200 where 4 > 300 every 3rd to target"])
      expect(left()).toBe("1 2 3 4 5 7 8 10")

      yield* eventually(() => house.lines().filter(({ did }) => did === "drop").length === 2)
      const [first] = house.lines().filter(({ did }) => did === "drop")
      expect(first).toMatchObject({ connection: 1, direction: "toTarget", mti: "0200", stan: "000006", message: 6 })
      expect(Buffer.from(first!.before!, "hex").toString("latin1")).toContain("620000******0005")
    }).pipe(Effect.scoped)
  )

  it.live("duplicates, reorders and swallows idle frames", () =>
    Effect.gen(function* () {
      expect((yield* through(["duplicate 0200 where 11 = 2 times 2"], 3)).stans()).toBe("1 2 2 2 3")
      expect((yield* through(["reorder 0200 where 11 = 2"], 4)).stans()).toBe("1 3 2 4")

      const house = yield* arrange(["swallow idle every 2nd"])
      const socket = yield* house.dial
      socket.end(Buffer.concat([idle, idle, idle, framed(message("0200", 1, 5))]))
      yield* eventually(() => house.ends() !== "")

      expect(stans(house.frames())).toBe("idle idle 1")
    }).pipe(Effect.scoped)
  )

  it.live("delays one message and lets the others overtake it", () =>
    Effect.gen(function* () {
      expect((yield* through(["delay 0200 by 300ms once"], 3)).stans()).toBe("2 3 1")
    }).pipe(Effect.scoped)
  )

  it.live("changes a field with its length prefix right or left wrong, and a value that no dialect allows", () =>
    Effect.gen(function* () {
      const right = yield* through(['change 2 to "62055000000000041" in 0200'], 1)
      expect(read(right.house.frames()[0]!).text(2)).toBe("62055000000000041")

      const next = yield* through(["change 11 by 1 in 0200"], 2)
      expect(next.stans()).toBe("2 3")

      const wrong = yield* through(['change 2 to "62055000000000041" in 0200 leaving prefix wrong'], 1)
      const frame = wrong.house.frames()[0]!
      expect(frame.toString("latin1")).toContain(`16${"62055000000000041"}`)
      expect(codec.index(frame.subarray(4), 0, frame.length - 4, new MessageIndex())).toBeDefined()

      const odd = yield* through(["change 4 to ABC in 0200"], 1)
      expect(odd.house.bytes().toString("latin1")).toContain("000000ABC0301120000")

      yield* eventually(() => odd.house.lines().some(({ did }) => did === "change"))
      expect(odd.house.lines().find(({ did }) => did === "change")!.says).toContain(
        "the dialect does not allow the value"
      )
    }).pipe(Effect.scoped)
  )

  it.live("makes the MAC right again with the file's key, or leaves it wrong", () =>
    Effect.gen(function* () {
      const mac = `mac: { algorithm: ansi-x9.9, key: 0123456789ABCDEF, over: cups }\n`
      const macOf = (rule: string, amount: number) =>
        Effect.gen(function* () {
          const house = yield* arrange([rule], mac)
          const socket = yield* house.dial
          socket.end(framed(message("0200", 1, amount)))
          yield* eventually(() => house.ends() !== "")
          return read(house.frames()[0]!).text(128)
        })
      const fixed = yield* macOf("change 4 to 000000000777", 5)

      // The same message, whatever the amount was before: so the same MAC, and not the one that it came with.
      expect(yield* macOf("change 4 to 000000000777", 6)).toBe(fixed)
      expect(fixed).not.toBe("ABCDEF01")
      expect(yield* macOf("change 4 to 000000000777 leaving mac wrong", 5)).toBe("ABCDEF01")
    }).pipe(Effect.scoped)
  )

  it.live("lies in the length header", () =>
    Effect.gen(function* () {
      const house = yield* arrange(["lie by +3 in 0200 once"])
      const socket = yield* house.dial
      const good = framed(message("0200", 1, 5))
      socket.end(good)
      yield* eventually(() => house.ends() !== "")

      expect(house.bytes().toString("latin1", 0, 4)).toBe(String(good.length - 4 + 3).padStart(4, "0"))
      expect(house.bytes().subarray(4)).toEqual(good.subarray(4))
    }).pipe(Effect.scoped)
  )

  it.live("resets a connection at the message that a rule names", () =>
    Effect.gen(function* () {
      const house = yield* arrange(["reset 0200 where 11 = 2"])
      const socket = yield* house.dial
      let error = ""
      socket.on("error", (failed: NodeJS.ErrnoException) => {
        error = failed.code ?? ""
      })
      socket.write(framed(message("0200", 1, 5)))
      yield* eventually(() => house.frames().length === 1)
      socket.write(framed(message("0200", 2, 5)))
      yield* eventually(() => error === "ECONNRESET")

      expect(stans(house.frames())).toBe("1")
    }).pipe(Effect.scoped)
  )

  it.live("meets the same messages with the same faults for the same seed", () =>
    Effect.gen(function* () {
      const rules = ["drop 0200 with 30% chance", "change 4 by 1 in 0200 with 20% chance", "corrupt every 400 bytes"]
      const told = (lines: ReadonlyArray<FaultLine>) => lines.map(({ at: _at, ...line }) => line)
      const [one, two] = yield* Effect.all([through(rules, 40, 5), through(rules, 40, 5)])

      expect(one.house.bytes()).toEqual(two.house.bytes())

      yield* eventually(() => one.house.lines().some(({ did }) => did === "disconnected"))
      yield* eventually(() => two.house.lines().some(({ did }) => did === "disconnected"))
      expect(told(one.house.lines())).toEqual(told(two.house.lines()))

      const kinds = new Set(one.house.lines().map(({ did }) => did))
      expect([...kinds].sort()).toEqual(["change", "connected", "corrupt", "disconnected", "drop"])
    }).pipe(Effect.scoped)
  )

  it.live("holds a slow line to its bytes a second", () =>
    Effect.gen(function* () {
      const house = yield* arrange(["bandwidth 2kB/s to target"])
      const socket = yield* house.dial
      socket.end(Buffer.alloc(3000, "0"))
      const began = performance.now()
      yield* eventually(() => house.bytes().length > 0)
      yield* eventually(() => house.ends() !== "")

      // 3,000 bytes at 2,000 a second, less what may be saved up: it can take longer, not shorter.
      expect(performance.now() - began).toBeGreaterThan(1200)
    }).pipe(Effect.scoped)
  )

  it.live("takes, shows, replaces and clears rules while it runs, and says what is wrong with one", () =>
    Effect.gen(function* () {
      const house = yield* arrange([], "control: 127.0.0.1:0\n")
      const at = house.running.control!

      expect(yield* askRules(at, "POST", "/rules", "drop 0200 every 2nd")).toEqual({ id: 1 })

      const socket = yield* house.dial
      socket.write(Buffer.concat([1, 2, 3].map((stan) => framed(message("0200", stan, 5)))))
      yield* eventually(() => house.frames().length === 2)

      expect(yield* askRules(at, "GET", "/rules")).toEqual({
        rules: [{ id: 1, rule: "drop 0200 every 2nd", fitted: 3, met: 1, state: "in force" }]
      })
      expect(yield* askRules(at, "PUT", "/rules/1", "duplicate 0200")).toEqual({ id: 1 })

      socket.write(framed(message("0200", 4, 5)))
      yield* eventually(() => house.frames().length === 4)
      expect(yield* askRules(at, "DELETE", "/rules/1")).toEqual({ cleared: 1 })

      socket.write(framed(message("0200", 5, 5)))
      yield* eventually(() => house.frames().length === 5)
      expect(stans(house.frames())).toBe("1 3 4 4 5")

      const wrong = yield* Effect.flip(askRules(at, "POST", "/rules", "drop 0200 evry 2nd"))
      expect(wrong.message).toContain('column 11 of the rule: "evry" is no part of a rule; did you mean "every"?')
      expect((yield* Effect.flip(askRules(at, "DELETE", "/rules/9"))).message).toBe("there is no rule 9")

      yield* eventually(() => house.lines().filter(({ did }) => did === "set" || did === "cleared").length === 3)

      // What looks like packed digits across two lines of an error is none; a card number in a rule is shown nowhere.
      const garbled = yield* Effect.flip(askRules(at, "POST", "/rules", "drp 0210"))
      expect(garbled.message).toContain('did you mean "drop"?\n    drp 0210\n    ^')
      yield* askRules(at, "POST", "/rules", "change 2 to 6200000000000005 in 0210")
      expect(JSON.stringify(yield* askRules(at, "GET", "/rules"))).toContain("change 2 to 620000******0005 in 0210")
      yield* eventually(() => house.lines().some(({ rule }) => rule === "change 2 to 620000******0005 in 0210"))
      const long = yield* Effect.flip(askRules(at, "POST", "/rules", "drop 0210 ".repeat(1000)))
      expect(long.message).toBe("a command has at most 4096 bytes")
    }).pipe(Effect.scoped)
  )

  it.live("cuts at a time, holds for a time, and refuses connections for a time", () =>
    Effect.gen(function* () {
      const house = yield* arrange(["reset at 100ms", "refuse at 100ms for 400ms"])
      const socket = yield* house.dial
      yield* eventually(() => socket.destroyed)
      const refused = connect(house.running.proxy.endpoint)
      let error = ""
      refused.on("error", (failed: NodeJS.ErrnoException) => {
        error = failed.code ?? ""
      })
      yield* eventually(() => error === "ECONNREFUSED")
      yield* eventually(() => house.running.rules.list().every(({ state }) => state === "over"))
      yield* Effect.sleep(20)
      yield* house.dial
    }).pipe(Effect.scoped)
  )
})

describe("dialects and frames", () => {
  it.live("are all those of the codec", () =>
    Effect.gen(function* () {
      expect(Object.keys(dialects).length).toBeGreaterThan(3)
      for (const name of Object.keys(dialects)) {
        const folder = mkdtempSync(join(testFolder(), "jinka-faults-"))
        const file = join(folder, "proxy.yaml")
        const frame = "frame: ascii4-etx\n"
        writeFileSync(file, `listen: 127.0.0.1:0\ntarget: 127.0.0.1:1\ndialect: ${name}\n${frame}rules: [drop 02xx]\n`)
        expect((yield* readProxyFile(file)).form?.codec.dialect.name).toBeDefined()
        rmSync(folder, { recursive: true })
      }
    })
  )
})
