/** No text of a file that the simulator reads ends in a defect: it is taken, or refused with its line and a rule. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Cause, Effect, Exit } from "effect"
import fc from "fast-check"
import { afterAll, describe, expect, it } from "vitest"
import { parse as parseYaml, stringify } from "yaml"
import { readDialogues } from "../../packages/simulator/src/dialogue/DialogueFile.ts"
import { FileInvalid } from "../../packages/simulator/src/file/FileInvalid.ts"
import { readLoadFile } from "../../packages/simulator/src/load/LoadFile.ts"
import { readProxyFile } from "../../packages/simulator/src/proxy/ProxyFile.ts"
import { readPartners } from "../../packages/simulator/src/scripted/PlanFile.ts"
import { readTolerance } from "../../packages/simulator/src/traffic/Compare.ts"
import { testFolder } from "../TestFolder.ts"
import { anyChange, anyTextChange, changeText, changeTree } from "./Corruption.ts"
import { UnderWay } from "./UnderWay.ts"

/** Each property is tried as often for each kind of file; more for a night. */
const runs = Number(process.env["JINKA_FUZZ_RUNS"] ?? 20)
const PATIENCE = 60_000 + 1000 * runs

const partner = `partner: branch-{n}
copies: 2
dialect: cups
frame: { kind: length, encoding: ascii, bytes: 4, lengthMax: 2000 }
institution: "01020000"
far side: "00010000"
link: { mode: async-simplex, send: { connect: "127.0.0.1:{7000+n}" }, receive: { listen: "127.0.0.1:{8000+n}" }, idle: 15s }
sign-on: { send: yes, expect: no, timeout: 5s }
timeout: 10s
time zone: "+08:00"
seed: 7
keys:
  zak: { mac: ansi-x9.19, hex: 6B948A0134A110705BD325CD6E73BC15 }
  zpk: { pin: iso0, cipher: tdes, hex: 0DBA199EF7D96446FBEAFE4C57CEFB7C }
mac: zak
accounts:
  "6212345678901232": { balance: 100000, limit: { transaction: 500, day: 900, count: 3 } }
  others: { balance: 5 }
rules:
  - when: { card: "6212*", amount: "> 5000", type: [0200, purchase], time: "22:00-06:00", nth: ["2..5", "9.."], share: 10%, 49: "156" }
    answer: amount limit
    delay: median 20ms, p99 200ms
  - when: { repeat: yes, every: 7 }
    late: 2s
    twice: 1s
    wrong: [stan, amount, mac]
    without: [38]
    malformed: 37
    disconnect: RST after the answer
    39: "05"
schedule:
  - { send: echo, every: 60s }
  - { send: cut-over, at: "23:00" }
history: history.jsonl
`

const dialogue = `rule: A decline is passed on.
source: guarantee G3
cases: { code: ["05", "51"] }
dialect: cups
frame: { kind: length, encoding: bcd, bytes: 2, lengthMax: 900 }
keys:
  zak: { mac: ansi-x9.19, hex: 6B948A0134A110705BD325CD6E73BC15 }
partners:
  A: connects to acquirer, answers echo
  B: { listens for: issuer, dialect: iso8583v1987Ascii, frame: binary }
system: { request timeout: 2s, links: { a: { window: 5 } } }
steps:
  - A connects
  - B accepts: 2s
  - let: { amount: "100" }
  - repeat: 2
    steps:
      - A sends: { mti: "0200", 2: "6212345678901232", 4: "{amount}", 11: "00000{n}", mac: zak, as: asked, split at: [3, 9], pause: 5ms }
  - for each: { field: [4, 39] }
    steps:
      - B expects: { mti: ["0210", "0200"], present: ["{each.field}"], matches: { 37: "^[0-9]+$" }, within: 3s, not before: 1ms }
  - A sends: [{ mti: "0800", 70: "301" }, { again: asked, damage: { 4: "ff" } }]
  - B expects nothing: 200ms
  - A expects close: { how: FIN, within: 1s }
  - B closes: RST
  - wait: 100ms
`

const load = `links:
  acquirer: { connect: "127.0.0.1:7811", dialect: cups, connections: 2, sign on: signOn, idle: 30s }
messages:
  signOn: { mti: "0800", 7: "{time}", 11: "{stan}", 33: "01020000", 70: "001" }
  purchase: { mti: "0200", header: { destination: "00010000" }, 2: "6212345678901232", 3: "000000", 4: "{amount 100..9999}", 7: "{time}", 11: "{stan}" }
mix:
  - 90 purchase
  - 10 purchase on acquirer
profile:
  - fixed 100/s for 10s
  - poisson ramp 100/s to 500/s over 20s
timeout: 5s
warm up: 1s
utc offset: 480
seed: 3
`

