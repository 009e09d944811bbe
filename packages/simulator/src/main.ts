#!/usr/bin/env node
/**
 * `jinka-sim`: the missing counterparts of a switch on the command line.
 *
 * Owns signals, exit codes and how errors look. Exit codes: 0 as asked, 1 the run or check did not come out right, 2 a
 * setting, file or port is wrong, 70 a defect of the simulator itself.
 */
import { coverTyped } from "@jinka/codec"
import { Cause, Console, Deferred, Effect, Exit, Runtime } from "effect"
import { CliConfig, CliOutput, Command, GlobalFlag } from "effect/cli"
import { simulator } from "./cli/Simulator.ts"
import { StopSignal } from "./cli/StopSignal.ts"
import { wholeArguments, wrongFlag } from "./cli/WholeArguments.ts"
import { wrongCall, wrongFlagCall } from "./cli/WrongCall.ts"
import * as Platform from "./Platform.ts"

const exitCode = { good: 0, unsettled: 1, wrong: 2, defect: 70, interrupted: 130 }

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

/** Exit code of how the program ended. */
const codeOf = <A, E>(exit: Exit.Exit<A, E>): number => {
  if (Exit.isSuccess(exit)) return exitCode.good
  if (Cause.hasInterruptsOnly(exit.cause)) return exitCode.interrupted
  if (Cause.hasDies(exit.cause)) return exitCode.defect
  const error = Cause.squash(exit.cause) as { readonly _tag?: string; readonly errors?: ReadonlyArray<unknown> }
  // Help that was asked for, or that came because the arguments were wrong.
  if (error._tag === "ShowHelp") return error.errors?.length === 0 ? exitCode.good : exitCode.wrong
  return error._tag === "Unsettled" ? exitCode.unsettled : exitCode.wrong
}

/** Errors on the command line itself: what is wrong and where help is, on standard error, and not the whole help. */
const presenter: CliOutput.Presenter = {
  present: (event) => {
    if (event._tag !== "InvalidInvocation") return CliOutput.defaultPresenter.present(event)
    const wrong = event.errors.map(wrongCall).join(" ")
    return Console.error(`jinka-sim: ${wrong} \`${event.commandPath.join(" ")} --help\` shows how it is used.`)
  }
}

const whole = wholeArguments(process.argv.slice(2))
const flag = wrongFlag(whole)
if (flag !== undefined) {
  console.error(`jinka-sim: ${wrongFlagCall(flag)} \`jinka-sim --help\` shows what there is.`)
  process.exit(exitCode.wrong)
}

Command.runWith(simulator, { version: "0.1.0" })(whole).pipe(
  Effect.provideService(CliOutput.Presenter, presenter),
  Effect.provideService(CliConfig.CliConfig, {
    builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel]
  }),
  Effect.tapError((error) =>
    error._tag === "ShowHelp" ? Effect.void : Console.error(`jinka-sim: ${coverTyped(error.message)}`)
  ),
  Effect.tapCause((cause) =>
    Cause.hasDies(cause)
      ? Console.error(`jinka-sim: defect, please report: ${coverTyped(Cause.pretty(cause))}`)
      : Effect.void
  ),
  Effect.provideService(StopSignal, { requested: Deferred.await(signalled), onHangUp }),
  Effect.provide(Platform.layer),
  (program) => runMain(program, { disableErrorReporting: true, teardown: (exit, onExit) => onExit(codeOf(exit)) })
)
