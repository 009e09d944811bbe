/** Captures of packets, as `decode` reads them: TCP streams put together again, and what they lack said. */
import { cupsFrame, wholeFrame } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { ethernet, ipv4, ipv6, pcap, pcapng, type Sent } from "./Dumps.ts"
import { hexOf, message, read } from "./Pasted.ts"

describe("A capture", () => {
  const syn = (from: number, to: number, seq: number): Sent => ({ from, to, seq, bytes: Buffer.alloc(0), isSyn: true })
  const there = wholeFrame(cupsFrame, message)
  const back = wholeFrame(cupsFrame, Buffer.from("answer"))
  /** Numbers that go around, a repeat, an overlap, a keepalive's probe, and the wrong order. */
  const sent: ReadonlyArray<Sent> = [
    syn(40_000, 7001, -6),
    syn(7001, 40_000, 999),
    { from: 40_000, to: 7001, seq: -5 + 20, bytes: there.subarray(20) },
    { from: 7001, to: 40_000, seq: 1000, bytes: back },
    { from: 40_000, to: 7001, seq: -5, bytes: there.subarray(0, 20) },
    { from: 40_000, to: 7001, seq: -5, bytes: there.subarray(0, 25) },
    { from: 40_000, to: 7001, seq: -5 + there.length - 1, bytes: there.subarray(-1) }
  ]
  const expected = [message.toString("hex"), Buffer.from("answer").toString("hex")]
  const files: Readonly<Record<string, Buffer>> = {
    pcap: pcap(sent.map(ipv4)),
    "pcap of the other byte order": pcap(sent.map(ipv4), 101, false),
    "pcap of Ethernet and IPv6": pcap(
      sent.map((one) => ethernet(ipv6(one))),
      1
    ),
    pcapng: pcapng(sent.map(ipv4)),
    "pcapng of Ethernet": pcapng(
      sent.map((one) => ethernet(ipv4(one))),
      1
    )
  }
  for (const [name, file] of Object.entries(files)) {
    it(`(${name}) gives the messages of each direction`, () => {
      const found = read(file, { frame: cupsFrame, chunk: 100 })

      expect(hexOf(found)).toEqual(expected)
      expect(found.map(({ flow }) => flow?.replaceAll(/\[.*?\]|127\.0\.0\.1/g, ""))).toEqual([
        ":40000 > :7001",
        ":7001 > :40000"
      ])
    })
  }

  it("in which bytes are missing says so, and goes on behind them", () => {
    const lost = [
      syn(1, 2, 0),
      { from: 1, to: 2, seq: 1, bytes: there },
      { from: 1, to: 2, seq: 101 + there.length, bytes: there }
    ]
    expect(hexOf(read(pcap(lost.map(ipv4)), { frame: cupsFrame }))).toEqual([
      message.toString("hex"),
      expect.stringContaining("100 bytes are missing here in the capture"),
      message.toString("hex")
    ])
  })

  it("that lacks the first bytes of a connection whose beginning it has says so", () => {
    const lost = [syn(1, 2, 0), { from: 1, to: 2, seq: 1 + there.length, bytes: there }]
    expect(hexOf(read(pcap(lost.map(ipv4)), { frame: cupsFrame }))).toEqual([
      expect.stringContaining(`${there.length} bytes are missing here in the capture`),
      message.toString("hex")
    ])
  })

  for (const [name, made] of Object.entries({ pcap, pcapng })) {
    it(`(${name}) that is cut in its last packet gives what is in front of that, and says so`, () => {
      const whole = made([...sent, { ...sent[0]!, bytes: Buffer.alloc(50) }].map(ipv4))
      const cut = expect.stringContaining("the capture ends inside a packet")
      expect(hexOf(read(whole.subarray(0, -20), { frame: cupsFrame }))).toEqual([...expected, cut])
    })
  }

  it("without any TCP says so", () => {
    expect(hexOf(read(pcap([Buffer.alloc(30)])))[0]).toContain("the capture holds no TCP packet")
  })

  it("keeps two connections between the same ports apart", () => {
    const again = [syn(1, 2, 5000), { from: 1, to: 2, seq: 5001, bytes: there }]
    const both = [syn(1, 2, 0), { from: 1, to: 2, seq: 1, bytes: there }, ...again]
    expect(hexOf(read(pcap(both.map(ipv4)), { frame: cupsFrame }))).toEqual([expected[0], expected[0]])
  })
})
