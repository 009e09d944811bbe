/**
 * Four institutions at two addresses: each gets the answer to its own request. Then three that are not let in: a stranger with a
 * certificate of the right authority, one without a certificate, one with an unknown source.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { issuer } from "../shared/Issuer.ts"
import { jinkaOf } from "../shared/Jinka.ts"
import { Authority } from "./Authority.ts"
import { Bank, type Papers } from "./Bank.ts"

const home = new URL("../../.jinka/08-many-institutions", import.meta.url).pathname

/** The authority, the switch's certificate, and what each institution shows. */
const papers = Effect.promise(async () => {
  const centre = await Authority.make(home, "centre-ca")
  const stranger = await Authority.make(home, "other-ca")
  await centre.issue("switch.example")
  const paper = async (name: string): Promise<Papers> => ({ issued: await centre.issue(name), ca: centre.file })
  return {
    a: await paper("bank-a.example"),
    b: await paper("bank-b.example"),
    unknown: await paper("bank-x.example"),
    foreign: { issued: await stranger.issue("bank-a.example.other"), ca: centre.file }
  }
})

const story = Effect.gen(function* () {
  const jinka = jinkaOf("08-many-institutions")
  const { a, b, unknown, foreign } = yield* papers
  yield* issuer(7883)
  const running = yield* jinka.start
  yield* jinka.ready(1)

  yield* Console.log("")
  const banks = [
    yield* Bank.connect("bank A, by its certificate", "48020001", 7881, a),
    yield* Bank.connect("bank B, by its certificate", "48020002", 7881, b),
    yield* Bank.connect("bank C, by its header", "48020003", 7882),
    yield* Bank.connect("bank D, by its header", "48020004", 7882)
  ]
  const codes = yield* Effect.forEach(banks, (bank, at) => bank.buy(at + 1))
  const strangers = [
    yield* Bank.connect("a stranger with a certificate of the centre", "48020001", 7881, unknown),
    yield* Bank.connect("a stranger with another authority's certificate", "48020001", 7881, foreign),
    yield* Bank.connect("a stranger with an unknown source", "48029999", 7882)
  ]
  const refused = yield* Effect.forEach(strangers, (bank) => bank.buy(9))

  yield* jinka.shown("status", [], (line) => /^(bank|door)/.test(line))
  yield* jinka.stopped(running)
  const isGood = codes.every((code) => code === "00") && refused.every((code) => code === "closed")
  if (!isGood) return yield* Effect.die(new Error("a purchase was not approved, or a stranger was let in"))
  yield* Console.log("\nfour purchases approved, three strangers closed; the log is in .jinka/08-many-institutions")
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
