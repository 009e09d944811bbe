/** `jinka key` and the exchange of keys against a real switch, over TCP, on disk, through kills. */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { isLong } from "../../Runs.ts"
import { keyOf } from "../core/Guarded.ts"
import { delivery, isSealed } from "../core/KeyBench.ts"
import { Line, until } from "./Line.ts"
import {
  cleanUp,
  configuration,
  folder,
  jinka,
  type RunningSwitch,
  runSwitchIn,
  runSwitchProcessIn
} from "./program.ts"

afterEach(cleanUp)

const storage = { JINKA_STORAGE_KEY: createHash("sha256").update("the storage key of these tests").digest("hex") }

/** Keys with the centre, which is link `acquirer`; its institution is 48020000. */
const secured = (directory: string, more = "{}"): string =>
  configuration(directory, (text) =>
    text
      .replace(
        "requestTimeout:",
        "security:\n  software: { storageKey: { env: JINKA_STORAGE_KEY }, allowTestKeys: true }\nrequestTimeout:"
      )
      .replace(
        "listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }",
        `listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }\n    mac: { algorithm: ansi-x9.19 }\n    keys: ${more}`
      )
  )

const run = (file: string): Promise<RunningSwitch> => runSwitchIn(storage, file)

/** As a process of its own, which can be killed. */
const runProcess = (file: string): Promise<RunningSwitch> => runSwitchProcessIn(storage, file)

/** Each step is killed once; with JINKA_LAB=long, for each of the two keys. */
const KILLS = isLong ? 6 : 3

const mask = Buffer.from("0d2c4b6a8907a6c5e4f3021120314253", "hex")
const first = Buffer.from(keyOf("zmk-a").map((byte, n) => byte ^ mask[n]!))

/** Two persons bring the key-encryption key. */
const ceremony = async (file: string) => {
  const args = ["key", "import", file, "acquirer", "--purpose", "kek", "--of", "2"]
  const one = await jinka([...args, "--component", "1", "--by", "Li"], { input: `${first.toString("hex")}\n` })
  const two = await jinka([...args, "--component", "2", "--by", "Wang", "--check", "37B92E"], {
    input: mask.toString("hex")
  })
  return [one, two] as const
}

/** The answer to a key; the switch asks for one by itself while it has none. */
const answered = async (centre: Line) => {
  for (;;) {
    const message = await centre.next()
    if (message.mti === "0810") return message
  }
}

const listed = async (file: string) => JSON.parse((await jinka(["key", "list", file, "--json"])).out)

const slot = async (file: string, name: string) =>
  (await listed(file)).keys.find((line: { slot: string }) => line.slot === name)

describe("jinka key", () => {
  it("brings a key by two persons, shows check values only, and lists, asks and retires; all of it in the journal", async () => {
    const directory = folder()
    const file = secured(directory)
    const running = await run(file)
    const [one, two] = await ceremony(file)
    const centre = await Line.connect(running.port("acquirer"))
    centre.send(delivery("mac", "zak-a", "000001"))
    const answer = await answered(centre)
    const list = await jinka(["key", "list", file])

    expect(one).toMatchObject({ code: 0, err: "" })
    expect(one.out).toMatch(/^check value of the component: [0-9A-F]{6}\nComponent 1 of 2 is here\. Missing: 2;/)
    expect(two.out).toBe("Key kek/both 1 of acquirer is in use, check value 37B92E.\n")
    expect([answer.mti, answer.fields[39], isSealed(answer, "zak-a")]).toEqual(["0810", "00", true])
    expect(list.out).toMatch(/^acquirer {2}kek\/both {2}1 {2}tdes {2}check value 37B92E {2}since /m)
    expect(list.out).toMatch(/^acquirer {2}mac\/both {2}1 {2}tdes {2}check value C4039C {2}since /m)

    const asked = jinka(["key", "ask", file, "acquirer", "--reason", "once a year"])
    const question = await centre.next()
    centre.send({ ...question, mti: "0830", fields: { ...question.fields, 39: "96" } })
    const refused = await asked

    expect(refused.code).toBe(1)
    expect(refused.out).toBe("acquirer: no new key: the partner answered our question for a key with 96\n")

    const retired = await jinka(["key", "retire", file, "acquirer", "--purpose", "mac", "--reason", "seen in a log"])
    expect(retired.out).toContain("Key mac/both 1 of acquirer, check value C4039C, is destroyed.")

    centre.close()
    await running.stop()

    const after = await jinka(["key", "list", file])

    expect(after.out).toMatch(/^No switch runs; the journal says:\nacquirer {2}kek\/both {2}1 {2}tdes/)
    expect(after.out).toContain("acquirer  mac/both  none")

    const verified = await jinka(["journal", "verify", file])
    expect(verified.out).toMatch(/^good: /)

    for (const name of readdirSync(join(directory, "journal"))) {
      const bytes = readFileSync(join(directory, "journal", name))
      for (const key of [keyOf("zmk-a"), keyOf("zak-a"), first, mask]) {
        expect(bytes.includes(key)).toBe(false)
        expect(bytes.toString("latin1").toUpperCase().includes(key.toString("hex").toUpperCase())).toBe(false)
      }
    }
  })

  it("refuses what is no component, a person twice, a wrong check value and a link that is not there, and keeps nothing", async () => {
    const file = secured(folder())
    const running = await run(file)
    const bring = (input: string, ...args: ReadonlyArray<string>) =>
      jinka(["key", "import", file, "acquirer", "--purpose", "kek", ...args], { input })
    const hex = mask.toString("hex")

    const none = await bring("0123", "--component", "1", "--by", "Li")
    const neither = await bring(hex, "--by", "Li")
    await bring(hex, "--component", "1", "--by", "Li")
    const twice = await bring(hex, "--component", "2", "--by", "Li")
    const wrong = await bring(first.toString("hex"), "--component", "2", "--by", "Wang", "--check", "123456")
    const alone = await bring(hex, "--component", "1", "--of", "1", "--by", "Zhao")
    const beyond = await bring(hex, "--component", "3", "--of", "2", "--by", "Zhao")
    const unchecked = await bring(hex, "--component", "2", "--by", "Zhao", "--check", "37")
    const nameless = await bring(hex, "--component", "2", "--by", "62000000 00000005 12345678")
    const elsewhere = await jinka(["key", "ask", file, "nobody"])
    const keys = await listed(file)
    await running.stop()

    expect(none).toMatchObject({ code: 2, err: expect.stringContaining("8 to 32 bytes in hexadecimal") })
    expect(neither).toMatchObject({ code: 2, err: expect.stringContaining("--component N --of M") })
    expect(twice).toMatchObject({ code: 1, err: expect.stringContaining("each comes from another person") })
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining("not 123456: a component is wrong") })
    expect([alone, beyond, unchecked, nameless].map(({ code }) => code)).toEqual([2, 2, 2, 2])
    expect(alone.err).toContain("--of is 2 to 9: each component comes from another person")
    expect(beyond.err).toContain("--component is 1 to 2, as --of 2 says")
    expect(unchecked.err).toContain("--check is the key's check value, 4 to 10 hexadecimal digits")
    expect(nameless.err).toContain("--by is a name of 1 to 60 ASCII characters")
    expect(elsewhere).toMatchObject({ code: 2, err: expect.stringContaining("The links are: acquirer, issuer") })
    expect(keys.keys.filter(({ current }: { current: unknown }) => current !== null)).toEqual([])
    for (const { err, out } of [none, neither, twice, wrong, alone, beyond]) expect(`${out}${err}`).not.toContain(hex)
  })
})

