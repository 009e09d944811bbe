/** The runner itself: that it finds what is wrong, says where, and shows no card data. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Fiber } from "effect"
import { describe, expect, it } from "vitest"
import { freePort } from "../../examples/shared/FreePort.ts"
import {
  failureText,
  junitXml,
  type Outcome,
  readFolder,
  runDialogue
} from "../../packages/simulator/src/dialogue/index.ts"
import { testFolder } from "../TestFolder.ts"
import { answered, approve, diallingAgain, frameOf, type Line, standIn } from "./StandIn.ts"
import { head, messages, patientRun, read, readDialogue } from "./Written.ts"

/** Runs steps against a system that answers by `answer`. */
const run = (steps: string, answer: (line: Line) => void, partners?: string): Promise<Outcome> =>
  Effect.gen(function* () {
    const { port } = yield* standIn(answer)
    const dialogue = yield* read(head(partners) + steps)
    return yield* runDialogue(dialogue, {
      ...patientRun,
      endpoint: (address) => (address === "target" ? { host: "127.0.0.1", port } : undefined)
    })
  }).pipe(Effect.scoped, Effect.runPromise)

const silent = () => {}

/** A dialogue with this step in line 7. */
const step = (text: string): string => `${head()}  - A connects\n  - ${text}\n`

const wrongOf = (text: string): Promise<string> =>
  read(text).pipe(
    Effect.flip,
    Effect.map((invalid) => invalid.message),
    Effect.runPromise
  )

describe("A dialogue that is kept", () => {
  it("is kept when the system does what every step says", async () => {
    const outcome = await run(
      `  - A connects
  - A sends: { like: purchase, as: asked }
  - A expects: { answer to: asked, 39: 00, present: [4], absent: [90], within: 60s }
  - A closes: FIN
`,
      approve
    )

    expect(failureText(outcome)).toBe("")
    expect(outcome.result).toBe("kept")
  })

  it("is kept when the far side's FIN of the old connection comes while the next one is waited for", async () => {
    const steps = "  - A listens\n  - A accepts\n  - A closes: FIN\n  - A accepts\n  - A expects nothing: 30ms\n"
    const outcome = await Effect.gen(function* () {
      const port = yield* freePort
      const dialogue = yield* read(head("{ A: listens for target }") + steps)
      const endpoint = () => ({ host: "127.0.0.1", port })
      const running = yield* Effect.forkChild(runDialogue(dialogue, { ...patientRun, endpoint }))
      yield* Effect.sleep(50)
      yield* diallingAgain(port, 30)
      return yield* Fiber.join(running)
    }).pipe(Effect.scoped, Effect.runPromise)

    expect(outcome.failure).toBeUndefined()

    const happened = outcome.transcript.flatMap((line) => (line._tag === "happened" ? [line.happening._tag] : []))
    expect(happened).toEqual(["opened", "ended", "opened"])
  })

  it("answers echo requests by itself when the partner is told to", async () => {
    let echoed = ""
    const outcome = await run(
      `  - A connects
  - A sends: { like: sign-on, as: asked }
  - A expects: { answer to: asked, 39: 00 }
  - A expects nothing: 150ms
`,
      ({ message, send }) => {
        if (message.mti === "0830") echoed = String(message.fields[39])
        else {
          send(frameOf({ mti: "0820", fields: { 7: "0101000000", 11: "000777", 33: "00010000", 70: "301" } }))
          send(answered(message, "00"))
        }
      },
      '{ A: "connects to target, answers echo" }'
    )

    expect(failureText(outcome)).toBe("")
    expect(echoed).toBe("00")
  })

  it("sends what a step spoils exactly as it says: pieces, damage, appended bytes", async () => {
    const seen: Array<string> = []
    const outcome = await run(
      `  - A connects
  - A sends: { like: sign-on, as: asked, split at: [2, 30], pause: 5ms }
  - A expects: { answer to: asked }
  - A sends: { again: asked, damage: { 70: "002" }, as: off }
  - A expects: { mti: 0830, 70: 002 }
  - A sends: { again: asked, append: "3030" }
  - A expects nothing: 100ms
`,
      (line) => {
        seen.push(String(line.message.fields[70]))
        approve(line)
      }
    )

    expect(failureText(outcome)).toBe("")
    expect(seen).toEqual(["001", "002"])
  })
})

