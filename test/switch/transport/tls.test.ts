/** TLS over real sockets: who is let in, who is not and why, on both sides; test plan row 38. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Authority, type Issued } from "../../../examples/08-many-institutions/Authority.ts"
import type { TlsSettings } from "../../../packages/switch/src/transport/Tls.ts"
import { ConnectFailed, type Connection } from "../../../packages/switch/src/transport/Transport.ts"
import { patience } from "../../Pace.ts"
import { cleanUp, dial, ended, folder, type Host, heard, host, say, tls } from "./Sockets.ts"

afterAll(cleanUp)

const directory = folder()
let ours: Authority
let strangers: Authority
let server: Issued
let partner: Issued
let stranger: Issued

beforeAll(async () => {
  ours = await Authority.make(directory, "centre-ca")
  strangers = await Authority.make(directory, "other-ca")
  server = await ours.issue("switch.example")
  partner = await ours.issue("bank-a.example", { names: ["bank-a.example", "gateway.bank-a.example"] })
  stranger = await strangers.issue("bank-a.example.test")
})

/** Runs with a listener that asks for certificates of our authority, changed by `more`. */
const withHost = async <A>(more: Partial<TlsSettings>, run: (host: Host) => Promise<A>): Promise<A> => {
  const one = await host({ tls: tls(server, { ca: [ours.file], ...more }) })
  try {
    return await run(one)
  } finally {
    await one.close()
  }
}

const connected = (connection: Connection | ConnectFailed): Connection => {
  if (connection instanceof ConnectFailed) throw connection
  return connection
}

/** What a listener refuses a partner with that shows `own`. */
const refusal = (own: Issued | undefined, more: Partial<TlsSettings> = {}) =>
  withHost(more, async (host) => {
    const dialled = await dial(host.port, tls(own, { ca: [ours.file] }))
    const why = await host.refused()
    // With TLS 1.3 the dialling side is done before the other has judged: it hears of it as the end of the connection.
    if (!(dialled instanceof ConnectFailed)) expect((await ended(dialled)).how).not.toBe("fin")
    return why
  })

describe("A TLS connection", () => {
  it("carries bytes both ways, and each side knows the other by its certificate", async () => {
    await withHost({ expect: { fingerprints: [], names: ["GATEWAY.bank-a.example"] } }, async (host) => {
      const near = connected(await dial(host.port, tls(partner, { ca: [ours.file] })))
      const far = await host.accepted()
      await say(near, "question")
      const question = await heard(far)
      await say(far, "answer")

      expect(question).toBe("question")
      expect(await heard(near)).toBe("answer")
      expect(far.identity?.fingerprint).toBe(partner.fingerprint)
      expect(far.identity?.keyFingerprint).toBe(partner.keyFingerprint)
      expect(far.identity?.names).toContain("gateway.bank-a.example")
      expect(near.identity?.fingerprint).toBe(server.fingerprint)
      near.close("fin")
      expect((await ended(far)).how).toBe("fin")
      far.close("fin")
    })
  })

  it("is reset below TLS, so that the partner hears a broken connection and not an orderly end", async () => {
    await withHost({}, async (host) => {
      const near = connected(await dial(host.port, tls(partner, { ca: [ours.file] })))
      const far = await host.accepted()
      far.close("reset")

      expect((await ended(near)).how).toBe("reset")
    })
  })

  it("can be closed in one direction: what is owed still arrives behind the partner's end", async () => {
    await withHost({}, async (host) => {
      const near = connected(await dial(host.port, tls(partner, { ca: [ours.file] })))
      const far = await host.accepted()
      await say(near, "request")
      near.finish?.()
      const request = await heard(far)
      const end = await ended(far)
      await say(far, "answer")
      far.close("fin")

      expect([request, end.how]).toEqual(["request", "fin"])
      expect(await heard(near)).toBe("answer")
      expect((await ended(near)).how).toBe("fin")
      near.close("fin")
    })
  })

  it("carries a mebibyte in one write and keeps every byte in order", async () => {
    await withHost({}, async (host) => {
      const near = connected(await dial(host.port, tls(partner, { ca: [ours.file] })))
      const far = await host.accepted()
      const text = Array.from({ length: 1 << 17 }, (_, at) => String(at).padStart(8, "0")).join("")
      const written = say(near, text)
      let got = ""
      while (got.length < text.length) got += await heard(far)
      await written

      expect(got === text).toBe(true)
      near.close("reset")
    })
  })

  it("is told from another one of the same partner's address and port to another address of ours", async () => {
    const one = await host({ tls: tls(server, { ca: [ours.file] }) }, "0.0.0.0")
    const raws: Array<Socket> = []
    for (const at of ["127.0.0.1", "127.0.0.2"]) {
      const localPort = raws[0]?.localPort
      const raw = connect({ host: at, port: one.port, localAddress: "127.0.0.1", ...(localPort ? { localPort } : {}) })
      await new Promise((resolve) => raw.once("connect", resolve))
      raws.push(raw)
    }
    const [cert, key] = [readFileSync(partner.certificate), readFileSync(partner.key)]
    const sockets = raws.map((socket) => connectTls({ socket, cert, key, rejectUnauthorized: false }))
    for (const [n, socket] of sockets.entries()) socket.on("error", () => {}).write(`from ${n}`)
    const [first, second] = [await one.accepted(), await one.accepted()]

    expect([await heard(first), await heard(second)].sort()).toEqual(["from 0", "from 1"])

    first.close("reset")
    await say(second, "still here")
    expect((await ended(first)).how).toBe("local")

    for (const raw of raws) raw.destroy()
    await one.close()
  })

  it("may do without a certificate of the partner where none is asked for", async () => {
    await withHost({ ca: [] }, async (host) => {
      connected(await dial(host.port, tls(undefined, { ca: [ours.file] })))

      expect((await host.accepted()).identity).toBeUndefined()
    })
  })
})

