import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Message, messageToJson } from "@jinka/codec"
import { afterEach, describe, expect, it } from "vitest"
import { sound } from "./checked.ts"
import { cleanUp, folder, jinka, jinkaProcess, key } from "./program.ts"
import { pan, purchase } from "./swiped.ts"

afterEach(cleanUp)

const json = (message: Message) => JSON.stringify(messageToJson(message, { reveal: true }))

describe("jinka encode and jinka decode", () => {
  it("turn JSON into framed hex and back into the same JSON", async () => {
    const written = json(purchase(1))
    const encoded = await jinka(["encode", "--dialect", "cups", "--frame", "cups"], { input: `${written}\n` })
    const decoded = await jinka(["decode", "--dialect", "cups", "--frame", "cups", "--unmask"], { input: encoded.out })

    expect(encoded.code).toBe(0)
    expect(decoded.code).toBe(0)
    expect(JSON.parse(decoded.out).fields).toEqual(JSON.parse(written).fields)
  })

  it("give a line for each message, of binary input too", async () => {
    const input = [1, 2, 3].map((stan) => json(purchase(stan))).join("\n")
    const directory = folder()
    const { out } = await jinka(["encode", "--frame", "cups"], { input })
    const file = join(directory, "capture.bin")
    writeFileSync(
      file,
      Buffer.concat(
        out
          .trim()
          .split("\n")
          .map((line) => Buffer.from(line, "hex"))
      )
    )

    const lines = await jinka(["decode", "--frame", "cups"], { input: out })
    const capture = await jinka(["decode", file, "--frame", "cups"])

    expect(
      lines.out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).fields["11"])
    ).toEqual(["000001", "000002", "000003"])
    expect(capture.out).toBe(lines.out)
  })

  it("take the digits of a message in place of a file, as `jinka doctor` does, and say what is wrong with them", async () => {
    const encoded = (await jinka(["encode"], { input: json(purchase(1)) })).out.trim()
    const piped = await jinka(["decode"], { input: encoded })
    const typed = await jinka(["decode", encoded])
    const odd = await jinka(["decode", encoded.slice(1)])

    const missing = await jinka(["decode", "cafe"])

    expect([typed.code, typed.out]).toEqual([0, piped.out])
    expect(typed.out).not.toContain(pan)
    expect(odd.out + odd.err).toMatch(/digits are an odd number/)
    expect(missing.err).toContain("cafe cannot be read: there is no such file")
  })

  it("cover card data unless it is asked for", async () => {
    const encoded = await jinka(["encode"], { input: json(purchase(1)) })
    const asLine = await jinka(["decode"], { input: encoded.out })
    const asTable = await jinka(["decode", "--output", "table", "--language", "both"], { input: encoded.out })

    expect(asLine.out + asTable.out).not.toContain(pan)
    expect(asLine.out + asTable.out).not.toContain("=2512")
    expect(asTable.out).toContain("621234*********0003")
    expect(asTable.out).toContain("系统跟踪号")
  })

  it("say of a message that is wrong where and why, go on, and end with 1", async () => {
    const good = (await jinka(["encode"], { input: json(purchase(1)) })).out.trim()
    const { code, out, err } = await jinka(["decode"], { input: `${good.slice(0, -4)}\n${good}\n` })
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))

    expect(code).toBe(1)
    expect(lines[0].error).toMatchObject({ _tag: "HeaderInvalid", part: "totalLength", rule: "total-length" })
    expect(lines[1].mti).toBe("0200")
    expect(err).toBe("jinka: 1 message is wrong.\n")
    expect(out).not.toContain(pan)
  })

  it("recognise that a length header was not taken off", async () => {
    const { out } = await jinka(["encode", "--frame", "cups"], { input: json(purchase(1)) })

    const { err } = await jinka(["decode"], { input: out })
    expect(err).toContain("try --frame cups")
    expect(err).toContain("`jinka doctor` finds which length header and dialect fit")
  })

  it("name a field that cannot be written, without its value", async () => {
    const { code, err } = await jinka(["encode"], { input: `{"mti":"0200","fields":{"2":"${pan}A"}}` })

    expect(code).toBe(1)
    expect(err).toContain("message 1: field 2")
    expect(err).not.toContain(pan)
  })
})

