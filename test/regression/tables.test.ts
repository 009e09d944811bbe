/** Tables of cases, loops, values and links of several dialects in one dialogue, and the page that shows a run. */
import { dialects, isMessageError, type Message, wholeFrame } from "@jinka/codec"
import { Effect, Random } from "effect"
import { describe, expect, it } from "vitest"
import { freePort, givePortBack } from "../../examples/shared/FreePort.ts"
import {
  failureText,
  htmlReport,
  junitXml,
  readDialogues,
  runDialogue,
  runDialogues
} from "../../packages/simulator/src/dialogue/index.ts"
import { makeWireFormat } from "../../packages/simulator/src/dialogue/WireFormat.ts"
import { answered, approve, type Line, standIn } from "./StandIn.ts"
import { messages, patientRun } from "./Written.ts"

const head = "source: a clause\nmessages: messages.yaml\npartners: { A: connects to target }\n"

const readAll = (text: string) =>
  readDialogues("/dialogue.yaml", {
    file: "dialogue.yaml",
    readText: (path) => (path.endsWith("messages.yaml") ? messages : text)
  })

const runAll = (text: string, answer: (line: Line) => void = approve) =>
  Effect.gen(function* () {
    const { port } = yield* standIn(answer)
    const options = { ...patientRun, endpoint: () => ({ host: "127.0.0.1", port }) }
    return yield* runDialogues(yield* readAll(text), options)
  }).pipe(Effect.scoped, Effect.runPromise)

const wrong = (text: string) => Effect.runPromise(Effect.flip(readAll(text))).then(({ message }) => message)

describe("A table of cases", () => {
  it("makes a dialogue of each case, with its values anywhere in the file", async () => {
    const seen: Array<string> = []
    const outcomes = await runAll(
      `rule: A purchase of {case.amount} is approved.\n${head}cases:\n  - { amount: "100", de: 4 }\n  - { amount: "5", de: 4 }\nsteps:\n` +
        '  - A connects\n  - A sends: { like: purchase, "{case.de}": "{case.amount}", as: asked }\n  - A expects: { answer to: asked, 39: 00 }\n',
      (line) => {
        seen.push(String(line.message.fields[4]))
        approve(line)
      }
    )

    expect(outcomes.map(({ dialogue, result }) => [result, dialogue.rule, dialogue.caseText])).toEqual([
      ["kept", "A purchase of 100 is approved.", "amount 100, de 4"],
      ["kept", "A purchase of 5 is approved.", "amount 5, de 4"]
    ])
    expect(seen).toEqual(["000000000100", "000000000005"])
    expect(junitXml(outcomes)).toContain('name="A purchase of 5 is approved. [amount 5, de 4]"')
  })

  it("is every combination of its lists", async () => {
    const dialogues = await Effect.runPromise(
      readAll(`rule: r\n${head}cases: { code: [05, 51], mti: [0200, 0100, 0220] }\nsteps:\n  - A connects\n`)
    )
    expect(dialogues.map(({ caseText }) => caseText)).toEqual([
      ...["code 05, mti 0200", "code 05, mti 0100", "code 05, mti 0220"],
      ...["code 51, mti 0200", "code 51, mti 0100", "code 51, mti 0220"]
    ])
  })

  it.each([
    ["cases: []", "1 to 1000 cases are expected"],
    ["cases: [5]", "a case is a map of values"],
    ["cases: { code: [05] }\nsteps:\n  - wait: '{case.cod}ms'", 'did you mean "code"?']
  ])("that says %j is refused with its line", async (text, says) => {
    const message = await wrong(`rule: r\n${head}${text}\n`)
    expect(message).toMatch(/^dialogue\.yaml:\d+: /)
    expect(message).toContain(says)
  })
})

describe("A table in a file of its own", () => {
  const readFrom = (files: Readonly<Record<string, string>>) =>
    readDialogues("/dialogue.yaml", {
      file: "dialogue.yaml",
      readText: (path) => {
        const text = files[path]
        if (text === undefined) throw Object.assign(new Error("gone"), { code: "ENOENT" })
        return text
      }
    })
  const dialogue = `rule: r\nsource: s\npartners: { A: connects to target }\ncases: ./codes.yaml\nsteps:\n  - let: { code: "{case.code}" }\n  - A connects\n`

  it("is shared by every dialogue that names it", async () => {
    const files = { "/dialogue.yaml": dialogue, "/codes.yaml": "cases: { code: [05, 51] }\n" }
    expect((await Effect.runPromise(readFrom(files))).map(({ caseText }) => caseText)).toEqual(["code 05", "code 51"])
  })

  it("that is not there, or holds none, is named with its line", async () => {
    const message = (files: Readonly<Record<string, string>>) =>
      Effect.runPromise(Effect.flip(readFrom(files))).then((error) => error.message)
    expect(await message({ "/dialogue.yaml": dialogue })).toMatch(/^dialogue\.yaml:4: \.\/codes\.yaml cannot be read/)
    expect(await message({ "/dialogue.yaml": dialogue, "/codes.yaml": "cases: 5\n" })).toMatch(
      /^codes\.yaml:1: 1 to 1000/
    )
  })
})

