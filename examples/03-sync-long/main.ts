/**
 * One request at a time on a connection that stays: five terminals at once wait in line, and a timeout closes the connection.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { jinkaOf } from "../shared/Jinka.ts"
import { ask, codeOf, take } from "../shared/Short.ts"
import { approvalOf, purchase, send } from "../shared/Wire.ts"

/** How long the host works on one request. */
const work = "20 millis"

const story = Effect.gen(function* () {
  const jinka = jinkaOf("03-sync-long")
  let isSilent = false
  const order: Array<string> = []
  const host = yield* take(7832, (message, socket) => {
    if (message.mti === "0200") order.push(String(message.fields[11]))
    if (isSilent && message.mti === "0200") return
    Effect.runFork(
      Effect.andThen(
        Effect.sleep(work),
        Effect.sync(() => send(socket, approvalOf(message)))
      )
    )
  })
  const running = yield* jinka.start
  yield* jinka.ready(2)
  const answers = yield* Effect.forEach([1, 2, 3, 4, 5], (stan) => ask(7831, purchase(stan)), { concurrency: 5 })
  const codes = answers.map(codeOf)
  yield* Console.log(`five terminals at once: answered ${codes.join(" ")}`)
  yield* Console.log(`the host got one after the other, on ${host.connections} connection: ${order.join(" ")}`)
  isSilent = true
  codes.push(codeOf(yield* ask(7831, purchase(6))))
  isSilent = false
  yield* Console.log(`\nthe host does not answer purchase 6: ${codes.at(-1)}, and the connection is closed`)
  yield* jinka.ready(2)
  codes.push(codeOf(yield* ask(7831, purchase(7))))
  yield* Console.log(`purchase 7 answered ${codes.at(-1)} on connection ${host.connections}`)
  yield* jinka.shown("status", ["issuer"])
  yield* jinka.stopped(running)
  if (codes.join(" ") !== "00 00 00 00 00 98 00") return yield* Effect.die(new Error("not as told"))
  yield* Console.log("\nthe log and the journal are in .jinka/03-sync-long")
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
