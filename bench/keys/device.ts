/** The device of the keys bench: each command takes as long as the first argument says, in milliseconds. */
import { Effect } from "effect"
import { chanceOf } from "../../packages/simulator/src/chance/Chance.ts"
import { startHsmDevice } from "../../packages/simulator/src/hsm/HsmDevice.ts"

const [, , delayMs] = process.argv

await Effect.gen(function* () {
  const { endpoint } = yield* startHsmDevice({
    listen: { host: "127.0.0.1", port: 0 },
    family: "payshield",
    headerLength: 4,
    delayMs: Number(delayMs),
    isInOrder: false,
    errorPercent: 0,
    errorCode: "41",
    connectionsMax: 0,
    chance: chanceOf(1)
  })
  process.send?.({ port: endpoint.port })
  return yield* Effect.never
}).pipe(Effect.scoped, Effect.runPromise)
