/** One address for many institutions, over real sockets; test plan rows 3 and 37. */
import { Effect } from "effect"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { Authority, type Issued } from "../../../examples/08-many-institutions/Authority.ts"
import { cleanUp, dial, ended, folder, heard, say, tls } from "../transport/Sockets.ts"
import { byFirst, door, framed, hello, knock, type OpenDoor, open } from "./Doors.ts"

const doors: Array<OpenDoor> = []
const opened = async (...args: Parameters<typeof open>): Promise<OpenDoor> => {
  const one = await open(...args)
  doors.push(one)
  return one
}

afterEach(async () => {
  for (const one of doors.splice(0)) await one.close()
})
afterAll(cleanUp)

const purchase = (terminal: string) => hello("48020000", { 41: terminal })

describe("A door by address", () => {
  it("gives each connection to the link of its address, whole and untouched", async () => {
    const one = await opened(door({ _tag: "address" }), [
      { name: "bank-a", from: ["127.0.0.2"] },
      { name: "bank-b", from: ["127.0.1.0/24"] }
    ])
    const b = await knock(one.port, "127.0.1.9")
    const a = await knock(one.port, "127.0.0.2")
    b.socket.write("from b")
    const first = await one.given()
    const second = await one.given()

    expect([first.link, second.link]).toEqual(["bank-b", "bank-a"])
    expect(await heard(first.connection)).toBe("from b")

    await say(second.connection, "to a")
    expect(await new Promise((resolve) => a.socket.once("data", (bytes) => resolve(String(bytes))))).toBe("to a")
    expect(one.door.status()).toMatchObject({ open: 2, pending: 0, admitted: 2, refused: {} })

    a.socket.destroy()
    b.socket.destroy()
  })

  it("closes who is on no link's list before anything is read, and says so once", async () => {
    const one = await opened(door({ _tag: "address" }), [{ name: "bank-a", from: ["127.0.0.2"] }])
    await (await knock(one.port, "127.0.0.3")).closed
    await (await knock(one.port, "127.0.0.3")).closed

    expect(one.door.status()).toMatchObject({ open: 0, admitted: 0, refused: { PeerNotAllowed: 2 } })
    expect(one.notes).toEqual(["PeerNotAllowed: a connection from 127.0.0.3 was closed"])
  })

  it("counts connections by source and lets the next one in when one has gone", async () => {
    const limits = { connections: 10, perSource: 2, newPerSecond: 1000, pending: 10 }
    const one = await opened(door({ _tag: "address" }, { limits }), [{ name: "bank-a", from: ["127.0.0.0/8"] }])
    await knock(one.port)
    await knock(one.port)
    const first = await one.given()
    await one.given()
    await (await knock(one.port)).closed
    const other = await knock(one.port, "127.0.0.2")
    await one.given()
    first.connection.close("reset")
    while (one.door.status().open > 2) await new Promise((resolve) => setImmediate(resolve))
    await knock(one.port)

    expect((await one.given()).link).toBe("bank-a")
    expect(one.door.status().refused).toEqual({ SourceFull: 1 })
    other.socket.destroy()
  })
})

