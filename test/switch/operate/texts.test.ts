/** What `check` says: each sentence is true, and each warning comes when, and only when, its facts are there. */
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { relationsOf } from "../../../packages/switch/src/operate/configuration/Relations.ts"
import { Draft } from "../../../packages/switch/src/operate/configuration/text/Draft.ts"
import { tlsAdvice } from "../../../packages/switch/src/operate/TlsWords.ts"
import { saidOf, sound } from "./checked.ts"

/** The sound configuration with lines added to its first link (listens) or second (connects). */
const withLink = (name: "acquirer" | "issuer", line: string, text = sound): string =>
  text.replace(`  - name: ${name}\n`, `  - name: ${name}\n    ${line}\n`)

const one = async (text: string): Promise<string> => {
  const said = await saidOf(text)
  expect(said).toHaveLength(1)
  return said[0]!
}

describe("An error about times says the facts", () => {
  it("of a partner that says no later than we", async () => {
    expect(
      await one(
        withLink(
          "issuer",
          "partnerTimeout: 15 seconds",
          `requestTimeout: 12 seconds\ndrainTimeout: 12 seconds\n${sound.replace("dialect: cups\n    connect", "dialect: cups\n    storeAndForward: { timeout: 20 seconds }\n    connect")}`
        )
      )
    ).toMatch(
      /the partner gives its "no answer" after 15 seconds, and we have given up after 12 seconds \(`requestTimeout`\)\. Make `requestTimeout` longer than 15 seconds/
    )
  })

  it("of a partner that waits shorter than we", async () => {
    expect(await one(withLink("acquirer", "answerWithin: 8 seconds"))).toMatch(
      /the partner waits 8 seconds for our answer, and our "no answer" comes after 10 seconds \(`requestTimeout`\)\. Make `requestTimeout` shorter than 8 seconds/
    )
  })

  it("of a link that dials a listener of its own switch", async () => {
    const port = /listen: \{[^}]*port: (\d+)/.exec(sound)![1]!
    const looped = sound.replace(/(connect: \{[^}]*port: )\d+/, `$1${port}`)
    expect(await one(looped)).toContain(
      `warning links[1].connect.port: the link dials port ${port} of this machine, where this switch itself listens for acquirer. Give the partner's port.`
    )
  })

  it.each(["15", '"15"', "15s"])("of a duration without its unit: %s", async (text) => {
    expect(await one(withLink("acquirer", `frameTimeout: ${text}`))).toContain('Write it as "15 seconds"')
  })

  it.each([
    ["36 hours", "24 hours"],
    ["10 days", "24 hours"],
    ["0 seconds", "1 millisecond"],
    ["0.2 millis", "1 millisecond"]
  ])("of a duration that is written well and is none that may be: %s", async (text, bound) => {
    expect(await one(withLink("acquirer", `frameTimeout: ${text}`))).toMatch(
      new RegExp(`found ${text.replace(".", "\\.")}\\. Write "${bound}" at (?:most|least)\\.`)
    )
  })
})

describe("An error about a value of the wrong kind shows the right one", () => {
  it.each([
    [
      "a list without an entry",
      sound.replace(/links:[\s\S]*?\nroutes:/, "links: []\nroutes:"),
      "links: the list needs an entry. Add a line that begins with `- `"
    ],
    ["a number in quotes", withLink("issuer", 'window: "2048"'), "Remove the quotes."],
    ["one of a unit", withLink("issuer", "frameTimeout: 1 s"), 'Write it as "1 second".'],
    [
      "a mapping that needs no key",
      withLink("issuer", "watchdog: 30 seconds"),
      "Write a mapping such as { interval: ... }."
    ],
    [
      "a list of one kind",
      sound.replace(/from: \[[^\]]*\]/, "from: any"),
      "Write a list; each entry is an IP address such as 192.0.2.10"
    ],
    [
      "a member of a group",
      `${sound}groups:\n  - { name: both, members: [issuer] }\n`,
      "Write a mapping such as { link: ... }."
    ],
    [
      "a link",
      sound.replace("links:\n", "links:\n  - acquirer\n"),
      "Write a mapping such as { name: ..., institution: ..., dialect: ... }."
    ],
    ["a route", `${sound}  - issuer\n`, "Write a mapping such as { to: ... }."],
    ["a frame", withLink("issuer", "frame: [binary2]"), "links[1].frame: expected cups, binary, ascii4"],
    [
      "a long number",
      withLink("issuer", "window: 99999999999999999999"),
      "; found a number that may hold a card number"
    ]
  ])("%s", async (_, text, says) => {
    expect((await saidOf(text)).join("\n")).toContain(says)
  })

  it("a key that is given twice", async () => {
    expect(await one(`${sound}name: again\n`)).toBe(
      "switch.yaml:16:1 error: a key is given twice in one mapping. Remove one of the two."
    )
  })

  it("every key that is given twice, and the first thing that is no YAML", async () => {
    const said = await saidOf(`${sound}name: again\ninstitution: "1"\nfoo: [\n`)

    expect(said.map((line) => line.split(": ")[1])).toEqual([
      "a key is given twice in one mapping. Remove one of the two.",
      "a key is given twice in one mapping. Remove one of the two.",
      "the text is not YAML"
    ])
  })
})

