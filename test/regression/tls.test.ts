/** Dialogues over TLS, on the side that connects and on the one that listens. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Authority, type Issued } from "../../examples/08-many-institutions/Authority.ts"
import { freePort } from "../../examples/shared/FreePort.ts"
import { runDialogues, usualRun } from "../../packages/simulator/src/dialogue/index.ts"
import { patience } from "../Pace.ts"
import { testFolder } from "../TestFolder.ts"
import { messages, readDialogue } from "./Written.ts"

const folder = mkdtempSync(join(testFolder(), "jinka-dialogue-tls-"))
let ours: Authority
let near: Issued
let far: Issued
let stranger: Issued
beforeAll(async () => {
  ours = await Authority.make(folder, "ca")
  near = await ours.issue("near.example")
  far = await ours.issue("far.example")
  stranger = await (await Authority.make(folder, "other-ca")).issue("stranger.example")
  writeFileSync(join(folder, "messages.yaml"), messages)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A file in which A dials B over TLS, each with its own keys. */
const fileOf = (a: string, b: string, steps: string): string => {
  const path = join(folder, "one.yaml")
  const partners = `{ A: { connects to: there, tls: ${a} }, B: { listens for: there, tls: ${b} } }`
  writeFileSync(path, `rule: x\nsource: y\nmessages: messages.yaml\npartners: ${partners}\nsteps:\n${steps}`)
  return path
}

const asked = `  - B listens
  - A connects
  - B accepts
  - A sends: { like: sign-on, as: asked }
  - B expects: { same as: asked, as: seen }
  - B sends: { answer to: seen, 39: "00" }
  - A expects: { answer to: asked, 39: "00" }
`

const keysOf = ({ certificate, key }: Issued) => `certificate: ${certificate}, key: ${key}, ca: [${ours.file}]`

const run = async (a: string, b: string, steps: string, withinMs = patience(3000)) => {
  const endpoint = { host: "127.0.0.1", port: await Effect.runPromise(freePort) }
  const dialogue = await Effect.runPromise(readDialogue(fileOf(a, b, steps)))
  const [outcome] = await Effect.runPromise(
    runDialogues([dialogue], { ...usualRun, withinMs, endpoint: () => endpoint })
  )
  return outcome?.failure?.says.join("; ") ?? "good"
}

describe("A dialogue over TLS", () => {
  it.each([
    ["FIN", "FIN"],
    ["RST", "RST"]
  ])("goes through with the certificates that the file names, and sees a %s", async (how, seen) => {
    const steps = `${asked}  - A closes: ${how}\n  - B expects close: ${seen}\n`

    expect(await run(`{ ${keysOf(near)}, name: far.example }`, `{ ${keysOf(far)} }`, steps)).toBe("good")
  })

  it("says why a certificate of another authority is not taken", async () => {
    const wrong = `{ certificate: ${stranger.certificate}, key: ${stranger.key} }`

    const says = await run(`{ ca: [${ours.file}], name: far.example }`, wrong, asked, 300)

    expect(says).toMatch(/no connection to .* in \d+ ms: .*(certificate|issuer|self|chain)/i)
  })

  it("is refused with its line where a side lacks its keys, or a file is no PEM", async () => {
    const refused = (a: string, b: string) =>
      Effect.runPromise(
        Effect.flip(readDialogue(fileOf(a, b, asked))).pipe(Effect.map((wrong) => String(wrong.message)))
      )

    expect(await refused("{}", `{ ${keysOf(far)} }`)).toMatch(/one\.yaml:4: tls: a side that connects needs `ca`/)
    expect(await refused(`{ ca: [${ours.file}] }`, "{}")).toMatch(/one\.yaml:4: tls: a side that listens needs/)
    expect(await refused("{ ca: [messages.yaml] }", "{}")).toMatch(/one\.yaml:4: ca: a file in PEM/)
  })
})
