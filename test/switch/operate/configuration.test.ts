import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { cups, cupsFrame } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { testFolder } from "../../TestFolder.ts"
import { configurationOf, pathsOf, problemsOf, saidOf, sound } from "./checked.ts"

/** The sound configuration with one line changed. */
const changed = (from: string, to: string): string => {
  expect(sound).toContain(from)
  return sound.replace(from, to)
}

/** The sound configuration with lines added to its first link. */
const withLink = (...lines: ReadonlyArray<string>): string =>
  changed("    dialect: cups\n", `    dialect: cups\n${lines.map((line) => `    ${line}\n`).join("")}`)

describe("A good configuration", () => {
  it("becomes settings in milliseconds and bytes, with every default filled in", async () => {
    const { settings, drainTimeoutMs } = await configurationOf(sound)
    const [acquirer, issuer] = settings.links

    expect(settings.limits.requestTimeoutMs).toBe(10_000)
    expect(drainTimeoutMs).toBe(10_000)
    expect(acquirer).toMatchObject({
      name: "acquirer",
      institution: "48020000",
      ourInstitution: "00010000",
      dialect: cups,
      frame: cupsFrame,
      side: { _tag: "listen", at: { host: "127.0.0.1", port: 7001 }, from: ["127.0.0.1"], second: "challenge" },
      idleMs: 30_000,
      watchdog: { intervalMs: 30_000, probe: true, proofs: 3 },
      unsentMax: 4 * 1024 * 1024,
      utcOffsetMs: 8 * 3_600_000,
      delivery: { timeoutMs: 10_000, retryMs: 60_000, attemptsMax: 5, window: 16 }
    })
    expect(issuer?.side).toMatchObject({ _tag: "connect", to: { host: "127.0.0.1", port: 7002 }, timeoutMs: 10_000 })
  })

  it("leads its routes to the positions of the links", async () => {
    const { settings } = await configurationOf(sound)

    expect(settings.routes).toEqual([
      { bin: "621234", to: 1 },
      { institution: "01020000", to: 1 }
    ])
  })

  it("shares one codec between links of one dialect, so that messages between them keep their bytes", async () => {
    const { settings } = await configurationOf(sound)

    expect(settings.links[0]?.codec).toBe(settings.links[1]?.codec)
  })

  it("takes relative paths from where the file is", async () => {
    const { journal, socket } = await configurationOf(sound)

    expect(journal.directory).toBe("/srv/jinka/journal")
    expect(socket).toBe("/srv/jinka/journal/control.sock")
  })

  it("says how long a message may be where its frame's length cannot say `lengthMax`", async () => {
    const most = async (frame: string) =>
      /takes (\d+) at most/.exec(
        (await saidOf(withLink(`frame: { kind: length, lengthMax: 20000, ${frame} }`))).join()
      )?.[1]

    expect(await most("encoding: ascii, bytes: 4")).toBe("9999")
    expect(await most("encoding: bcd, bytes: 2, counts: { itself: true }")).toBe("9997")
    expect(await most('encoding: hex, bytes: 2, trailer: "03", counts: { trailer: true }')).toBe("254")
    expect(await most("encoding: binary, bytes: 1, uncounted: 5")).toBe("260")
    expect(await most("encoding: binary, bytes: 2, times: 4")).toBe("16383")
    expect(await most("encoding: binary, bytes: 2")).toBeUndefined()
  })

  it("takes a frame that is written out, with its idle frame", async () => {
    const { settings } = await configurationOf(
      withLink("frame: { kind: length, encoding: bcd, bytes: 2, lengthMax: 2000, counts: { itself: true } }")
    )

    expect(settings.links[0]?.frame).toMatchObject({ kind: "length", encoding: "bcd", idle: "zero-length" })
  })

  it("probes silence only where the dialect has an echo, without being told", async () => {
    const { settings } = await configurationOf(changed("    dialect: cups\n", "    dialect: unionPayPos\n"))

    expect(settings.links[0]?.watchdog.probe).toBe(false)
    expect(settings.links[1]?.watchdog.probe).toBe(true)
  })

  it("sends no idle frames on a frame that has none, without being told", async () => {
    const { settings } = await configurationOf(withLink("frame: { kind: fixed, bytes: 300 }"))

    expect(settings.links[0]?.idleMs).toBe(0)
  })
})