describe("A dialogue that is broken", () => {
  it("says which step in which line saw which value, and marks the place in the transcript", async () => {
    const outcome = await run(
      `  - A connects
  - A sends: { like: purchase, as: asked }
  - A expects: { answer to: asked, 39: 00 }
`,
      ({ message, send }) => send(answered(message, "51"))
    )
    const text = failureText(outcome)

    expect(outcome.result).toBe("broken")
    expect(text).toContain("step    A expects   (dialogue.yaml:8)")
    expect(text).toContain('DE 39: "00" expected, "51" came')
    expect(text).toMatch(/>> 39 {3}51 +Response code/)
    expect(text).toMatch(/\n +\^{5}$/)
    expect(text).toMatch(/ A {2}> {2}0200/)
    expect(text).toMatch(/ A {2}< {2}0210/)
  })

  it("shows no card number, track or PIN block: not as text, not in hex, not in what is said", async () => {
    const outcome = await run(
      `  - A connects
  - A sends: { like: purchase, as: asked }
  - A expects: { answer to: asked, 2: "6205500000000000004", 35: "0", 52: "0000000000000000", 39: 51 }
`,
      approve
    )
    const text = failureText(outcome) + junitXml([outcome])
    const packed = text.replaceAll(/\s/g, "").toLowerCase()

    expect(outcome.result).toBe("broken")
    expect(text).toContain("DE 2: 19 covered characters expected, 16 covered characters came")
    for (const secret of ["6200000000000005", "6205500000000000004", "=3012201"]) {
      expect(text).not.toContain(secret)
      expect(packed).not.toContain(Buffer.from(secret).toString("hex"))
    }
    expect(packed).not.toContain("a1b2c3d4e5f60718")
  })

  it("covers card data of a message that cannot be read, too", async () => {
    const outcome = await run(
      `  - A connects
  - A sends: { like: purchase, as: asked, damage: { prefix 2: "1X" } }
  - A sends: { like: purchase, append: "30" }
  - A expects: { mti: 0210, within: 100ms }
`,
      silent
    )
    const packed = failureText(outcome).replaceAll(/\s/g, "").toLowerCase()

    expect(outcome.result).toBe("broken")
    expect(packed).not.toContain("6200000000000005")
    expect(packed).not.toContain(Buffer.from("6200000000000005").toString("hex"))
    expect(packed).not.toContain("a1b2c3d4e5f60718")
  })

  it("says that nothing came, and how long it waited", async () => {
    const outcome = await run(
      "  - A connects\n  - A sends: { like: sign-on }\n  - A expects: { mti: 0830, within: 150ms }\n",
      silent
    )

    expect(outcome.failure?.says[0]).toMatch(/a message was expected, and did not come in 1[45]\d ms/)
  })

  it("says that the connection was closed where a message was expected", async () => {
    const outcome = await run(
      "  - A connects\n  - A sends: { like: sign-on }\n  - A expects: { mti: 0830 }\n",
      ({ socket }) => socket.resetAndDestroy()
    )

    expect(outcome.failure?.says).toEqual(["the connection was closed (RST) and that was not expected"])
  })

  it("tells FIN from RST", async () => {
    const outcome = await run(
      "  - A connects\n  - A sends: { like: sign-on }\n  - A expects close: RST\n",
      ({ socket }) => socket.end()
    )

    expect(outcome.failure?.says).toEqual(["the connection was to be closed by RST, and was by FIN"])
  })

  it("finds a message that came although nothing was to come", async () => {
    const outcome = await run("  - A connects\n  - A sends: { like: sign-on }\n  - A expects nothing: 3s\n", approve)

    expect(outcome.failure?.says).toEqual(["a message came that was not expected"])
  })

  it("finds a message that no step looked at", async () => {
    const outcome = await run(
      "  - A connects\n  - A sends: { like: sign-on }\n  - A expects: { mti: 0830 }\n  - wait: 100ms\n",
      ({ message, send }) => {
        send(answered(message, "00"))
        send(answered(message, "00"))
      }
    )

    expect(outcome.failure?.step).toBeUndefined()
    expect(outcome.failure?.says).toEqual(["a message came that was not expected"])
    expect(failureText(outcome)).toContain("after the last step")
  })

  it("finds an answer that comes too early", async () => {
    const outcome = await run(
      "  - A connects\n  - A sends: { like: sign-on, as: asked }\n" +
        "  - A expects: { mti: 0830, not before: 2s, since: asked }\n",
      approve
    )

    expect(outcome.failure?.says[0]).toMatch(/a message came \d+ ms too early/)
  })

  it("finds bytes that changed on the way, and names the data elements", async () => {
    const outcome = await run(
      "  - A connects\n  - A sends: { like: purchase, as: asked }\n  - A expects: { same as: asked, changed: [mti, 39] }\n",
      ({ message, send }) => {
        const { 52: _, ...fields } = message.fields
        send(frameOf({ ...message, mti: "0210", fields: { ...fields, 4: "000000000001", 38: "123456", 39: "00" } }))
      }
    )

    expect(outcome.failure?.says).toEqual([
      'DE 4: the same as in "asked" expected, its bytes differ',
      'DE 52: the same as in "asked" expected, it is not there',
      'DE 38: the same as in "asked" expected, "asked" has none'
    ])
  })

  it("when a step copies what did not come: the system is to blame", async () => {
    const steps = `  - A connects
  - A sends: { like: sign-on, as: asked }
  - A expects: { answer to: asked, as: seen }
  - A sends: { like: sign-on, 37: "{seen.37}" }
`
    const outcome = await run(steps, approve)

    expect([outcome.result, outcome.failure?.says]).toEqual(["broken", ['the message "seen" has no DE 37']])
  })

  it("is not called so when a step copies what the dialogue's own message does not have", async () => {
    const steps =
      '  - A connects\n  - A sends: { like: sign-on, as: asked }\n  - A sends: { like: sign-on, 37: "{asked.38}" }\n'
    const outcome = await run(steps, silent)

    expect([outcome.result, outcome.failure?.says]).toEqual(["wrong", ['the message "asked" has no DE 38']])
  })

  it("is not called so when its own message cannot be built: that is wrong, and says why", async () => {
    const outcome = await run('  - A connects\n  - A sends: { like: sign-on, 3: "{random:4}AB" }\n', approve)

    expect(outcome.result).toBe("wrong")
    expect(outcome.failure?.says).toEqual(["the message cannot be built: field 3: only the digits 0-9 are allowed"])
    expect(failureText(outcome)).toContain("WRONG  The rule under test.")
  })
})

