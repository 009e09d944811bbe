/**
 * Reads a configuration file beside a running switch, in a thread of its own (`ReadingWorker`): whatever the file holds, the
 * switch's thread is not kept from its messages. Commands that run no switch use `load`.
 */
import { Worker } from "node:worker_threads"
import { Effect, type Path } from "effect"
import { type Checked, type Configuration, ConfigurationInvalid, configured } from "./Configuration.ts"
import { error, type Problem } from "./configuration/text/Problem.ts"

/** What the thread says. */
export type FileRead =
  | { readonly checked: Checked }
  | { readonly problems: ReadonlyArray<Problem> }
  | { readonly defect: string }

/** The thread's file, in the same form as this one: `.ts` from source, `.js` from `dist`. */
const threadFile = new URL(
  import.meta.url.endsWith(".ts") ? "./ReadingWorker.ts" : "./ReadingWorker.js",
  import.meta.url
)

/** Memory that reading a file may take, in MiB; the longest file takes a quarter of it. */
const MEMORY_MAX = 1024

/** Reads and checks the file; the journal's keys are not read. */
export const loadBeside = (file: string): Effect.Effect<Configuration, ConfigurationInvalid, Path.Path> =>
  Effect.flatMap(readBeside(file), configured)

const readBeside = (file: string): Effect.Effect<Checked, ConfigurationInvalid> =>
  Effect.callback<Checked, ConfigurationInvalid>((resume) => {
    const refuse = (problems: ReadonlyArray<Problem>) =>
      resume(Effect.fail(new ConfigurationInvalid({ file, problems })))
    const thread = new Worker(threadFile, {
      workerData: file,
      execArgv: [],
      name: "jinka-configuration",
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MAX }
    })
    thread.on("message", (read: FileRead) => {
      if ("checked" in read) resume(Effect.succeed(read.checked))
      else if ("problems" in read) refuse(read.problems)
      else resume(Effect.die(new Error(read.defect)))
    })
    thread.on("error", (cause) => {
      const isLarge = (cause as { readonly code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY"
      if (!isLarge) return resume(Effect.die(cause))
      const finding = error([], `reading the file takes more than ${MEMORY_MAX} MiB of memory`, "Make it smaller.", "")
      refuse([{ ...finding, line: 0, column: 0 }])
    })
    return Effect.promise(() => thread.terminate())
  })
