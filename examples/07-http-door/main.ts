/**
 * An HTTP door: one purchase as JSON, ten at once as bytes over kept connections, and one body that is no message. All of them
 * share one long link to the issuer.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { compile, cups, isMessageError, type Message, messageToJson } from "@jinka/codec"
import { Console, Effect } from "effect"
import { issuer } from "../shared/Issuer.ts"
import { jinkaOf } from "../shared/Jinka.ts"
import { purchase } from "../shared/Wire.ts"

const url = "http://127.0.0.1:7871/purchases"
const codec = compile(cups)

const encoded = (message: Message): Buffer => {
  const bytes = codec.encode(message)
  if (isMessageError(bytes)) throw new Error(`the example's message is wrong: ${bytes._tag}`)
  return bytes
}

const post = (type: string, body: string | Buffer) =>
  Effect.promise(async () => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": type },
      body: typeof body === "string" ? body : new Uint8Array(body)
    })
    return { status: response.status, body: Buffer.from(await response.arrayBuffer()) }
  })

/** DE 39 of an answer in bytes. */
const codeOf = (body: Buffer): string => {
  const answer = codec.decode(body, 0, body.length)
  return isMessageError(answer) ? answer._tag : String(answer.fields[39])
}

const story = Effect.gen(function* () {
  const jinka = jinkaOf("07-http-door")
  yield* issuer(7872)
  const running = yield* jinka.start
  yield* jinka.ready(2)

  const json = yield* post("application/json", JSON.stringify(messageToJson(purchase(1), { reveal: true })))
  const answer = JSON.parse(json.body.toString()) as { readonly mti: string; readonly fields: { readonly 39: string } }
  yield* Console.log(`\nas JSON: HTTP ${json.status}, ${answer.mti} with DE 39 ${answer.fields[39]}`)

  const calls = Array.from({ length: 10 }, (_, at) => post("application/octet-stream", encoded(purchase(at + 2))))
  const answers = yield* Effect.all(calls, { concurrency: 10 })
  const codes = answers.map(({ body }) => codeOf(body))
  yield* Console.log(`ten at once as bytes: DE 39 ${codes.join(" ")}`)

  const wrong = yield* post("application/json", '{ "mti": "0200", "fields": { "3": "abc" } }')
  yield* Console.log(`a wrong body: HTTP ${wrong.status} ${wrong.body}`)

  yield* jinka.shown("status", [], (line) => /^(door|issuer)/.test(line))
  yield* jinka.stopped(running)
  const isGood = answer.fields[39] === "00" && codes.every((code) => code === "00") && wrong.status === 400
  if (!isGood) return yield* Effect.die(new Error("a purchase was not approved, or a wrong body was taken"))
  yield* Console.log("\neleven purchases approved over one link; the log and the journal are in .jinka/07-http-door")
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
