/** `jinka pending` against a running switch: what was declined is seen, counted apart, kept over a restart, and ended. */
import { afterEach, describe, expect, it } from "vitest"
import { answerTo, Line } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, type RunningSwitch, runSwitch } from "./program.ts"
import { purchase } from "./swiped.ts"

afterEach(cleanUp)

const connected = async (running: RunningSwitch) => {
  const acquirer = await Line.connect(running.port("acquirer"))
  const issuer = await Line.connect(running.port("issuer"))
  while ((await running.status()).links.some(({ ready }) => !ready));
  return { acquirer, issuer }
}

/** A purchase without an answer, whose reversal the issuer declines; ends when the switch says that it is in doubt. */
const declined = async (running: RunningSwitch): Promise<void> => {
  const { acquirer, issuer } = await connected(running)
  acquirer.send(purchase(8))
  await issuer.next()
  await acquirer.next()
  issuer.send(answerTo(await issuer.next(), "57"))
  while ((await running.status()).inDoubt === 0);
}

describe("jinka pending", () => {
  it("shows a declined reversal, whose mark lasts over a restart and until a person has ended it with a reason", async () => {
    const file = configuration(folder())
    const running = await runSwitch(file)
    await declined(running)
    const listed = await jinka(["pending", "list", file])
    const status = await jinka(["status", file])
    await running.stop()

    const again = await runSwitch(file)
    const { messages } = JSON.parse((await jinka(["pending", "list", file, "--in-doubt", "--json"])).out)
    const exchange = String(messages[0].exchange)
    const shown = await jinka(["pending", "show", file, "--exchange", exchange])
    const unreasoned = await jinka(["pending", "close", file, "--exchange", exchange])
    const reason = "issuer has reversed by hand, case 12"
    const closed = await jinka(["pending", "close", file, "--exchange", exchange, "--reason", reason])
    const twice = await jinka(["pending", "close", file, "--exchange", exchange, "--reason", reason])
    const calm = await jinka(["status", file])
    await again.stop()
    const summary = await jinka(["journal", "summary", file])

    expect(listed.out).toMatch(/^! exchange \d+ {2}issuer {2}0420 STAN \d{6} {2}reverses \d+ {2}declined \(57\) since /)
    expect(status.out).toContain("! 1 in doubt until a person ends it: jinka pending list")
    expect(messages).toMatchObject([{ state: "declined", code: "57", link: "issuer" }])
    expect(shown.out).toContain("Ask the partner why")
    expect(unreasoned.code).toBe(2)
    expect([closed.code, closed.err]).toEqual([0, ""])
    expect(twice).toMatchObject({ code: 1 })
    expect(twice.err).toContain("is not in doubt")
    expect(calm.out).not.toContain("in doubt")
    expect(summary.out).toContain("reversal declined:")
    expect(summary.out).toContain(reason)
    expect(summary.out).toMatch(/Declined 1, Open 0; reversed 0, reversal declined 1\n$/)
  })
})
