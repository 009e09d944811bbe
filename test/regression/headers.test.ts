/** A dialogue over a partner's own header, dialect file and frame: asked, answered with the addresses turned around. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { join } from "node:path"
import {
  compile,
  type Dialect,
  Framer,
  MessageIndex,
  namedFrames,
  PatchList,
  readDialect,
  responseMti,
  wholeFrame
} from "@jinka/codec"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { failureText, type Outcome, runDialogue } from "../../packages/simulator/src/dialogue/index.ts"
import { testFolder } from "../TestFolder.ts"
import { patientRun, readDialogue } from "./Written.ts"

const dialectText = `name: harbour
extends: iso8583v1987AsciiRaw
header: visa22
fields: { 60: ans...030 }
`

const codec = compile(readDialect(dialectText) as Dialect)
const frame = namedFrames.find(({ name }) => name === "binary2-after2")!.format

const folders: Array<string> = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A system that answers each request 00; its header is turned around, unless `isTurned` is false. */
const system = (isTurned: boolean) =>
  Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer((socket) => {
        const framer = new Framer(frame)
        socket.on("error", () => {})
        socket.on("data", (chunk) => {
          framer.push(chunk, {
            idle: () => {},
            frame: (bytes, start, end) => {
              const index = new MessageIndex()
              if (codec.index(bytes, start, end, index) !== undefined) return
              const patches = new PatchList()
              patches.mti(responseMti(index.mti))
              patches.set(39, "00")
              if (isTurned) patches.answer()
              socket.write(wholeFrame(frame, codec.patched(index, patches)))
            }
          })
        })
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )

const dialogueText = (): string => `rule: A request is answered.
source: the partner's specification
dialect: ./harbour.yaml
frame: binary2-after2
partners: { A: connects to target }
steps:
  - A connects
  - A sends: { mti: 0200, header: { destination: "400001", source: "200002" }, 3: "000000", 7: "1125083005", 11: "000001", 60: "KEY", as: asked }
  - A expects: { answer to: asked, 39: "00" }
`

const run = (text: string, isTurned = true): Promise<Outcome> => {
  const folder = mkdtempSync(join(testFolder(), "jinka-dialogue-"))
  folders.push(folder)
  writeFileSync(join(folder, "harbour.yaml"), dialectText)
  writeFileSync(join(folder, "dialogue.yaml"), text)
  return Effect.gen(function* () {
    const server = yield* system(isTurned)
    const { port } = server.address() as Net.AddressInfo
    const dialogue = yield* readDialogue(join(folder, "dialogue.yaml"))
    return yield* runDialogue(dialogue, {
      ...patientRun,
      endpoint: () => ({ host: "127.0.0.1", port })
    })
  }).pipe(Effect.scoped, Effect.runPromise)
}

describe("A dialogue in a partner's own dialect", () => {
  it("is kept when the answer has the addresses of the header turned around", async () => {
    const outcome = await run(dialogueText())
    expect(failureText(outcome)).toBe("")
    expect(outcome.result).toBe("kept")
  })

  it("is broken when they are not", async () => {
    const outcome = await run(dialogueText(), false)
    expect(outcome.failure?.says).toEqual([
      'header.destination: "200002" expected, "400001" came',
      'header.source: "400001" expected, "200002" came'
    ])
  })

  it("is refused with its line where dialect or frame are none", async () => {
    const wrong = (text: string): Promise<string> => run(text).then(() => "no error", String)
    expect(await wrong(dialogueText().replace("./harbour.yaml", "./none.yaml"))).toContain("no such file")
    expect(await wrong(dialogueText().replace("binary2-after2", "binary7"))).toContain('no frame "binary7" is known')
    expect(await wrong(dialogueText().replace("harbour.yaml", "dialogue.yaml"))).toContain("is no dialect file")
  })
})
