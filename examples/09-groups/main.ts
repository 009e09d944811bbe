/**
 * Two groups of links: a primary that dies, its backup, the way back after a quiet time; and two connections that fall together.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { Acquirer } from "../shared/Acquirer.ts"
import { jinkaOf } from "../shared/Jinka.ts"
import { Issuer } from "./Issuer.ts"

const LINKS = 5
/** The configuration's quiet time, and a moment for reconnecting and three echoes. */
const quiet = "7 seconds"

const isOfGroup = (line: string): boolean => /group,|issuer-[ab] (used|spare|away)|centre-\d (used|away)/.test(line)
const isOfCentre = (line: string): boolean => /^centre-\d|GroupFell|centre {2}group/.test(line.trim())

const story = Effect.gen(function* () {
  const jinka = jinkaOf("09-groups")
  const issuer = yield* Issuer.start({ "host a": 7892, "host b": 7893, "centre 1": 7894, "centre 2": 7895 })
  const running = yield* jinka.start
  const acquirer = yield* Acquirer.dial(7891)
  yield* jinka.ready(LINKS)
  const codes = [yield* acquirer.buy]
  yield* Console.log("\nthe primary dies: the backup takes over at once")
  issuer.kill("host a")
  yield* Effect.sleep("100 millis")
  codes.push(yield* acquirer.buy)
  yield* Console.log("\nthe primary is back: it proves itself, and waits out its quiet time")
  issuer.revive("host a")
  codes.push(yield* acquirer.buy)
  yield* jinka.ready(LINKS)
  yield* jinka.shown("status", [], isOfGroup)
  yield* Effect.sleep(quiet)
  yield* Console.log("\nafter the quiet time it is the primary again")
  codes.push(yield* acquirer.buy)
  yield* jinka.shown("status", [], isOfGroup)
  yield* Console.log("\none connection of the centre breaks: both are closed and made anew")
  issuer.kill("centre 1")
  issuer.revive("centre 1")
  yield* Effect.sleep("1 second")
  yield* jinka.ready(LINKS)
  yield* jinka.shown("status", [], isOfCentre)
  yield* jinka.stopped(running)
  if (codes.some((code) => code !== "00")) return yield* Effect.die(new Error(`not all approved: ${codes.join(" ")}`))
  yield* Console.log("\nfour purchases approved; the log and the journal are in .jinka/09-groups")
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
