/** Values that a load's data file gives: held against the dialect before anything is sent, and filled as everywhere. */
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { runLoad } from "../../packages/simulator/src/load/RunLoad.ts"
import { answerTo, cleanUp, framed, host } from "../switch/modes/Rig.ts"
import { loadOf, watching } from "./LoadSystems.ts"

afterEach(cleanUp)

const card = "6200000000000005"

describe("The rows of a data file", () => {
  it.each([
    [
      "letters in a number",
      '5: "{row.x}"',
      `pan,x\n${card},1200\n${card},12x0\n`,
      "row 2 of the data: field 5: only the digits"
    ],
    ["a card that is too long", "", `pan\n${card}\n62000000000000050000\n`, "row 2 of the data: field 2: its length"],
    [
      "half a byte",
      '55: "{row.x}"',
      `pan,x\n${card},9F2701\n${card},9F270\n`,
      "row 2 of the data: field 55: pairs of hex"
    ],
    ["a row without a value", "", `pan,x\n${card},1\n,\n`, "row 2 has no value: remove it"],
    ["values in quotes", "", `"pan"\n"${card}"\n`, "quotes are part of the values here"],
    ["an amount without room", '12: "{amount 1..9999999}"', `pan\n${card}\n`, "the field has room for 6 digits"]
  ])("are held against the dialect before anything is sent: %s", async (_, field, rows, what) => {
    const reading = loadOf("acquirer: { connect: a:1 }", "fixed 10/s for 1s", "", field, rows)

    await expect(reading).rejects.toThrow(what)
  })

  it("may be written by a spreadsheet: with a mark in front, as UTF-16, with CRLF", async () => {
    const rows = `pan,x\r\n${card},1\r\n`
    const marked = `\ufeff${rows}`
    for (const bytes of [marked, Buffer.from(marked, "utf16le"), Buffer.from(marked, "utf16le").swap16()]) {
      const { rows: read } = await loadOf("acquirer: { connect: a:1 }", "fixed 10/s for 1s", "", "", bytes)
      expect(read).toEqual({ columns: ["pan", "x"], rows: [[card, "1"]] })
    }
  })

  it("are filled to fixed lengths, as everywhere: an amount may be 1200, a name short", async () => {
    const far = await host((message, socket) => socket.write(framed(answerTo(message))))
    const rows = `pan,amount,name\n${card},1200,Shop\n${card},7,${"S".repeat(40)}\n`
    const field = '5: "{row.amount}"\n    43: "{row.name}"'
    const settings = await loadOf(`a: { connect: "127.0.0.1:${far.port}" }`, "fixed 50/s for 200ms", "", field, rows)
    const { measure } = await Effect.runPromise(runLoad(settings, watching()))

    expect(measure.totals()).toMatchObject({ sent: 10, answered: 10 })
    expect(new Set(far.heard.map(({ fields }) => `${fields[5]} ${String(fields[43]).length}`))).toEqual(
      new Set(["000000001200 40", "000000000007 40"])
    )
  })
})
