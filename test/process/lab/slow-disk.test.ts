/** Row 30 of docs/reference/test-plan.md: a disk that is slow is an alarm. The switch is a process, its disk strace. */
import { afterEach, describe, expect, it } from "vitest"
import { answerTo, purchase, until } from "../../switch/operate/Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitchProcess } from "../../switch/operate/program.ts"
import { connected, routed, slowDisk, straceHindrance } from "./Disk.ts"

const MiB = 1024 * 1024

afterEach(cleanUp)

describe.skipIf(straceHindrance !== "")(`A slow disk ${straceHindrance}`, () => {
  it("is an alarm, however little traffic there is, in log, status, top and metrics; and it is over when it is quick", async () => {
    const file = configuration(folder(), routed)
    const running = await runSwitchProcess(file)
    const { acquirer, issuer } = await connected(running)
    issuer.onMessage = (message) => issuer.send(answerTo(message))
    const { pid } = await running.status()
    let stan = 0
    const trickle = setInterval(() => acquirer.send(purchase(++stan)), 250)

    const quick = await slowDisk(pid, 700)
    await until(() => running.err().includes("ALARM lag: the journal is too slow"), "the alarm in the log")
    const slow = await running.status()
    const [status, top] = [await jinka(["status", file]), await jinka(["top", file, "--times", "1"])]
    await quick()
    await until(async () => (await running.status()).unwritten.lagMs < 500, "a quick disk in the status")
    await until(() => running.err().includes("alarm over lag"), "the end of the alarm")
    clearInterval(trickle)
    await running.stop()
    await running.ended

    expect(slow.unwritten.bytes).toBeLessThan(MiB)
    expect(slow.alarms.map(({ kind }) => kind)).toEqual(["lag"])
    expect(status.out).toMatch(/! alarm lag for .*: the journal is too slow: it takes \d+\.\d s for an entry/)
    expect(status.out).toMatch(/unwritten {2}.*; an entry is on disk after \d{3,} ms/)
    expect(top.out).toMatch(/! lag[\s\S]*unwritten \d+, \d{3,} ms to disk/)
  })
})
