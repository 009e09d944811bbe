/**
 * Two hundred terminals at once, all with the same STAN, share one long connection; each gets its own answer.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import type { Message } from "@jinka/codec"
import { Console, Effect } from "effect"
import { jinkaOf } from "../shared/Jinka.ts"
import { ask, codeOf, take } from "../shared/Short.ts"
import { approvalOf, purchase, send } from "../shared/Wire.ts"

const TERMINALS = 200

/** A purchase with STAN 1 of terminal `n`, for an amount that no other has. */
const purchaseOf = (n: number): Message => {
  const message = purchase(1)
  const fields = { 4: String(1000 + n).padStart(12, "0"), 41: `T${String(n).padStart(7, "0")}` }
  return { ...message, fields: { ...message.fields, ...fields } }
}

const story = Effect.gen(function* () {
  const jinka = jinkaOf("06-bridge")
  const held: Array<() => void> = []
  const stans = new Set<string>()
  const centre = yield* take(7862, (message, socket) => {
    if (message.mti !== "0200") return send(socket, approvalOf(message))
    stans.add(String(message.fields[11]))
    held.push(() => send(socket, approvalOf(message)))
    // Answers when all are there, the last one first.
    if (held.length === TERMINALS) for (const answer of held.splice(0).reverse()) answer()
  })
  const running = yield* jinka.start
  yield* jinka.ready(2)
  const numbers = Array.from({ length: TERMINALS }, (_, n) => n)
  const answers = yield* Effect.forEach(numbers, (n) => ask(7861, purchaseOf(n)), { concurrency: "unbounded" })
  const right = answers.filter((answer, n) => {
    const { 4: amount, 11: stan, 41: terminal } = purchaseOf(n).fields
    return answer?.fields[4] === amount && answer?.fields[11] === stan && answer?.fields[41] === terminal
  })
  const approved = answers.filter((answer) => codeOf(answer) === "00")
  yield* Console.log(`${TERMINALS} terminals at once, all with STAN 000001: ${approved.length} approved`)
  yield* Console.log(`the centre saw ${stans.size} different STANs on ${centre.connections} connection`)
  yield* Console.log(`${right.length} terminals got their own amount, STAN and terminal number back`)
  yield* jinka.shown("status")
  yield* jinka.stopped(running)
  if (right.length !== TERMINALS || stans.size !== TERMINALS) return yield* Effect.die(new Error("not as told"))
  yield* Console.log("\nthe log and the journal are in .jinka/06-bridge")
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
