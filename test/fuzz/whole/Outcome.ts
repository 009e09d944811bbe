/** What becomes of one message in a switch of its own: for telling messages apart by where they lead. */
import { type Dialect, interpret, isMessageError, MessageIndex, mtiClass } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { entryKindName } from "../../../packages/switch/src/journal/EntryKind.ts"
import { linkOf, makeDisk, startBench } from "../../switch/core/Bench.ts"

/** How long requests have here, milliseconds: little, since every tick of it costs. */
const TIMEOUT_MS = 20

const limits = { requestTimeoutMs: TIMEOUT_MS, recentKeys: 64, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 }

/**
 * Says `bytes` to a switch between a partner and a host of this dialect; the host does not answer. The text names the message's
 * class, the entries of the journal with their codes, the answers, and what reached the host; digits of texts count as one.
 */
export const outcomeOf = (dialect: Dialect, stan: "callers" | "own", bytes: Buffer): Promise<string> =>
  Effect.gen(function* () {
    const codec = interpret(dialect)
    const host = { ...linkOf("host", 7002, dialect), stan }
    const bench = yield* startBench([linkOf("liar", 7001, dialect), host], makeDisk(), { limits })
    const [liar, target] = [bench.dial(0), bench.dial(1)]
    yield* bench.commit
    const first = bench.store.entries.length
    liar.say(bytes)
    yield* bench.commit
    yield* TestClock.adjust(2 * TIMEOUT_MS)
    yield* bench.commit
    const index = new MessageIndex()
    const said = (message: Buffer): string =>
      codec.index(message, 0, message.length, index) === undefined
        ? `${mtiClass(index.mti)} ${index.text(codec.layout.roles.responseCode)}`.trim()
        : "unreadable"
    const entries = bench.store.entries.slice(first).map(({ code, kind }) => `${entryKindName(kind)} ${textOf(code)}`)
    const { defects } = bench.running.status()
    return [
      said(bytes),
      [...new Set(entries)].join(", "),
      liar.heardBytes().map(said).join(", "),
      target.heardBytes().map(said).join(", "),
      ...(defects > 0 ? ["a defect"] : [])
    ].join(" > ")
  }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.orDie, Effect.runPromise)

const textOf = (code: string): string => code.replaceAll(/(?<=[a-z].*)\d+/g, "#")

/** The message without one field, each in turn; nothing for what cannot be read. */
export const shorter = (dialect: Dialect, bytes: Buffer): ReadonlyArray<Buffer> => {
  const lenient = interpret({ ...dialect, lenient: true })
  const message = lenient.decode(bytes)
  if (isMessageError(message)) return []
  return Object.keys(message.fields).flatMap((de) => {
    const { [Number(de)]: _, ...fields } = message.fields
    const made = lenient.encode({ ...message, fields })
    return isMessageError(made) ? [] : [made]
  })
}
