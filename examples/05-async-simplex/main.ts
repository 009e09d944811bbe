/**
 * One link on two sockets: both legs up, an exchange over them, the death of one leg, both rebuilt, an exchange again.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { Acquirer } from "../shared/Acquirer.ts"
import { jinkaOf } from "../shared/Jinka.ts"
import { SimplexPartner } from "./Partner.ts"

const isOfIssuer = (line: string): boolean => /^issuer|leg |last end/.test(line.trim())

const story = Effect.gen(function* () {
  const jinka = jinkaOf("05-async-simplex")
  const partner = yield* SimplexPartner.start(7853, 7852)
  const running = yield* jinka.start
  const acquirer = yield* Acquirer.dial(7851)
  yield* jinka.ready(2)
  yield* jinka.shown("status", [], isOfIssuer)
  const before = yield* acquirer.buy
  yield* Console.log("\nthe partner's receiving socket breaks: our sending leg")
  partner.breakReceiving()
  yield* Effect.sleep("100 millis")
  yield* jinka.shown("status", [], isOfIssuer)
  yield* Console.log("\nour sending leg was made anew at once and waits for the other; now the partner dials again")
  partner.comeBack()
  yield* jinka.ready(2)
  yield* Console.log("\nboth legs are up again, after three answered echoes")
  yield* jinka.shown("status", [], isOfIssuer)
  const after = yield* acquirer.buy
  yield* jinka.stopped(running)
  if (before !== "00" || after !== "00") return yield* Effect.die(new Error("a purchase was not approved"))
  yield* Console.log("\nboth purchases approved; the log and the journal are in .jinka/05-async-simplex")
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
