import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, FileSystem, PlatformError } from "effect"
import { describe, expect, it } from "vitest"
import { disagreements } from "../../../packages/switch/src/operate/control/Disagreement.ts"
import { keyOf, look, socketsIn } from "../../../packages/switch/src/operate/control/KernelSockets.ts"

/** Lines of /proc/net/tcp of a Linux 6.1 (x86-64), as they were; addresses are of the documentation networks. */
const four = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1599 1 0000000075cf1ae2 100 0 0 10 0
   1: 0A0200C0:2187 140200C0:9C40 01 00000154:00000000 01:00000019 00000003  1000        0 41902 3 0000000012345678 20 4 30 10 -1
   2: 0A0200C0:2187 150200C0:9C41 08 00000000:00000021 00:00000000 00000000  1000        0 41903 1 0000000012345679 20 4 30 10 -1
   3: 0A0200C0:A3F2 1E0200C0:2188 01 00400000:00000000 04:000001F4 00000000  1000        4 41904 2 000000001234567a 20 4 30 10 -1
`

/** The same of /proc/net/tcp6: an IPv4 partner on a socket that listens on ::, and an IPv6 partner. */
const six = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0000000000000000FFFF00000A0200C0:2189 0000000000000000FFFF0000160200C0:9C42 01 00000000:00000000 02:00000384 00000000  1000        0 41905 1 000000001234567b 20 4 30 10 -1
   1: B80D0120000000000000000001000000:2189 B80D0120000000000000000002000000:9C43 01 00000000:00000007 00:00000000 00000000  1000        0 41906 1 000000001234567c 20 4 30 10 -1
`

const found = (text: string, local: string, remote: string) => {
  const key = keyOf(local, remote)
  return socketsIn(text, new Set([key])).get(key)
}

const calm = { state: "ESTABLISHED", sendQueue: 0, receiveQueue: 0, retransmits: 0, timer: "none", timerMs: 0 }

describe("The kernel's view of a connection", () => {
  it("has state, queues, retransmits and timer as /proc/net/tcp writes them", () => {
    expect(found(four, "192.0.2.10:8583", "192.0.2.20:40000")).toEqual({
      state: "ESTABLISHED",
      sendQueue: 340,
      receiveQueue: 0,
      retransmits: 3,
      timer: "retransmit",
      timerMs: 250
    })
    expect(found(four, "192.0.2.10:8583", "192.0.2.21:40001")).toEqual({
      ...calm,
      state: "CLOSE_WAIT",
      receiveQueue: 33
    })
    expect(found(four, "192.0.2.10:41970", "192.0.2.30:8584")).toEqual({
      ...calm,
      sendQueue: 4_194_304,
      timer: "zero window probe",
      timerMs: 5000
    })
  })

  it("finds an IPv4 partner on an IPv6 socket, however the address is written", () => {
    const seen = { ...calm, timer: "keepalive", timerMs: 9000 }
    expect(found(six, "::ffff:192.0.2.10:8585", "::ffff:192.0.2.22:40002")).toEqual(seen)
    expect(found(six, "192.0.2.10:8585", "192.0.2.22:40002")).toEqual(seen)
  })

  it("finds IPv6 partners, with and without brackets, zone and leading zeros", () => {
    const seen = { ...calm, receiveQueue: 7 }
    expect(found(six, "2001:db8::1:8585", "2001:db8::2:40003")).toEqual(seen)
    expect(found(six, "[2001:0db8::0001%eth0]:8585", "[2001:db8:0:0:0:0:0:2]:40003")).toEqual(seen)
  })

  it("does not take a listening socket or another connection for it", () => {
    expect(found(four, "127.0.0.1:2024", "0.0.0.0:0")).toBeUndefined()
    expect(found(four, "192.0.2.10:8583", "192.0.2.20:40001")).toBeUndefined()
    expect(found("", "192.0.2.10:8583", "192.0.2.20:40000")).toBeUndefined()
  })

  it("is absent with the reason where there is no /proc", async () => {
    const none = FileSystem.makeNoop({
      readFileString: (path) =>
        Effect.fail(
          PlatformError.systemError({
            _tag: "NotFound",
            module: "FileSystem",
            method: "readFileString",
            pathOrDescriptor: path
          })
        )
    })
    const view = await Effect.runPromise(
      Effect.provideService(look(new Set([keyOf("192.0.2.1:1", "192.0.2.2:2")])), FileSystem.FileSystem, none)
    )

    expect(view).toEqual({ _tag: "absent", why: "/proc/net/tcp cannot be read here: there is no such file" })
  })

  it("reads nothing when no link is up", async () => {
    const view = await Effect.runPromise(Effect.provide(look(new Set()), NodeServices.layer))
    expect(view).toEqual({ _tag: "seen", sockets: new Map() })
  })
})

describe("A disagreement between the kernel and us", () => {
  it("is said in words that name what it means", () => {
    const cases: ReadonlyArray<readonly [Parameters<typeof disagreements>, RegExp]> = [
      [[undefined, undefined, 0], /the kernel has no such connection/],
      [
        [{ ...calm, state: "CLOSE_WAIT", receiveQueue: 5 }, undefined, 0],
        /the partner has closed .*5 bytes are unread/
      ],
      [[{ ...calm, state: "FIN_WAIT2" }, undefined, 0], /the kernel says FIN_WAIT2/],
      [
        [{ ...calm, sendQueue: 340, retransmits: 3, timer: "retransmit" }, undefined, 0],
        /340 bytes, sent again 3 times/
      ],
      [
        [{ ...calm, sendQueue: 9, timer: "zero window probe" }, undefined, 0],
        /the partner has stopped reading.*9 bytes/
      ],
      [
        [{ ...calm, sendQueue: 90_000 }, { sendQueue: 70_000, at: 1000 }, 3500],
        /grows: 70000 bytes 2.5 s ago, 90000 now/
      ],
      [[{ ...calm, receiveQueue: 70_000 }, undefined, 0], /70000 bytes have come and we do not read them/]
    ]
    for (const [given, says] of cases) expect(disagreements(...given).join("; ")).toMatch(says)
  })

  it("is none while both see the same, and for a queue that does not grow", () => {
    expect(disagreements(calm, undefined, 0)).toEqual([])
    expect(disagreements({ ...calm, sendQueue: 500 }, { sendQueue: 500, at: 0 }, 10)).toEqual([])
    expect(disagreements({ ...calm, sendQueue: 500 }, { sendQueue: 0, at: 0 }, 10)).toEqual([])
    // Two looks at a busy line: other messages are under way each time.
    expect(disagreements({ ...calm, sendQueue: 329 }, { sendQueue: 303, at: 0 }, 10)).toEqual([])
  })
})
