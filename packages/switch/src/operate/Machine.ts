/** What this process may have of its machine: memory, and open files and sockets. */
import { totalmem } from "node:os"
import { Effect, FileSystem } from "effect"
import type { MachineLimits } from "./configuration/ResourceRelations.ts"

/** Nothing is known, and nothing is warned of. */
export const boundless: MachineLimits = { memory: Number.POSITIVE_INFINITY, handles: Number.POSITIVE_INFINITY }

/** Asks the kernel; what it does not say is infinite. Node has raised the soft limit of handles to the hard one by itself. */
export const machineLimits: Effect.Effect<MachineLimits, never, FileSystem.FileSystem> = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const limits = yield* Effect.orElseSucceed(files.readFileString("/proc/self/limits"), () => "")
  const handles = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  // The limit of a container, where there is one.
  const contained = process.constrainedMemory() ?? 0
  return { memory: contained > 0 ? Math.min(contained, totalmem()) : totalmem(), handles }
})
