/**
 * The thread that reads a configuration file while a switch runs: parsing and checking a large one takes seconds, and the
 * switch's own thread has messages to carry. It reads one file, says what it found, and ends.
 */
import { parentPort, workerData } from "node:worker_threads"
import { Cause, Effect, Exit } from "effect"
import * as Platform from "../Platform.ts"
import { loadChecked } from "./Configuration.ts"
import { defectText } from "./Exit.ts"
import type { FileRead } from "./Reading.ts"

const said = (exit: Effect.Success<typeof read>): FileRead => {
  if (Exit.isSuccess(exit)) return { checked: exit.value }
  const failed = Cause.findErrorOption(exit.cause)
  return failed._tag === "Some" ? { problems: failed.value.problems } : { defect: defectText(exit.cause) }
}

const read = Effect.exit(loadChecked(workerData as string)).pipe(Effect.provide(Platform.layer))

parentPort?.postMessage(said(await Effect.runPromise(read)))
