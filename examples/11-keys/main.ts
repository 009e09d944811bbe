/**
 * Two zones with keys of their own: a key ceremony of two persons, keys that are given and taken, both changed under load, and a
 * message that was changed on its way.
 */
import { randomBytes } from "node:crypto"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { jinkaOf } from "../shared/Jinka.ts"
import { boughtDuring, codesOf } from "./Buying.ts"
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

const story = Effect.gen(function* () {
  const jinka = jinkaOf("11-keys")
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
  yield* jinka.stopped(running)
  yield* jinka.told(["journal", "verify"])
  if (codesOf(results) !== `${results.length} of 00` || issuer.seen.wrong > 0 || code !== "A0") {
    return yield* Effect.die(new Error("not as told"))
  }
  yield* Console.log("\nthe log and the journal are in .jinka/11-keys")
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
