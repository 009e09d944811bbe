/**
 * Two zones through a running switch: keys by two persons each, MACs and PIN blocks over TCP, over a kill; and nothing of a
 * PIN, a block or a key in a file, the log or a report.
 */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import type { Message } from "@jinka/codec"
import { afterEach, describe, expect, it } from "vitest"
import { bytesOf, cupsMacOf, keyOf, pinBlock, pinIn, sealed } from "../core/Guarded.ts"
import { answerTo, Line, purchase } from "./Line.ts"
import { cleanUp, configuration, folder, hasty, jinka, runSwitchIn, runSwitchProcessIn } from "./program.ts"

afterEach(cleanUp)

const storage = { JINKA_STORAGE_KEY: createHash("sha256").update("the storage key of these tests").digest("hex") }

/** The longest there is: so many digits do not come by chance. */
const pin = "493817205566"
const pan = "6212341234567890123"

const secured = (directory: string): string =>
  configuration(directory, (text) =>
    hasty(text)
      .replace(
        "requestTimeout:",
        "security:\n  software: { storageKey: { env: JINKA_STORAGE_KEY }, allowTestKeys: true }\nrequestTimeout:"
      )
      .replaceAll(
        "listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }",
        "listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }\n    mac: { algorithm: ansi-x9.19 }\n    pin: { format: iso0 }"
      )
  )

const mask = Buffer.from("0d2c4b6a8907a6c5e4f3021120314253", "hex")

/** Two persons bring a key of the vectors. */
const bring = async (file: string, link: string, purpose: string, key: string): Promise<void> => {
  const args = ["key", "import", file, link, "--purpose", purpose, "--of", "2"]
  const first = Buffer.from(keyOf(key).map((byte, at) => byte ^ mask[at]!))
  for (const [component, by, bytes] of [
    ["1", "Li", first],
    ["2", "Wang", mask]
  ] as const) {
    const { code, err } = await jinka([...args, "--component", component, "--by", by], { input: bytes.toString("hex") })
    expect([code, err]).toEqual([0, ""])
  }
}

const withPin = (stan: number, key: string): Message => {
  const bare = purchase(stan, pan)
  const block = pinBlock(pin, key, "iso0", pan)
  return sealed({ ...bare, fields: { ...bare.fields, 52: block, 53: "2600000000000000" } }, "zak-a")
}

const isSealed = (message: Message, key: string): boolean => {
  const { 128: mac, ...fields } = message.fields
  return mac === cupsMacOf({ ...message, fields }, key)
}

const everyFile = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile() && !path.endsWith("switch.yaml"))

describe("Two zones", () => {
  it("are kept apart over TCP and a kill, and nothing of PINs, blocks and keys is anywhere", async () => {
    const directory = folder()
    const file = secured(directory)
    const running = await runSwitchProcessIn(storage, file)
    await bring(file, "acquirer", "mac", "zak-a")
    await bring(file, "acquirer", "pin", "zpk-a")
    await bring(file, "issuer", "mac", "zak-b")
    await bring(file, "issuer", "pin", "zpk-b")
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))

    acquirer.send(withPin(1, "zpk-a"))
    const asked = await issuer.next()
    expect([isSealed(asked, "zak-b"), pinIn(asked.fields[52], "zpk-b", "iso0", pan)]).toEqual([true, pin])
    const { 128: _, ...fields } = asked.fields
    issuer.send(sealed(answerTo({ ...asked, fields }), "zak-b"))
    const answered = await acquirer.next()
    expect([answered.fields[39], isSealed(answered, "zak-a")]).toEqual(["00", true])

    // A block of another zone; and a request that nobody answers.
    acquirer.send(withPin(2, "zpk-b"))
    expect((await acquirer.next()).fields[39]).toBe("99")
    acquirer.send(withPin(3, "zpk-a"))
    await issuer.next()
    expect((await acquirer.next()).fields[39]).toBe("98")
    const reversal = await issuer.next()
    expect([reversal.mti, isSealed(reversal, "zak-b"), reversal.fields[52]]).toEqual(["0420", true, undefined])

    const reports = [await jinka(["status", file]), await jinka(["status", file, "--json"])]
    reports.push(await jinka(["trace", file, "--stan", "1", "--json"]))
    expect(reports[0]!.out).toContain("MACs 3 right")
    running.signal("SIGKILL")
    const first = await running.ended
    const again = await runSwitchIn(storage, file)
    const back = await Line.connect(again.port("issuer"))
    const repeated = await back.next()
    expect([repeated.mti, isSealed(repeated, "zak-b")]).toEqual(["0421", true])
    await again.stop()
    const second = await again.ended
    reports.push(await jinka(["journal", "summary", file]))

    const block = (key: string) => pinBlock(pin, key, "iso0", pan)
    const secrets = [block("zpk-a"), block("zpk-b"), bytesOf(asked.fields[52]), Buffer.from(pin)]
    const keys = ["zak-a", "zak-b", "zpk-a", "zpk-b"].map(keyOf)
    const seen = [
      ...everyFile(directory).map((path) => [path, readFileSync(path)] as const),
      ...reports.map(({ err, out }, at) => [`report ${at}`, Buffer.from(out + err)] as const),
      ...[first, second].map(({ err, lines }, at) => [`log ${at}`, Buffer.from(JSON.stringify(lines) + err)] as const)
    ]
    expect(seen.length).toBeGreaterThan(6)
    for (const [where, bytes] of seen)
      for (const secret of [...secrets, ...keys]) {
        const hex = secret.toString("hex")
        const isThere = [secret, Buffer.from(hex), Buffer.from(hex.toUpperCase())].some((one) => bytes.includes(one))
        expect([where, isThere]).toEqual([where, false])
      }
  })
})