describe("jinka decode of what a viewer shows", () => {
  it("says that bytes are missing, and where to get them", async () => {
    const hex = (await jinka(["encode"], { input: json(purchase(1)) })).out.trim()
    const shown = Buffer.from(hex, "hex").toString("latin1")
    const texts = [shown, `0200${shown}`].map((text) => text.replaceAll(/[^ -~]/g, "."))
    for (const input of [...texts, `0200${shown.replaceAll(/[^ -~]/g, "M-^B")}`]) {
      const { code, err, out } = await jinka(["decode"], { input })
      expect([code, out + err]).toEqual([1, expect.stringMatching(/copy (?:them|the bytes) as hex/)])
    }
    expect((await jinka(["decode"], { input: "0200822000008000" })).err).not.toContain("copy the bytes")
  })
})

describe("jinka decode of a log", () => {
  it("passes over the lines of words, says how many, and takes no line with bytes for one", async () => {
    const hex = (await jinka(["encode"], { input: json(purchase(1)) })).out.trim()
    const log = (line: string) => `2026-11-28 07:30:00 INFO connected to 10.0.0.1:7001\n<receive>\n${hex}\n${line}\n`
    const good = await jinka(["decode", "--json"], { input: log("</receive>") })
    const cut = await jinka(["decode", "--json"], { input: log(`sent: ${hex.slice(0, 60)} ...`) })
    const none = await jinka(["decode"], { input: "2026-11-28 started\n<receive>\n00000000000000000000000000\n" })

    expect([good.code, good.out.trim().split("\n").length]).toEqual([0, 1])
    expect(good.err).toBe("3 lines hold words and no bytes, the first of them line 1; they were passed over.\n")
    expect([cut.code, cut.out.trim().split("\n").length]).toEqual([1, 2])
    expect(cut.out).toContain('{"at":4,')
    // Where nothing is a message, each line is told what it is.
    expect([none.code, none.err]).toEqual([1, expect.stringContaining("3 messages are wrong")])
  })
})

describe("jinka check", () => {
  it("prints what a good file says", async () => {
    const file = join(folder(), "switch.yaml")
    writeFileSync(file, sound)
    const { code, out } = await jinka(["check", file])

    expect(code).toBe(0)
    expect(out).toContain("demo: good")
    expect(out).toContain("acquirer  48020000, cups, the partner connects to 127.0.0.1:7001, from 127.0.0.1")
    expect(out).toContain("issuer    01020000, cups, we connect to 127.0.0.1:7002")
    expect(out).toContain("card numbers 621234... to issuer")
  })

  it("takes a partner's dialect from a file beside it, and says what is wrong in that", async () => {
    const directory = folder()
    const file = join(directory, "switch.yaml")
    writeFileSync(file, sound.replace("dialect: cups", "dialect: ./ours.yaml"))
    const dialect = (text: string) => writeFileSync(join(directory, "ours.yaml"), text)
    dialect("name: ours\nextends: cups\nfields: { 60: ans...030, 5: null }\n")
    const good = await jinka(["check", file])
    dialect("name: ours\nextends: cups\nfields: { 60: ans,030 }\n")
    const wrong = await jinka(["check", file])
    dialect("name: cups\nextends: cups\n")

    const shipped = await jinka(["check", file])

    expect(good.out).toContain("acquirer  48020000, ours")
    expect([good.code, wrong.code, shipped.code]).toEqual([0, 2, 2])
    expect(wrong.err).toMatch(
      /switch\.yaml:7:14 error links\[0\]\.dialect: the dialect file cannot be used: fields\.60: format expected/
    )
    expect(shipped.err).toContain("its name, cups, is that of a shipped dialect")
  })

  it("ends with 2 and the errors of a bad one", async () => {
    const file = join(folder(), "switch.yaml")
    writeFileSync(file, sound.replace("7002", "70020"))
    const { code, err } = await jinka(["check", file])

    expect(code).toBe(2)
    expect(err).toBe(
      `${file}:12:39 error links[1].connect.port: expected a whole number from 1 to 65535; found 70020. Write a whole number from 1 to 65535.\n`
    )
  })

  it("finds out that a key cannot be had", async () => {
    const directory = folder()
    const file = join(directory, "switch.yaml")
    writeFileSync(file, sound.replace("env: JINKA_TEST_KEY", "file: ./journal.key"))
    const missing = await jinka(["check", file])
    const secret = join(directory, "journal.key")
    writeFileSync(secret, "not a key", { mode: 0o600 })
    const wrong = await jinka(["check", file])
    const weakKey = "0f".repeat(32)
    writeFileSync(secret, `${weakKey}\n`)
    const weak = await jinka(["check", file])
    writeFileSync(secret, `${key}\n`)
    chmodSync(secret, 0o644)
    const open = await jinka(["check", file])
    chmodSync(secret, 0o400)

    const good = await jinka(["check", file])

    expect([missing, wrong, weak, open, good].map(({ code }) => code)).toEqual([2, 2, 2, 2, 0])
    expect(missing.err).toContain("switch.yaml:3:47 error journal.key.file")
    expect(wrong.err).not.toContain("not a key")
    expect(weak.err).toContain(
      "The key can be guessed: its bytes count up or stay the same. Make one with `openssl rand"
    )
    expect(weak.err).not.toContain(weakKey)
    expect(open.err).toContain("the key file is the switch's alone; found others may get at it (mode 0644)")
    expect(open.err).toContain("`chmod 600`")
  })
})

