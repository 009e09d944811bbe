/** Dialogues that are written from live traffic: they run again, and nothing that authenticates a card is in them. */
import { type Codec, dialects, wholeFrame } from "@jinka/codec"
import { Effect, type Scope } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { failureText, type Outcome, runDialogue } from "../../packages/simulator/src/dialogue/index.ts"
import { Recorded } from "../../packages/simulator/src/dialogue/Recorded.ts"
import { makeWireFormat } from "../../packages/simulator/src/dialogue/WireFormat.ts"
import { pathFrom } from "../../packages/simulator/src/file/LinkKeys.ts"
import { type Passed, passThrough } from "../../packages/simulator/src/link/PassThrough.ts"
import { passedOf } from "../../packages/simulator/src/traffic/Captured.ts"
import { framesOf, pcapng } from "../simulator/Captures.ts"
import { encoded, head, money, plansOf, reversalOf, stan } from "../simulator/scripted/Bench.ts"
import { cleanUp, dialled, type Line, start, until } from "../simulator/scripted/Sockets.ts"
import { patientRun, readDialogue } from "./Written.ts"

afterEach(cleanUp)

const local = { host: "127.0.0.1", port: 0 }

/** A partner that answers, the line in front of it, and what was recorded of it when a test has spoken. */
const recorded = async (
  dialect: string,
  speak: (line: Line) => Promise<void>,
  more = ""
): Promise<{ readonly text: string; readonly passed: ReadonlyArray<Passed> }> => {
  const plans = plansOf(head(dialect, more))
  const { port } = await start(plans)
  const recording = new Recorded({
    form: makeWireFormat(dialects[dialect]!),
    dialect,
    frame: undefined,
    rule: "Recorded.",
    seed: 7
  })
  const passed: Array<Passed> = []
  const run: Effect.Effect<void, unknown, Scope.Scope> = Effect.gen(function* () {
    const at = yield* passThrough(local, { host: "127.0.0.1", port: port() }, plans[0]!.form.frame, (one) => {
      passed.push(one)
      recording.take(one)
    })
    const line = yield* Effect.promise(() => dialled(at.port, plans[0]!))
    yield* Effect.promise(() => speak(line))
    line.socket.end()
    const ends = () => passed.filter(({ _tag }) => _tag === "closed")
    const isOver = () => ends().length >= 2 || ends().some((one) => one._tag === "closed" && one.how === "RST")
    yield* Effect.promise(() => until("the end", isOver))
  })
  await Effect.runPromise(Effect.scoped(run))
  return { text: recording.text(), passed }
}

/** Runs a recorded file against a fresh partner. */
const again = async (dialect: string, text: string, more = ""): Promise<Outcome> => {
  const { port } = await start(plansOf(head(dialect, more)))
  return Effect.runPromise(
    Effect.gen(function* () {
      const dialogue = yield* readDialogue("/recorded.yaml", { file: "recorded.yaml", readText: () => text })
      return yield* runDialogue(dialogue, { ...patientRun, endpoint: () => ({ host: "127.0.0.1", port: port() }) })
    })
  )
}

const purchaseAndReversal = async (line: Line): Promise<void> => {
  const purchase = money(line.codec, { 11: stan(41), 35: trackOf(line.codec) })
  line.say(purchase)
  await line.heard(1)
  line.say(reversalOf(line.codec, purchase, stan(42)))
  await line.heard(2)
}

const trackOf = ({ layout }: Codec): string => {
  const field = layout.fields[35]
  return field?.encoding === "bcd" ? "6200000000000005D30122010000000000000" : "6200000000000005=30122010000000000000"
}

