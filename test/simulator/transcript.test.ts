/** A dialogue that breaks is printed and written as JUnit: no card data in either, whatever the partners said. */
import { compile, cups, isMessageError, type Message } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { failureText, junitXml } from "../../packages/simulator/src/dialogue/DialogueReport.ts"
import { told } from "../../packages/simulator/src/dialogue/Observed.ts"
import type { Outcome } from "../../packages/simulator/src/dialogue/Runner.ts"
import type { Line } from "../../packages/simulator/src/dialogue/Transcript.ts"
import { makeWireFormat } from "../../packages/simulator/src/dialogue/WireFormat.ts"
import { cardNumbers, discretionary, packed, showsNumber, track2Of, valuesOf } from "../codec/cover/Canaries.ts"
import { isLong } from "../Runs.ts"

const codec = compile(cups)
const form = makeWireFormat(cups)!

const encoded = (fields: Message["fields"]): ReadonlyArray<Buffer> => {
  const bytes = codec.encode({ mti: "0200", fields: { 11: "000001", ...fields } })
  return isMessageError(bytes) ? [] : [bytes]
}

describe("A transcript and its JUnit report", () => {
  it("show no card number and no track, of good messages, broken ones and bytes", () => {
    // JINKA_LAB=long: the other lengths, too.
    for (const pan of cardNumbers.slice(isLong ? 2 : 5)) {
      const canaries = [pan, track2Of(pan)]
      const whole = codec.layout.defined.flatMap((field) =>
        canaries.flatMap((canary) => valuesOf(field, canary).flatMap((value) => encoded({ [field.de]: value })))
      )
      expect(whole.length).toBeGreaterThan(50)
      const broken = whole.flatMap((bytes) => [bytes.subarray(0, bytes.length - 1), bytes.subarray(1)])
      const lines: ReadonlyArray<Line> = [
        ...[...whole, ...broken].map((bytes) => ({
          _tag: "received" as const,
          at: 1,
          partner: "A",
          message: told(form, bytes, 1)
        })),
        ...[Buffer.from(track2Of(pan)), packed(pan), packed(track2Of(pan)), ...whole].map((wire) => ({
          _tag: "sentBytes" as const,
          at: 1,
          partner: "A",
          wire
        })),
        { _tag: "noted", at: 1, partner: "A", text: `waits for ${track2Of(pan)}` }
      ]
      const outcome = {
        dialogue: { rule: "a rule", source: "a source", file: "rules/one.yaml" },
        result: "broken",
        form,
        transcript: lines,
        startedAt: 0,
        endedAt: 1,
        startedWall: 0,
        skipped: "",
        failure: { step: undefined, says: [`DE 43: "${pan}" came`], mark: undefined }
      } as unknown as Outcome

      for (const seen of [failureText(outcome), junitXml([outcome])]) {
        // The dump has blanks between the bytes, and lines of 16.
        const joined = seen.replace(/\n +\d{4} {2}/g, " ").replace(/ {2}[^\n]*(?=\n)/g, "")
        for (const text of [seen, seen.replace(/ /g, ""), joined.replace(/ /g, "")])
          expect([pan, showsNumber(text, pan), showsNumber(text, discretionary)]).toEqual([pan, undefined, undefined])
      }
    }
  })
})