describe("A warning about keepalive", () => {
  const keepAlive = (idle: string, count: number) =>
    `keepAlive: { idle: ${idle}, interval: 1 seconds, count: ${count} }`
  const connecting = (how: string, text = sound) => text.replace("port: 7002 }", `port: 7002, ${how} }`)

  it("comes where the kernel ends a link sooner than a request may wait", async () => {
    expect(await one(connecting(keepAlive("5 seconds", 3)))).toMatch(
      /warning links\[1\]\.connect\.keepAlive: the kernel ends the link after 8 seconds .* sooner than a request may wait \(`requestTimeout` of 10 seconds\)/
    )
  })

  it("comes for what listens too", async () => {
    expect(await one(sound.replace("port: 7001,", `port: 7001, ${keepAlive("5 seconds", 3)},`))).toContain(
      "links[0].listen.keepAlive"
    )
  })

  it("is an error where the kernel does not take the time and would ask after two hours", async () => {
    for (const idle of ["500 millis", "1.5 seconds", "10 hours", "32768 seconds"]) {
      expect(await saidOf(connecting(keepAlive(idle, 3)))).toEqual([
        expect.stringContaining("error links[1].connect.keepAlive.idle: the kernel counts whole seconds here")
      ])
    }
    expect(await saidOf(connecting("keepAlive: { idle: 9 hours, interval: 999 millis }"))).toEqual([
      expect.stringContaining("error links[1].connect.keepAlive.interval: the kernel counts whole seconds here")
    ])
    expect(await saidOf(connecting(keepAlive("32767 seconds", 3)))).toEqual([])
  })

  it("does not come where the request's time is up first", async () => {
    expect(await saidOf(connecting(keepAlive("7 seconds", 3)))).toEqual([])
    expect(await saidOf(connecting("keepAlive: {}"))).toEqual([])
  })
})

describe("A warning about a listener in clear", () => {
  const anywhere = (more: string) =>
    sound.replace("listen: { host: 127.0.0.1, port: 7001, from: [127.0.0.1] }", `listen: { ${more}port: 7001 }`)

  it("comes where anybody may connect to any address", async () => {
    for (const host of ["", "host: 0.0.0.0, ", 'host: "::", ']) {
      expect(await one(anywhere(host))).toContain(
        "links[0].listen: it listens in clear on all addresses of this machine"
      )
    }
  })

  it("does not come with an address, with `from`, or with TLS", async () => {
    expect(await saidOf(anywhere("host: 10.0.0.1, "))).toEqual([])
    expect(await saidOf(anywhere("from: [10.0.0.0/8], "))).toEqual([])
    expect((await saidOf(anywhere("tls: { certificate: a.pem, key: a.key }, "))).join()).not.toContain("in clear")
  })

  it("comes for HTTP doors, but not when each link behind says where its partner comes from", async () => {
    const door = (from: string) =>
      `${anywhere("").replace(/ {4}listen:.*\n/, `    mode: sync-short\n    frame: { kind: until-close, lengthMax: 1000 }\n    door: { name: web, path: /a${from} }\n`)}http:\n  - { name: web, listen: { port: 7003 } }\n`

    expect(await one(door(""))).toContain("http[0].listen: it listens in clear")
    expect(await saidOf(door(", from: [10.0.0.1]"))).toEqual([])
  })
})

describe("A warning about this machine", () => {
  const about = (text: string, machine: { readonly memory: number; readonly handles: number }) =>
    relationsOf(new Draft(parse(text)), machine).map(({ rule }) => rule)
  const large = { memory: 2 ** 40, handles: 1_000_000 }

  it("comes when full windows of the longest messages do not fit its memory", () => {
    // Twice 2048 messages of 1892 bytes, 4 MiB unsent and 1 MiB unread: 17.4 MiB.
    expect(about(sound, { ...large, memory: 17 * 1024 ** 2 })).toEqual([
      "with every window full of the longest messages the links need 18 MiB, and there are 17 MiB"
    ])
    expect(about(sound, { ...large, memory: 18 * 1024 ** 2 })).toEqual([])
    expect(about(withLink("issuer", "window: 65536"), { ...large, memory: 64 * 1024 ** 2 })).toHaveLength(1)

    // What is no number of requests has an error of its own.
    for (const window of [".inf", "1e300", ".nan"]) {
      expect(about(withLink("issuer", `window: ${window}`), { ...large, memory: 64 * 1024 ** 2 })).toEqual([])
    }
  })

  it("comes when its links may need more handles than the process may have", () => {
    expect(about(sound, { ...large, handles: 60 })[0]).toContain(
      "the links may open 68 files and sockets, and this process may open 60"
    )
    expect(about(sound, { ...large, handles: 68 })).toEqual([])
  })
})

describe("An attempt to connect that ends in the handshake", () => {
  it("is not followed by advice about firewalls, whatever the certificate is called", () => {
    const said = tlsAdvice(
      "no connection to bank.example:7001: CertificateWrong (certificate of Bank B (Test), expected bank-a.example)"
    )

    expect(said).toContain("The address answers, but the TLS handshake failed.")
    expect(said).not.toContain("firewall")
  })
})
