/** What a node that stands by says over the network, to whoever moves addresses, sends traffic or restarts it. */
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { serveStandbyAdmin } from "../../../packages/switch/src/operate/admin/Admin.ts"
import { standbyWords } from "../../../packages/switch/src/operate/control/StandbyRoutes.ts"
import * as Platform from "../../../packages/switch/src/Platform.ts"
import * as Credentials from "../../../packages/switch/src/transport/Credentials.ts"

const words = "node n2 stands by: node n1 has the switch"

describe("The administrative listener of a node that stands by", () => {
  it("is alive, and neither ready nor the owner; whoever asks more is sent to the owner", async () => {
    const at = { host: "127.0.0.1", port: 0 }
    const asked = Effect.gen(function* () {
      const { port } = yield* serveStandbyAdmin({ at, tls: undefined, from: [], users: [] }, () => words)
      const paths = ["/live", "/ready", "/owner", "/api/status", "/metrics"]
      return yield* Effect.promise(() =>
        Promise.all(
          paths.map(async (path) => {
            const response = await fetch(`http://127.0.0.1:${port}${path}`)
            return [response.status, await response.text()]
          })
        )
      )
    })
    const told = await Effect.runPromise(
      Effect.scoped(asked).pipe(Effect.provide(Credentials.layer), Effect.provide(Platform.layer))
    )

    expect(told).toEqual([
      [200, "alive\n"],
      [503, expect.stringContaining(words)],
      [503, JSON.stringify({ error: words })],
      [503, expect.stringContaining(words)],
      [200, expect.stringContaining("jinka_standby 1")]
    ])
  })
})

describe("What a node that stands by says of the owner", () => {
  const says = (owner: string | null) =>
    standbyWords({ node: "n2", last: () => ({ seen: { node: owner, beat: "1", halted: null } }) })

  it("names another node; of itself, started again before the others know of its end, it says that it had the switch", () => {
    expect(says("n1")).toBe("node n2 stands by: node n1 has the switch")
    expect(says("n2")).toBe("node n2 stands by: it had the switch until it ended, and no other node has it yet")
    expect(says(null)).toBe("node n2 stands by: no node has the switch yet")
  })
})