describe("A loop", () => {
  it("repeats steps with its count, and goes over a table within a dialogue", async () => {
    const seen: Array<string> = []
    const [outcome] = await runAll(
      `rule: r\n${head}steps:
  - A connects
  - repeat: 3
    steps:
      - A sends: { like: purchase, 4: "{n}00", as: "asked{n}" }
  - repeat: 3
    steps:
      - A expects: { answer to: "asked{n}", 4: "{asked{n}.4}" }
  - for each: { mti: ["0100", "0200"] }
    steps:
      - repeat: 2
        steps:
          - A sends: { like: purchase, mti: "{each.mti}", 4: "{n}", as: asked }
          - A expects: { answer to: asked }
`,
      (line) => {
        seen.push(`${line.message.mti} ${Number(line.message.fields[4])}`)
        approve(line)
      }
    )

    expect(failureText(outcome!)).toBe("")
    expect(seen).toEqual(["0200 100", "0200 200", "0200 300", "0100 1", "0100 2", "0200 1", "0200 2"])
  })

  it.each([
    ["- repeat: 0\n    steps: []", "1 to 1000 times"],
    ["- { repeat: 2, for each: { a: [1] }, steps: [] }", "`repeat` or `for each`"],
    ["- { repeat: 2 }", '"steps:" is missing'],
    ["- { repeat: 2, steps: [], time: 1 }", '"time" is not known here'],
    ["- { repeat: 2, steps: 5 }", "steps: needs a list"]
  ])("that says %j is refused", async (step, says) => {
    expect(await wrong(`rule: r\n${head}steps:\n  ${step}\n`)).toContain(says)
  })
})

describe("Values", () => {
  it("are cut out, added to, drawn, remembered, and computed from each other", async () => {
    const seen: Array<Message> = []
    const [outcome] = await runAll(
      `rule: r\n${head}steps:
  - A connects
  - A sends: { like: purchase, 2: "{card:621999}", as: first }
  - A expects: { answer to: first, matches: { 39: "0[0-9]", 11: "[0-9]{6}" }, as: answer }
  - let: { tip: "{random:3}", bin: "{first.2:1-6}" }
  - let: { sum: "{first.4+{tip}}" }
  - A sends: { like: purchase, 2: "{first.2}", 4: "{sum}", 37: "{bin}{bin:4-6}{tip:n3}", 11: "{first.11+1}", as: second }
  - A expects: { answer to: second, 4: "{answer.4+{tip}}" }
`,
      (line) => {
        seen.push(line.message)
        approve(line)
      }
    )

    expect(failureText(outcome!)).toBe("")

    const [first, second] = seen
    expect(String(second!.fields[37])).toMatch(/^621999999\d{3}$/)
    expect(Number(second!.fields[4])).toBe(12300 + Number(String(second!.fields[37]).slice(9)))
    expect(Number(second!.fields[11])).toBe(Number(first!.fields[11]) + 1)
  })

  it.each([
    ["- let: { stan: x }", '"stan" cannot be the name of a value'],
    ['- A sends: { like: purchase, 4: "{nobody}" }', "{nobody} refers to nothing"],
    ['- A expects: { matches: { 39: "[" } }', "no regular expression"]
  ])("that name what is not there are refused before anything is sent: %s", async (step, says) => {
    expect(await wrong(`rule: r\n${head}steps:\n  ${step}\n`)).toContain(says)
  })

  it("are wrong, and no fault of the system, where a text is added to", async () => {
    const [outcome] = await runAll(`rule: r\n${head}steps:\n  - let: { a: "x", b: "{a+1}" }\n  - A connects\n`)
    expect(outcome).toMatchObject({ result: "wrong", failure: { says: [expect.stringContaining("only a number")] } })
  })
})

