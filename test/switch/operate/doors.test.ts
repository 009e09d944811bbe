/** Doors and TLS in the configuration: what becomes of them, and what is refused with which words. */
import { describe, expect, it } from "vitest"
import { configurationOf, pathsOf, saidOf } from "./checked.ts"

const pin = "ab".repeat(32)
const other = "cd".repeat(32)

/** A configuration of two institutions behind one door, with its parts given. */
const behind = (door: string, a: string, b: string): string => `name: demo
institution: "00010000"
journal: { directory: ./journal, key: { env: JINKA_TEST_KEY } }
doors:
  - ${door}
links:
  - { name: bank-a, institution: "48020000", dialect: cups, door: { name: front${a} } }
  - { name: bank-b, institution: "48030000", dialect: cups, door: { name: front${b} } }
  - { name: issuer, institution: "01020000", dialect: cups, connect: { host: 127.0.0.1, port: 7002 } }
routes:
  - { bin: "621234", to: issuer }
`

const byHeader = "{ name: front, listen: { host: 127.0.0.1, port: 7000 }, by: header }"
const own = "certificate: our.pem, key: keys/our.key"

/** The configuration with one link that has this side. */
const withSide = (side: string): string => `name: demo
institution: "00010000"
journal: { directory: ./journal, key: { env: JINKA_TEST_KEY } }
links:
  - { name: issuer, institution: "01020000", dialect: cups, ${side} }
routes:
  - { bin: "621234", to: issuer }
`

