/**
 * What the simulator writes down of messages: traffic, the history of a proxy, dialogues, recordings and the words of a broken
 * rule. Canaries are in each field of each dialect, in good messages, broken ones, and ones that another dialect reads.
 */
import { compile, coveredCopy, derive, dialects, isMessageError } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import type { Expectation } from "../../packages/simulator/src/dialogue/Dialogue.ts"
import { junitXml } from "../../packages/simulator/src/dialogue/DialogueReport.ts"
import { htmlReport } from "../../packages/simulator/src/dialogue/HtmlReport.ts"
import { differences } from "../../packages/simulator/src/dialogue/Match.ts"
import { told } from "../../packages/simulator/src/dialogue/Observed.ts"
import { Recorded } from "../../packages/simulator/src/dialogue/Recorded.ts"
import type { Scope } from "../../packages/simulator/src/dialogue/References.ts"
import type { Outcome } from "../../packages/simulator/src/dialogue/Runner.ts"
import { transcriptText } from "../../packages/simulator/src/dialogue/Transcript.ts"
import { makeWireFormat, type WireFormat } from "../../packages/simulator/src/dialogue/WireFormat.ts"
import { namesOf } from "../../packages/simulator/src/proxy/FaultHistory.ts"
import { aboutOf, factsOf, keyOf } from "../../packages/simulator/src/scripted/Facts.ts"
import { compareAnswers, noTolerance } from "../../packages/simulator/src/traffic/Compare.ts"
import { lineOf } from "../../packages/simulator/src/traffic/Traffic.ts"
import { discretionary, showsNumber, track2Of, valuesOf } from "../codec/cover/Canaries.ts"
import { isLong } from "../Runs.ts"

const forms: ReadonlyArray<WireFormat> = Object.values(dialects).map((dialect) =>
  makeWireFormat(derive(dialect, { name: dialect.name, header: null }))
)

const where = { at: 0, connection: 1, direction: "toTarget" } as const

/** A step that expects another value in each field that there is. */
const otherValues = (form: WireFormat, bytes: Buffer): string => {
  const message = told(form, bytes, 0)
  const there = form.codec.layout.defined.filter(({ de }) => message.index.has(de))
  const fields = Object.fromEntries(there.map(({ de }) => [de, ["other"]]))
  const nothing = { header: {}, differs: {}, matches: {}, present: [], absent: [], changed: [] }
  const scope = { form, keys: new Map(), messages: new Map() } as unknown as Scope
  return JSON.stringify(differences(scope, message, { ...nothing, fields } as unknown as Expectation))
}

/** The message in both directions of a line. */
const recorded = (form: WireFormat, bytes: Buffer): string => {
  const recording = new Recorded({ form, dialect: "any", frame: undefined, rule: "any", seed: 1 })
  recording.take({ _tag: "opened", line: 1, from: "near" })
  for (const from of ["near", "far"] as const) recording.take({ _tag: "message", line: 1, from, bytes })
  return recording.text()
}

/** What a partner's history says of a message that it takes; it masks the card itself, and an amount of 12 digits is a number. */
const history = (form: WireFormat, bytes: Buffer): string => {
  const { layout } = form.codec
  const message = told(form, bytes, 0)
  if (message.wrong !== undefined) return ""
  const {
    amount,
    card: _card,
    ...about
  } = aboutOf(layout, message.index, factsOf(layout, message), keyOf(layout, message.index))
  const hasCurrency = layout.fields[layout.roles.amount]?.units !== 12
  return JSON.stringify(hasCurrency ? { ...about, amount } : about)
}

/** Both sides of a comparison of answers: the message, and one that has nothing but its number. */
const compared = (form: WireFormat, bytes: Buffer): string => {
  const stan = "2".padStart(form.codec.layout.fields[11]!.units, "0")
  const other = form.codec.encode({ mti: `${form.codec.dialect.version}200`, fields: { 11: stan } })
  if (isMessageError(other)) throw new Error("cannot be built")
  return JSON.stringify([
    compareAnswers(form.codec, bytes, other, noTolerance),
    compareAnswers(form.codec, other, bytes, noTolerance)
  ])
}

