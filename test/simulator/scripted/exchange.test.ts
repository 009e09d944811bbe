/** Two partner files exchange keys with the switch that ships, over TCP: one gives, the other one takes. */
import { type ChildProcess, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { afterEach, describe, expect, it } from "vitest"
import { builtProgram } from "../../programs/Programs.ts"
import { keyOf } from "../../switch/core/Guarded.ts"
import { until } from "../../switch/operate/Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitchIn } from "../../switch/operate/program.ts"

const running: Array<ChildProcess> = []
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL")
  cleanUp()
})

const storage = { JINKA_STORAGE_KEY: createHash("sha256").update("the storage key of these partners").digest("hex") }
const mask = Buffer.from("0d2c4b6a8907a6c5e4f3021120314253", "hex")
const zmk = keyOf("zmk-a")

/** Both links have keys: the acquirer gives its own, the issuer is given ours. */
const withKeys = (directory: string): string =>
  configuration(directory, (text) =>
    text
      .replace(
        "requestTimeout: 1 seconds",
        "security:\n  software: { storageKey: { env: JINKA_STORAGE_KEY }, allowTestKeys: true }\nrequestTimeout: 30 seconds"
      )
      .replace("from: [127.0.0.1] }", "from: [127.0.0.1] }\n    mac: { algorithm: ansi-x9.19 }\n    keys: {}")
      .replace(
        "from: [127.0.0.1] }\n    storeAndForward",
        "from: [127.0.0.1] }\n    mac: { algorithm: ansi-x9.19 }\n    keys: { giver: us }\n    storeAndForward"
      )
  )

const ceremony = async (file: string, link: string): Promise<void> => {
  const parts = [Buffer.from(zmk.map((byte, n) => byte ^ mask[n]!)), mask]
  for (const [n, part] of parts.entries()) {
    const args = ["key", "import", file, link, "--purpose", "kek", "--of", "2", "--component", String(n + 1)]
    await jinka([...args, "--by", ["Li", "Wang"][n]!], { input: part.toString("hex") })
  }
}

const partners = (acquirer: number, issuer: number): string => `dialect: cups
keys: { zak: { mac: ansi-x9.19, hex: ${keyOf("zak-a").toString("hex")} } }
mac: zak
key exchange: { under: { hex: ${zmk.toString("hex")} } }
partners:
  - { partner: acquirer, institution: "48020000", link: { connect: "127.0.0.1:${acquirer}" } }
  - { partner: issuer, institution: "01020000", link: { connect: "127.0.0.1:${issuer}" } }
`

/** Runs the file; gives what the partners' histories say of keys, as it comes. */
const play = (directory: string, text: string): ReadonlyArray<string> => {
  writeFileSync(join(directory, "partners.yaml"), text)
  const program = builtProgram("packages/simulator/src/main.ts")
  const child = spawn(process.execPath, [program, "partner", join(directory, "partners.yaml"), "--screen", "lines"])
  running.push(child)
  const said: Array<string> = []
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const { partner, reason, what } = JSON.parse(line)
    if (String(what).startsWith("key")) said.push(`${partner} ${what} ${reason}`)
  })
  return said
}

describe("Partners of a file and the switch", () => {
  it("exchange keys in both directions, and end with the same ones", async () => {
    const directory = folder()
    const file = withKeys(directory)
    const hub = await runSwitchIn(storage, file)
    for (const link of ["acquirer", "issuer"]) await ceremony(file, link)
    const said = play(directory, partners(hub.port("acquirer"), hub.port("issuer")))
    const checkValue = (start: string) =>
      said.findLast((line) => line.startsWith(start))?.match(/key ([0-9A-F]{6})/)?.[1]
    const listed = async () => (await jinka(["key", "list", file])).out.replaceAll(/ {2}since .*/g, "")
    const isListed = async (name: string, value: string | undefined) =>
      value !== undefined && (await listed()).includes(`${name}  mac/both`) && (await listed()).includes(value)
    // Each asks, or gives, by itself as long as there is no key.
    await until(
      () => checkValue("acquirer keyGiven") !== undefined && checkValue("issuer keyTaken") !== undefined,
      "a key on each link"
    )
    const first = [checkValue("acquirer keyGiven"), checkValue("issuer keyTaken")]

    expect(await isListed("acquirer", first[0])).toBe(true)
    expect(await isListed("issuer", first[1])).toBe(true)

    for (const link of ["acquirer", "issuer"]) await jinka(["key", "ask", file, link, "--reason", "a test"])
    await until(
      () => said.filter((line) => / key(?:Given|Taken) mac key/.test(line)).length >= 4,
      "a second key on each link"
    )
    const second = [checkValue("acquirer keyGiven"), checkValue("issuer keyTaken")]

    expect(second[0]).not.toBe(first[0])
    expect(second[1]).not.toBe(first[1])
    expect(await isListed("acquirer", second[0])).toBe(true)
    expect(await isListed("issuer", second[1])).toBe(true)
    await hub.stop()
  })
})
