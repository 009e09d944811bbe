import { describe, expect, it } from "vitest"
import { ENDS_KEPT, EndHistory } from "../../../packages/switch/src/link/EndHistory.ts"
import { endedBy, frameWrong, LinkEnded } from "../../../packages/switch/src/link/LinkEnded.ts"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"

const failed = (why: string) => new LinkEnded({ reason: "ConnectFailed", why })

describe("The last ends of a link", () => {
  it("say who closed and how", () => {
    const ends = new EndHistory()
    ends.add(1, endedBy(new ConnectionEnded({ how: "fin", cause: "the partner closed the connection" })))
    ends.add(2, endedBy(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" })))
    ends.add(3, endedBy(new ConnectionEnded({ how: "reset", cause: "ETIMEDOUT" })))
    ends.add(4, new LinkEnded({ reason: "PeerSilent", why: "nothing" }))
    ends.add(5, new LinkEnded({ reason: "Operator", why: "cut by ann" }))

    expect(ends.all.map(({ by, how }) => `${by}, ${how}`)).toEqual([
      "operator, command",
      "us, silence",
      "network, the network gave up",
      "partner, RST",
      "partner, FIN"
    ])
  })

  it("are a few, newest first, and attempts in a row that failed are one with a count", () => {
    const ends = new EndHistory()
    ends.add(1, new LinkEnded({ reason: "PeerClosed", why: "first" }))
    for (let at = 2; at < 500; at++) ends.add(at, failed("no connection"))

    expect(ends.all).toMatchObject([
      { at: 499, firstAt: 2, times: 498, reason: "ConnectFailed" },
      { at: 1, times: 1, reason: "PeerClosed" }
    ])

    for (let at = 500; at < 520; at++) ends.add(at, new LinkEnded({ reason: "PeerClosed", why: String(at) }))
    expect(ends.all).toHaveLength(ENDS_KEPT)
  })

  it("show the first bytes of a frame that could not be read", () => {
    const ends = new EndHistory()
    ends.add(1, frameWrong({ _tag: "LengthInvalid", offset: 0, rule: "length-digits", first: "16030102" }))

    expect(ends.all[0]).toMatchObject({ by: "us", how: "frame error", first: "16030102" })
    expect(ends.all[0]?.why).toContain("this looks like TLS")
  })
})
