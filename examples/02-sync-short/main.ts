/**
 * A connection for each exchange: three purchases on three connections on each side, a host that breaks, and its reversal.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { jinkaOf } from "../shared/Jinka.ts"
import { ask, codeOf, take } from "../shared/Short.ts"
import { approvalOf, purchase, send } from "../shared/Wire.ts"

const story = Effect.gen(function* () {
  const jinka = jinkaOf("02-sync-short")
  let isBroken = false
  const mtis: Array<string> = []
  const host = yield* take(7822, (message, socket) => {
    mtis.push(message.mti)
    if (isBroken && message.mti === "0200") socket.resetAndDestroy()
    else send(socket, approvalOf(message))
  })
  const running = yield* jinka.start
  const codes: Array<string> = []
  for (const stan of [1, 2, 3]) {
    codes.push(codeOf(yield* ask(7821, purchase(stan))))
    yield* Console.log(
      `terminal: purchase ${stan} answered ${codes.at(-1)}; connections to the host so far: ${host.connections}`
    )
  }
  isBroken = true
  codes.push(codeOf(yield* ask(7821, purchase(4))))
  yield* Console.log(`\nthe host breaks the connection of purchase 4: answered ${codes.at(-1)}, and reversed`)
  yield* Effect.sleep("500 millis")
  yield* Console.log(`the host has seen ${mtis.join(" ")}`)
  yield* jinka.shown("trace", ["--stan", "4"])
  yield* jinka.stopped(running)
  if (codes.join(" ") !== "00 00 00 98" || !mtis.includes("0420")) return yield* Effect.die(new Error("not as told"))
  yield* Console.log("\nthe log and the journal are in .jinka/02-sync-short")
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
