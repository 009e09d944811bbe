import { describe, expect, it } from "vitest"
import { type Event, initial, step, timerMs, type Watchdog } from "../../../packages/switch/src/link/Watchdog.ts"

const run = (events: ReadonlyArray<Event>) => {
  let now: Watchdog = initial
  const commands: Array<string> = []
  for (const event of events) {
    const { next, command } = step(now, event)
    now = next
    if (command !== undefined) commands.push(command)
  }
  return { now, commands }
}

const connected = { _tag: "connected", proofs: 0 } as const
const reopened = { _tag: "connected", proofs: 3 } as const
const expired = { _tag: "expired" } as const
const answered = { _tag: "probeAnswered" } as const
const received = { _tag: "received" } as const

describe("the watchdog of RFC 3539 3.4", () => {
  it("lets a first connection carry traffic at once", () => {
    expect(run([connected])).toEqual({
      now: { phase: "OKAY", pending: false, proofsMissing: 0, doubted: false },
      commands: []
    })
  })

  it("sends one probe after a silent interval and never a second one while it is pending", () => {
    expect(run([connected, expired]).commands).toEqual(["probe"])
    expect(run([connected, expired, expired]).commands).toEqual(["probe"])
  })

  it("suspects the link after two silent intervals and closes it after three", () => {
    expect(run([connected, expired, expired]).now.phase).toBe("SUSPECT")
    const closed = run([connected, expired, expired, expired])
    expect(closed.now.phase).toBe("DOWN")
    expect(closed.commands.at(-1)).toBe("close")
  })

  it("takes a suspected link back when anything is received, without another probe", () => {
    const back = run([connected, expired, expired, received])
    expect(back.now).toEqual({ phase: "OKAY", pending: true, proofsMissing: 0, doubted: false })
    expect(back.commands).toEqual(["probe"])
  })

  it("uses a reopened connection only after three answered probes", () => {
    expect(run([reopened, answered, answered]).now).toEqual({
      phase: "REOPEN",
      pending: true,
      proofsMissing: 1,
      doubted: false
    })

    const proven = run([reopened, answered, answered, answered])
    expect(proven.now.phase).toBe("OKAY")
    expect(proven.commands).toEqual(["probe", "probe", "probe"])
  })

  it("closes a reopened connection that does not answer its probe", () => {
    expect(run([reopened, answered, expired]).commands.at(-1)).toBe("close")
  })

  it("ignores everything while the link is down", () => {
    for (const event of [expired, answered, received])
      expect(step(initial, event)).toEqual({ next: initial, command: undefined })
  })

  it("draws its timer within a fifteenth of the interval", () => {
    expect(timerMs(30_000, 0)).toBe(28_000)
    expect(timerMs(30_000, 0.5)).toBe(30_000)
    expect(timerMs(30_000, 0.999)).toBeLessThan(32_000)
  })
})
