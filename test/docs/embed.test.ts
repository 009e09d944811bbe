/** The guide to a link in a program of one's own: what it shows is the example, and the example works. */
import { readFileSync } from "node:fs"
import { Effect, Fiber } from "effect"
import { describe, expect, it } from "vitest"
import { host } from "../../examples/14-embed/Host.ts"
import { Line, purchase, text, until } from "../switch/operate/Line.ts"
import { freePort } from "../switch/operate/reloading.ts"

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")

describe("A link in a program of Effect", () => {
  it("is shown in the guide as it is in the example", () => {
    const [, shown] = /```ts\n([\s\S]*?)```/.exec(read("docs/guides/embed-a-link.md"))!

    expect(shown).toBe(read("examples/14-embed/Host.ts"))
  })

  it("answers purchases by its own rule, tells what becomes of its connections, and ends with its fiber", async () => {
    const port = await freePort()
    const told: Array<string> = []
    const fiber = Effect.runFork(host(port, (line) => told.push(line)))
    const network = await Line.connect(port)

    network.send(purchase(1))
    const small = await network.next()
    const { fields, ...large } = purchase(2)
    network.send({ ...large, fields: { ...fields, 4: "000000100001" } })
    const refused = await network.next()
    network.end("FIN")
    await until(() => told.length === 3, "the end is told")
    await Effect.runPromise(Fiber.interrupt(fiber))

    expect([small.mti, text(small, 39), text(small, 11)]).toEqual(["0210", "00", "000001"])
    expect([text(refused, 39), text(refused, 11)]).toEqual(["61", "000002"])
    expect(told).toEqual([
      "the network may send",
      "the network may not send",
      expect.stringMatching(/^connection 1 ended: \w+$/)
    ])
  })
})