describe("Configurations that we show", () => {
  const root = new URL("../../../", import.meta.url)
  const read = (path: string) => readFileSync(new URL(path, root), "utf8")
  const examples = readdirSync(new URL("examples/", root)).filter((name) =>
    existsSync(new URL(`examples/${name}/switch.yaml`, root))
  )

  it.each(examples)("examples/%s/switch.yaml is good, without a warning", async (name) => {
    expect(await saidOf(read(`examples/${name}/switch.yaml`))).toEqual([])
  })

  it("the example of the reference is good, without a warning", async () => {
    const example = /```yaml\n(name: demo\n[^`]*)```/.exec(read("docs/reference/configuration.md"))?.[1] ?? ""

    expect(await saidOf(example)).toEqual([])
  })
})

describe("A configuration with errors", () => {
  it("shows the quotes of what would be right without them", async () => {
    const said = await saidOf(
      sound
        .replace("port: 7001", 'port: "7001"')
        .replace("dialect: cups\n    connect", "dialect: cups\n    window: 'true'\n    connect")
    )

    expect(said).toEqual([
      expect.stringContaining('found "7001". Remove the quotes.'),
      expect.stringContaining('found "true". Write a whole number')
    ])
  })

  it("asks for quotes around bytes that YAML takes for a number", async () => {
    const [said] = await saidOf(withLink("frame: { kind: delimiter, delimiter: 03, lengthMax: 900 }"))

    expect(said).toContain("found 03. Put it in quotes: YAML reads bare digits as a number.")
  })

  it("shows all of them at once, each with its line, what was found and what to write", async () => {
    const text = `name: demo
institution: 00010000
journal: { directory: ./journal, key: { env: JINKA_TEST_KEY } }
requestTimeout: 10
links:
  - name: acquirer
    institution: "48020000"
    dialect: cupss
    listen: { port: 7001, form: [127.0.0.1] }
    signOn: { timeout: 10s }
routes:
  - { bin: "621234", to: aquirer }
`

    expect(await saidOf(text)).toEqual([
      "switch.yaml:2:14 error institution: expected an institution code of 1 to 11 digits, in quotes; found 00010000. Put it in quotes: YAML reads bare digits as a number.",
      'switch.yaml:4:17 error requestTimeout: expected a duration such as "15 seconds", at least 1 millisecond, at most 24 hours; found 10. Write it as "10 seconds" or "10 millis", whichever is meant.',
      "switch.yaml:8:14 error links[0].dialect: expected cups, unionPayPos, iso8583v1987Ascii, iso8583v1987AsciiRaw, iso8583v1987Bcd, iso8583v1987Ebcdic, nac, iso8583v1993Ascii, iso8583v1993AsciiRaw, iso8583v1993Bcd, iso8583v2003 or a dialect file such as ./ours.yaml; found cupss. Did you mean `cups`?",
      "switch.yaml:9:13 warning links[0].listen: it listens in clear on all addresses of this machine, and takes connections from anywhere. Add `from:` with the partner's addresses, or `tls:`, or a `host:` of an inner network.",
      "switch.yaml:9:27 error links[0].listen.form: the key `form` is not known here. Did you mean `from`?",
      'switch.yaml:10:24 error links[0].signOn.timeout: expected a duration such as "15 seconds", at least 1 millisecond, at most 24 hours; found 10s. Write it as "10 seconds".',
      "switch.yaml:12:26 error routes[0].to: a route leads to one of the links or groups; found aquirer. Did you mean `acquirer`?"
    ])
  })

  it("says where a key is missing", async () => {
    const problems = await problemsOf(sound.replace('    institution: "48020000"\n', ""))

    expect(problems).toMatchObject([
      { line: 5, column: 5, path: ["links", 0, "institution"], rule: "this key is missing" }
    ])
  })

  it("never shows what is where a key might have been pasted", async () => {
    const secret = "0f".repeat(32)
    const said = await saidOf(changed("{ env: JINKA_TEST_KEY }", secret))

    expect(said).toHaveLength(1)
    expect(said[0]).toContain("journal.key")
    expect(said[0]).not.toContain(secret.slice(0, 8))
  })

  it("never shows a secret that was written where only its place belongs, whatever it looks like", async () => {
    const secret = "Tr0ub4dor-3"
    const url = `postgres://jinka:${secret}@db.example:5432/jinka`
    const said = await saidOf(
      [
        changed(
          "{ directory: ./journal, key: { env: JINKA_TEST_KEY } }",
          `{ directory: ./j, key: ${secret}, postgres: { node: n1, url: "${url}" } }`
        ),
        `admin: { listen: { host: 127.0.0.1, port: 9390 }, users: [{ name: anna, role: view, token: ${secret} }] }`,
        `alarms: { webhook: { url: "https://jinka:${secret}@hooks.example/x y", secret: [${secret}] } }`,
        `security: { software: { storageKey: ${secret}, previousStorageKeys: [${secret}] } }`
      ].join("\n")
    )

    for (const path of [
      "journal.key",
      "postgres.url",
      "users[0].token",
      "webhook.secret",
      "storageKey",
      "previousStorageKeys[0]"
    ])
      expect(said).toContainEqual(expect.stringContaining(`${path}: expected where a secret is`))
    expect(said.join("\n")).not.toContain(secret)
  })

  it("never shows what may be a card number", async () => {
    const [said] = await saidOf(changed('"621234"', '"6212340000000000"'))

    expect(said).toContain("routes[0].bin")
    expect(said).not.toContain("621234")
  })

  it("says of a text that is no YAML where it goes wrong", async () => {
    const problems = await problemsOf("name: demo\n\tlinks: []\n")

    expect(problems[0]).toMatchObject({ line: 2, severity: "error" })
  })

  it.each([
    ["an empty file", ""],
    ["a list", "- a\n- b\n"],
    ["a bare text", "hello"]
  ])("refuses %s without a stack trace", async (_, text) => {
    expect((await saidOf(text))[0]).toMatch(/^switch\.yaml:1:1 error: the file is .*Begin with a copy of/)
  })

  it.each([".inf", "-.inf", ".nan", "1e400", "0", "-1", "1.5", "1e9"])(
    "says of one wrong number, %s, one thing",
    async (value) => {
      const said = await saidOf(withLink(`window: ${value}`))

      expect(said).toHaveLength(1)
      expect(said[0]).toContain("links[0].window: expected ")
      expect(said[0]).not.toContain("Infinity")
    }
  )

  it.each([
    ["requestTimeout: 10 seconds", "requestTimeout: .inf"],
    ["name: demo", "name: .inf"],
    ['"621234"', ".inf"],
    ["reserve: 0 B", "reserve: .inf"]
  ])("offers no quotes and no unit for a number that is none: %s as %s", async (good, wrong) => {
    const text = sound.includes(good) ? changed(good, wrong) : `${sound}requestTimeout: .inf\n`
    for (const one of await saidOf(text)) expect(one).not.toMatch(/Infinity|NaN|Put it in quotes/)
  })

  it("finds a former name that another link has", async () => {
    expect(await pathsOf(withLink("formerly: [bank]"), "error")).toEqual([])
    expect(await pathsOf(withLink("formerly: [bank, issuer]"), "error")).toEqual(["links[0].formerly[1]"])
  })

  it("names the modes when there is no such mode", async () => {
    const [said] = await saidOf(withLink("mode: duplex"))

    expect(said).toContain("sync-short")
  })
})

