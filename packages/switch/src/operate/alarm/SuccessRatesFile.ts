/**
 * The success rates of earlier days over a restart: a small file beside the journal, written once an hour and at an orderly end.
 *
 * They are counts for an alarm and no promise to anybody, so they are not in the journal: a file that is missing or damaged makes
 * the alarm silent until it has seen a day (docs/decisions/0035-success-rates.md).
 */
import { Effect, FileSystem, Path, Schema, type Scope } from "effect"
import type { SwitchSeen } from "../admin/Measures.ts"
import { Pauses } from "./Pauses.ts"
import { type HourCounts, SuccessRates } from "./SuccessRates.ts"

/** Its name in the journal's directory. */
const fileName = "success-rates.jsonl"

/** A file that is longer is none of ours: 1,000 links need 4 MiB. */
const SIZE_MAX = 64 * 1024 * 1024

/** Links between two pauses of the main thread while the file is made. */
const AT_ONCE = 20

const count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0x7fffffff }))

/** One line: a link, its hours, and the pauses of its partner. */
const Line = Schema.fromJsonString(
  Schema.Struct({
    link: Schema.String,
    hours: Schema.Array(Schema.Tuple([count, count, count])),
    pauses: Schema.optionalKey(Schema.Array(Schema.Tuple([count, count])))
  })
)

const decodeLine = Schema.decodeUnknownOption(Line)

/** The rates of a running switch. */
export interface KeptRates {
  readonly rates: SuccessRates
  readonly pauses: Pauses
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
  const pauses = new Pauses()
  yield* read(files, file, rates, pauses)
  const save = written(files, file, rates, pauses)
  yield* Effect.addFinalizer(() => save)
  let hour = -1
  return {
    rates,
    pauses,
    look: ({ now, status, wallMs }) =>
      Effect.suspend(() => {
        rates.look(status.links, now, wallMs)
        pauses.look(status.links, now, wallMs)
        const isTurned = hour >= 0 && rates.hour !== hour
        hour = rates.hour
        // What is left of a disk that is nearly full belongs to the journal.
        return isTurned && status.fullBy !== "disk" ? save : Effect.void
      })
  }
})

const read = (files: FileSystem.FileSystem, file: string, rates: SuccessRates, pauses: Pauses) =>
  Effect.gen(function* () {
    if (!(yield* files.exists(file))) return
    const { size } = yield* files.stat(file)
    const text = Number(size) > SIZE_MAX ? "-" : yield* files.readFileString(file)
    const lines = text.split("\n").filter((line) => line !== "")
    let isWhole = true
    for (const line of lines) {
      const found = decodeLine(line)
      if (found._tag === "None") isWhole = false
      else {
        const { hours, link, pauses: known = [] } = found.value
        for (const hour of hours) learn(rates, link, hour)
        for (const hour of known) pauses.learn(link, hour)
      }
    }
    if (!isWhole)
      yield* Effect.logWarning(
        `${file} cannot be read whole: the alarms successRate and noTraffic know less of earlier days. The file is written anew.`
      )
  }).pipe(
    Effect.catch(({ message }) =>
      Effect.logWarning(
        `the alarms successRate and noTraffic know nothing of earlier days: ${message}. They learn them anew.`
      )
    )
  )

/** More approvals than requests are no hour of ours. */
const learn = (rates: SuccessRates, link: string, hour: HourCounts): void => {
  const [, ended, approved] = hour
  if (approved <= ended) rates.learn(link, hour)
}

/** Writes the file beside its place and puts it there as a whole: a crash leaves the old one. */
const written = (files: FileSystem.FileSystem, file: string, rates: SuccessRates, pauses: Pauses) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const hoursOf = new Map(rates.kept())
    for (const link of new Set([...hoursOf.keys(), ...pauses.names])) {
      lines.push(`${JSON.stringify({ link, hours: hoursOf.get(link) ?? [], pauses: pauses.kept(link) })}\n`)
      if (lines.length % AT_ONCE === 0) yield* Effect.yieldNow
    }
    const half = `${file}.half`
    yield* files.writeFileString(half, lines.join(""), { mode: 0o600 })
    yield* files.rename(half, file)
  }).pipe(
    Effect.catch(({ message }) =>
      Effect.logWarning(`what the alarms successRate and noTraffic learned would be lost by a restart: ${message}`)
    )
  )