describe("A listener refuses with a reason", () => {
  it("a partner without a certificate", async () => {
    expect((await refusal(undefined)).reason).toBe("NoCertificate")
  })

  it("an expired certificate", async () => {
    const expired = await ours.issue("late.example", { from: -10, until: -1 })
    expect((await refusal(expired)).reason).toBe("CertificateExpired")
  })

  it("a certificate that is not valid yet", async () => {
    const early = await ours.issue("early.example", { from: 1, until: 10 })
    expect((await refusal(early)).reason).toBe("CertificateNotYetValid")
  })

  it("a certificate of another authority", async () => {
    expect((await refusal(stranger)).reason).toBe("CertificateUntrusted")
  })

  it("another partner's certificate, although the authority is right", async () => {
    const other = await ours.issue("bank-b.example")
    const why = await refusal(other, { expect: { fingerprints: [], names: ["bank-a.example"] } })
    expect(why.reason).toBe("CertificateWrong")
    expect(why.cause).toContain("bank-b.example")
  })

  it("a certificate with the right name in another kind of alternative name, or in a common name beside one", async () => {
    const kinds = [
      { type: "email", value: "bank-a@centre.example" },
      { type: "url", value: "https://bank-a.example/switch" },
      { type: "ip", value: "127.0.0.9" },
      { type: "dns", value: "bank-c.example" }
    ] as const
    const written = ["bank-a@centre.example", "https://bank-a.example/switch", "127.0.0.9", "bank-c.example"]
    const holders = await Promise.all(kinds.map((kind, n) => ours.issue(`kind-${n}.example`, { alternatives: [kind] })))
    for (const [n, holder] of holders.entries())
      for (const [m, name] of written.entries())
        await withHost({ expect: { fingerprints: [], names: [name] } }, async (host) => {
          await dial(host.port, tls(holder, { ca: [ours.file] }))
          if (n === m) expect((await host.accepted()).identity).toBeDefined()
          else expect((await host.refused()).reason).toBe("CertificateWrong")
        })
    // What would have passed before: the pinned name as text of a name of another kind.
    const borrowed = await ours.issue("bank-a.example.borrowed", {
      alternatives: [{ type: "url", value: "bank-a.example" }]
    })
    const expected = { fingerprints: [], names: ["bank-a.example"] }

    expect((await refusal(borrowed, { expect: expected })).reason).toBe("CertificateWrong")

    const beside = await ours.issue("bank-a.example.beside", { names: ["bank-b.example"] })
    const common = { fingerprints: [], names: ["bank-a.example.beside"] }
    expect((await refusal(beside, { expect: common })).reason).toBe("CertificateWrong")

    const alone = await ours.issue("bank-a.example.alone", { alternatives: [] })
    await withHost({ expect: { fingerprints: [], names: ["bank-a.example.alone"] } }, async (host) => {
      connected(await dial(host.port, tls(alone, { ca: [ours.file] })))
    })
  })

  it("a certificate with the right name and another fingerprint", async () => {
    const twin = await ours.issue("bank-a.example.twin", { names: ["bank-a.example"] })
    const expected = { fingerprints: [partner.fingerprint], names: ["bank-a.example"] }
    expect((await refusal(twin, { expect: expected })).reason).toBe("CertificateWrong")
  })

  it("a revoked certificate, and takes the others of the same authority", async () => {
    const revoked = await ours.issue("revoked.example")
    const crl = [await ours.revoke([revoked])]

    expect((await refusal(revoked, { crl })).reason).toBe("CertificateRevoked")
    await withHost({ crl }, async (host) => {
      connected(await dial(host.port, tls(partner, { ca: [ours.file] })))
      expect((await host.accepted()).identity?.fingerprint).toBe(partner.fingerprint)
    })
  })

  it("everybody, when the revocation list is out of date", async () => {
    const crl = [await ours.revoke([], { from: -3, until: -1 })]
    expect((await refusal(partner, { crl })).reason).toBe("RevocationUnknown")
  })

  it("TLS 1.1, and offers nothing older than what is set", async () => {
    const old = (versions: object) =>
      withHost({ versionMin: "versionMin" in versions ? "TLSv1.3" : "TLSv1.2" }, async (host) => {
        const socket = connectTls({
          host: "127.0.0.1",
          port: host.port,
          rejectUnauthorized: false,
          ciphers: "DEFAULT@SECLEVEL=0",
          minVersion: "TLSv1",
          maxVersion: "versionMin" in versions ? "TLSv1.2" : "TLSv1.1"
        })
        socket.on("error", () => undefined)
        return (await host.refused()).reason
      })

    expect(await old({})).toBe("VersionRefused")
    expect(await old({ versionMin: true })).toBe("VersionRefused")
  })

  it("bytes that are no TLS: a partner that was configured without it", async () => {
    await withHost({}, async (host) => {
      const socket = connect(host.port, "127.0.0.1", () =>
        socket.write("0123ISO8583 in clear, long enough for a record")
      )
      socket.on("error", () => undefined)
      expect((await host.refused()).reason).toBe("NotTls")
    })
  })

  it("a handshake that stalls, after its time and not before", async () => {
    await withHost({ handshakeMs: 300 }, async (host) => {
      const begun = performance.now()
      const socket = connect(host.port, "127.0.0.1")
      const closed = new Promise((resolve) => socket.once("close", resolve))
      socket.on("error", () => undefined)
      const why = await host.refused()
      const took = performance.now() - begun
      await closed

      expect(why.reason).toBe("HandshakeTimeout")
      expect(took).toBeGreaterThan(250)
      expect(took).toBeLessThan(patience(1900))
    })
  })

  it("a partner that hangs up in the handshake", async () => {
    await withHost({}, async (host) => {
      const socket = connect(host.port, "127.0.0.1", () => socket.destroy())
      expect((await host.refused()).reason).toBe("HandshakeBroken")
    })
  })
})