describe("A dialogue file that is wrong", () => {
  it("is not passed over in a folder because its rule is written wrong; openings and messages are", async () => {
    const folder = mkdtempSync(join(testFolder(), "jinka-dialogues-"))
    const text = `${head("{ A: connects to target }").replace("messages: messages.yaml\n", "")}  - A connects\n`
    writeFileSync(join(folder, "good.yaml"), text)
    writeFileSync(join(folder, "opening.yaml"), text.replace(/rule:.*\nsource:.*\n/, ""))
    const good = await Effect.runPromise(readFolder(folder))
    writeFileSync(join(folder, "slip.yaml"), text.replace("rule:", "ruel:"))
    const slip = await Effect.runPromise(Effect.flip(readFolder(folder)))
    rmSync(join(folder, "slip.yaml"))
    // However a file is written: it is a dialogue, and its rule counts.
    const otherwise = text.replace("The rule", "Another rule")
    writeFileSync(join(folder, "LOUD.YAML"), otherwise)
    writeFileSync(join(folder, "mark.yaml"), `\ufeff${otherwise}`)
    writeFileSync(join(folder, "wide.yaml"), Buffer.from(`\ufeff${otherwise}`, "utf16le"))
    writeFileSync(join(folder, "indented.yml"), otherwise.replace(/^/gm, "  ").trimEnd())
    writeFileSync(join(folder, "quoted.yaml"), otherwise.replace("rule:", '"rule":').replaceAll("\n", "\r\n"))
    // Another program's: not ours to judge.
    writeFileSync(join(folder, "workflow.yaml"), "jobs:\n  one: &one\n    steps: [{ run: x }]\n  two: *one\n")
    const all = await Effect.runPromise(readFolder(folder))
    writeFileSync(join(folder, "lost.yaml"), "\n")
    const lost = await Effect.runPromise(Effect.flip(readFolder(folder)))
    rmSync(folder, { recursive: true })

    expect(all.map(({ rule }) => rule).sort()).toEqual([
      ...Array<string>(5).fill("Another rule under test."),
      "The rule under test."
    ])
    expect(lost.message).toContain("lost.yaml:1: the file is empty")
    expect(good.map(({ rule }) => rule)).toEqual(["The rule under test."])
    expect(slip.message).toContain('slip.yaml:1: "ruel" is not known; did you mean "rule"?')
  })

  it("is refused when it expects nothing of its own: it would be kept whatever the system does", async () => {
    const opening = "partners: { A: connects to target }\nmessages: messages.yaml\nsteps:\n  - A connects\n"
    const dialogue = "rule: r\nsource: s\nfirst: opening.yaml\nsteps:\n  - A sends: { like: sign-on, as: asked }\n"
    const files: Readonly<Record<string, string>> = { "/messages.yaml": messages, "/opening.yaml": opening }
    const of = (text: string) => readDialogue("/d.yaml", { file: "d.yaml", readText: (path) => files[path] ?? text })
    const error = await Effect.runPromise(Effect.flip(of(dialogue)))

    expect(error.message).toContain("d.yaml:5: the steps expect nothing, and would be kept whatever the system does")
    await Effect.runPromise(of(`${dialogue}  - A expects: { answer to: asked }\n`))
  })

  it.each([
    ["an unknown step", `${head()}  - A jumps\n`, 'dialogue.yaml:6: "A jumps" is no step'],
    [
      "an unknown key",
      `${head()}  - A sends: { like: sign-on, wihtout: [3] }\n`,
      'dialogue.yaml:6: "wihtout" is not known'
    ],
    ["an unknown partner", `${head()}  - Z connects\n`, 'dialogue.yaml:6: "Z" is no partner'],
    ["a duration without a unit", `${head()}  - wait: 100\n`, "dialogue.yaml:6: wait: a duration"],
    ["a missing rule", "source: x\nsteps: []\n", 'dialogue.yaml:1: "rule:" is missing'],
    ["a key at the top", `${head()}stepps: []\n`, 'dialogue.yaml:6: "stepps" is not known'],
    [
      "a data element that the dialect does not have",
      `${step("A sends: { like: purchase, 129: x }")}`,
      "dialogue.yaml:7: the dialect cups has no DE 129"
    ],
    [
      "a message that the file does not have",
      step("A sends: { like: purchse }"),
      'dialogue.yaml:7: the messages file has no "purchse"'
    ],
    [
      "a name that no step gave",
      step("A expects: { answer to: asked }"),
      'dialogue.yaml:7: no message was named "asked"'
    ],
    [
      "a name that a later step gives",
      `${step("A expects: { same as: a }")}  - A sends: { like: purchase, as: a }\n`,
      "dialogue.yaml:7:"
    ],
    [
      "a reference to nothing",
      step('A sends: { like: purchase, 37: "{asked}" }'),
      "dialogue.yaml:7: {asked} refers to nothing"
    ],
    [
      "a reference to a message that is not there",
      step('A expects: { 37: "{asked.37}" }'),
      'no message was named "asked"'
    ],
    [
      "a header part that is none",
      step("A expects: { header: { sauce: x } }"),
      'dialogue.yaml:7: no header part is called "sauce"'
    ],
    [
      "a time without its unit",
      step("A expects: { mti: 0210, within: 2 }"),
      'dialogue.yaml:7: within: a duration with its unit, "2s" or "2ms", is expected here'
    ],
    [
      "a dialect that is none",
      step("A closes: FIN").replace("source:", "dialect: cupss\nsource:"),
      'no dialect "cupss" is known'
    ],
    ["no steps", head().replace("steps:\n", ""), "dialogue.yaml:1: a rule without steps says nothing"],
    ["an empty list of steps", head().replace("steps:\n", "steps: []\n"), "a rule without steps says nothing"],
    [
      "something sent before there is a connection",
      `${head()}  - A sends: { like: purchase }\n`,
      "dialogue.yaml:6: A has no connection before this step: write `A connects` in front of it"
    ],
    [
      "nothing expected from whoever never connected",
      `${head("{ A: listens for target }")}  - A expects nothing: 1s\n`,
      "write `A listens` and `A accepts` in front of it"
    ],
    [
      "a message type that is none",
      step("A expects: { mti: 02100 }"),
      'dialogue.yaml:7: mti: four digits are expected, not "02100"'
    ],
    [
      "a value to send that the dialect cannot write",
      step('A sends: { mti: "0200", 4: ten }'),
      "dialogue.yaml:7: DE 4 cannot be written (cups: n12): field 4: only the digits 0-9 are allowed"
    ],
    [
      "a message type to send that is none",
      step('A sends: { mti: "02000" }'),
      'dialogue.yaml:7: mti: four digits are expected, not "02000"'
    ],
    [
      "a response code that no answer can have",
      step('A expects: { mti: 0210, 39: [00, "000"] }'),
      "dialogue.yaml:7: DE 39 can never be what is expected here (cups: an2): field 39: its length"
    ],
    [
      "an amount without its zeros",
      step("A expects: { mti: 0210, 4: 12300 }"),
      "dialogue.yaml:7: DE 4 can never be what is expected here (cups: n12): write all of its 12 characters"
    ],
    [
      "bytes that are no hex",
      step("A expects: { mti: 0210, 52: zz }"),
      "dialogue.yaml:7: DE 52 can never be what is expected here (cups: b8): pairs of hex digits"
    ],
    ["a value of a table that is not there", step('A expects: { 39: "{case.code}" }'), "write one under `cases:`"],
    ["brackets without end", `${head()}${"[".repeat(5000)}`, "nested more than 64 deep"],
    ["YAML that is none", `${head()}  - { A\n`, "dialogue.yaml:"]
  ])("is refused with its line: %s", async (_, text, message) => {
    expect(await wrongOf(text)).toContain(message)
  })
})
