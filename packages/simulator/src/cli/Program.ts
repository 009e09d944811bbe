/**
 * The whole `jinka-sim` command but for its process: its arguments, its exit codes and how its errors look.
 *
 * Exit codes: 0 as asked, 1 the run or check did not come out right, 2 a setting, file or port is wrong, 70 a defect of the
 * simulator itself, 130 interrupted.
 */
import { coverTyped } from "@jinka/codec"
import { Cause, Console, Data, Effect, Exit } from "effect"
import { CliConfig, CliOutput, Command, GlobalFlag } from "effect/cli"
import { FileLost } from "../SimulatorError.ts"
import { simulator } from "./Simulator.ts"
import { wholeArguments, wrongFlag } from "./WholeArguments.ts"
import { wrongCall, wrongFlagCall } from "./WrongCall.ts"

const exitCode = { good: 0, unsettled: 1, wrong: 2, defect: 70, interrupted: 130 }

/** Exit code of how the program ended. */
export const exitCodeOf = <A, E>(exit: Exit.Exit<A, E>): number => {
  if (Exit.isSuccess(exit)) return exitCode.good
  if (Cause.hasInterruptsOnly(exit.cause)) return exitCode.interrupted
  if (Cause.hasDies(exit.cause)) return exitCode.defect
  const error = Cause.squash(exit.cause) as { readonly _tag?: string; readonly errors?: ReadonlyArray<unknown> }
  // Help that was asked for, or that came because the arguments were wrong.
  if (error._tag === "ShowHelp") return error.errors?.length === 0 ? exitCode.good : exitCode.wrong
  return error._tag === "Unsettled" || error._tag === "FileLost" ? exitCode.unsettled : exitCode.wrong
}

/** A word in front of which two dashes are missing. */
class FlagWrong extends Data.TaggedError("FlagWrong")<{ readonly flag: string }> {
  override get message() {
    return `${wrongFlagCall(this.flag)} \`jinka-sim --help\` shows what there is.`
  }
}

/** Errors on the command line itself: what is wrong and where help is, on standard error, and not the whole help. */
const presenter: CliOutput.Presenter = {
  present: (event) => {
    if (event._tag !== "InvalidInvocation") return CliOutput.defaultPresenter.present(event)
    const wrong = event.errors.map(wrongCall).join(" ")
    return Console.error(`jinka-sim: ${wrong} \`${event.commandPath.join(" ")} --help\` shows how it is used.`)
  }
}

const run = Command.runWith(simulator, { version: "0.1.0" })

const called = Effect.fnUntraced(function* (words: ReadonlyArray<string>) {
  const whole = wholeArguments(words)
  const flag = wrongFlag(whole)
  if (flag !== undefined) return yield* new FlagWrong({ flag })
  return yield* run(whole)
})

/** Runs the command that the words say; its errors have been told when it ends. */
export const program = (words: ReadonlyArray<string>) =>
  called(words).pipe(
    Effect.provideService(CliOutput.Presenter, presenter),
    Effect.provideService(CliConfig.CliConfig, {
      builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel]
    }),
    // A file that is written from within a tick throws; it is no defect of ours.
    Effect.catchDefect((defect) => (defect instanceof FileLost ? Effect.fail(defect) : Effect.die(defect))),
    Effect.tapError((error) =>
      error._tag === "ShowHelp" ? Effect.void : Console.error(`jinka-sim: ${coverTyped(error.message)}`)
    ),
    Effect.tapCause((cause) =>
      Cause.hasDies(cause)
        ? Console.error(`jinka-sim: defect, please report: ${coverTyped(Cause.pretty(cause))}`)
        : Effect.void
    )
  )
