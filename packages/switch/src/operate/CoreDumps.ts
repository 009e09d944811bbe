/**
 * No picture of this process's memory on a disk: it holds keys, and the cards of the messages under way.
 *
 * Node cannot lower its own limit (setrlimit(2)). Where the limit allows a dump, the kernel is told to leave every part of the
 * memory out of it (core(5), /proc/PID/coredump_filter), and the log says how to set the limit for good.
 */
import { Effect, FileSystem } from "effect"

/** Rows of /proc/PID/limits (proc_pid_limits(5)): the soft limit, then the hard one. */
const row = /^Max core file size +(\S+)/m

/** Leaves the memory out of core dumps, unless they are allowed. A system without /proc has no such switch. */
export const withoutMemory = Effect.fnUntraced(function* (
  areAllowed: boolean
): Effect.fn.Return<void, never, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const limits = yield* Effect.orElseSucceed(files.readFileString("/proc/self/limits"), () => "")
  const soft = row.exec(limits)?.[1] ?? "0"
  if (soft === "0") return
  if (areAllowed)
    return yield* Effect.logWarning("core dumps are allowed (coreDumps: true): one holds keys and card numbers")
  const isLeftOut = yield* Effect.match(files.writeFileString("/proc/self/coredump_filter", "0"), {
    onFailure: () => false,
    onSuccess: () => true
  })
  yield* isLeftOut
    ? Effect.logInfo(
        "the system allows core dumps: this process leaves its memory out of them; `ulimit -c 0` forbids them"
      )
    : Effect.logWarning("the system allows core dumps, with this process's keys in them: start it with `ulimit -c 0`")
})
