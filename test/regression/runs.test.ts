/** Runs of many dialogues and of the command: that they go through, and that their reports can be read. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, Exit } from "effect"
import { Command } from "effect/cli"
import { describe, expect, it } from "vitest"
import { StopSignal } from "../../packages/simulator/src/cli/StopSignal.ts"
import { dialogueCommand } from "../../packages/simulator/src/dialogue/DialogueCommand.ts"
import { junitXml, outcomeLine, runDialogues, summaryText } from "../../packages/simulator/src/dialogue/index.ts"
import { testFolder } from "../TestFolder.ts"
import { approve, standIn } from "./StandIn.ts"
import { head, messages, patientRun, read, readDialogue } from "./Written.ts"

describe("jinka-sim dialogue run", () => {
  const command = (
    steps: string,
    targetOf: (port: number) => string,
    requested: Effect.Effect<void> = Effect.never,
    rule = "The rule under test.",
    second?: string
  ) =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(testFolder(), "jinka-dialogue-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const { port } = yield* standIn(approve)
      writeFileSync(join(directory, "messages.yaml"), messages)
      writeFileSync(join(directory, "one.yaml"), head().replace("The rule under test.", JSON.stringify(rule)) + steps)
      if (second !== undefined) writeFileSync(join(directory, "two.yaml"), second)
      const junit = join(directory, "report.xml")
      const flags = ["run", directory, "--target", targetOf(port), "--within", "60 seconds", "--junit", junit]
      const exit = yield* Command.runWith(dialogueCommand, { version: "0" })(flags).pipe(
        Effect.provideService(Console.Console, quietConsole),
        Effect.provideService(StopSignal, { ...noSignal, requested }),
        Effect.exit
      )
      return { exit, report: existsSync(junit) ? readFileSync(junit, "utf8") : "" }
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer), Effect.runPromise)

  const noSignal = { requested: Effect.never, onHangUp: () => () => {} }
  const quietConsole = { ...console, log: () => {}, error: () => {} } as Console.Console
  const steps =
    "  - A connects\n  - A sends: { like: sign-on, as: asked }\n  - A expects: { answer to: asked, 39: CODE }\n"

  it("runs the dialogues of a folder against any address and writes a report", async () => {
    const { exit, report } = await command(steps.replace("CODE", "00"), (port) => `127.0.0.1:${port}`)

    expect(Exit.isSuccess(exit)).toBe(true)
    expect(report).toContain('tests="1" failures="0"')
  })

  it("takes addresses by name, and fails when a rule is broken", async () => {
    const { exit, report } = await command(steps.replace("CODE", "05"), (port) => `target=127.0.0.1:${port}`)

    expect(String(exit)).toContain("1 of 1 dialogues are broken")
    expect(report).toContain('tests="1" failures="1"')
  })

  it("ends with what was run so far when it is stopped, with its reports, and shows no card and no control character", async () => {
    const steps = "  - A connects\n  - A sends: { like: sign-on }\n  - wait: 10m\n"
    const stop = Effect.sleep(300)
    const { exit, report } = await command(
      steps,
      (port) => `127.0.0.1:${port}`,
      stop,
      "amount 000000005100, card 6200000000000005 \u001b[31m"
    )

    expect(String(exit)).toContain("the run was stopped: 1 of 1 dialogues were not run")
    expect(report).toContain('<skipped message="the run was stopped"/>')
    expect(report).toContain("amount 000000005100, card 620000******0005 \\u001b[31m")
  })

  it("fails when a dialogue was skipped and an address has a name that none has: one wrong name hides no rule", async () => {
    const two = `${head("{ B: connects to issuer }")}  - B connects\n`
    const { exit, report } = await command(
      steps.replace("CODE", "00"),
      (port) => `target=127.0.0.1:${port},isuer=127.0.0.1:${port}`,
      Effect.never,
      "The rule under test.",
      two
    )

    expect(String(exit)).toContain('1 of 2 dialogues were not run: no address is given for "issuer"')
    expect(String(exit)).toContain("--target names isuer, and the dialogues name target, issuer")
    expect(report).toContain('skipped="1"')
  })

  it.each([
    ["", "nothing is given"],
    ["target=127.0.0.1:1,target=127.0.0.1:2", "names target twice"],
    ["127.0.0.1:1,127.0.0.1:2", "two addresses have no name"],
    ["target=127.0.0.1:1,issuer=127.0.0.1", '"127.0.0.1"'],
    ["127.0.0.1:0", '"127.0.0.1:0"']
  ])("refuses --target %j", async (target, why) => {
    const { exit } = await command(steps.replace("CODE", "00"), () => target)

    expect(String(exit)).toContain(why)
  })

  it("fails when everything was skipped, and says which addresses do not match", async () => {
    const { exit, report } = await command(steps.replace("CODE", "00"), (port) => `targte=127.0.0.1:${port}`)

    expect(String(exit)).toContain("Unsettled")
    expect(String(exit)).toContain("--target names targte, and the dialogues name target")
    expect(report).toContain('skipped="1"')
  })

  it("names the line of a dialogue that asks for what cannot be done, and does not call it a broken rule", async () => {
    const long = steps.replace("as: asked", 'as: asked, 37: "{rrn}-much-too-long"').replace("CODE", "00")
    const { exit, report } = await command(long, (port) => `target=127.0.0.1:${port}`)

    expect(String(exit)).toContain("FileInvalid")
    expect(String(exit)).toMatch(/one\.yaml:\d+: the message cannot be built/)
    expect(report).toContain('failures="0" skipped="0" errors="1"')
  })

  it.each(["5", "5s", "soon"])("says what to write for --within %s", async (within) => {
    const exit = await Command.runWith(dialogueCommand, { version: "0" })([
      "run",
      "x",
      "--target",
      "a:1",
      "--within",
      within
    ]).pipe(
      Effect.provideService(Console.Console, quietConsole),
      Effect.provideService(StopSignal, noSignal),
      Effect.provide(NodeServices.layer),
      Effect.flip,
      Effect.runPromise
    )

    expect(JSON.stringify(exit)).toContain(within === "soon" ? "2 minutes" : "5 seconds")
  })

  it("refuses an address that is none", async () => {
    const { exit } = await command(steps.replace("CODE", "00"), () => "somewhere")

    expect(String(exit)).toContain("--target")
  })
})

describe("A run of many dialogues", () => {
  it("gives each number once, however many a dialogue before has used", async () => {
    const stans = await Effect.runPromise(
      Effect.gen(function* () {
        const { port } = yield* standIn(approve)
        const text = (count: number) =>
          `${head()}  - A connects\n  - repeat: ${count}\n    steps:\n      - A sends: { like: sign-on, as: "a{n}" }\n      - A expects: { answer to: "a{n}" }\n`
        const dialogues = [yield* read(text(120)), yield* read(text(3))]
        const outcomes = yield* runDialogues(dialogues, {
          ...patientRun,
          endpoint: () => ({ host: "127.0.0.1", port })
        })
        expect(outcomes.map(({ result }) => result)).toEqual(["kept", "kept"])
        return outcomes.flatMap(({ transcript }) =>
          transcript.flatMap((line) => (line._tag === "sent" ? [line.message.index.text(11)] : []))
        )
      }).pipe(Effect.scoped)
    )

    expect(stans).toHaveLength(123)
    expect(new Set(stans).size).toBe(123)
  })

  const three = Effect.gen(function* () {
    const { port } = yield* standIn(approve)
    const kept = yield* read(
      `${head()}  - A connects\n  - A sends: { like: sign-on, as: a }\n  - A expects: { answer to: a }\n`
    )
    const broken = yield* read(
      `${head()}  - A connects\n  - A sends: { like: sign-on, 44: no, as: a }\n  - A expects: { answer to: a, 44: "<&>" }\n`
    )
    const skipped = yield* read(`${head("{ A: connects to elsewhere }")}  - A connects\n`)
    const needsOperator = yield* read(`${head()}  - operator: drain\n`)
    return yield* runDialogues([kept, broken, skipped, needsOperator], {
      ...patientRun,
      endpoint: (address) => (address === "target" ? { host: "127.0.0.1", port } : undefined)
    })
  }).pipe(Effect.scoped)

  it("goes on after a broken one, skips what it has no address or operator for, and says so", async () => {
    const outcomes = await Effect.runPromise(three)

    expect(outcomes.map(({ result }) => result)).toEqual(["kept", "broken", "skipped", "skipped"])
    expect(outcomeLine(outcomes[2]!)).toContain('no address is given for "elsewhere"')
    expect(outcomeLine(outcomes[3]!)).toContain("needs an operator")
    expect(summaryText(outcomes)).toContain("4 dialogues: 1 kept, 1 broken, 2 skipped")
  })

  it("is written as JUnit XML, with every text escaped", async () => {
    const xml = junitXml(await Effect.runPromise(three))

    expect(xml).toContain('tests="4" failures="1" skipped="2"')
    expect(xml).toContain("&lt;&amp;&gt;")
    expect(xml).not.toContain("<&>")
    expect(xml.match(/<testcase /g)).toHaveLength(4)
    expect(xml.match(/<failure /g)).toHaveLength(1)
  })

  it.each([
    ["first", "rule: r\nsource: s\nfirst: gone.yaml\nsteps: []\n"],
    ["messages", "rule: r\nsource: s\nmessages: gone.yaml\nsteps: []\n"],
    ["dialect", "rule: r\nsource: s\ndialect: ./gone.yaml\nsteps: []\n"]
  ])("names the line of a file that is not there: %s", async (_, text) => {
    const path = join(testFolder(), "dialogue.yaml")
    const readText = (asked: string) => (asked === path ? text : readFileSync(asked, "utf8"))
    const { message } = await Effect.runPromise(Effect.flip(readDialogue(path, { file: "a.yaml", readText })))

    expect(message).toMatch(/^a\.yaml:3: (\.\/)?gone\.yaml cannot be read: there is no such file/)
  })

  it("reads openings and messages from the files that a dialogue names", async () => {
    const directory = mkdtempSync(join(testFolder(), "jinka-dialogue-"))
    try {
      writeFileSync(join(directory, "messages.yaml"), messages)
      writeFileSync(
        join(directory, "opening.yaml"),
        "messages: messages.yaml\npartners: { A: connects to target }\nsystem: { acquirer: { window: 1 } }\nsteps:\n  - A connects\n"
      )
      const path = join(directory, "dialogue.yaml")
      writeFileSync(
        path,
        "rule: r\nsource: s\nfirst: opening.yaml\nsystem: { acquirer: { retry: 1s } }\nsteps:\n  - A expects close: FIN\n"
      )
      const dialogue = await Effect.runPromise(readDialogue(path))

      expect(dialogue.steps.map(({ text }) => text)).toEqual(["A connects", "A expects close: FIN"])
      expect(dialogue.system).toEqual({ acquirer: { window: "1", retry: "1s" } })
      expect([...dialogue.messages.keys()]).toEqual(["sign-on", "purchase"])
      expect(readFileSync(path, "utf8")).toContain("rule: r")
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
