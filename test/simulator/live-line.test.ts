import { describe, expect, it } from "vitest"
import { LiveLine } from "../../packages/simulator/src/load/LiveLine.ts"
import { liveLine } from "../../packages/simulator/src/load/LoadReport.ts"

const esc = String.fromCharCode(27)
const up = `${esc}[1A`
const empty = `${esc}[K`

/** The rows of a terminal of so many columns behind what was written, each piece as a line. */
const shown = (columns: number, pieces: ReadonlyArray<string>): ReadonlyArray<string> => {
  const rows: Array<string> = [""]
  let row = 0
  const written = pieces.map((piece) => `${piece}\n`).join("")
  const texts = written
    .split(esc)
    .flatMap((part, at) =>
      at === 0 ? [...part] : [esc + part.slice(0, part[1] === "1" ? 3 : 2), ...part.slice(part[1] === "1" ? 3 : 2)]
    )
  for (const text of texts) {
    if (text === up) row--
    else if (text === empty) rows[row] = ""
    else if (text === "\n") rows[++row] ??= ""
    else {
      if (rows[row]!.length === columns) rows[++row] ??= ""
      rows[row] += text
    }
  }
  return rows.filter((one) => one !== "")
}

const second = (n: number) =>
  liveLine(
    { second: n, sent: 12_345, answered: 12_345, timedOut: 9, p50: 12.3, p99: 123, p999: 1234, max: 2000, lagMax: 15 },
    { elapsed: n * 1000, lasts: 100_000 }
  )

describe("The live line of a load", () => {
  it.each([40, 80, 200])("takes one row of a terminal with %i columns, and sentences stay above it", (columns) => {
    const live = new LiveLine(columns)
    const pieces = [live.told("signed on"), live.changed(second(0)), live.changed(second(1))]
    pieces.push(
      live.told("no connection"),
      live.changed(second(2)),
      live.told("signed on again"),
      live.changed(second(3))
    )

    expect(shown(columns, pieces)).toEqual([
      "signed on",
      "no connection",
      "signed on again",
      second(3).slice(0, columns - 1)
    ])
  })

  it("shows percentiles first: those of a narrow terminal are not cut off", () => {
    expect(second(7).slice(0, 79)).toContain("p50 12.3  p99 123  p99.9 1234 ms")
  })

  it("is a line a second where there is no terminal", () => {
    const live = new LiveLine(undefined)

    expect([live.changed("1"), live.told("text"), live.changed("2")]).toEqual(["1", "text", "2"])
  })
})
