/**
 * A switch that gives keys, as a process of its own, killed by SIGKILL around each step: before it has sent the key, before it is
 * answered for, and behind the answer. Keys in software, and in a device over TCP. What each step does without processes is in
 * test/switch/core/keys-crash.test.ts.
 */
import { createHash } from "node:crypto"
import { decryptBlocks, encryptBlocks, type Message, reveal } from "@jinka/codec"
import { Effect, Exit, Scope } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { chanceOf } from "../../../packages/simulator/src/chance/Chance.ts"
import { startHsmDevice } from "../../../packages/simulator/src/hsm/HsmDevice.ts"
import { keyText } from "../../../packages/simulator/src/hsm/TestLmk.ts"
import { patience } from "../../Pace.ts"
import { isLong } from "../../Runs.ts"
import { keyOf } from "../core/Guarded.ts"
import { macOf } from "../core/KeyBench.ts"
import { Line } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitchIn, runSwitchProcessIn } from "./program.ts"

const storage = { JINKA_STORAGE_KEY: createHash("sha256").update("the storage key of these tests").digest("hex") }
const scopes: Array<Scope.Closeable> = []

afterEach(async () => {
  await cleanUp()
  for (const scope of scopes.splice(0)) await Effect.runPromise(Scope.close(scope, Exit.void))
})

const secured = (security: string): string =>
  configuration(folder(), (text) =>
    text
      .replace("requestTimeout:", `security:\n  ${security}\nrequestTimeout:`)
      .replace(
        "listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }",
        "listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }\n    mac: { algorithm: ansi-x9.19 }\n    keys: { giver: us, first: wait }"
      )
  )

const mask = Buffer.from("0d2c4b6a8907a6c5e4f3021120314253", "hex")

/** What holds the keys: the configuration's words, and how the key-encryption key gets there. */
const modules = {
  software: async () => ({
    security: "software: { storageKey: { env: JINKA_STORAGE_KEY }, allowTestKeys: true }",
    bring: async (file: string) => {
      const args = ["key", "import", file, "acquirer", "--purpose", "kek", "--of", "2"]
      const first = Buffer.from(keyOf("zmk-a").map((byte, n) => byte ^ mask[n]!))
      await jinka([...args, "--component", "1", "--by", "Li"], { input: first.toString("hex") })
      await jinka([...args, "--component", "2", "--by", "Wang"], { input: mask.toString("hex") })
    }
  }),
  device: async () => {
    const scope = Scope.makeUnsafe()
    scopes.push(scope)
    const { endpoint } = await Effect.runPromise(
      startHsmDevice({
        ...{ listen: { host: "127.0.0.1", port: 0 }, family: "payshield", headerLength: 4, delayMs: 1 },
        ...{ isInOrder: false, errorPercent: 0, errorCode: "41", connectionsMax: 0, chance: chanceOf(11, "hsm") }
      }).pipe(Scope.provide(scope))
    )
    return {
      security: `hsm: { devices: [{ name: a, host: 127.0.0.1, port: ${endpoint.port} }], reconnect: { min: 20 millis } }`,
      bring: async (file: string) => {
        const args = ["key", "import", file, "acquirer", "--purpose", "kek", "--device-text", "--by", "Li"]
        await jinka(args, { input: keyText("000", "U", keyOf("zmk-a")) })
      }
    }
  }
} as const

/** The key in our 0800. */
const keyIn = (message: Message): Buffer => {
  const value = message.fields[48]!
  const text = typeof value === "string" ? value : String(reveal(value as never))
  return decryptBlocks("tdes", keyOf("zmk-a"), Buffer.from(text.slice(2), "latin1")) as Buffer
}

/** The partner takes the key. */
const taken = (message: Message, key: Buffer): Message => {
  const { 48: _, 96: __, 128: ___, ...kept } = message.fields
  const answer = {
    mti: "0810",
    header: { destination: "00010000", source: "48020000" },
    fields: { ...kept, 39: "00" }
  }
  return { ...answer, fields: { ...answer.fields, 128: macOf(answer, key) } }
}

const shownOf = (key: Buffer): string =>
  (encryptBlocks("tdes", key, Buffer.alloc(8)) as Buffer).toString("hex", 0, 3).toUpperCase()

const slotOf = async (file: string) => {
  const { keys } = JSON.parse((await jinka(["key", "list", file, "--json"])).out)
  return keys.find(({ slot }: { slot: string }) => slot === "mac/both")
}

/** The next 0800 with a key; `undefined` when none comes in this time. */
const keyFor = (line: Line, ms: number): Promise<Message | undefined> => {
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, ms, undefined))
  const next = async (): Promise<Message> => {
    const message = await line.next()
    return message.mti === "0800" ? message : next()
  }
  return Promise.race([next(), late])
}

/** Round by round: killed somewhere before the key is out, before it is answered for, and behind the answer. */
const steps = ["before", "between", "behind"] as const

/** JINKA_LAB=long: both are killed around each step twice. What a module has to do with a step is not its process's. */
const twice = [...steps, ...steps]
const rounds = { software: isLong ? twice : steps, device: isLong ? twice : (["between"] as const) }

describe.each(["software", "device"] as const)("A switch that gives keys out of %s, killed again and again", (kind) => {
  it("ends with a key that its partner has, too, and offers the same one until that is so", {
    timeout: 180_000
  }, async () => {
    const { bring, security } = await modules[kind]()
    const file = secured(security)
    let running = await runSwitchProcessIn(storage, file)
    await bring(file)
    let theirs: Buffer | undefined
    const seen: Array<string> = []
    for (const [round, when] of rounds[kind].entries()) {
      const partner = await Line.connect(running.port("acquirer"))
      const asked = jinka(["key", "ask", file, "acquirer"])
      const offer = when === "before" ? undefined : await keyFor(partner, patience(20_000))
      if (when === "before") await new Promise((resolve) => setTimeout(resolve, 40 * round + 5))
      if (when === "behind") {
        theirs = keyIn(offer!)
        partner.send(taken(offer!, theirs))
        await new Promise((resolve) => setTimeout(resolve, 4 * (round % 2)))
      }
      running.signal("SIGKILL")
      await running.ended
      await asked
      partner.socket.destroy()

      // The last one is not killed any more.
      const isLast = round === rounds[kind].length - 1
      running = await (isLast ? runSwitchIn : runSwitchProcessIn)(storage, file)
      const offered = (await slotOf(file))?.offered
      const again = await Line.connect(running.port("acquirer"))
      if (offered != null) {
        const repeated = await keyFor(again, patience(20_000))
        const key = keyIn(repeated!)
        seen.push(when)
        expect(shownOf(key)).toBe(offered.checkValue)
        if (offer !== undefined) expect(key).toEqual(keyIn(offer))
        theirs = key
        again.send(taken(repeated!, key))
      }
      await expect.poll(async () => (await slotOf(file))?.offered ?? null, { timeout: patience(10_000) }).toBeNull()
      expect((await slotOf(file))?.current?.checkValue).toBe(theirs === undefined ? undefined : shownOf(theirs))
      again.socket.destroy()
    }
    await running.stop()

    expect(seen.filter((when) => when === "between")).toHaveLength(
      rounds[kind].filter((when) => when === "between").length
    )
    expect((await jinka(["journal", "verify", file])).out).toMatch(/^good: /)
  })
})
