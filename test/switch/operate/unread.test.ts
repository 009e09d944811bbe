/** What becomes of a command whose output nobody reads any more: a log's collector that ends, `| head -1`. */
import { afterEach, describe, expect, it } from "vitest"
import { answerTo, Line, text, until } from "./Line.ts"
import { cleanUp, configuration, folder, jinkaUnread, runSwitch, runSwitchUnread } from "./program.ts"
import { purchase } from "./swiped.ts"

afterEach(cleanUp)

describe("Output that nobody reads any more", () => {
  it("does not end the switch: it goes on with its work, however much it logs, and stops in order", async () => {
    const running = await runSwitchUnread(configuration(folder()))
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
    // Each connection has been a line in the log: by now the switch knows that nobody reads.
    acquirer.send(purchase(7))
    issuer.send(answerTo(await issuer.next(), "00"))

    expect(text(await acquirer.next(), 39)).toBe("00")

    await running.stop()
    expect((await running.ended).code).toBe(0)
  })

  it.each([[["status", "FILE"]], [["top", "FILE", "--every", "50 milliseconds"]], [["check", "FILE"]]])(
    "ends %j at its end or at once, without a stack trace",
    async (words) => {
      const file = configuration(folder())
      const running = await runSwitch(file)
      const done = await jinkaUnread(words.map((word) => (word === "FILE" ? file : word)))

      expect(done).toEqual({ code: 0, err: "" })
      await running.stop()
    }
  )
})
