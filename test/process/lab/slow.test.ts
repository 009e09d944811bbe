/**
 * Rows 3 and 36 of docs/reference/test-plan.md: partners that send one byte at a time, and partners that stop reading. They
 * are cut at their own deadline or limit, and nobody else notices.
 */
import { afterEach, describe, expect, it } from "vitest"
import { patience } from "../../Pace.ts"
import { isLong } from "../../Runs.ts"
import { frameOf, Line, pause, purchase, until } from "../../switch/operate/Line.ts"
import { cleanUp } from "../../switch/operate/program.ts"
import { GoodPair, goodLinks, listening, procHindrance, residentMiB, switchWith } from "./Switch.ts"

const SLOW_PARTNERS = isLong ? 1000 : 100
const FRAME_DEADLINE_MS = isLong ? 5000 : 2000
/** Milliseconds between two bytes. */
const BYTE_MS = isLong ? 1000 : 500
/** How much the deadline may be overrun on a busy machine. What is looked for is a deadline that every byte puts off: minutes. */
const LATE_MS = 10_000

afterEach(cleanUp)

describe("A slow partner", () => {
  it(`that sends byte by byte is cut at the frame deadline, ${SLOW_PARTNERS} of them, and the others' traffic goes on`, async () => {
    const slow = Array.from({ length: SLOW_PARTNERS }, (_, n) =>
      listening(`slow-${n}`, String(30_000_000 + n), { frameTimeout: `${FRAME_DEADLINE_MS} millis` })
    )
    const running = await switchWith([...goodLinks, ...slow])
    const good = await GoodPair.begin(running)
    const bytes = frameOf(purchase(1))
    const lines = await Promise.all(
      slow.map(async ({ name }) => {
        const line = await Line.connect(running.port(name))
        const began = performance.now()
        let isOpen = true
        const end = line.ended.then(({ at, how }) => {
          isOpen = false
          return { how, after: at - began }
        })
        for (let at = 0; isOpen && at < bytes.length; at++) {
          line.send(bytes.subarray(at, at + 1))
          await Promise.race([pause(BYTE_MS), end])
        }
        return end
      })
    )
    await good.end()

    for (const { after, how } of lines) {
      expect(how).toBe("RST")
      expect(after).toBeGreaterThan(FRAME_DEADLINE_MS - 50)
      expect(after).toBeLessThan(FRAME_DEADLINE_MS + patience(LATE_MS))
    }
    const { links } = await running.status()
    const reasons = links.filter(({ name }) => name.startsWith("slow")).map(({ lastEnd }) => lastEnd?.reason)

    expect(new Set(reasons)).toEqual(new Set(["FrameTimeout"]))
    expect(good.others).toEqual([])
    expect(good.took.length).toBeGreaterThan(20)
    expect(good.p99).toBeLessThan(good.p99Max)
  })

  it.skipIf(procHindrance !== "")(
    `that stops reading is cut at its limit of unsent bytes, and costs no more memory than that${procHindrance}`,
    async () => {
      const deaf = listening("deaf", "30000000", { unsent: "1 MiB" })
      const running = await switchWith([...goodLinks, deaf])
      const good = await GoodPair.begin(running)
      const line = await Line.connect(running.port("deaf"))
      line.socket.pause()
      const before = residentMiB(running.ready.pid)
      let peak = before

      // No route: each of these is answered at once, and nobody takes the answers.
      let stan = 0
      const batch = () =>
        Buffer.concat(Array.from({ length: 200 }, () => frameOf(purchase(++stan, "4111111111111111"))))
      const isCut = async () => {
        const { links } = await running.status()
        const { lastEnd, ready } = links.find(({ name }) => name === "deaf")!
        peak = Math.max(peak, residentMiB(running.ready.pid))
        return !ready && lastEnd !== null
      }
      await until(
        async () => {
          if (line.socket.writableLength < 1 << 20) line.send(batch())
          await pause(10)
          return isCut()
        },
        "the deaf partner cut",
        60_000
      )
      await good.end()

      const { links } = await running.status()

      expect(links.find(({ name }) => name === "deaf")!.lastEnd!.reason).toBe("SlowPeer")
      expect(peak - before).toBeLessThan(200)
      expect(good.others).toEqual([])
      expect(good.took.length).toBeGreaterThan(20)
      expect(good.p99).toBeLessThan(good.p99Max)
    }
  )
})
