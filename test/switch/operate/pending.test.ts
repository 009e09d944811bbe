/** `jinka pending` against a running switch: what was declined is seen, counted apart, kept over a restart, and ended. */
import { afterEach, describe, expect, it } from "vitest"
import { patience } from "../../Pace.ts"
import { answerTo, Line, pause, until } from "./Line.ts"
import { cleanUp, configuration, folder, hasty, jinka, type RunningSwitch, runSwitch } from "./program.ts"
import { purchase } from "./swiped.ts"

afterEach(cleanUp)

const connected = async (running: RunningSwitch) => {
  const acquirer = await Line.connect(running.port("acquirer"))
  const issuer = await Line.connect(running.port("issuer"))
  await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
  return { acquirer, issuer }
}

/** A purchase without an answer, whose reversal the issuer declines; ends when the switch says that it is in doubt. */
const declined = async (running: RunningSwitch): Promise<void> => {
  const { acquirer, issuer } = await connected(running)
  acquirer.send(purchase(8))
  await issuer.next()
  await acquirer.next()
  issuer.send(answerTo(await issuer.next(), "57"))
  await until(async () => (await running.status()).inDoubt > 0, "something is in doubt")
}

const pendingAt = async (file: string) => JSON.parse((await jinka(["pending", "list", file, "--json"])).out)