describe("a new storage key", () => {
  it("takes over what is stored under the one before, at one start, and then stands alone; a pasted key is never shown", async () => {
    const directory = folder()
    const file = secured(directory)
    const first = await run(file)
    await ceremony(file)
    await first.stop()

    const text = readFileSync(file, "utf8")
    const fresh = { JINKA_STORAGE_KEY_2: createHash("sha256").update("another one").digest("hex") }
    const before = "previousStorageKeys: [{ env: JINKA_STORAGE_KEY }], "
    const changed = text.replace(
      "storageKey: { env: JINKA_STORAGE_KEY }",
      `${before}storageKey: { env: JINKA_STORAGE_KEY_2 }`
    )
    writeFileSync(file, changed)
    const second = await runSwitchIn({ ...storage, ...fresh }, file)
    await second.stop()
    writeFileSync(file, changed.replace(before, ""))
    const third = await runSwitchIn(fresh, file)
    const centre = await Line.connect(third.port("acquirer"))
    centre.send(delivery("mac", "zak-a", "000001"))
    const answer = await answered(centre)
    const list = await jinka(["key", "list", file])
    await third.stop()
    const verified = await jinka(["journal", "verify", file])
    writeFileSync(file, text)
    const wrong = await run(file)
    await wrong.stop()
    const { err } = await wrong.ended
    writeFileSync(file, text.replace("{ env: JINKA_STORAGE_KEY }", storage.JINKA_STORAGE_KEY))
    const pasted = await jinka(["check", file])

    expect([answer.fields[39], isSealed(answer, "zak-a")]).toEqual(["00", true])
    expect(list.out).toMatch(/^acquirer {2}kek\/both {2}1 {2}tdes {2}check value 37B92E/m)
    expect(verified.out).toMatch(/^good: /)
    expect(err).toContain("key kek/both 1 is stored under another storage key")
    expect(pasted.code).toBe(2)
    expect(`${pasted.out}${pasted.err}`).not.toContain(storage.JINKA_STORAGE_KEY.slice(0, 8))
  })
})

describe("a key exchange through kills", () => {
  it("ends with a key that both sides have: what was answered for is never lost, and a repeat of the last one is good", async () => {
    const file = secured(folder(), "{ window: 24 hours }")
    let running = await runProcess(file)
    await ceremony(file)
    const names = ["zak-a", "zak-b"] as const
    const values = { "zak-a": "C4039C", "zak-b": "AE5D14" } as const
    for (let round = 0; round < KILLS; round++) {
      const name = names[round % 2]!
      const stan = String(round + 1).padStart(6, "0")
      const centre = await Line.connect(running.port("acquirer"))
      centre.send(delivery("mac", name, stan))
      // Before it is read, while it is stored, or after its answer.
      const isAnswered = round % 3 === 2
      if (isAnswered) expect((await answered(centre)).fields[39]).toBe("00")
      else await new Promise((resolve) => setTimeout(resolve, 3 * (round % 3)))
      running.signal("SIGKILL")
      await running.ended
      centre.close()

      // The last one is not killed any more.
      running = await (round === KILLS - 1 ? run : runProcess)(file)
      const found = await slot(file, "mac/both")
      const before = round === 0 ? undefined : values[names[(round + 1) % 2]!]
      expect([values[name], ...(isAnswered ? [] : [before])]).toContain(found?.current?.checkValue)

      const again = await Line.connect(running.port("acquirer"))
      again.send(delivery("mac", name, stan))
      const answer = await answered(again)
      expect([answer.fields[39], isSealed(answer, name)]).toEqual(["00", true])
      expect((await slot(file, "mac/both")).current.checkValue).toBe(values[name])
      again.close()
    }
    await until(async () => (await running.status()).links.every(({ ready }) => !ready), "the line is closed")
    await running.stop()

    expect((await jinka(["journal", "verify", file])).out).toMatch(/^good: /)
  })
})