describe("A door by certificate", () => {
  const directory = folder()
  let ours: Authority
  let server: Issued
  let bankA: Issued
  let bankB: Issued
  let bankC: Issued

  beforeAll(async () => {
    ours = await Authority.make(directory, "centre-ca")
    server = await ours.issue("switch.example")
    bankA = await ours.issue("bank-a.example")
    bankB = await ours.issue("bank-b.example")
    bankC = await ours.issue("bank-c.example")
  })

  const front = () =>
    opened(door({ _tag: "certificate" }, { tls: tls(server, { ca: [ours.file], handshakeMs: 300 }) }), [
      { name: "bank-a", certificate: { fingerprints: [bankA.fingerprint], names: [] } },
      { name: "bank-b", certificate: { fingerprints: [], names: ["bank-b.example"] } }
    ])

  it("gives each connection to the link of the certificate that it showed", async () => {
    const one = await front()
    await dial(one.port, tls(bankB, { ca: [ours.file] }))
    const first = await one.given()
    await dial(one.port, tls(bankA, { ca: [ours.file] }))

    const second = await one.given()

    expect([first.link, second.link]).toEqual(["bank-b", "bank-a"])
  })

  it("closes a partner of the right authority that no link expects", async () => {
    const one = await front()
    const connection = await dial(one.port, tls(bankC, { ca: [ours.file] }))
    if (!("pull" in connection)) throw connection
    await ended(connection)

    expect(one.notes).toHaveLength(1)
    expect(one.notes[0]).toMatch(/^IdentityUnknown: .* by its certificate it belongs to none of the links at front$/)
  })

  it("owns a connection in its handshake: it is counted, and its failure is noted with the reason", async () => {
    const one = await front()
    const silent = await knock(one.port)
    while (one.door.status().pending === 0) await new Promise((resolve) => setImmediate(resolve))
    const during = one.door.status()
    await silent.closed

    expect(during).toMatchObject({ open: 1, pending: 1 })
    expect(one.notes[0]).toMatch(/^HandshakeTimeout: a handshake with 127.0.0.1 came to nothing/)

    while (one.door.status().open > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(one.door.status()).toMatchObject({ pending: 0, refused: { HandshakeTimeout: 1 } })
  })
})

describe("A door by the first message", () => {
  const banks = [
    { name: "bank-a", value: "48020000" },
    { name: "bank-b", value: "48030000" }
  ]

  it("tells institutions by the source in the header, and hands on every byte that it has read", async () => {
    const one = await opened(door(byFirst(0)), banks)
    const b = await knock(one.port)
    const bytes = Buffer.concat([
      Buffer.from("0000"),
      framed(hello("48030000")),
      framed(hello("48030000", { 11: "000002" }))
    ])
    b.socket.write(bytes)
    const { link, connection } = await one.given()
    let got = await heard(connection)
    b.socket.write("more")
    while (got.length < bytes.length + 4) got += await heard(connection)

    expect(link).toBe("bank-b")
    expect(Buffer.from(got, "latin1")).toEqual(Buffer.concat([bytes, Buffer.from("more")]))
    b.socket.destroy()
  })

  it("tells terminals by a data element, whatever the pieces that the message comes in", async () => {
    const one = await opened(door(byFirst(41)), [
      { name: "shop-1", value: "T0000001" },
      { name: "shop-2", value: "T0000002" }
    ])
    const bytes = framed(purchase("T0000002"))
    const { socket } = await knock(one.port)
    socket.setNoDelay(true)
    for (let at = 0; at < bytes.length; at += 7) {
      socket.write(bytes.subarray(at, at + 7))
      await new Promise((resolve) => setImmediate(resolve))
    }

    const { link, connection } = await one.given()

    expect(link).toBe("shop-2")
    expect(await heard(connection)).toHaveLength(bytes.length)
    socket.destroy()
  })

  it("closes an institution that it does not know, one that says nothing in time, and bytes that are no message", async () => {
    const one = await opened(door(byFirst(0, 200)), banks)
    const stranger = await knock(one.port)
    stranger.socket.write(framed(hello("49990000")))
    await stranger.closed
    const begun = performance.now()
    const silent = await knock(one.port)
    await silent.closed
    const waited = performance.now() - begun
    const noise = await knock(one.port)
    noise.socket.write("GET / HTTP/1.1\r\n\r\n")
    await noise.closed
    const garbage = await knock(one.port)
    garbage.socket.write("0010abcdefghij")
    await garbage.closed
    const gone = await knock(one.port)
    gone.socket.end()
    await gone.closed

    expect(one.door.status()).toMatchObject({
      admitted: 0,
      pending: 0,
      refused: { IdentityUnknown: 1, FirstMessageMissing: 2, FirstMessageUnreadable: 2 }
    })
    expect(waited).toBeGreaterThan(150)
    expect(one.notes.join("\n")).not.toContain("49990000")
  })

  it("closes a partner that sends one byte at a time at its deadline, and serves the others meanwhile", async () => {
    const one = await opened(door(byFirst(0, 3000)), banks)
    const bytes = framed(hello("48020000"))
    const slow = await Promise.all(Array.from({ length: 50 }, () => knock(one.port, "127.0.0.5")))
    let at = 0
    const drip = setInterval(() => {
      for (const { socket } of slow) if (!socket.destroyed) socket.write(bytes.subarray(at, at + 1))
      at++
    }, 30)
    const good = await knock(one.port)
    good.socket.write(bytes)
    const { link } = await one.given()
    // Served while all the slow ones are still there: their deadline is not waited for.
    const { refused } = one.door.status()
    await Promise.all(slow.map(({ closed }) => closed))
    clearInterval(drip)

    expect(link).toBe("bank-a")
    expect(refused).toEqual({})
    expect(one.door.status()).toMatchObject({ admitted: 1, pending: 0, refused: { FirstMessageMissing: 50 } })
    expect(one.notes).toHaveLength(1)
    good.socket.destroy()
  })

  it("takes no more idle frames than it needs before the first message", async () => {
    const one = await opened(door(byFirst(0, 2000)), banks)
    const chatty = await knock(one.port)
    chatty.socket.write("0000".repeat(2000))
    await chatty.closed

    expect(one.door.status().refused).toEqual({ FirstMessageUnreadable: 1 })
  })

  it("asks for the address and the certificate of the link besides", async () => {
    const one = await opened(door(byFirst(0)), [
      { name: "bank-a", value: "48020000", from: ["127.0.0.2"] },
      { name: "bank-b", value: "48030000", from: ["127.0.0.3"] }
    ])
    const borrowed = await knock(one.port, "127.0.0.3")
    borrowed.socket.write(framed(hello("48020000")))
    await borrowed.closed
    const right = await knock(one.port, "127.0.0.2")
    right.socket.write(framed(hello("48020000")))

    expect((await one.given()).link).toBe("bank-a")
    expect(one.door.status().refused).toEqual({ IdentityUnknown: 1 })
    right.socket.destroy()
  })

  it("closes what no link owns when the switch stops", async () => {
    const one = await open(door(byFirst(0, 60_000)), banks)
    const waiting = await knock(one.port)
    waiting.socket.write("00")
    while (one.door.status().pending === 0) await Effect.runPromise(Effect.yieldNow)
    await one.close()
    await waiting.closed

    expect(waiting.socket.destroyed).toBe(true)
  })
})
