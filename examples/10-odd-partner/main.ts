/**
 * Two partners with lines of their own kind: frames and TPDU as data, half a frame, a cable that is out for a moment, and one
 * that stays out until both sides have acted.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { jinkaOf } from "../shared/Jinka.ts"
import { Cable } from "./Cable.ts"
import { Host, Terminals } from "./Partners.ts"

const isOfHost = (line: string): boolean => /^host|last end/.test(line.trim())

const story = Effect.gen(function* () {
  const jinka = jinkaOf("10-odd-partner")
  yield* jinka.shown("check")
  const host = yield* Host.listen(7903)
  const cable = yield* Cable.between(7902, 7903)
  const running = yield* jinka.start
  const terminals = yield* Terminals.dial(7901)
  yield* jinka.ready(2)

  const codes = [yield* terminals.buy]
  const bytes = host.lastFrame
  yield* Console.log(
    `the host got STX ${bytes.slice(0, 2)}, length ${bytes.slice(2, 6)}, MTI ${bytes.slice(6, 10)} ... ETX ${bytes.slice(-4, -2)}, LRC ${bytes.slice(-2)}; no TPDU`
  )

  yield* Console.log("\nthe host sends half a frame and stops: `frameTimeout`")
  host.sayHalf()
  yield* jinka.until("host", (link) => link.ends[0]?.reason === "FrameTimeout")
  yield* jinka.ready(2)
  yield* jinka.shown("status", [], isOfHost)

  yield* Console.log("\nthe cable is out: silence, and nobody is told")
  const before = host.connections
  cable.pullOut()
  const { state } = yield* jinka.until("host", (link) => link.state.includes("suspect"))
  cable.putIn()
  yield* Console.log(`the watchdog has asked and heard nothing: ${state}, no new requests; then the cable is in again`)
  yield* jinka.ready(2)
  codes.push(yield* terminals.buy)
  yield* Console.log(`it was out for a moment: the same connection lives on (${host.connections - before} new ones)`)

  yield* Console.log(
    "\nnow the cable stays out: the watchdog closes here, the host closes there, each by its own clock"
  )
  cable.pullOut()
  yield* jinka.until("host", (link) => !link.ready && link.ends[0]?.reason === "PeerSilent")
  yield* Effect.repeat(Effect.sleep("100 millis"), { until: () => host.silences > 0 })
  yield* Console.log("the switch has closed, and so has the host: it heard nothing for four seconds")
  cable.putIn()
  yield* jinka.ready(2)
  yield* jinka.shown("status", [], isOfHost)
  codes.push(yield* terminals.buy)

  yield* jinka.stopped(running)
  yield* Console.log("\nthe same with two times that are allowed and unwise:")
  yield* jinka.checked("unwise.yaml", (line) => line.includes("warning"))
  if (codes.join(" ") !== "00 00 00") return yield* Effect.die(new Error("not as told"))
  yield* Console.log("\nthe log and the journal are in .jinka/10-odd-partner")
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
