/** `jinka-sim world`: seeds of the deterministic world, from the sources of the repository. */
import { Clock, Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { counted } from "../file/Counted.ts"
import { FileMalformed, reasonOf, SettingInvalid } from "../SimulatorError.ts"
import type { PartnerPlan } from "../scripted/PartnerPlan.ts"
import { loadWorld, type SeedResult, type WorldRunner, worldModes } from "../world/WorldRunner.ts"
import { Unsettled } from "./Conduct.ts"
import { readAll } from "./PartnerCommand.ts"
import { StopSignal } from "./StopSignal.ts"

/** Most seeds of one call. */
const SEED_MAX = 999_999_999

interface Seeds {
  readonly first: number
  readonly last: number
}

const seedsOf = (text: string): Seeds | undefined => {
  const found = /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(text)
  if (found === null) return undefined
  const first = Number(found[1])
  const last = Number(found[2] ?? found[1])
  return last >= first && last <= SEED_MAX ? { first, last } : undefined
}

const seed = (name: string, description: string): Flag.Flag<number | undefined> =>
  Flag.Int(name).pipe(
    Flag.withMetavar("seed"),
    Flag.withDescription(description),
    Flag.filter(
      (value) => value >= 0 && value <= SEED_MAX,
      () => `--${name} takes a seed, a whole number from 0 to ${SEED_MAX}`
    ),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  )

const flags = {
  seeds: Flag.String("seeds").pipe(
    Flag.withMetavar("from..to"),
    Flag.withDescription("Run these seeds (default 1..100)"),
    Flag.withDefault("1..100"),
    Flag.filterMap(
      (text) => Option.fromNullishOr(seedsOf(text)),
      (text) => `--seeds takes 1..1000 or one seed, not "${text}"`
    )
  ),
  trace: seed("trace", "Run this seed and print all that happens in it"),
  shrink: seed("shrink", "Make the run of this seed as small as it can be with the same promise broken"),
  mode: Flag.Literals("mode", worldModes).pipe(
    Flag.withDescription(
      "What the world is of: switch (one, with a disk), keys (the same with MACs, PIN blocks and devices), fleet (two nodes with " +
        "one PostgreSQL)"
    ),
    Flag.withDefault("switch" as const)
  ),
  partner: Flag.Path("partner").pipe(
    Flag.withMetavar("file"),
    Flag.withDescription(
      "A file of `jinka-sim partner`: its partners take the place of those that the seed draws, on virtual time; may be repeated"
    ),
    Flag.atLeast(0)
  ),
  wishes: Flag.String("wishes").pipe(
    Flag.withMetavar("JSON"),
    Flag.withDescription("Fix what the seed would draw: acquirers, issuers, chaos, faults, ... as --shrink prints it"),
    Flag.withDefault("")
  ),
  keepGoing: Flag.Boolean("keep-going").pipe(
    Flag.withDescription("Go on after a seed with a broken promise"),
    Flag.withDefault(false)
  )
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** Between two lines of progress, milliseconds. */
const TOLD_EVERY_MS = 5000

/** What is run: a mode, and what is fixed of it. */
interface Wished {
  readonly mode: string
  /** JSON. */
  readonly wishes: string
  /** Partner files, and what they hold. */
  readonly files: ReadonlyArray<string>
  readonly partners: ReadonlyArray<PartnerPlan> | undefined
}

const commandOf = (seedNumber: number, { files, mode, wishes }: Wished, how: "trace" | "shrink"): string =>
  [
    `npm run sim -- world --${how} ${seedNumber}`,
    ...(mode === worldModes[0] ? [] : [`--mode ${mode}`]),
    ...files.map((file) => `--partner ${file}`),
    ...(wishes === "" ? [] : [`--wishes '${wishes}'`])
  ].join(" ")

/** A broken promise with all that is needed to see it again. */
const violation = (result: SeedResult, world: WorldRunner, wished: Wished): string =>
  [
    `seed ${result.seed}, commit ${world.commit || "unknown"}, hash ${result.hash}`,
    ...result.findings.slice(0, 20).map((finding) => `  ${finding}`),
    ...(result.findings.length > 20 ? [`  and ${result.findings.length - 20} more`] : []),
    `  again:   ${commandOf(result.seed, wished, "trace")}`,
    `  smaller: ${commandOf(result.seed, wished, "shrink")}`
  ].join("\n")

const attempt = <A>(run: () => A): Effect.Effect<A, SettingInvalid> =>
  Effect.try({ try: run, catch: (error) => new SettingInvalid({ setting: "--wishes", rule: reasonOf(error) }) })

const traceOne = (world: WorldRunner, number: number, wished: Wished) =>
  Effect.gen(function* () {
    const result = yield* attempt(() => world.run(number, wished.mode, wished.wishes, true, wished.partners))
    yield* Console.log(result.drawn)
    yield* Console.log(result.trace)
    if (result.findings.length === 0)
      return yield* Console.log(`seed ${number}: every promise was kept, hash ${result.hash}`)
    yield* Console.log(violation(result, world, wished))
    return yield* new Unsettled({ reason: `${result.findings.length} broken promises in seed ${number}` })
  })

const shrinkOne = (world: WorldRunner, number: number, wished: Wished) =>
  Effect.gen(function* () {
    const steps: Array<string> = []
    const shrunk = yield* attempt(() =>
      world.shrink(number, wished.mode, wished.wishes, (says) => steps.push(says), wished.partners)
    )
    if (shrunk === undefined) {
      const reason = `seed ${number} breaks no promise: there is nothing to make smaller`
      return yield* new FileMalformed({ path: "--shrink", reason })
    }
    for (const says of steps) yield* Console.log(`  ${says}`)
    const { result, tried, wishes: smallest } = shrunk
    yield* Console.log(`${tried} runs tried; the smallest:`)
    yield* Console.log(result.trace)
    yield* Console.log(violation(result, world, { ...wished, wishes: smallest }))
    return yield* new Unsettled({ reason: `${result.findings.length} broken promises in the smallest run` })
  })

const runAll = (world: WorldRunner, { first, last }: Seeds, wished: Wished, keepGoing: boolean) =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const stop = yield* StopSignal
    const began = clock.currentTimeMillisUnsafe()
    let told = began
    let isStopped = false
    yield* Effect.forkScoped(
      Effect.andThen(
        stop.requested,
        Effect.sync(() => {
          isStopped = true
        })
      )
    )
    const sum = { seeds: 0, purchases: 0, faults: 0, linkHours: 0, broken: 0 }
    for (let number = first; number <= last && !isStopped; number++) {
      const result = yield* attempt(() => world.run(number, wished.mode, wished.wishes, false, wished.partners))
      sum.seeds++
      sum.purchases += result.purchases
      sum.faults += result.faults
      sum.linkHours += result.linkHours
      if (result.findings.length > 0) {
        sum.broken++
        yield* Console.log(violation(result, world, wished))
        if (!keepGoing) break
      }
      const now = clock.currentTimeMillisUnsafe()
      // A seed is one long computation: between two of them a signal is heard.
      yield* Effect.sleep(0)
      if (now - told < TOLD_EVERY_MS) continue
      told = now
      yield* Console.error(`jinka-sim: seed ${number} of ${last}, ${sum.broken} broken, ${seconds(now - began)}`)
    }
    const lasted = clock.currentTimeMillisUnsafe() - began
    const rate = (sum.linkHours / Math.max(0.001, lasted / 1000)).toFixed(2)
    yield* Console.log(
      `${counted(sum.seeds, "seed")}, ${sum.broken} broken, commit ${world.commit || "unknown"}: ${sum.purchases} purchases and ${sum.faults} faults in ` +
        `${sum.linkHours.toFixed(1)} link-hours of simulated time, ${seconds(lasted)} (${rate} link-hours a second)`
    )
    if (sum.broken > 0) return yield* new Unsettled({ reason: `${sum.broken} of ${sum.seeds} seeds broke a promise` })
  })