/** The report of a broken rule, as text and as a page: the message sent, received, beside another one, and as bare bytes. */
const reported = (form: WireFormat, bytes: Buffer): string => {
  const message = told(form, bytes, 0)
  const ids = form.codec.layout.defined.map(({ de }) => String(de))
  const at = { at: 0, partner: "A" }
  const transcript = [
    { ...at, _tag: "sent", message, wire: bytes },
    { ...at, _tag: "received", message },
    { ...at, _tag: "sentBytes", wire: bytes, hasMessage: false }
  ]
  const mark = { message, ids, beside: message }
  const dialogue = { file: "d", rule: "r", source: "s", caseText: "", partners: [{ name: "A" }] }
  const times = { startedAt: 0, endedAt: 0, startedWall: 0 }
  const failure = { says: ["no"], mark, step: undefined }
  const outcome = { dialogue, result: "broken", skipped: "", failure, transcript, ...times } as unknown as Outcome
  return `${transcriptText(outcome.transcript, 0, mark)}\n${htmlReport([outcome])}\n${junitXml([outcome])}`
}

/** Reports take long to write: a few of them, unless JINKA_LAB=long. */
const outputs = (
  form: WireFormat,
  bytes: Buffer,
  turn: number
): ReadonlyArray<readonly [string, string | Uint8Array]> => [
  ["copy", coveredCopy(form.codec, bytes)],
  ["traffic", JSON.stringify(lineOf(form.codec, bytes, where, undefined))],
  ["other cards", JSON.stringify(lineOf(form.codec, bytes, where, Buffer.alloc(32, 7)))],
  ["names", JSON.stringify(namesOf(form.codec, told(form, bytes, 0).index))],
  ["differences", otherValues(form, bytes)],
  ["recording", recorded(form, bytes)],
  ["history", history(form, bytes)],
  ...(isLong || turn % 40 === 0
    ? ([
        ["comparison", compared(form, bytes)],
        ["report", reported(form, bytes)]
      ] as const)
    : [])
]

/** Each field meets one of them, such as the number or the track; JINKA_LAB=long: all. */
const met = <A>(turn: number, all: ReadonlyArray<A>): ReadonlyArray<A> => (isLong ? all : [all[turn % all.length]!])

/** What is wrong with a message, and how it is read. */
type Case = readonly [what: string, read: WireFormat, bytes: Buffer]

describe("What the simulator keeps of messages", () => {
  for (const pan of ["371449635398431", "6225881234567890120"])
    it(`has no piece of ${pan} and of its track, of good messages, broken ones and those of another dialect`, () => {
      const leaks: Array<string> = []
      let seen = 0
      let turn = 0
      for (const [at, form] of forms.entries()) {
        const codec = compile(form.codec.dialect)
        const stan = "1".padStart(codec.layout.fields[11]!.units, "0")
        const others = [forms[(at + 1) % forms.length]!, forms[(at + 4) % forms.length]!]
        for (const field of codec.layout.defined)
          for (const canary of met(field.de + at, [pan, track2Of(pan)]))
            for (const value of valuesOf(field, canary)) {
              const mti = `${codec.dialect.version}200`
              const bytes = codec.encode({ mti, fields: { 11: stan, [field.de]: value } })
              if (isMessageError(bytes)) continue
              const broken: ReadonlyArray<Case> = [
                ["cut", form, bytes.subarray(0, -1)],
                ["with a rest", form, Buffer.concat([bytes, Buffer.from("9")])],
                ["without its beginning", form, bytes.subarray(1)]
              ]
              const foreign = others.map((other): Case => [`read as ${other.codec.dialect.name}`, other, bytes])
              const draw = field.de + at + pan.length
              const cases = [["good", form, bytes] as const, ...met(draw, broken), ...met(draw, foreign)]
              for (const [what, read, message] of cases)
                for (const [output, text] of outputs(read, Buffer.from(message), turn++)) {
                  seen++
                  const found = showsNumber(text, pan) ?? showsNumber(text, discretionary)
                  if (found !== undefined)
                    leaks.push(`${output} of ${codec.dialect.name} DE ${field.de}, ${what}: ${found}`)
                }
            }
      }

      expect(leaks).toEqual([])
      expect(seen).toBeGreaterThan(5000)
    })
})