describe("The command line", () => {
  it.each([
    [["chek"], 'Unknown subcommand "chek"'],
    [["run"], "Missing required argument: file"],
    [["status", "a.yaml", "--jsn"], "Unrecognized flag: --jsn"],
    // Taken letter by letter these are calls for help, and end well.
    [["check", "a.yaml", "-hello"], "Unrecognized flag: -hello"],
    [["pending", "list", "a.yaml", "--older", "-2 hours"], "--older -2 hours: a duration is written such as"],
    [["pending", "list", "a.yaml", "--json", "-hv"], "Invalid value for flag --json"],
    [["trace", ".", "--stan", "x"], "--stan"],
    [["trace", ".", "--stan", "1234567890123"], "--stan is a number of 1 to 12 digits."],
    [["trace", "."], "Say which transaction"],
    [["trace", ".", "--pan", "4111 1111"], "--pan is a card number"],
    [["decode", "--dialect", "cupps"], "Did you mean cups?"],
    [["check", "/no/such/file.yaml"], "jinka: /no/such/file.yaml: there is no such file. Give the path"],
    [["check", "/"], "jinka: /: it is a directory. Give the path"]
  ])("answers %j with one line and exit code 2", async (args, says) => {
    const { code, out, err } = await jinka(args)

    expect(code).toBe(2)
    expect(out).toBe("")
    expect(err).toContain(says)
    expect(err.trim().split("\n")).toHaveLength(1)
  })

  it("is the same as a process: what it prints where, what it reads, and its exit code", async () => {
    const good = (await jinka(["encode"], { input: json(purchase(1)) })).out
    const calls: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
      [["decode", "--output", "table"], good],
      [["decode"], good.slice(4)],
      [["decode", "--dialect", "cupps"], ""],
      [["trace", tmpdir(), "--stan", "1"], ""],
      [["status", "--control", "/no/such/switch"], ""],
      [["--help"], ""]
    ]
    const within = await Promise.all(calls.map(([args, input]) => jinka(args, { input })))
    const processes = await Promise.all(calls.map(([args, input]) => jinkaProcess(args, { input })))

    expect(processes).toEqual(within)
    expect(processes.map(({ code }) => code)).toEqual([0, 1, 2, 3, 4, 0])
  })

  it("explains every command with an example", async () => {
    const { code, out } = await jinka(["run", "--help"])

    expect(code).toBe(0)
    expect(out).toContain("jinka run switch.yaml")
    expect(out).toContain("SIGTERM")
  })

  it("says its version", async () => {
    expect((await jinka(["--version"])).out).toMatch(/^jinka v\d+\.\d+\.\d+\n$/)
  })
})

describe("The generated reference", () => {
  it("is what is in docs/reference; `jinka reference docs/reference` brings it up to date", async () => {
    const made = join(folder(), "reference")
    mkdirSync(made)
    const { code } = await jinka(["reference", made])

    const committed = new URL("../../../docs/reference/", import.meta.url).pathname

    expect(code).toBe(0)
    for (const name of ["configuration.md", "configuration.schema.json", "errors.md", "metrics.md", "cli.md"]) {
      expect(readFileSync(join(committed, name), "utf8"), name).toBe(readFileSync(join(made, name), "utf8"))
    }
  })
})
