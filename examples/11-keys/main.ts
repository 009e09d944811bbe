/**
 * Two zones with keys of their own: a key ceremony of two persons, keys that are given and taken, both changed under load, and a
 * message that was changed on its way.
 */
import { randomBytes } from "node:crypto"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Option } from "effect"
import { start } from "../main-job/Child.ts"
import { jinkaOf } from "../shared/Jinka.ts"
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

type Result = readonly [code: string, isRight: boolean]

/** This many purchases, one every 2 ms, at most four at once; adds what came of each to `results`. */
const buying = (count: number, results: Array<Result>, buy: Effect.Effect<Result>) =>
  Effect.forEach(
    Array.from({ length: count }),
    () =>
      Effect.andThen(
        Effect.sleep("2 millis"),
        Effect.map(buy, (result) => results.push(result))
      ),
    { concurrency: 4, discard: true }
  )

/** What comes of a purchase within 3 seconds. */
const soon = (centre: Centre): Effect.Effect<Result> =>
  Effect.map(
    Effect.timeoutOption(centre.buy(), "3 seconds"),
    Option.getOrElse(() => ["no answer", true] as const)
  )

const codesOf = (results: ReadonlyArray<Result>): string => {
  const codes = new Map<string, number>()
  for (const [code] of results) codes.set(code, (codes.get(code) ?? 0) + 1)
  return [...codes].map(([code, count]) => `${count} of ${code}`).join(", ")
}

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

  yield* Console.log("\na thousand purchases, while the keys of both zones change twice")
  const results: Array<Result> = []
  const changing = Effect.gen(function* () {
    for (let round = 0; round < 2; round++) {
      yield* Effect.sleep("150 millis")
      yield* centre.give(newKey())
      yield* jinka.told(["key", "ask"], ["issuer", "--reason", "under load"])
    }
  })
  yield* Effect.all([buying(1000, results, centre.bought), changing], { concurrency: 2 })
  const unsealed = results.filter(([, isRight]) => !isRight).length
  yield* Console.log(
    `answers: ${codesOf(results)}; MACs that were not right: ${unsealed} at the centre, ${issuer.seen.wrong} at the issuer`
  )

  const [code] = yield* centre.buy((message) => ({ ...message, fields: { ...message.fields, 4: "000000009990" } }))
  yield* Console.log(
    `\na purchase whose amount was changed on its way: ${code}; the issuer has seen ${issuer.seen.right} purchases`
  )
  yield* jinka.told(["key", "list"], [], { isWanted: isMine })
  yield* jinka.shown("stop")
  yield* running.exited
  yield* jinka.told(["journal", "verify"])
  if (codesOf(results) !== "1000 of 00" || unsealed + issuer.seen.wrong > 0 || code !== "A0") {
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

  const one: Array<Result> = []
  const restart = Effect.andThen(
    Effect.sleep("100 millis"),
    Effect.sync(() => a.tell({ do: "restart", for: "500 millis" }))
  )
  yield* Effect.all([buying(500, one, centre.bought), restart], { concurrency: 2 })
  yield* Console.log(`\nhsm-a restarts under load: ${codesOf(one)}`)

  for (const each of [a, b]) each.tell({ do: "restart", for: "6 seconds" })
  yield* jinka.ready(0)
  const seen = issuer.seen.right
  const none: Array<Result> = []
  yield* buying(4, none, soon(centre))
  yield* Console.log(
    `\nboth are away: ${codesOf(none)}, and ${issuer.seen.right - seen} of them at the issuer: nothing passes without its MAC`
  )
  yield* jinka.shown("status", [], (line) => /hsm/.test(line))
  yield* jinka.ready(2)
  const after: Array<Result> = []
  yield* buying(20, after, centre.bought)
  yield* Console.log(`\nboth are back: ${codesOf(after)}; MACs that were not right at the issuer: ${issuer.seen.wrong}`)
  yield* jinka.shown("stop")
  yield* running.exited
  if (codesOf(one) !== "500 of 00" || codesOf(none) !== "4 of no answer" || codesOf(after) !== "20 of 00") {
    return yield* Effect.die(new Error("not as told"))
  }
}).pipe(Effect.scoped)

const story = Effect.gen(function* () {
  yield* inSoftware
  yield* inDevices
  yield* Console.log("\nthe logs and the journals are in .jinka/11-keys")
})

NodeRuntime.runMain(story)
