/** Dialogues with keys: MACs and PIN blocks that a partner makes, and that it looks at. */
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { failureText, type Outcome, runDialogue } from "../../packages/simulator/src/dialogue/index.ts"
import { frameOf, type Line, standIn } from "./StandIn.ts"
import { patientRun, read } from "./Written.ts"

const head = `rule: Keys.
source: test
partners: { A: connects to target }
keys:
  zak: { mac: ansi-x9.19, hex: 6B948A0134A110705BD325CD6E73BC15 }
  other: { mac: ansi-x9.19, hex: 6D23CBAEA44AF29DA8ADF7496D1CC46B }
  zpk: { pin: iso0, hex: 0DBA199EF7D96446FBEAFE4C57CEFB7C }
  zpkOfB: { pin: iso0, cipher: tdes, hex: 545D80D01C5BBF579870C79813EF32D3 }
steps:
  - A connects
`

/** A partner that says back what it hears. */
const echo = ({ message, send }: Line) => send(frameOf(message))

const run = (steps: string, answer = echo): Promise<Outcome> =>
  Effect.gen(function* () {
    const { port } = yield* standIn(answer)
    const dialogue = yield* read(head + steps)
    const endpoint = () => ({ host: "127.0.0.1", port })
    return yield* runDialogue(dialogue, { ...patientRun, endpoint })
  }).pipe(Effect.scoped, Effect.runPromise)

/** The purchase of the published vectors. */
const purchase = `mti: "0200", header: { destination: 99990001, source: 00010000 }, 2: "9999991234567893", 3: "000000", 4: "000000012345", 7: "1126093015", 11: "000123", 18: "5411", 25: "00", 32: "99990001", 33: "99990001", 41: JINKA001, 42: JINKA MERCHANT1`

const wrongOf = (steps: string, above = head): Promise<string> =>
  read(above + steps).pipe(
    Effect.flip,
    Effect.map(({ message }) => message),
    Effect.runPromise
  )

describe("A dialogue with keys", () => {
  it("sends the MAC and the PIN block of the published vectors, and finds both right", async () => {
    const kept = await run(`  - A sends: { ${purchase}, mac: zak, pin: zpk 123456 }
  - A expects: { mti: "0200", 128: B35DD256, 52: F44927192981A98A, mac: zak, pin: zpk 123456 }
`)
    expect(failureText(kept)).toBe("")
    expect(kept.result).toBe("kept")
  })

  it("says which MAC and which PIN block is wrong, and shows neither", async () => {
    const sent = `  - A sends: { ${purchase}, mac: zak, pin: zpk 123456 }\n`
    const mac = await run(`${sent}  - A expects: { mti: "0200", mac: other }\n`)

    expect(failureText(mac)).toContain("DE 128: a MAC by other expected, it is none")

    const pin = await run(`${sent}  - A expects: { mti: "0200", pin: zpk 654321 }\n`)
    expect(failureText(pin)).toContain("DE 52: a PIN block by zpk expected, it holds another PIN")
    expect(failureText(pin)).not.toMatch(/654321|123456|F44927192981A98A/)

    const none = await run(`  - A sends: { ${purchase} }\n  - A expects: { mti: "0200", mac: zak }\n`)
    expect(failureText(none)).toContain("DE 128: a MAC by zak expected, it is not there")
  })

  it("is refused where a key is not there, is no key, or is for something else", async () => {
    expect(await wrongOf(`  - A sends: { ${purchase}, mac: zpk }\n`)).toContain(
      'no mac key is called "zpk"; there are zak, other'
    )
    expect(await wrongOf(`  - A sends: { ${purchase}, pin: zpk }\n`)).toContain("a PIN of 4 to 12 digits")
    expect(
      await wrongOf("  - A closes: FIN\n", head.replace("ansi-x9.19, hex: 6B94", "ansi-x9.99, hex: 6B94"))
    ).toContain("one of ansi-x9.9, ansi-x9.19")
  })
})