describe("jinka-sim dialogue record", () => {
  it.each(["cups", "iso8583v1987Ascii", "iso8583v1987Bcd", "iso8583v1993Ascii", "nac"])(
    "writes what went by so that it runs again, in the dialect %s",
    async (dialect) => {
      const { text } = await recorded(dialect, purchaseAndReversal)
      const outcome = await again(dialect, text)

      expect(failureText(outcome), text).toBe("")
      expect(outcome.transcript.filter(({ _tag }) => _tag === "received")).toHaveLength(2)
    }
  )

  it.each(Object.keys(dialects).filter((name) => dialects[name]!.reversal?.originalData !== undefined))(
    "ties a void to its original although both have one MTI, and a value that the far side made to where it came: %s",
    async (dialect) => {
      const { text } = await recorded(dialect, async (line) => {
        const first = money(line.codec, { 11: stan(41) })
        line.say(first)
        await line.heard(1)
        const code = line.messages[0]!.fields[38] as string
        const named = reversalOf(line.codec, first, stan(42)).fields
        const { processingCode } = line.codec.layout.roles
        line.say({ mti: first.mti, fields: { ...named, [processingCode]: "200000", 38: code } })
        await line.heard(2)
      })
      const outcome = await again(dialect, text)

      expect(failureText(outcome), text).toBe("")
      expect(text).toContain('38: "{m2.38}"')
      expect(text).toMatch(/(56|90): "\{m1\.mti\}/)
    }
  )

  it("writes the same dialogue of a capture of the line", async () => {
    const { passed, text } = await recorded("cups", purchaseAndReversal)
    const { form } = plansOf(head("cups"))[0]!
    const next = { near: 1, far: 1 }
    const segments = passed.flatMap((one, n) => {
      if (one._tag !== "message") return []
      const bytes = wholeFrame(form.frame, one.bytes)
      const seq = next[one.from]
      next[one.from] += bytes.length
      const [from, to] = one.from === "near" ? ([40_000, 7801] as const) : ([7801, 40_000] as const)
      return [{ at: 1000 * n, from, to, seq, bytes }]
    })
    const capture = new Recorded({ form, dialect: "cups", frame: undefined, rule: "Recorded.", seed: 7 })
    for (const one of passedOf(pcapng(true)(framesOf(segments)), 7801, form.frame)) capture.take(one)

    const withoutEnds = text.split("\n").filter((line) => !/ (closes|expects close): /.test(line))
    expect(capture.text()).toBe(withoutEnds.join("\n"))
  })

  it("finds a system that answers otherwise", async () => {
    const { text } = await recorded("cups", purchaseAndReversal)
    const outcome = await again("cups", text, "rules: [{ answer: 05 }]\n")

    expect(outcome.result).toBe("broken")
    expect(failureText(outcome)).toContain('DE 39: "00" expected, "05" came')
  })

  it("holds no card number and nothing that authenticates a card, and names what it left out", async () => {
    const { text } = await recorded("cups", purchaseAndReversal)

    for (const secret of ["6200000000000005", "30122010000000000000"]) expect(text).not.toContain(secret)
    expect(text).toContain("# Left out because it must not be kept: DE 35.")
    expect(text).toMatch(/2: "620000\d{10}"/)
  })

  it("names a dialect file as the dialogue's folder sees it", () => {
    expect(pathFrom("out", "ours.yaml")).toBe("../ours.yaml")
    expect(pathFrom(".", "ours.yaml")).toBe("./ours.yaml")
    expect(pathFrom("out", "out/ours.yaml")).toBe("./ours.yaml")
  })

  it("refers to numbers and times, and to the message that a reversal reverses", async () => {
    const { text } = await recorded("cups", purchaseAndReversal)

    expect(text).toContain('11: "{stan}"')
    expect(text).toContain('7: "{now:MMDDhhmmss}"')
    expect(text).toContain('90: "{m1.mti}{m1.11:n6}{m1.7:n10}{m1.32:n11}{m1.33:n11}"')
    expect(text).toContain('A expects: { answer to: m1, 39: "00", present: [15, 38], as: m2 }')
    expect(text).toContain("A closes: FIN")
  })

  it.each([
    ["cups", "210000", '12: "{now:hhmmss}", 13: "{now:MMDD}"'],
    ["iso8583v1993Ascii", "261122210000", '12: "{now:YYMMDDhhmmss}", 13: "1122"']
  ])(
    "writes local times that are now as they are now, and those of a repeat as the first one's: %s",
    async (dialect, time, written) => {
      const { text } = await recorded(dialect, async (line) => {
        const purchase = money(line.codec, { 11: stan(41), 12: time, 13: "1122" })
        line.say(purchase)
        await line.heard(1)
        line.say(purchase)
        await line.heard(2)
      })
      const [first, again] = text.split("\n").filter((step) => step.includes("A sends:"))

      expect(first).toContain(written)
      expect(first).toContain('7: "{now:MMDDhhmmss}"')
      expect(again).toContain('7: "{m1.7}"')
      expect(again).toContain('11: "{m1.11}", 12: "{m1.12}"')
    }
  )

  it("passes every byte on at once, also those that are no frame", async () => {
    const { passed, text } = await recorded("cups", async (line) => {
      line.say(money(line.codec))
      await line.heard(1)
      line.socket.write("GET / HTTP/1.1\r\n\r\n")
      await line.ended()
    })

    expect(passed.map(({ _tag }) => _tag)).toContain("unreadable")
    expect(text).toContain("bytes of the near side that are no frame")
  })

  it("gives each connection that is open at once a partner of its own", async () => {
    const plans = plansOf(head())
    const { port } = await start(plans)
    const form = makeWireFormat(dialects["cups"]!)
    const recording = new Recorded({ form, dialect: "cups", frame: undefined, rule: "r", seed: 1 })
    const take = (line: number, message: ReturnType<typeof money>) =>
      recording.take({ _tag: "message", line, from: "near", bytes: encoded(form.codec, message) })
    for (const line of [1, 2]) recording.take({ _tag: "opened", line, from: "near" })
    take(1, money(form.codec, { 11: stan(1) }))
    take(2, money(form.codec, { 11: stan(2) }))
    recording.take({ _tag: "closed", line: 1, from: "far", how: "RST" })
    recording.take({ _tag: "opened", line: 3, from: "near" })

    expect(recording.text()).toContain("A connects\n  - B connects\n  - A sends")
    expect(recording.text()).toContain("A expects close: RST\n  - A connects")
    expect(port()).toBeGreaterThan(0)
  })
})
