/**
 * Two zones with keys of their own: a key ceremony of two persons, keys that are given and taken, both changed under load, and a
 * message that was changed on its way.
 */
import { randomBytes } from "node:crypto"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Option } from "effect"
import { start } from "../main-job/Child.ts"
import { jinkaOf } from "../shared/Jinka.ts"
import { boughtDuring, codesOf, type Result } from "./Buying.ts"
import { Centre, Issuer } from "./Partners.ts"
import { checkValueOf } from "./Zone.ts"

const isMine = (line: string): boolean => /^(centre|issuer)|still good/.test(line)

/** The byte with an odd number of ones, as DES keys have it. */
const odd = (byte: number): number => {
  let ones = 0
  for (let rest = byte >> 1; rest > 0; rest >>= 1) ones += rest & 1
  return (byte & 0xfe) | (1 - (ones % 2))
}

/** A double-length DES key. */
const newKey = (): Buffer => Buffer.from(randomBytes(16).map(odd))

const xor = (one: Buffer, other: Buffer): Buffer => Buffer.from(one.map((byte, n) => byte ^ other[n]!))

/** What comes of a purchase within a second. */
const soon = (centre: Centre): Effect.Effect<Result> =>
  Effect.map(
    Effect.timeoutOption(centre.buy(), "1 second"),
    Option.getOrElse(() => ["no answer", true] as const)
  )

/** The keys are in the switch's own process. */
const inSoftware = Effect.gen(function* () {
  const jinka = jinkaOf("11-keys")
  yield* jinka.shown("check")
  const masters = { centre: newKey(), issuer: newKey() }
  const issuer = yield* Issuer.listen(7912, masters.issuer)
  const running = yield* jinka.start

  yield* Console.log("\nthe key-encryption keys come in two components, each by another person")
  for (const link of ["centre", "issuer"] as const) {
    const mask = randomBytes(16)
    const parts = [xor(masters[link], mask), mask]
    for (const [n, person] of ["Li", "Wang"].entries()) {
      const check = n === 1 ? ["--check", checkValueOf(masters[link])] : []
      yield* jinka.told(
        ["key", "import"],
        [link, "--purpose", "kek", "--component", String(n + 1), "--of", "2", "--by", person, ...check],
        { input: parts[n]!.toString("hex") }
      )
    }
  }

  const centre = yield* Centre.dial(7911, masters.centre)
  const given = yield* centre.give(newKey())
  yield* jinka.ready(2)
  yield* Console.log(
    `\nthe centre gave us a MAC key (answered ${given}), and we gave the issuer one, because it had none`
  )
  yield* jinka.told(["key", "list"], [], { isWanted: isMine })

  yield* Console.log("\npurchases go through, while the keys of both zones change twice")
  const changing = Effect.gen(function* () {
    for (let round = 0; round < 2; round++) {
      yield* Effect.sleep("150 millis")
      yield* centre.give(newKey())
      yield* jinka.told(["key", "ask"], ["issuer", "--reason", "under load"])
    }
  })
  const results = yield* boughtDuring(changing, centre.bought)
  yield* Console.log(`answers: ${codesOf(results)}; MACs that were not right at the issuer: ${issuer.seen.wrong}`)

  const [code] = yield* centre.buy((message) => ({ ...message, fields: { ...message.fields, 4: "000000009990" } }))
  yield* Console.log(
    `\na purchase whose amount was changed on its way: ${code}; the issuer has seen ${issuer.seen.right} purchases`
  )
  yield* jinka.told(["key", "list"], [], { isWanted: isMine })
  yield* jinka.shown("stop")
  yield* running.exited
  yield* jinka.told(["journal", "verify"])
  if (codesOf(results) !== `${results.length} of 00` || issuer.seen.wrong > 0 || code !== "A0") {
    return yield* Effect.die(new Error("not as told"))
  }
}).pipe(Effect.scoped)

/** A test key, in clear and as a device with the published test LMK prints it. Everybody knows it. */
const testMaster = {
  clear: Buffer.from("3889D6265E54CDD3F8139DC454203146", "hex"),
  device: "U6FD622625EC9E2C6920ED7EE48BFD87D"
}

/** The keys are in two devices, which restart. */
const inDevices = Effect.gen(function* () {
  yield* Console.log("\nthe same two zones, with all keys in two devices (jinka-sim hsm)")
  const jinka = jinkaOf("11-keys", "hsm")
  yield* jinka.shown("check")
  const device = Effect.fnUntraced(function* (name: string, port: number) {
    const child = yield* start({
      name,
      file: "packages/simulator/src/main.ts",
      args: ["hsm", "--listen", `127.0.0.1:${port}`, "--delay", "1 millis"],
      logFile: `${jinka.home}/${name}.log`
    })
    yield* child.until("started")
    return child
  })
  const a = yield* device("hsm-a", 7915)
  const b = yield* device("hsm-b", 7916)
  const issuer = yield* Issuer.listen(7912, testMaster.clear)
  const running = yield* jinka.start
  for (const link of ["centre", "issuer"]) {
    const input = testMaster.device
    yield* jinka.told(["key", "import"], [link, "--purpose", "kek", "--device-text", "--by", "Li"], { input })
  }
  const centre = yield* Centre.dial(7911, testMaster.clear)
  yield* centre.give(newKey())
  yield* jinka.ready(2)

  const restart = Effect.gen(function* () {
    yield* Effect.sleep("100 millis")
    a.tell({ do: "restart", for: "300 millis" })
    yield* Effect.sleep("500 millis")
  })
  const one = yield* boughtDuring(restart, centre.bought)
  yield* Console.log(`\nhsm-a restarts under load: ${codesOf(one)}`)

  for (const each of [a, b]) each.tell({ do: "restart", for: "4 seconds" })
  yield* jinka.ready(0)
  const seen = issuer.seen.right
  const none = yield* Effect.all(
    [1, 2, 3, 4].map(() => soon(centre)),
    { concurrency: "unbounded" }
  )
  yield* Console.log(
    `\nboth are away: ${codesOf(none)}, and ${issuer.seen.right - seen} of them at the issuer: nothing passes without its MAC`
  )
  yield* jinka.shown("status", [], (line) => /hsm/.test(line))
  yield* jinka.ready(2)
  const after = yield* boughtDuring(Effect.void, centre.bought)
  yield* Console.log(`\nboth are back: ${codesOf(after)}; MACs that were not right at the issuer: ${issuer.seen.wrong}`)
  yield* jinka.shown("stop")
  yield* running.exited
  const isTold = codesOf(one) === `${one.length} of 00` && codesOf(after) === `${after.length} of 00`
  if (!isTold || codesOf(none) !== "4 of no answer") {
    return yield* Effect.die(new Error("not as told"))
  }
}).pipe(Effect.scoped)

const story = Effect.gen(function* () {
  yield* inSoftware
  yield* inDevices
  yield* Console.log("\nthe logs and the journals are in .jinka/11-keys")
})

NodeRuntime.runMain(story)