describe("Doors in a configuration", () => {
  it("become settings with the links behind them, paths beside the file, and limits by whether there is TLS", async () => {
    const { settings } = await configurationOf(
      behind(
        `{ name: front, listen: { port: 7000, tls: { ${own} }, keepAlive: {} }, by: certificate }`,
        `, certificate: { fingerprints: ["${pin.toUpperCase().replace(/..(?=.)/g, "$&:")}"] }`,
        `, certificate: { fingerprints: ["${other}"] }, second: replace`
      )
    )

    expect(settings.doors).toMatchObject([
      {
        name: "front",
        at: { host: "0.0.0.0", port: 7000 },
        by: { _tag: "certificate" },
        tls: {
          certificate: "/srv/jinka/our.pem",
          key: "/srv/jinka/keys/our.key",
          handshakeMs: 10_000,
          versionMin: "TLSv1.2"
        },
        keepAlive: { idleMs: 60_000, intervalMs: 10_000, count: 3 },
        limits: { connections: 4096, perSource: 1024, newPerSecond: 50, pending: 1024 }
      }
    ])
    expect(settings.links[0]?.side).toMatchObject({
      _tag: "door",
      door: "front",
      second: "challenge",
      sign: { certificate: { fingerprints: [pin] }, value: "48020000" }
    })
    expect(settings.links[1]?.side).toMatchObject({ second: "replace" })
  })

  it("are good by header, by a data element and by address", async () => {
    expect(await saidOf(behind(byHeader, "", ""))).toEqual([])
    expect(
      await saidOf(
        behind(
          "{ name: front, listen: { host: 127.0.0.1, port: 7000 }, by: field, field: 41 }",
          ", fieldValue: T1",
          ", fieldValue: T2"
        )
      )
    ).toEqual([])
    expect(
      await saidOf(
        behind(
          "{ name: front, listen: { host: 127.0.0.1, port: 7000 }, by: address }",
          ", from: [192.0.2.0/24]",
          ", from: [198.51.100.1, 2001:db8::1]"
        )
      )
    ).toEqual([])
  })

  it("are refused when what tells the partners does not tell them", async () => {
    const paths = (door: string, a: string, b: string) => pathsOf(behind(door, a, b), "error")
    const address = "{ name: front, listen: { port: 7000 }, by: address }"
    const certificate = `{ name: front, listen: { port: 7000, tls: { ${own} } }, by: certificate }`

    expect(await paths(address, "", ", from: [192.0.2.1]")).toEqual(["links[0].door"])
    expect(await paths(address, ", from: [192.0.2.0/24]", ", from: [192.0.2.7]")).toEqual(["links[1].door.from[0]"])
    expect(await paths(certificate, "", `, certificate: { fingerprints: ["${pin}"] }`)).toEqual(["links[0].door"])
    expect(
      await paths(
        certificate,
        `, certificate: { fingerprints: ["${pin}"] }`,
        `, certificate: { fingerprints: ["${pin}"] }`
      )
    ).toEqual(["links[1].door.certificate.fingerprints[0]"])
    expect(
      await paths(certificate, ", certificate: { names: [a] }", `, certificate: { fingerprints: ["${pin}"] }`)
    ).toEqual(["links[0].door.certificate.names"])
    expect(await paths("{ name: front, listen: { port: 7000 }, by: certificate }", "", "")).toContain("doors[0].by")
    expect(await paths("{ name: front, listen: { port: 7000 }, by: field }", ", fieldValue: T1", "")).toEqual([
      "doors[0]",
      "links[1].door"
    ])
    expect(await paths(byHeader, ", fieldValue: T1", "")).toEqual(["links[0].door.fieldValue"])
    expect(await pathsOf(behind(byHeader, "", "").replace('"48030000"', '"48020000"'), "error")).toEqual([
      "links[1].institution"
    ])
    expect(
      await pathsOf(behind(byHeader, "", "").replace('"48030000", dialect: cups', '"48030000", dialect: nac'), "error")
    ).toEqual(["links[1].dialect"])
  })

  it("are named by links that are behind them, and no two listen on one address", async () => {
    expect(await saidOf(behind(byHeader, "", "").replace("name: front }", "name: frnt }"))).toEqual([
      "switch.yaml:7:75 error links[0].door.name: a link is behind one of the doors; found frnt. Did you mean `front`?"
    ])

    const twice = behind(byHeader, "", "").replace("connect: { host: 127.0.0.1, port: 7002 }", "listen: { port: 7000 }")
    expect(await pathsOf(twice, "error")).toEqual(["doors[0].listen.port"])
    expect(await saidOf(withSide("listen: { host: b, port: 7000 }, connect: { host: a, port: 1 }"))).toEqual([
      "switch.yaml:5:5 error links[0]: a link has exactly one of `connect`, `listen` and `door`; found connect and listen. Remove all but one."
    ])
  })

  it("warn when one partner could pretend to be another", async () => {
    const text = behind(
      `{ name: front, listen: { port: 7000, tls: { ${own}, ca: [ca.pem] } }, by: header }`,
      `, certificate: { fingerprints: ["${pin}"] }`,
      ""
    )

    expect(await pathsOf(text, "error")).toEqual([])
    expect(await pathsOf(text, "warning")).toEqual(["links[1].door"])
  })

  it("warn when they believe over a network what a caller says of itself", async () => {
    const network = byHeader.replace("127.0.0.1", "192.0.2.1")
    const said = (door: string, a = "", b = "") => saidOf(behind(door, a, b))
    const warning =
      "warning doors[0].name: every caller that this door admits is taken for bank-a, bank-b when its first message says so: nothing proves it"

    expect(await said(network)).toEqual([expect.stringContaining(warning)])
    // The addresses of one are those of the other, too.
    expect(await said(network, ", from: [192.0.2.0/24]", ", from: [192.0.2.7]")).toEqual([
      expect.stringContaining(warning)
    ])
    // Nobody comes from where only the first may come from.
    expect(await said(network, ", from: [192.0.2.8]")).toEqual([expect.stringContaining("is taken for bank-b when")])
    expect(await said(network, ", from: [192.0.2.8]", ", from: [192.0.2.7]")).toEqual([])

    // A door with a certificate of its own knows no more of who comes in.
    const field = `{ name: front, listen: { host: 192.0.2.1, port: 7000, tls: { ${own} } }, by: field, field: 41 }`
    expect(await pathsOf(behind(field, ", fieldValue: T1", ", fieldValue: T2"), "warning")).toContain("doors[0].name")
  })
})