const proxy = `listen: 127.0.0.1:7900
target: 127.0.0.1:7901
dialect: cups
frame: cups
mac: { algorithm: ansi-x9.19, key: 6B948A0134A110705BD325CD6E73BC15, over: cups }
seed: 4
history: faults.jsonl
control: 127.0.0.1:7190
lasts: 10m
record: { to: traffic.jsonl, card key: 00112233445566778899aabbccddeeff }
shadow: { connect: "127.0.0.1:7902", timeout: 5s, report: shadow.jsonl }
rules:
  - latency 20ms jitter 5ms
  - drop 0210 where 4 > 1000 every 7th
`

const tolerance = `ignore: [38, header.source, 48.AS]
within: { 4: 100 }
same class: yes
`

const kinds = {
  partner: { text: partner, read: (file: string) => readPartners(file) },
  dialogue: { text: dialogue, read: (file: string) => readDialogues(file) },
  load: { text: load, read: readLoadFile },
  proxy: { text: proxy, read: readProxyFile },
  tolerance: { text: tolerance, read: readTolerance }
} as const
type Kind = keyof typeof kinds

const folder = mkdtempSync(join(testFolder(), "jinka-files-"))
const underWay = new UnderWay("simulator-files")
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  underWay.ended()
})
const corpus = new URL("../fixtures/simulator/", import.meta.url)

const reading = (kind: Kind, text: string): Exit.Exit<unknown, FileInvalid> => {
  const file = join(folder, `${kind}.yaml`)
  writeFileSync(file, text)
  return Effect.runSyncExit(kinds[kind].read(file) as Effect.Effect<unknown, FileInvalid>)
}

/** Throws for anything but a good file, and a refused one that says where and what. */
const look = (kind: Kind, text: string): void => {
  underWay.begins(text)
  const exit = reading(kind, text)
  if (Exit.isSuccess(exit)) return
  const failed = Cause.squash(exit.cause)
  if (!(failed instanceof FileInvalid)) throw failed
  const said = failed.message.slice(folder.length)
  expect(failed.line, said).toBeGreaterThan(0)
  expect(failed.line, said).toBeLessThanOrEqual(text.split(/\r\n|[\r\n]/).length)
  expect(failed.rule, said).not.toBe("")
  expect(said).not.toMatch(/undefined|\[object|NaN|call stack|is not a function|Cannot read|not iterable|RegExp/)
  expect(said.length, said.slice(0, 300)).toBeLessThan(2000)
  expect(said).not.toContain("\n")
}

describe.each(Object.keys(kinds) as ReadonlyArray<Kind>)(`A %s file (the one under way: ${underWay.place})`, (kind) => {
  const { text } = kinds[kind]

  it("that has something of everything is taken", () => {
    const exit = reading(kind, text)

    // A good plan as text is long, and takes longer to write than to read.
    expect(Exit.isSuccess(exit) ? "Success" : String(exit)).toBe("Success")
  })

  it(
    "is taken, or refused with line and rule, however its keys and values are changed",
    () => {
      fc.assert(
        fc.property(fc.array(anyChange, { minLength: 1, maxLength: 4 }), (changes) => {
          underWay.begins(changes)
          const tree = parseYaml(text)
          for (const change of changes) changeTree(tree, change)
          look(kind, stringify(tree, { aliasDuplicateObjects: false }))
        }),
        { numRuns: runs }
      )
    },
    PATIENCE
  )

  it(
    "is taken, or refused with line and rule, however its characters are changed",
    () => {
      fc.assert(
        fc.property(fc.array(anyTextChange, { minLength: 1, maxLength: 3 }), (changes) =>
          look(kind, changes.reduce(changeText, text))
        ),
        { numRuns: runs }
      )
    },
    PATIENCE
  )
})

describe("A file that once ended otherwise", () => {
  it.each(readdirSync(corpus))("is refused: %s", (name) => {
    const kind = name.split("-")[0] as Kind
    const text = readFileSync(new URL(name, corpus), "utf8")

    look(kind, text)

    expect(Exit.isFailure(reading(kind, text))).toBe(true)
  })
})