describe("Links of several dialects in one dialogue", () => {
  it("have each their own messages and frames, and their values are compared", async () => {
    const two = makeWireFormat(dialects["iso8583v1987Bcd"]!)
    const text = `rule: r\n${head.replace(
      "{ A: connects to target }",
      "\n  A: connects to target\n  B: { listens for other, dialect: iso8583v1987Bcd, frame: binary2-inclusive }".replace(
        "listens for other",
        "listens for: other"
      )
    )}steps:
  - B listens
  - A connects
  - A sends: { like: purchase, as: asked }
  - B accepts
  - B expects: { mti: 0200, 2: "{asked.2}", same as: asked, changed: [35, 52], as: seen }
  - B sends: { answer to: seen, 39: 51 }
  - A expects: { answer to: asked, 39: 51 }
`
    const outcome = await Effect.gen(function* () {
      const other = yield* Effect.acquireRelease(freePort, givePortBack)
      let back: ((message: Message) => void) | undefined
      // A system that translates: it takes a purchase on one link and gives it on in another dialect.
      const { port } = yield* standIn(({ message, send }) => {
        const { header: _, fields, mti } = message
        back = ({ fields: given }) => send(answered(message, String(given[39])))
        void translate(other, two.codec, { mti, fields: { ...fields, 35: fields[35]!, 52: fields[52]! } }, (answer) =>
          back?.(answer)
        )
      })
      const [dialogue] = yield* readAll(text)
      return yield* runDialogue(dialogue!, {
        ...patientRun,
        endpoint: (address) => ({ host: "127.0.0.1", port: address === "other" ? other : port })
      })
    }).pipe(Effect.scoped, Effect.runPromise)

    expect(failureText(outcome)).toBe("")
  })
})

const translate = async (
  port: number,
  codec: ReturnType<typeof makeWireFormat>["codec"],
  message: Message,
  answer: (message: Message) => void
) => {
  const { connect } = await import("node:net")
  const { Framer, namedFrames } = await import("@jinka/codec")
  const frame = namedFrames.find(({ name }) => name === "binary2-inclusive")!.format
  const bytes = codec.encode(message)
  if (isMessageError(bytes)) throw new Error(bytes._tag)
  const socket = connect({ port, host: "127.0.0.1" })
  const framer = new Framer(frame)
  socket.on("data", (chunk: Buffer) =>
    framer.push(chunk, {
      frame: (buffer, from, to) => {
        const read = codec.decode(buffer, from, to)
        if (!isMessageError(read)) answer(read)
        socket.end()
      },
      idle: () => undefined
    })
  )
  socket.on("error", () => undefined)
  socket.write(wholeFrame(frame, bytes))
}

describe("The page of a run", () => {
  const page = async () => {
    const outcomes = await runAll(
      `rule: "Codes <&> are {case.code}"\n${head}cases: { code: [00, 51] }\nsteps:\n  - A connects\n` +
        '  - A sends: { like: purchase, as: asked }\n  - A expects: { answer to: asked, 39: "{case.code}" }\n'
    )
    return htmlReport(outcomes)
  }

  it("shows what was said by each partner, and of a broken rule both messages side by side", async () => {
    const text = await page()

    expect(text).toContain("2 dialogues: 1 kept, 1 broken, 0 wrong, 0 skipped")
    expect(text).toContain("to be like: 0200</th><th>came: 0210")
    expect(text).toMatch(/<tr class="differs"><td>39<\/td><td><\/td><td>00<\/td>/)
    expect(text.indexOf('class="broken"')).toBeLessThan(text.indexOf('class="kept"'))
    expect(text).toContain("DE 39: &quot;51&quot; expected, &quot;00&quot; came")
  })

  it("needs nothing else, escapes what it is given, and has no card data in it", async () => {
    const text = await page()

    expect(text).not.toMatch(/(?:src|href)=/)
    expect(text).toContain("Codes &lt;&amp;&gt; are")
    expect(text).not.toContain("<&>")
    for (const secret of ["6200000000000005", "30122010000000000000", "A1B2C3D4E5F60718"]) {
      expect(text).not.toContain(secret)
    }
  })
})

describe("Two runs in one second", () => {
  it("send other numbers: the second is no repeat of the first", async () => {
    const seen: Array<string> = []
    const text = `rule: r\n${head}steps:\n  - A connects\n  - A sends: { like: purchase, as: asked }\n  - A expects: { answer to: asked }\n`
    const once = (seed: string) =>
      Effect.gen(function* () {
        const { port } = yield* standIn((line) => {
          seen.push(String(line.message.fields[11]))
          approve(line)
        })
        yield* runDialogues(yield* readAll(text), { ...patientRun, endpoint: () => ({ host: "127.0.0.1", port }) })
      }).pipe(Effect.scoped, Random.withSeed(seed), Effect.runPromise)
    await once("one")
    await once("another")

    expect(seen.length).toBe(2)
    expect(seen[0]).not.toBe(seen[1])
  })
})
