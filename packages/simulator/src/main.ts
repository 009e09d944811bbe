#!/usr/bin/env node
/** `jinka-sim`: the missing counterparts of a switch on the command line. Owns its process: signals, and its end. */
import { Deferred, Effect, Runtime } from "effect"
import { exitCodeOf, program } from "./cli/Program.ts"
import { StopSignal } from "./cli/StopSignal.ts"
import * as Platform from "./Platform.ts"

// Whoever reads our output may go before us (`| head -1`): a partner goes on, and a run ends with its reports and its exit code.
for (const output of [process.stdout, process.stderr]) output.on("error", () => {})

const signalled = Deferred.makeUnsafe<void>()

/** Ends the process when what was printed has left it: a pipe takes long output piece by piece, and `exit` does not wait. */
const leave = (code: number): void => {
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)))
}

/** Who reads something again on SIGHUP. */
const hangUps = new Set<() => void>()

const onHangUp = (listener: () => void): (() => void) => {
  hangUps.add(listener)
  return () => hangUps.delete(listener)
}

/** First signal: end in order. Second: interrupt. SIGHUP is a signal like the others where nobody listens for it. */
const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  let signals = 0
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (signal === "SIGHUP" && hangUps.size > 0) {
        for (const listener of hangUps) listener()
        return
      }
      signals++
      if (signals === 1) Deferred.doneUnsafe(signalled, Effect.void)
      else fiber.interruptUnsafe()
    })
  }
  fiber.addObserver((exit) => teardown(exit, leave))
})

program(process.argv.slice(2)).pipe(
  Effect.provideService(StopSignal, { requested: Deferred.await(signalled), onHangUp }),
  Effect.provide(Platform.layer),
  (running) => runMain(running, { disableErrorReporting: true, teardown: (exit, onExit) => onExit(exitCodeOf(exit)) })
)