describe("jinka pending", () => {
  it("shows a declined reversal, whose mark lasts over a restart and until a person has ended it with a reason", async () => {
    const file = configuration(folder(), hasty)
    const running = await runSwitch(file)
    await declined(running)
    const listed = await jinka(["pending", "list", file])
    const status = await jinka(["status", file])
    const said = await pendingAt(file)
    await running.stop()
    const read = await pendingAt(file)
    const listedAfter = await jinka(["pending", "list", file])

    const again = await runSwitch(file)
    const { messages } = JSON.parse((await jinka(["pending", "list", file, "--in-doubt", "--json"])).out)
    const exchange = String(messages[0].exchange)
    const shown = await jinka(["pending", "show", file, "--exchange", exchange])
    const filtered = (...flags: ReadonlyArray<string>) => jinka(["pending", "list", file, ...flags])
    const [ofDeclined, ofMoving, badState, ofOther, ofNone, young, badAge, numbered] = await Promise.all([
      filtered("--state", "declined"),
      filtered("--state", "under way"),
      filtered("--state", "lost"),
      filtered("--link", "acquirer"),
      filtered("--link", "isuer"),
      filtered("--older", "1 hours"),
      filtered("--older", "old"),
      jinka(["pending", "close", file, "--exchange=-1", "--reason", "asked"])
    ])
    const shownNone = await jinka(["pending", "show", file, "--exchange=-1"])
    const unreasoned = await jinka(["pending", "close", file, "--exchange", exchange])
    const reason = "issuer has reversed by hand, case 12"
    const closed = await jinka(["pending", "close", file, "--exchange", exchange, "--reason", reason])
    const twice = await jinka(["pending", "close", file, "--exchange", exchange, "--reason", reason])
    const calm = await jinka(["status", file])
    await again.stop()
    const summary = await jinka(["journal", "summary", file])

    // One was made; nobody counts them any more, and none is no number of them.
    expect([...said.messages, ...read.messages, ...messages].map(({ attempts }) => attempts)).toEqual([
      null,
      null,
      null
    ])
    expect(listed.out).toMatch(/^! exchange \d+ {2}issuer {2}0420 STAN \d{6} {2}reverses \d+ {2}declined \(57\) since /)
    expect(read).toEqual({ ...said, upTo: expect.any(Number) })
    expect(listedAfter.out).toMatch(/^as the journal has it up to entry \d+: .*\n! exchange /)
    expect(status.out).toContain("! 1 in doubt until a person ends it: jinka pending list")
    expect(messages).toMatchObject([{ state: "declined", code: "57", link: "issuer" }])
    expect(shown.out).toContain("Ask the partner why")
    expect(ofOther.out).toBe("0 in doubt until a person ends it; 0 being delivered\n")
    expect(ofDeclined.out).toContain(`! exchange ${exchange}  issuer`)
    expect(ofMoving.out).toBe("1 in doubt until a person ends it; 0 being delivered\n")
    expect(badState.code).toBe(2)
    expect(young.out).toBe("1 in doubt until a person ends it; 0 being delivered\n")
    expect([ofNone, badAge, numbered, shownNone].map(({ code }) => code)).toEqual([2, 2, 2, 2])
    expect(ofNone.err).toContain("There is no link isuer. The links are: acquirer, issuer.")
    expect(numbered.err).toContain("an exchange is a number from 1 on")
    expect(unreasoned.code).toBe(2)
    expect([closed.code, closed.err]).toEqual([0, ""])
    expect(twice).toMatchObject({ code: 1 })
    expect(twice.err).toContain("is not in doubt")
    expect(calm.out).not.toContain("in doubt")
    expect(summary.out).toContain("reversal declined:")
    expect(summary.out).toContain(reason)
    expect(summary.out).toMatch(/Declined 1, Open 0; reversed 0, reversal declined 1\n$/)
  })

  it("holds a message back over a restart until it is released, and makes an attempt at once where the pause is long", async () => {
    const slow = (whole: string) =>
      hasty(whole).replace(/storeAndForward: .*/, "storeAndForward: { timeout: 1 seconds, retry: 1 hours }")
    const file = configuration(folder(), slow)
    const reason = "case 12"
    const act = (what: string, exchange: number) =>
      jinka(["pending", what, file, "--exchange", String(exchange), "--reason", reason])
    const only = async (state: string): Promise<number> => {
      for (;;) {
        const { messages } = JSON.parse((await jinka(["pending", "list", file, "--json"])).out)
        if (messages[0]?.state === state) return messages[0].exchange
        await pause(50)
      }
    }
    const running = await runSwitch(file)
    const { acquirer, issuer } = await connected(running)
    acquirer.send(purchase(8))
    await issuer.next()
    await acquirer.next()
    const first = await issuer.next()
    const exchange = await only("resting")
    const held = await act("hold", exchange)
    const twice = await act("hold", exchange)
    const said = await pendingAt(file)
    await running.stop()
    const read = await pendingAt(file)
    const shown = await jinka(["pending", "show", file, "--exchange", String(exchange)])

    const ofState = async (state: string): Promise<ReadonlyArray<number>> =>
      JSON.parse((await jinka(["pending", "list", file, "--state", state, "--json"])).out).messages.map(
        (one: { readonly exchange: number }) => one.exchange
      )
    const readHeld = await ofState("held")
    const again = await runSwitch(file)
    const runHeld = await ofState("held")
    const runWaiting = await ofState("waiting")
    const { issuer: later } = await connected(again)
    const stillHeld = await only("held")
    const released = await act("release", exchange)
    const second = await later.next()
    await only("resting")
    const retried = await act("retry", exchange)
    const third = await later.next()
    const tooSoon = await act("retry", exchange)
    later.send(answerTo(third, "00"))
    await until(async () => (await again.status()).links.every(({ stored }) => stored === 0), "nothing is stored")
    const over = await act("hold", exchange)
    const unknown = await act("retry", 999_999)
    await again.stop()
    const trace = await jinka(["trace", file, "--stan", "8"])

    expect([first, second, third].map(({ mti }) => mti)).toEqual(["0420", "0421", "0421"])
    expect(stillHeld).toBe(exchange)
    expect([readHeld, runHeld, runWaiting]).toEqual([[exchange], [exchange], []])
    expect(read).toEqual({ ...said, upTo: expect.any(Number) })
    expect(shown.out).toContain("A person holds it back")
    expect([held, released, retried].map(({ code, err }) => [code, err])).toEqual([
      [0, ""],
      [0, ""],
      [0, ""]
    ])
    expect([twice, tooSoon, over, unknown].map(({ code }) => code)).toEqual([1, 1, 1, 1])
    expect(twice.err).toContain("is held back already")
    expect(tooSoon.err).toContain("Its answer is awaited")
    expect(trace.out).toContain("held back by a person: ")
    expect(trace.out).toContain("let go by a person: ")
  })

  it("sends once more what was given up, as a repeat that stays in doubt until the partner acknowledges it", async () => {
    const short = (whole: string) =>
      hasty(whole).replace(
        /storeAndForward: .*/,
        `storeAndForward: { timeout: ${Math.ceil(patience(250))} millis, retry: 100 millis, attempts: 1 }`
      )
    const file = configuration(folder(), short)
    const running = await runSwitch(file)
    const { acquirer, issuer } = await connected(running)
    acquirer.send(purchase(8))
    await issuer.next()
    await acquirer.next()
    await issuer.next()
    await until(async () => (await running.status()).inDoubt > 0, "something is in doubt")
    const { messages } = JSON.parse((await jinka(["pending", "list", file, "--in-doubt", "--json"])).out)
    const exchange = String(messages[0].exchange)

    const retried = await jinka(["pending", "retry", file, "--exchange", exchange, "--reason", "issuer is back"])
    const repeat = await issuer.next()
    const { inDoubt } = await running.status()
    issuer.send(answerTo(repeat, "00"))
    await until(async () => (await running.status()).inDoubt === 0, "nothing is in doubt")
    await running.stop()
    const read = await pendingAt(file)
    const again = await runSwitch(file)
    const after = await again.status()
    await again.stop()

    expect(read).toMatchObject({ messages: [], inDoubt: 0, waiting: 0 })
    expect(retried).toMatchObject({ code: 0, err: "" })
    expect(repeat.mti).toBe("0421")
    expect(inDoubt).toBe(1)
    expect(after.inDoubt).toBe(0)
  })
})