/** The command `jinka-sim world`. */
export const worldCommand = Command.make(
  "world",
  flags,
  Effect.fn(function* ({ keepGoing, mode, partner: files, seeds, shrink, trace, wishes }) {
    const partners = files.length === 0 ? undefined : (yield* readAll(files)).plans
    const world = yield* loadWorld
    const rule = partners === undefined ? undefined : world.unfit(mode, partners)
    if (rule !== undefined) return yield* new SettingInvalid({ setting: "--partner", rule })
    const wished = { mode, wishes, files, partners }
    if (trace !== undefined) return yield* traceOne(world, trace, wished)
    if (shrink !== undefined) return yield* shrinkOne(world, shrink, wished)
    return yield* runAll(world, seeds, wished, keepGoing)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Runs the production switch and its partners on virtual time, a simulated network and a simulated disk: cuts, partitions, " +
      "crashes, pauses, full and failing disks, clock steps, all drawn from a seed. Promises must hold during chaos; then everything " +
      "is healed and service must come back. The same seed and commit give the same hash on any machine. A broken promise is " +
      "printed with seed, commit and the commands that show it again and make it smaller. With --partner the partners are those of " +
      "files, judged by the rules of `jinka-sim check`. Runs from a clone of the repository. " +
      "Exit codes: 0 every promise was kept, 1 one was broken, 2 a flag is wrong."
  ),
  Command.withShortDescription("Seeds of the deterministic world: chaos, then judgement"),
  Command.withExamples([
    {
      command: "jinka-sim world --seeds 1..1000",
      description: "A thousand runs; it ends with the first broken promise"
    },
    { command: "jinka-sim world --mode fleet", description: "Two nodes with one PostgreSQL" },
    {
      command: "jinka-sim world --partner issuer.yaml --seeds 1..200",
      description: "A partner of a file against the switch"
    },
    { command: "jinka-sim world --trace 42", description: "One seed with everything that happens in it" },
    { command: "jinka-sim world --shrink 42", description: "The smallest run with the same promise broken" }
  ])
)