describe("A dialling side refuses with a reason", () => {
  const failure = async (more: Partial<TlsSettings>, own: Issued = server, listener: Partial<TlsSettings> = {}) => {
    const one = await host({ tls: tls(own, { ca: [ours.file, strangers.file], ...listener }) })
    try {
      const failed = await dial(one.port, tls(partner, { ca: [ours.file], ...more }))
      if (failed instanceof ConnectFailed) return failed.reason
      failed.close("reset")
      return "connected"
    } finally {
      await one.close()
    }
  }

  it("a partner of another authority", async () => {
    expect(await failure({}, stranger)).toBe("CertificateUntrusted")
  })

  it("a certificate that is not for the host that was dialled, unless the partner is known by name or fingerprint", async () => {
    expect(await failure({ servername: "other.example" })).toBe("CertificateWrong")
    expect(await failure({ servername: "switch.example" })).toBe("connected")
    expect(await failure({})).toBe("connected")
    expect(await failure({ expect: { fingerprints: [], names: ["switch.example"] } })).toBe("connected")
  })

  it("an expired and a revoked certificate", async () => {
    const expired = await ours.issue("expired.example", { from: -10, until: -1 })
    const revoked = await ours.issue("withdrawn.example")
    expect(await failure({}, expired)).toBe("CertificateExpired")
    expect(await failure({ crl: [await ours.revoke([revoked])] }, revoked)).toBe("CertificateRevoked")
  })

  it("any certificate but the pinned one; a pinned one needs no authority, and its key may be pinned instead", async () => {
    const pinned = (fingerprint: string) => ({ ca: [], expect: { fingerprints: [fingerprint], names: [] } })
    expect(await failure(pinned(server.fingerprint))).toBe("connected")
    expect(await failure(pinned(server.keyFingerprint))).toBe("connected")
    expect(await failure(pinned(partner.fingerprint))).toBe("CertificateWrong")
  })

  it("a listener that does not answer the handshake in time", async () => {
    const silent = await host({})
    const failed = await dial(silent.port, tls(partner, { ca: [ours.file], handshakeMs: 200 }))
    expect(failed).toMatchObject({ reason: "HandshakeTimeout" })
    await silent.close()
  })

  it.each([
    ["/nowhere/our.key", "there is no such file"],
    ["/tmp", "it is a directory"]
  ])("a key file that cannot be read, by its path and without dialling: %s", async (key, why) => {
    const failed = await dial(1, { ...tls(partner, { ca: [ours.file] }), key })
    expect(failed).toMatchObject({ reason: "CredentialsWrong" })
    expect(String((failed as ConnectFailed).cause)).toContain(`${key}: ${why}`)
  })
})

