/**
 * Where tests have folders whose disk is not the point: on Linux's disk in memory, which takes and gives up files at a tenth of
 * the processor time. What a process has written outlives it there, too. Tests of a full, slow, failing or damaged disk, of kills
 * under load, of the store and of recovery are on the real one.
 */
import { existsSync, readFileSync, statfsSync } from "node:fs"
import { tmpdir } from "node:os"

const memory = "/dev/shm"

/** Room that those need together who use it at one time, in bytes. A container has 64 MiB there unless it is told otherwise. */
const ROOM = 2 ** 31

/** Whether programs and libraries that lie there may be run, as an installed package's have to be. */
const runs = (): boolean =>
  !new RegExp(`^\\S+ ${memory} \\S+ \\S*\\bnoexec\\b`, "m").test(readFileSync("/proc/mounts", "utf8"))

/** The folder to make them in; the system's own for such, where there is no disk in memory that fits. */
export const testFolder = (): string => {
  if (!existsSync(memory) || !runs()) return tmpdir()
  const { bavail, bsize } = statfsSync(memory)
  return bavail * bsize > ROOM ? memory : tmpdir()
}
