/**
 * What a partner may have heard of a write that was under way when its connection ended: an approval is taken back only when
 * nobody can have heard it.
 */
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { Link } from "../../packages/switch/src/link/Link.ts"
import { LinkEnded } from "../../packages/switch/src/link/LinkEnded.ts"
import { eventsOf } from "../../packages/switch/src/link/LinkEvents.ts"
import { Transport } from "../../packages/switch/src/transport/Transport.ts"
import { type LinkAll, usualLink } from "../switch/LinkSettings.ts"
import { Machine } from "./world/Machine.ts"
import type { Side } from "./world/Side.ts"
import { SimNet } from "./world/SimNet.ts"
import { World } from "./world/World.ts"

const PORT = 7100
/** Of the switch's kernel, bytes; a segment more may leave. */
const KERNEL = 1024
const answers = Array.from({ length: 30 }, (_, n) => n)
const answer = (n: number): Buffer => Buffer.from(`answer ${String(n).padStart(3, "0")} `.padEnd(100, "-"))

const net = { latencyMs: [1, 1] as const, splits: 0, joins: 0, kernelRoom: KERNEL, resetLosesInFlight: 0 }

/** A link that has written all answers to a partner that reads nothing. */
const start = () => {
  const world = new World({ seed: 1, startsAt: Date.UTC(2026, 2, 2), keepTrace: false })
  const network = new SimNet(world, net)
  const machine = new Machine(world, "switch")
  network.attach(machine)
  const told = new Map<number, boolean>()
  const settings: LinkAll = {
    ...usualLink,
    name: "acquirer",
    institution: "48010001",
    side: { _tag: "listen", at: { host: "switch", port: PORT }, from: [], second: "replace" }
  }
  const link = new Link(0, settings, eventsOf<Link>({ message: () => undefined }))
  machine.start(
    (life) => Effect.scoped(Effect.provideService(link.run, Transport, network.transport(life))),
    () => undefined
  )
  const partner = new Machine(world, "acquirer")
  network.attach(partner)
  let side: Side | undefined
  network.dial(partner.begin(), { host: "switch", port: PORT }, (result) => {
    side = result as Side
  })
  world.advance(100)
  const { session } = link
  for (const n of answers) {
    session!.put(answer(n))
    session!.receipt({ settle: (isDelivered) => void told.set(n, isDelivered) })
  }
  session!.outbox.flush()
  world.advance(100)
  expect([...told.values()]).not.toContain(false)
  return { world, link, side: side!, told }
}

/** Reads what has come, and what comes within a second. */
const heardBy = (world: World, side: Side): ReadonlySet<number> => {
  let text = ""
  side.hear(
    (chunks) => {
      text += Buffer.concat(chunks).toString("latin1")
    },
    () => undefined
  )
  world.advance(10_000)
  return new Set(answers.filter((n) => text.includes(answer(n).toString("latin1"))))
}

const ends: Readonly<Record<string, (link: Link, side: Side, world: World) => void>> = {
  "our FIN, whose time is over": (link, _side, world) => {
    link.session!.close(new LinkEnded({ reason: "Reloaded", why: "a test" }))
    world.advance(5000)
  },
  "our RST": (link, _side, world) => {
    link.cut(new LinkEnded({ reason: "Operator", why: "a test" }))
    world.advance(100)
  },
  "an RST of the network": (_link, side, world) => {
    side.cut("rst", false)
    world.advance(100)
  },
  "the partner's FIN": (_link, side, world) => {
    side.finish()
    world.advance(20_000)
  }
}

describe("A write under way when its connection ends", () => {
  for (const [name, end] of Object.entries(ends)) {
    it(`by ${name}: none of the answers that were heard is said to be unheard, and each is told of once`, () => {
      const { link, side, told, world } = start()

      end(link, side, world)
      const heard = heardBy(world, side)

      expect(told.size).toBe(answers.length)
      expect(heard.size).toBeGreaterThan(5)
      expect(answers.filter((n) => heard.has(n) && told.get(n) !== true)).toEqual([])
    })
  }

  it("by an RST: what the kernel had not taken is told to be unheard", () => {
    const { link, side, told, world } = start()

    ends["our RST"]!(link, side, world)

    const lost = answers.filter((n) => told.get(n) === false)
    expect(lost.length).toBeGreaterThan(5)
    expect(lost.filter((n) => heardBy(world, side).has(n))).toEqual([])
  })
})
