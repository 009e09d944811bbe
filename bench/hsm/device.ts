/**
 * A device of the bench `hsm` in a process of its own: `jinka-sim hsm` with a delay. Arguments: milliseconds of each command, and
 * `in-order` for a device that takes one after the other on a connection. Sends its port to its parent.
 */
import { Effect } from "effect"
import { chanceOf } from "../../packages/simulator/src/chance/Chance.ts"
import { startHsmDevice } from "../../packages/simulator/src/hsm/HsmDevice.ts"

const [delay = "2", order] = process.argv.slice(2)

Effect.runFork(
  Effect.scoped(
    Effect.gen(function* () {
      const { endpoint } = yield* startHsmDevice({
        listen: { host: "127.0.0.1", port: 0 },
        family: "payshield",
        headerLength: 4,
        delayMs: Number(delay),
        isInOrder: order === "in-order",
        errorPercent: 0,
        errorCode: "41",
        connectionsMax: 0,
        chance: chanceOf(1, "bench")
      })
      process.send?.({ port: endpoint.port })
      return yield* Effect.never
    })
  )
)