describe("Rules between keys", () => {
  it.each<readonly [string, string, ReadonlyArray<string>]>([
    [
      "two links of one name",
      sound.replace("name: issuer", "name: acquirer").replaceAll("to: issuer", "to: acquirer"),
      ["links[1].name"]
    ],
    [
      "a link that neither connects nor listens",
      sound.replace("    connect: { host: 127.0.0.1, port: 7002 }\n", ""),
      ["links[1]"]
    ],
    ["a link that does both", withLink("connect: { host: 127.0.0.1, port: 7002 }"), ["links[0]"]],
    [
      "two links on one port",
      sound.replace("connect: { host: 127.0.0.1, port: 7002 }", "listen: { port: 7001 }"),
      ["links[1].listen.port"]
    ],
    ["a route by both", sound.replace('{ bin: "621234", to', '{ bin: "621234", institution: "1", to'), ["routes[0]"]],
    ["a route by neither", sound.replace('{ bin: "621234", to', "{ to"), ["routes[0]"]],
    ["the same card numbers twice", `${sound}  - { bin: "621234", to: acquirer }\n`, ["routes[2].bin"]],
    ["twelve digits of a card number", sound.replace('"621234"', '"621234567890"'), ["routes[0].bin"]],
    [
      "a key that is in the environment and in a file",
      sound.replace("{ env: JINKA_TEST_KEY }", "{ env: A, file: b }"),
      ["journal.key"]
    ],
    [
      "a message too long for its length header",
      withLink("frame: { kind: length, encoding: ascii, bytes: 3, lengthMax: 1000 }"),
      ["links[0].frame"]
    ],
    [
      "a binary length of five bytes",
      withLink("frame: { kind: length, encoding: binary, bytes: 5, lengthMax: 100 }"),
      ["links[0].frame"]
    ],
    ["a frame of an unknown kind", withLink("frame: { kind: lenght, lengthMax: 100 }"), ["links[0].frame.kind"]],
    [
      "idle frames on a frame without them",
      withLink("idle: 5 seconds", "frame: { kind: fixed, bytes: 300 }"),
      ["links[0].idle"]
    ],
    [
      "a shortest pause longer than the longest",
      withLink("reconnect: { min: 1 minutes, max: 2 seconds }"),
      ["links[0].reconnect"]
    ],
    [
      "a next hop that is more patient than we are",
      withLink("partnerTimeout: 10 seconds", "storeAndForward: { timeout: 20 seconds }"),
      ["links[0].partnerTimeout"]
    ],
    ["a partner that is less patient than we are", withLink("answerWithin: 10 seconds"), ["links[0].answerWithin"]],
    ["a socket path that no kernel takes", sound.replace("./journal", `./${"j".repeat(120)}`), ["journal.directory"]]
  ])("refuse %s", async (_, text, paths) => {
    expect(await pathsOf(text, "error")).toEqual(paths)
  })

  it("do not hide behind another error of the same link", async () => {
    const text = withLink("idle: 30", "connect: { host: 127.0.0.1, port: 7002 }", "answerWithin: 5 seconds")

    expect([...(await pathsOf(text, "error"))].sort()).toEqual(["links[0]", "links[0].answerWithin", "links[0].idle"])
  })

  it.each<readonly [string, string, ReadonlyArray<string>]>([
    [
      "our silence outlasts the partner's idle timeout",
      withLink("partnerIdleTimeout: 30 seconds"),
      ["links[0].partnerIdleTimeout"]
    ],
    [
      "we never break our silence",
      withLink("partnerIdleTimeout: 5 minutes", "idle: never"),
      ["links[0].partnerIdleTimeout"]
    ],
    ["anybody can take a link away", sound.replace("from: [127.0.0.1]", "second: replace"), ["links[0].listen.second"]],
    [
      "a message may hold the delimiter",
      withLink('frame: { kind: delimiter, delimiter: "03", lengthMax: 900 }'),
      ["links[0].frame"]
    ],
    [
      "a text may hold the delimiter",
      withLink('frame: { kind: delimiter, delimiter: "30", lengthMax: 900 }').replace(
        "dialect: cups",
        "dialect: iso8583v1987Ascii"
      ),
      ["links[0].frame"]
    ],
    ["nothing can be routed", sound.slice(0, sound.indexOf("routes:")), [""]],
    ["a stop is shorter than a request", `${sound}drainTimeout: 2 seconds\n`, ["drainTimeout"]],
    [
      "advices are repeated while the partner is at work",
      withLink("partnerTimeout: 8 seconds", "storeAndForward: { timeout: 8 seconds }"),
      ["links[0].partnerTimeout"]
    ]
  ])("warn when %s", async (_, text, paths) => {
    expect(await pathsOf(text, "error")).toEqual([])
    expect(await pathsOf(text, "warning")).toEqual(paths)
  })

  it.each([
    // The timer of 30 seconds may run for 32: jitter counts.
    [
      "30 seconds",
      "31 seconds",
      "the watchdog's echo comes after up to 32 seconds of silence, which is too late as well"
    ],
    ["20 seconds", "31 seconds", "the watchdog's echo comes earlier only while the partner is silent too"]
  ])("say what an echo after %s does for a partner that closes after %s", async (interval, theirs, says) => {
    const [said] = await saidOf(
      withLink("idle: never", `watchdog: { interval: ${interval} }`, `partnerIdleTimeout: ${theirs}`)
    )

    expect(said).toContain(says)
  })

  it.each([
    ["fields: { 39: null }", "the dialect ours has field 39, where every answer has its code"],
    [
      "responseCodes: { '00': { class: D, name: no } }",
      '"00", with which the switch acknowledges, approves in the dialect ours'
    ]
  ])("ask a link's dialect for what every answer needs: %s", async (changes, says) => {
    const folder = mkdtempSync(join(testFolder(), "jinka-dialect-"))
    const file = join(folder, "ours.yaml")
    writeFileSync(file, `name: ours\nextends: iso8583v1987Ascii\n${changes}\n`)

    expect(await saidOf(sound.replace("dialect: cups", `dialect: ${file}`))).toContainEqual(
      expect.stringContaining(`error links[0].dialect: ${says}`)
    )
    rmSync(folder, { recursive: true })
  })

  it("have nothing to say about a sound configuration", async () => {
    expect(await problemsOf(sound)).toEqual([])
  })
})
