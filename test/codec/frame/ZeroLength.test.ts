/** What a length of zero means: an idle frame, and nothing behind it where the length counts a part. */
import { idleFrame, type LengthHeader } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { bytes, framed, header, read } from "./reading.ts"

describe("A length of zero", () => {
  /** Every combination of what may be around a message, of what the length counts, and of how it is written. */
  const combinations = [0, 1].flatMap((itself) =>
    ["", "02", "0000"].flatMap((before) =>
      ["", "0000", "000000000000000000000000"].flatMap((after) =>
        ["none", "03", "0d0a", "etx-lrc"].flatMap((trailer) =>
          [0, 1, 2, 3, 4, 5, 6, 7].flatMap((parts) =>
            [0, 5].map((uncounted) =>
              header({
                ...{ encoding: "binary", bytes: 2, before, after, trailer, uncounted, idle: "zero-length" },
                counts: {
                  itself: itself === 1,
                  before: (parts & 1) !== 0,
                  after: (parts & 2) !== 0,
                  trailer: (parts & 4) !== 0
                }
              })
            )
          )
        )
      )
    )
  )

  /** The bytes of a partner that follows the rule, written down once more. */
  const idleOf = ({ before, after, trailer, counts }: LengthHeader): string => {
    const [tail, lrc] = trailer === "etx-lrc" ? ["03", "03"] : [trailer === "none" ? "" : trailer!, ""]
    const countsPart =
      counts!.itself === true ||
      (counts!.before === true && before !== "") ||
      (counts!.after === true && after !== "") ||
      (counts!.trailer === true && tail !== "")
    return `${before}0000${countsPart ? "" : `${after}${tail}${lrc}`}`
  }

  it("that counts a part says that nothing follows, for every combination of parts, read and written", () => {
    expect(combinations.length).toBe(1152)

    const message = Buffer.from("a message of the partner")
    for (const format of combinations) {
      const idle = idleOf(format)
      expect(idleFrame(format)?.toString("hex")).toBe(idle)
      const one = framed(format, message)
      const stream = Buffer.concat([bytes(idle), one, bytes(idle), bytes(idle), one, bytes(idle)])
      const whole = { frames: [message, message].map((some) => some.toString("hex")), idle: [idle, idle, idle, idle] }
      for (const size of [1, 3, stream.length]) {
        const chunks: Array<Buffer> = []
        for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size))
        expect(read(format, chunks, true)).toEqual({ ...whole, error: undefined, open: 0 })
      }
    }
  })

  it("leaves the next message whole, and nothing open on a quiet link", () => {
    const etx = header({ encoding: "binary", bytes: 2, trailer: "03", counts: { trailer: true }, idle: "zero-length" })

    expect(read(etx, [bytes("0000")])).toMatchObject({ idle: ["0000"], error: undefined, open: 0 })

    const after = header({ bytes: 4, after: "00".repeat(12), counts: { after: true }, idle: "zero-length" })
    const next = framed(after, Buffer.from("next"))

    expect(read(after, [Buffer.concat([Buffer.from("0000"), next])])).toMatchObject({ frames: ["6e657874"], open: 0 })
  })

  it("is an error where no idle frames are agreed, whatever the length counts", () => {
    for (const format of combinations.filter(({ uncounted }) => uncounted === 0))
      expect(read({ ...format, idle: "none" }, [bytes(`${format.before}0000`)]).error).toMatchObject({
        rule: "length-small"
      })
  })
})
