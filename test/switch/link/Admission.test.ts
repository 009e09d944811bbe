import { describe, expect, it } from "vitest"
import { addressList, isAddressOrNetwork, sourceOf } from "../../../packages/switch/src/link/door/Addresses.ts"
import { Admission, type AdmissionLimits } from "../../../packages/switch/src/link/door/Admission.ts"
import { counted, Notices } from "../../../packages/switch/src/link/Notices.ts"
import { TurnedAway } from "../../../packages/switch/src/link/TurnedAway.ts"
import type { Connection } from "../../../packages/switch/src/transport/Transport.ts"

const limits: AdmissionLimits = { connections: 10, perSource: 3, newPerSecond: 5, pending: 8 }

const admission = (changes: Partial<AdmissionLimits> = {}, from: ReadonlyArray<string> = []) =>
  new Admission({ ...limits, ...changes }, addressList(from))

/** What `count` arrivals in a row of one address are told; those let in stay, owned. */
const arrivals = (one: Admission, address: string, count: number, now: number) =>
  Array.from({ length: count }, () => {
    const refusal = one.arrive(address, now)
    if (refusal === undefined) one.decided()
    return refusal ?? "in"
  })

describe("A list of addresses", () => {
  it("holds single addresses and networks, IPv4 also as it looks on an IPv6 socket", () => {
    const list = addressList(["192.0.2.10", "198.51.100.0/24", "2001:db8::/32", "2001:DB9:0::1"])

    expect(["192.0.2.10", "::ffff:192.0.2.10", "198.51.100.77", "2001:db8:7::9", "2001:db9::1"].map(list.has)).toEqual(
      Array(5).fill(true)
    )
    expect(["192.0.2.11", "198.51.101.1", "2001:dba::1", ""].map(list.has)).toEqual(Array(4).fill(false))
  })

  it("holds everything when it is empty", () => {
    expect(addressList([]).has("203.0.113.1")).toBe(true)
  })

  it("is not made of names, host bits or half addresses", () => {
    expect(["192.0.2.1", "10.0.0.0/8", "::1", "fe80::/10"].map(isAddressOrNetwork)).toEqual(Array(4).fill(true))
    expect(["bank.example", "10.0.0.1/8", "10.0.0.0/33", "1.2.3", "1.2.3.4.5"].map(isAddressOrNetwork)).toEqual(
      Array(5).fill(false)
    )
  })

  it("counts an IPv6 source by its /64", () => {
    expect(sourceOf("2001:db8:1:2:3:4:5:6")).toBe(sourceOf("2001:db8:1:2::99"))
    expect(sourceOf("2001:db8:1:3::1")).not.toBe(sourceOf("2001:db8:1:2::1"))
    expect(sourceOf("::ffff:192.0.2.1")).toBe("192.0.2.1")
  })
})

describe("Admission", () => {
  it("turns away who is not on the list, before anything is counted", () => {
    const one = admission({}, ["192.0.2.0/24"])

    expect(one.arrive("203.0.113.9", 0)).toBe("PeerNotAllowed")
    expect([one.open, one.pending, one.remembered]).toEqual([0, 0, 0])
    expect(one.arrive("192.0.2.7", 0)).toBeUndefined()
  })

  it("lets in as many of one source as may be in at once, and one more when one has gone", () => {
    const one = admission()

    expect(arrivals(one, "192.0.2.1", 4, 0)).toEqual(["in", "in", "in", "SourceFull"])

    one.gone("192.0.2.1")
    expect(arrivals(one, "192.0.2.1", 1, 0)).toEqual(["in"])
    expect(arrivals(one, "192.0.2.2", 1, 0)).toEqual(["in"])
  })

  it("lets in a burst of a second's worth, then as many a second as are allowed", () => {
    const one = admission({ perSource: 100, connections: 100 })

    expect(arrivals(one, "192.0.2.1", 6, 0).slice(-2)).toEqual(["in", "SourceTooFast"])
    expect(arrivals(one, "192.0.2.1", 2, 200)).toEqual(["in", "SourceTooFast"])
    expect(arrivals(one, "192.0.2.1", 6, 10_000).filter((said) => said === "in")).toHaveLength(5)
    expect(arrivals(one, "192.0.2.2", 1, 200)).toEqual(["in"])
  })

  it("is full for all at its limit, and by connections that nobody owns yet", () => {
    const full = admission({ perSource: 100, newPerSecond: 100 })
    expect(arrivals(full, "192.0.2.1", 11, 0).at(-1)).toBe("DoorFull")

    const waiting = admission({ perSource: 100, newPerSecond: 100 })
    const told = Array.from({ length: 9 }, () => waiting.arrive("192.0.2.1", 0))
    expect(told.at(-1)).toBe("DoorFull")

    waiting.decided()
    expect(waiting.arrive("192.0.2.1", 0)).toBeUndefined()
  })

  it("remembers a bounded number of sources, however many knock", () => {
    const one = admission({ connections: 1_000_000, pending: 1_000_000 })
    for (let at = 0; at < 100_000; at++) {
      const address = `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`
      if (one.arrive(address, at / 100) === undefined) {
        one.decided()
        one.gone(address)
      }
    }

    expect(one.remembered).toBeLessThanOrEqual(16_384)
    expect(one.arrive("192.0.2.1", 60_000)).toBeUndefined()
  })
})

describe("What is noted of strangers", () => {
  it("is the first of each kind at once, then a count every ten seconds", () => {
    const notices = new Notices(counted)
    const noted: Array<string> = []
    for (let at = 0; at < 25_000; at++) {
      const said = notices.add("SourceTooFast", "SourceTooFast: a connection from 203.0.113.9 was closed", at)
      if (said !== undefined) noted.push(said)
    }

    expect(noted).toEqual([
      "SourceTooFast: a connection from 203.0.113.9 was closed",
      "SourceTooFast: a connection from 203.0.113.9 was closed; 10000 like it since the last note, 10001 in all",
      "SourceTooFast: a connection from 203.0.113.9 was closed; 10000 like it since the last note, 20001 in all"
    ])
    expect(notices.counts).toEqual({ SourceTooFast: 25_000 })
  })

  it("is the same where a link turns its own partner away: each is closed, each reason is noted for itself", () => {
    const noted: Array<string> = []
    const closed: Array<string> = []
    let now = 0
    const turnedAway = new TurnedAway(
      (text) => noted.push(text),
      () => now
    )
    const connection = { close: (how: string) => closed.push(how) } as unknown as Connection
    for (; now < 10_000; now++) turnedAway.add(connection, "second", "one is up")
    turnedAway.add(connection, "drained", "the link is drained")
    turnedAway.add(connection, "second", "one is up")

    expect(new Set(closed)).toEqual(new Set(["reset"]))
    expect(closed.length).toBe(10_002)
    expect(noted).toEqual([
      "one is up",
      "the link is drained",
      "one is up; 10000 like it since the last note, 10001 in all"
    ])
  })
})
