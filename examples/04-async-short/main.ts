/**
 * A connection for each message: requests go out on ours, answers come in on the partner's, matched by key.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { jinkaOf } from "../shared/Jinka.ts"
import { ask, codeOf, say, take } from "../shared/Short.ts"
import { approvalOf, purchase } from "../shared/Wire.ts"

const story = Effect.gen(function* () {
  const jinka = jinkaOf("04-async-short")
  const waiting: Array<() => void> = []
  const issuer = yield* take(7842, (message) => {
    // Answers in pairs, the second request first: order does not matter.
    waiting.push(() => say(7843, approvalOf(message)))
    if (waiting.length === 2) for (const answer of waiting.splice(0).reverse()) answer()
  })
  const running = yield* jinka.start
  const answers = yield* Effect.forEach([1, 2, 3, 4], (stan) => ask(7841, purchase(stan)), { concurrency: 4 })
  const codes = answers.map(codeOf)
  const stans = answers.map((answer) => String(answer?.fields[11]))
  yield* Console.log(`four terminals at once: answered ${codes.join(" ")}, each its own: ${stans.join(" ")}`)
  yield* Console.log(
    `requests went out on ${issuer.connections} connections of ours, answers came on 4 of the issuer's`
  )
  yield* jinka.shown("status", ["issuer"])
  yield* jinka.shown("trace", ["--stan", "2"])
  yield* jinka.stopped(running)
  if (codes.join(" ") !== "00 00 00 00" || stans.join(" ") !== "000001 000002 000003 000004") {
    return yield* Effect.die(new Error("not as told"))
  }
  yield* Console.log("\nthe log and the journal are in .jinka/04-async-short")
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
