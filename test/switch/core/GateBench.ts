/** Two zones with keys and a module in the network that answers when the test says so. */
import type { Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { GuardSettings } from "../../../packages/switch/src/guard/GuardSettings.ts"
import { answerTo, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { cupsMacOf, giveKey, guardOf, HeldModule } from "./Guarded.ts"

/** The acquirer's zone. */
export const A = "zak-a"
/** The issuer's. */
export const B = "zak-b"

/** A switch between the two, both partners connected. */
export const bench = (
  guards: { acquirer?: GuardSettings | undefined; issuer?: GuardSettings | undefined } = {},
  disk = makeDisk(),
  issuer: { readonly stan?: "own" } = {}
) =>
  Effect.gen(function* () {
    const module = new HeldModule()
    const both = { acquirer: guardOf({}), issuer: guardOf({}), ...guards }
    const links = [
      { ...linkOf("acquirer", 4802), guard: both.acquirer, window: 4096 },
      { ...linkOf("issuer", 103), guard: both.issuer, window: 4096, ...issuer }
    ]
    const started = yield* startBench(links, disk, {}, module)
    for (const [link, mac, pin] of [
      [0, A, "zpk-a"],
      [1, B, "zpk-b"]
    ] as const) {
      giveKey(started.running, module, link, "mac", mac)
      giveKey(started.running, module, link, "pin", pin)
    }
    yield* TestClock.adjust(25)
    const a = started.dial(0)
    const b = started.dial(1)
    yield* started.commit
    /** Everything that is asked, and what follows from it, until nothing is. */
    const goOn = Effect.gen(function* () {
      for (let round = 0; round < 8; round++) {
        yield* started.commit
        module.answer()
      }
      yield* started.commit
    })
    return { ...started, a, b, goOn, module }
  })

/** Whether the MAC is that of the zone. */
export const isRight = (message: Message | undefined, key: string): boolean => {
  const { 128: mac, ...fields } = message!.fields
  return mac === cupsMacOf({ ...message!, fields }, key)
}

/** The issuer's answer, before its MAC. */
export const back = (request: Message, mti: string, fields: Message["fields"] = {}): Message => {
  const { 128: _, ...rest } = request.fields
  return answerTo({ ...request, fields: rest }, mti, fields)
}

/** What the module is asked for. */
export const operations = ({ waiting }: HeldModule): ReadonlyArray<string> => waiting.map(({ operation }) => operation)

/** The STANs of what was heard. */
export const stans = (messages: ReadonlyArray<Message>): ReadonlyArray<unknown> =>
  messages.map(({ fields }) => fields[11])

/** A reversal of the acquirer. */
export const reversal = (): Message =>
  purchase({ 7: "1122223900", 11: "000077", 90: `02000000011122223829${"00048020000".repeat(2)}` }, "0420")
