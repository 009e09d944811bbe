/** Partners of two dialects: what one tells messages by must reach the other, or nothing goes there (G6). */
import { describe, expect, it } from "@effect/vitest"
import { cups, iso8583v1987Ascii, iso8583v1993Ascii, iso8583v2003, type Message, unionPayPos } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { answerTo, type LinkAll, linkOf, startBench } from "./Bench.ts"
import { codes, types } from "./Pair.ts"

const bench = (from: LinkAll, to: LinkAll) =>
  Effect.gen(function* () {
    const started = yield* startBench([from, to])
    const [caller, host] = [started.dial(0), started.dial(1)]
    yield* started.commit
    return { ...started, caller, host }
  })

/** What terminal `terminal` sends under the STAN that another one has, too. */
const ofTerminal = (terminal: string, mti = "0200"): Message => ({
  mti,
  fields: {
    2: "6200000000000005",
    3: "000000",
    4: "000000012300",
    // Nothing here is about the other.
    11: mti === "0200" ? "000033" : "000034",
    25: "00",
    41: terminal,
    42: "MERCHANT0000001",
    49: "156"
  }
})

const dialects = { cups, iso8583v1993Ascii, iso8583v2003 }

/** A purchase, an authorization or a message about one, as the edition of its type writes it. */
const ofEdition = (mti: string): Message => {
  const own: { readonly [edition: string]: Message["fields"] } = {
    0: {
      4: "000000012300",
      11: `00${mti}`,
      12: "223829",
      49: "156",
      ...(mti === "0420" ? { 90: "0200".padEnd(42, "0") } : {})
    },
    1: { 4: "000000012300", 11: `00${mti}`, 12: "261122223829", 49: "156" },
    2: { 11: mti.padStart(12, "0"), 12: "20261122223829" }
  }
  return {
    mti,
    ...(mti.startsWith("0") ? { header: { destination: "00010000", source: "48020000" } } : {}),
    fields: { 2: "6200000000000005", 3: "000000", 7: "1122223829", 32: "48020000", 33: "48020000", ...own[mti[0]!] }
  }
}

describe("Between two dialects", () => {
  it.effect("an answer repeats of its request what the other dialect does not have", () =>
    Effect.gen(function* () {
      const { caller, commit, host } = yield* bench(
        linkOf("bank", 4802, iso8583v1987Ascii),
        linkOf("pos", 103, unionPayPos)
      )
      const request: Message = {
        mti: "0200",
        fields: {
          ...ofTerminal("T0000001").fields,
          7: "1122223829",
          32: "48020000",
          33: "48020000",
          37: "RRN000000001"
        }
      }
      caller.say(request)
      yield* commit
      const [heard] = host.heard()
      expect(heard?.fields[7]).toBeUndefined()
      const { 37: _, ...fields } = heard!.fields
      host.say(answerTo({ ...heard!, fields }, "0210"))
      yield* commit

      expect(caller.heard()).toMatchObject([
        {
          mti: "0210",
          fields: { 7: "1122223829", 11: "000033", 32: "48020000", 33: "48020000", 37: "RRN000000001", 39: "00" }
        }
      ])
    })
  )

  it.effect("nothing goes to a partner that would take two messages for one", () =>
    Effect.gen(function* () {
      const { caller, commit, host } = yield* bench(
        linkOf("pos", 4802, unionPayPos),
        linkOf("bank", 103, iso8583v1987Ascii)
      )
      for (const mti of ["0200", "0220", "0420"]) caller.say(ofTerminal("T0000001", mti), ofTerminal("T0000002", mti))
      yield* commit

      expect(codes(caller.heard())).toEqual(Array(6).fill("30"))
      expect(host.heard()).toEqual([])
    })
  )

  it.effect.each([
    ["cups", "iso8583v1993Ascii", ["0200", "0100", "0220", "0420"]],
    ["iso8583v1993Ascii", "cups", ["1200", "1100", "1220", "1420"]],
    ["iso8583v2003", "iso8583v1993Ascii", ["2200", "2220"]]
  ] as const)("nothing goes from %s to %s, whose partner knows none of these types", ([from, to, mtis]) =>
    Effect.gen(function* () {
      const { caller, commit, host } = yield* bench(
        linkOf("bank", 4802, dialects[from]),
        linkOf("host", 103, dialects[to])
      )
      for (const mti of mtis) caller.say(ofEdition(mti))
      yield* commit
      yield* TestClock.adjust(100)
      yield* commit

      const refused = dialects[from].refusal.formatError
      expect(caller.heard().map(({ fields }) => fields[39])).toEqual(mtis.map(() => refused))
      expect(host.heard()).toEqual([])
    })
  )

  it.effect("a STAN of ours tells them apart", () =>
    Effect.gen(function* () {
      const host = { ...linkOf("bank", 103, iso8583v1987Ascii), stan: "own" as const }
      const started = yield* bench(linkOf("pos", 4802, unionPayPos), host)
      const { caller, commit } = started
      for (const mti of ["0200", "0220"]) caller.say(ofTerminal("T0000001", mti), ofTerminal("T0000002", mti))
      yield* commit
      yield* TestClock.adjust(20)
      yield* commit
      const heard = started.host.heard()

      expect(types(heard)).toEqual(["0200", "0200", "0220", "0220"])
      expect(new Set(heard.map(({ fields }) => fields[11])).size).toBe(4)
    })
  )

  it.effect("our reversal names the request by the STAN that it went out with", () =>
    Effect.gen(function* () {
      const host = { ...linkOf("bank", 103, iso8583v1987Ascii), stan: "own" as const }
      const started = yield* bench(linkOf("pos", 4802, unionPayPos), host)
      const { caller, commit } = started
      caller.say(ofTerminal("T0000001"))
      yield* commit
      const [sent] = started.host.heard()
      yield* TestClock.adjust(1100)
      yield* commit
      yield* TestClock.adjust(100)
      yield* commit

      const [reversal] = started.host.heard()
      expect(reversal?.mti).toBe("0420")
      expect(String(reversal?.fields[90]).slice(0, 10)).toBe(`0200${sent?.fields[11]}`)
      expect(reversal?.fields[4]).toBe("000000012300")
      expect(codes(caller.heard())).toEqual(["98"])
    })
  )
})