describe("Certificates on a running listener", () => {
  const files = { certificate: `${directory}/rolling.pem`, key: `${directory}/rolling.key` }
  const put = ({ certificate, key }: Issued) => {
    copyFileSync(certificate, files.certificate)
    copyFileSync(key, files.key)
  }
  const shownTo = async (port: number) => {
    const connection = connected(await dial(port, tls(partner, { ca: [ours.file], servername: "127.0.0.1" })))
    return { connection, fingerprint: connection.identity?.fingerprint }
  }

  it("are exchanged without dropping what is up: new handshakes take the new ones, a wrong file keeps the old", async () => {
    const [first, second] = [await ours.issue("first.example"), await ours.issue("second.example")]
    put(first)
    const one = await host({ tls: { ...tls(undefined, { ca: [ours.file] }), ...files } })
    const before = await shownTo(one.port)
    const far = await one.accepted()

    put(second)
    const good = await one.reload()
    const after = await shownTo(one.port)
    await say(before.connection, "still here")
    const stillHeard = await heard(far)

    copyFileSync(first.key, files.key)
    const wrong = await one.reload()
    const kept = await shownTo(one.port)
    writeFileSync(files.certificate, "no certificate")
    const worse = await one.reload()

    expect(before.fingerprint).toBe(first.fingerprint)
    expect(good.map(({ wrong }) => wrong)).toEqual([undefined])
    expect(after.fingerprint).toBe(second.fingerprint)
    expect(stillHeard).toBe("still here")
    expect(wrong[0]?.wrong?.message).toContain("is not the key of")
    expect(kept.fingerprint).toBe(second.fingerprint)
    expect(worse[0]?.wrong?.message).toContain("it holds no certificate")

    for (const { connection } of [before, after, kept]) connection.close("reset")
    await one.close()
  })

  it("take a new revocation list for the next handshake", async () => {
    const leaving = await ours.issue("leaving.example")
    const crl = await ours.revoke([])
    const one = await host({ tls: tls(server, { ca: [ours.file], crl: [crl] }) })
    connected(await dial(one.port, tls(leaving, { ca: [ours.file] })))
    await one.accepted()

    await ours.revoke([leaving])
    await one.reload()
    await dial(one.port, tls(leaving, { ca: [ours.file] }))

    expect((await one.refused()).reason).toBe("CertificateRevoked")
    await one.close()
  })

  it("are not taken from a key file that others may read", async () => {
    const open = `${directory}/open.key`
    writeFileSync(open, readFileSync(partner.key), { mode: 0o644 })
    const failed = await dial(1, { ...tls(partner, { ca: [ours.file] }), key: open })

    expect(String((failed as ConnectFailed).cause)).toContain("others may get at it (mode 0644)")
    expect(String((failed as ConnectFailed).cause)).toContain("chmod 600")
  })

  it("never show the key in what is said of them", async () => {
    const secret = readFileSync(partner.key, "utf8").split("\n")[1]!
    writeFileSync(`${directory}/pasted.pem`, readFileSync(partner.key))
    const failed = await dial(1, { ...tls(partner, { ca: [ours.file] }), certificate: `${directory}/pasted.pem` })

    expect(String((failed as ConnectFailed).cause)).toContain("it holds no certificate")
    expect(JSON.stringify(failed)).not.toContain(secret)
  })
})
