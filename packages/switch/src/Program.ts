/**
 * The whole `jinka` command: the edge where the program meets its process. Everything else is in `operate/`.
 */
import { readFileSync, write } from "node:fs"
import { coverTyped } from "@jinka/codec"
import { Cause, Console, Deferred, Effect, Exit, Layer, Runtime } from "effect"
import { jinka } from "./operate/command/Jinka.ts"
import { defectText, exitCodes } from "./operate/Exit.ts"
import { ProcessEdge, type Supervisor } from "./operate/ProcessEdge.ts"
import * as Platform from "./Platform.ts"

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/** Who is told of the next signal; without anybody a signal interrupts the command. */
const waiting: Array<(signal: string) => void> = []
const arrived: Array<string> = []
let areTaken = false

const nextSignal = Effect.callback<string>((resume) => {
  const signal = arrived.shift()
  if (signal !== undefined) return resume(Effect.succeed(signal))
  const wake = (name: string) => resume(Effect.succeed(name))
  waiting.push(wake)
  return Effect.sync(() => {
    const at = waiting.indexOf(wake)
    if (at >= 0) waiting.splice(at, 1)
  })
})

/** The pipe to whoever hands our words to systemd (`service/jinka-start`), and how often it wants to hear of us. */
const supervisorIn = ({ JINKA_NOTIFY_FD, WATCHDOG_USEC }: NodeJS.ProcessEnv): Supervisor | undefined => {
  const pipe = Number(JINKA_NOTIFY_FD)
  if (!Number.isSafeInteger(pipe) || pipe < 3) return undefined
  const watchdogMs = Number(WATCHDOG_USEC) / 1000
  return {
    // A pipe without anybody at its end: nobody is left to be told.
    say: (parts) => write(pipe, `${parts.join("\t")}\n`, () => undefined),
    watchdogMs: watchdogMs > 0 ? watchdogMs : undefined
  }
}

const unread = Deferred.makeUnsafe<void>()
process.stdout.once("error", () => Deferred.doneUnsafe(unread, Effect.void))

const edge = ProcessEdge.of({
  pid: process.pid,
  supervisor: supervisorIn(process.env),
  keepToSelf: (secrets) =>
    Effect.sync(() => {
      process.umask(0o077)
      process.report.excludeEnv = true
      for (const name of secrets) delete process.env[name]
    }),
  takeSignals: Effect.sync(() => {
    areTaken = true
    return nextSignal
  }),
  unread: Deferred.await(unread),
  exitNow: (code) => Effect.sync(() => process.exit(code)),
  killNow: Effect.andThen(
    Effect.sync(() => process.kill(process.pid, "SIGKILL")),
    Effect.never
  )
})

/** The signal that interrupted a command which had not taken signals over. */
let interruptedBy: NodeJS.Signals = "SIGINT"

/** Code of a program that was interrupted; see `Runtime.defaultTeardown`. */
const INTERRUPTED = 130

/**
 * Ends the process when what was printed has left it: a pipe takes long output piece by piece, and `exit` does not wait. Who was
 * interrupted dies of that signal: systemd takes an exit code 130 for a failure, and the signal that it sent for what it asked.
 */
const leave = (code: number): void => {
  const end = () => (code === INTERRUPTED ? process.kill(process.pid, interruptedBy) : process.exit(code))
  process.stdout.write("", () => process.stderr.write("", end))
}

const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  const onSignal = (signal: NodeJS.Signals) => {
    if (!areTaken) {
      interruptedBy = signal
      return fiber.interruptUnsafe(fiber.id)
    }
    const wake = waiting.shift()
    if (wake === undefined) arrived.push(signal)
    else wake(signal)
  }
  for (const signal of signals) process.on(signal, onSignal)
  fiber.addObserver((exit) => {
    for (const signal of signals) process.off(signal, onSignal)
    teardown(exit, leave)
  })
})

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))

runMain(
  jinka(version, process.argv.slice(2)).pipe(
    Effect.provide(Layer.merge(Platform.layer, Layer.succeed(ProcessEdge, edge))),
    Effect.tapCause((cause) =>
      Cause.hasDies(cause) ? Console.error(`jinka: ${coverTyped(defectText(cause))}`) : Effect.void
    )
  ),
  {
    disableErrorReporting: true,
    teardown: (exit, onExit) =>
      Exit.isFailure(exit) && Cause.hasDies(exit.cause)
        ? onExit(exitCodes.defect)
        : Runtime.defaultTeardown(exit, onExit)
  }
)
