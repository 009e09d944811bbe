/** The process is killed while a reload drains a link. */
import { afterEach, describe, expect, it } from "vitest"
import { answerTo, Line, text, until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitch, runSwitchProcess } from "./program.ts"
import { freePort, linkOf, ready, reload, withIssuer } from "./reloading.ts"
import { purchase } from "./swiped.ts"

afterEach(cleanUp)

describe("A crash in the middle of a reload", () => {
  /** A request is under way to the issuer when the reload begins to drain it, and the process is killed. */
  const crashed = async (after: (yaml: string) => string) => {
    const port = await freePort()
    const directory = folder()
    const file = configuration(directory, withIssuer(port))
    const running = await runSwitchProcess(file)
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(port)
    await ready(running, "acquirer", "issuer")
    acquirer.send(purchase(1))
    await issuer.next()
    configuration(directory, after)
    void reload(running).catch(() => undefined)
    await until(async () => (await linkOf(running, "issuer"))?.state === "draining", "the issuer is draining")
    running.signal("SIGKILL")
    await running.ended
    return { directory, file, port }
  }

  it("leaves nothing open: the next start has the new settings, and the reversal goes to the new address", async () => {
    const elsewhere = await freePort()
    const { file } = await crashed(withIssuer(elsewhere))

    const second = await runSwitch(file)
    const issuer = await Line.connect(elsewhere)
    const reversal = await issuer.next()
    issuer.send(answerTo(reversal, "00"))
    await until(async () => (await linkOf(second, "issuer"))?.stored === 0, "the reversal is delivered")

    expect(second.ready.recovered).toMatchObject({ ended: 1, reversed: 1 })
    expect([reversal.mti, text(reversal, 90).slice(4, 10)]).toEqual(["0420", "000001"])
  })

  it("that was to remove the link keeps the switch from starting without it, and the old file starts", async () => {
    const { directory, file, port } = await crashed((yaml) =>
      yaml.replace(/ {2}- name: issuer\n(?: {4}.*\n)+/, "").replace("to: issuer", "to: acquirer")
    )

    const without = await jinka(["run", file])
    configuration(directory, withIssuer(port))
    const second = await runSwitch(file)

    expect(without.code).toBe(3)
    expect(without.err).toContain("LinksMissing")
    expect(second.ready.recovered).toMatchObject({ ended: 1, reversed: 1 })
  })
})
