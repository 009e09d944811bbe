/** Waiting for a switch to have nothing left to do. */
import { join } from "node:path"
import { Effect } from "effect"
import { run, type Start } from "./Child.ts"

/** How a `jinka` command of a run is started. */
export type Jinka = (name: string, args: ReadonlyArray<string>) => Start

/** Waits, for some 20 seconds at most, until the switch has nothing outstanding and nothing to deliver. */
export const settled = Effect.fnUntraced(function* ({ directory }: { readonly directory: string }, command: Jinka) {
  for (let tries = 0; tries < 40; tries++) {
    const { said } = yield* run(command("status", ["status", join(directory, "switch.yaml"), "--json"]))
    const links = (said[0]?.["links"] ?? []) as ReadonlyArray<{ outstanding: number; stored: number }>
    if (links.length > 0 && links.every(({ outstanding, stored }) => outstanding + stored === 0)) return true
    yield* Effect.sleep("500 millis")
  }
  return false
})