describe("HTTP doors in a configuration", () => {
  const web = (link: string, more = "") => `name: demo
institution: "00010000"
journal: { directory: ./journal, key: { env: JINKA_TEST_KEY } }
http:
  - { name: web, listen: { host: 127.0.0.1, port: 8080 } }
links:
  - { name: a, institution: "48020000", dialect: cups, ${link} }
  - { name: issuer, institution: "01020000", dialect: cups, connect: { host: 127.0.0.1, port: 7002 } }${more}
routes:
  - { bin: "621234", to: issuer }
`
  const short = "mode: sync-short, frame: { kind: until-close, lengthMax: 1892 }"

  it("become settings, with the path as what tells the link", async () => {
    const { settings } = await configurationOf(web(`${short}, door: { name: web, path: /a }`))

    expect(settings.http).toMatchObject([{ name: "web", bodyMax: 65_536, requestMs: 5000, idleMs: 60_000 }])
    expect(settings.links[0]?.side).toMatchObject({ _tag: "door", door: "web", sign: { value: "/a" } })
    expect(await saidOf(web(`${short}, door: { name: web, path: /a }`))).toEqual([])
  })

  it("warn when whoever they admit may ask for any link's path", async () => {
    const other = `\n  - { name: b, institution: "48020001", dialect: cups, ${short}, door: { name: web, path: /b } }`
    const text = web(`${short}, door: { name: web, path: /a }`, other)

    expect(await saidOf(text)).toEqual([])
    expect(await saidOf(text.replace("127.0.0.1, port: 8080", "192.0.2.1, port: 8080"))).toEqual([
      expect.stringContaining("every caller that this door admits is taken for a, b when it asks for that link's path")
    ])
  })

  it("want links that carry one message each way, with a path of their own", async () => {
    const errors = (link: string, more = "") => pathsOf(web(link, more), "error")
    const other = `\n  - { name: b, institution: "48020001", dialect: cups, ${short}, door: { name: web, path: /a } }`

    expect(await errors("door: { name: web, path: /a }")).toEqual(["links[0]"])
    expect(await errors(`${short}, door: { name: web }`)).toEqual(["links[0].door"])
    expect(await errors(`${short}, door: { name: web, path: /a }`, other)).toEqual(["links[2].door.path"])
    expect(await errors(`${short}, door: { name: web, path: a }`)).toEqual(["links[0].door.path"])
    expect(await errors(`${short}, listen: { port: 8080 }`)).toEqual(["http[0].listen.port"])
  })
})

describe("TLS in a configuration", () => {
  const errors = (side: string) => pathsOf(withSide(side), "error")
  const warnings = (side: string) => pathsOf(withSide(side), "warning")
  const dialling = (tls: string) => `connect: { host: a.example, port: 7002, tls: { ${tls} } }`
  const listening = (tls: string) => `listen: { port: 7002, tls: { ${tls} } }`

  it("has something to know the partner by when we dial", async () => {
    expect(await errors(dialling("ca: [ca.pem]"))).toEqual([])
    expect(await errors(dialling(`partner: { fingerprints: ["${pin}"] }`))).toEqual([])
    expect(await saidOf(withSide(dialling("")))).toEqual([
      "switch.yaml:5:106 error links[0].connect.tls: without `ca` or `partner.fingerprints` anybody could take the partner's place. Add one of them."
    ])
  })

  it("has our certificate when we listen, and a warning when the partner's is not asked for or is anybody's", async () => {
    expect(await errors(listening("ca: [ca.pem]"))).toEqual(["links[0].listen.tls"])
    expect(await errors(listening("certificate: our.pem, ca: [ca.pem]"))).toEqual(["links[0].listen.tls"])
    expect(await warnings(listening(own))).toEqual(["links[0].listen.tls"])
    expect(await warnings(listening(`${own}, ca: [ca.pem]`))).toEqual(["links[0].listen.tls.ca"])
    expect(await warnings(listening(`${own}, ca: [ca.pem], partner: { names: [a.example] }`))).toEqual([])
  })

  it("has no names and no revocation lists without an authority, and no name to ask for when we listen", async () => {
    expect(await errors(dialling(`partner: { fingerprints: ["${pin}"], names: [a] }`))).toEqual([
      "links[0].connect.tls.partner.names"
    ])
    expect(await errors(dialling(`partner: { fingerprints: ["${pin}"] }, crl: [x.crl]`))).toEqual([
      "links[0].connect.tls.crl"
    ])
    expect(await errors(listening(`${own}, ca: [ca.pem], servername: a.example`))).toEqual([
      "links[0].listen.tls.servername"
    ])
    expect(await errors(dialling("ca: [ca.pem], passphraseFile: p"))).toEqual(["links[0].connect.tls.passphraseFile"])
  })

  it("takes fingerprints as they are printed, and nothing shorter", async () => {
    expect(await errors(dialling('partner: { fingerprints: ["abcd"] }'))).toEqual([
      "links[0].connect.tls.partner.fingerprints[0]"
    ])
  })

  it("does not challenge on a link without an echo", async () => {
    expect(await errors("listen: { port: 7002, second: challenge }, watchdog: { probe: false }")).toEqual([
      "links[0].listen.second"
    ])
    expect(await warnings("listen: { host: 127.0.0.1, port: 7002, second: replace }")).toEqual([
      "links[0].listen.second"
    ])
    expect(await warnings("listen: { port: 7002, second: replace, from: [192.0.2.0/24] }")).toEqual([])
  })
})
