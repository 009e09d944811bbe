/**
 * Keys in two devices in the network: partners' keys by a device's own text, a working key taken in and one drawn there, a device
 * that is restarted under load, and both of them away.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Option } from "effect"
import { chanceOf } from "../../packages/simulator/src/chance/Chance.ts"
import { startHsmDevice } from "../../packages/simulator/src/hsm/HsmDevice.ts"
import { keyText, withParity } from "../../packages/simulator/src/hsm/TestLmk.ts"
import { boughtDuring, codesOf } from "../11-keys/Buying.ts"
import { Centre, Issuer } from "../11-keys/Partners.ts"
import { checkValueOf } from "../11-keys/Zone.ts"
import { jinkaOf } from "../shared/Jinka.ts"

const chance = chanceOf(13, "hsm")

/** A double-length DES key. */
const newKey = (): Buffer => withParity(Uint8Array.from({ length: 16 }, () => chance.below(256)))

/** What `jinka-sim hsm --listen 127.0.0.1:PORT --delay "2 millis"` does, within this process. */
const device = (port: number) =>
  startHsmDevice({
    listen: { host: "127.0.0.1", port },
    family: "payshield",
    headerLength: 4,
    delayMs: 2,
    isInOrder: false,
    errorPercent: 0,
    errorCode: "41",
    connectionsMax: 0,
    chance
  })

/** The lines about the devices, without times, which are others at each run. */
const isDevice = (line: string): boolean => /^keys|hsm-/.test(line)

const story = Effect.gen(function* () {
  const jinka = jinkaOf("13-hsm")
  const masters = { centre: newKey(), issuer: newKey() }
  const [first, second] = [yield* device(7921), yield* device(7922)]
  const issuer = yield* Issuer.listen(7924, masters.issuer)
  const running = yield* jinka.start
  yield* jinka.devices("up")
  yield* jinka.shown("status", [], isDevice)

  yield* Console.log("\nthe partners' keys, as the device printed them at the ceremony: no secret without the device")
  for (const link of ["centre", "issuer"] as const) {
    yield* jinka.told(
      ["key", "import"],
      [link, "--purpose", "kek", "--device-text", "--by", "Li", "--check", checkValueOf(masters[link])],
      { input: keyText("000", "U", masters[link]) }
    )
  }
  const centre = yield* Centre.dial(7923, masters.centre)
  const given = yield* centre.give(newKey())
  yield* jinka.ready(2)
  yield* Console.log(
    `\na MAC key of the centre (answered ${given}) was taken in by a device, and one for the issuer drawn there`
  )

  yield* Console.log("\npurchases go through, while a device is switched off and on")
  const restart = Effect.gen(function* () {
    yield* Effect.sleep("200 millis")
    yield* first.restart(300)
    yield* Effect.sleep("200 millis")
  })
  const results = yield* boughtDuring(restart, centre.bought)
  yield* Console.log(
    `answers: ${codesOf(results)}; the issuer has seen ${issuer.seen.right} right MACs and ${issuer.seen.wrong} wrong ones`
  )
  yield* jinka.devices("up")

  yield* Console.log("\nboth devices are off: nothing passes without its MAC")
  yield* Effect.all([first.off, second.off])
  yield* jinka.devices("away")
  yield* jinka.shown("status", [], isDevice)
  const before = issuer.seen.right
  const heard = yield* Effect.timeoutOption(centre.buy(), "1 second")
  const came = Option.match(heard, { onNone: () => "no answer", onSome: ([code]) => code })
  yield* Console.log(`\na purchase meanwhile: ${came}, and the issuer has seen ${issuer.seen.right - before} of it`)
  yield* Effect.all([first.on, second.on])
  yield* jinka.devices("up")
  const [again, isRight] = yield* centre.bought
  yield* Console.log(`and when they are back: ${again}, ${isRight ? "with a right MAC" : "with a wrong MAC"}`)
  yield* jinka.stopped(running)
  yield* jinka.told(["journal", "verify"])
  if (
    codesOf(results) !== `${results.length} of 00` ||
    issuer.seen.wrong > 0 ||
    came !== "no answer" ||
    again !== "00" ||
    !isRight
  ) {
    return yield* Effect.die(new Error("not as told"))
  }
  yield* Console.log("\nthe log and the journal are in .jinka/13-hsm")
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
