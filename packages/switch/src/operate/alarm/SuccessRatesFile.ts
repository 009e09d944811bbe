/**
 * The success rates of earlier days over a restart: a small file beside the journal, written once an hour and at an orderly end.
 *
 * They are counts for an alarm and no promise to anybody, so they are not in the journal: a file that is missing or damaged makes
 * the alarm silent until it has seen a day (docs/decisions/0035-success-rates.md).
 */
import { Effect, FileSystem, Path, Schema, type Scope } from "effect"
import type { SwitchSeen } from "../admin/Measures.ts"
import { type HourCounts, SuccessRates } from "./SuccessRates.ts"

/** Its name in the journal's directory. */
const fileName = "success-rates.jsonl"

/** A file that is longer is none of ours: 1,000 links need 4 MiB. */
const SIZE_MAX = 64 * 1024 * 1024

/** Links between two pauses of the main thread while the file is made. */
const AT_ONCE = 20

const count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0x7fffffff }))

/** One line: a link and its hours. */
const Line = Schema.fromJsonString(
  Schema.Struct({ link: Schema.String, hours: Schema.Array(Schema.Tuple([count, count, count])) })
)

const decodeLine = Schema.decodeUnknownOption(Line)

/** The rates of a running switch. */
export interface KeptRates {
  readonly rates: SuccessRates
  /** Looks at the switch, and keeps what a whole hour has brought. */
  readonly look: (seen: Pick<SwitchSeen, "status" | "now" | "wallMs">) => Effect.Effect<void>
}

/** Reads what the last run kept in `directory`; keeps what this one learns until the scope ends. */
export const keepRates = Effect.fnUntraced(function* (
  directory: string,
  percent: number
): Effect.fn.Return<KeptRates, never, FileSystem.FileSystem | Path.Path | Scope.Scope> {
  const files = yield* FileSystem.FileSystem
  const file = (yield* Path.Path).join(directory, fileName)
  const rates = new SuccessRates(percent)
  yield* read(files, file, rates)
  const save = written(files, file, rates)
  yield* Effect.addFinalizer(() => save)
  let hour = -1
  return {
    rates,
    look: ({ now, status, wallMs }) =>
      Effect.suspend(() => {
        rates.look(status.links, now, wallMs)
        const isTurned = hour >= 0 && rates.hour !== hour
        hour = rates.hour
        // What is left of a disk that is nearly full belongs to the journal.
        return isTurned && status.fullBy !== "disk" ? save : Effect.void
      })
  }
})

const read = (files: FileSystem.FileSystem, file: string, rates: SuccessRates) =>
  Effect.gen(function* () {
    if (!(yield* files.exists(file))) return
    const { size } = yield* files.stat(file)
    const text = Number(size) > SIZE_MAX ? "-" : yield* files.readFileString(file)
    const lines = text.split("\n").filter((line) => line !== "")
    let isWhole = true
    for (const line of lines) {
      const found = decodeLine(line)
      if (found._tag === "None") isWhole = false
      else for (const hour of found.value.hours) learn(rates, found.value.link, hour)
    }
    if (!isWhole)
      yield* Effect.logWarning(
        `${file} cannot be read whole: the alarm successRate knows less of earlier days. The file is written anew.`
      )
  }).pipe(
    Effect.catch(({ message }) =>
      Effect.logWarning(`the alarm successRate knows nothing of earlier days: ${message}. It learns them anew.`)
    )
  )

/** More approvals than requests are no hour of ours. */
const learn = (rates: SuccessRates, link: string, hour: HourCounts): void => {
  const [, ended, approved] = hour
  if (approved <= ended) rates.learn(link, hour)
}

/** Writes the file beside its place and puts it there as a whole: a crash leaves the old one. */
const written = (files: FileSystem.FileSystem, file: string, rates: SuccessRates) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    for (const [link, hours] of rates.kept()) {
      lines.push(`${JSON.stringify({ link, hours })}\n`)
      if (lines.length % AT_ONCE === 0) yield* Effect.yieldNow
    }
    const half = `${file}.half`
    yield* files.writeFileString(half, lines.join(""), { mode: 0o600 })
    yield* files.rename(half, file)
  }).pipe(
    Effect.catch(({ message }) =>
      Effect.logWarning(`what the alarm successRate learned would be lost by a restart: ${message}`)
    )
  )
