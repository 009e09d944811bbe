/** What the disk of a switch is made to do by strace, and a switch with both its partners. */
import { spawn, spawnSync } from "node:child_process"
import { Line, until } from "../../switch/operate/Line.ts"
import type { RunningSwitch } from "../../switch/operate/program.ts"

/** Every write to one file fails; the switch stays our own child (`-D`). */
export const failing = (path: string): ReadonlyArray<string> => [
  ...["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-P", path],
  ...["-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EIO"]
]

/** Why strace cannot do so here; "" when it can. */
export const straceHindrance = ((): string => {
  if (process.platform !== "linux") return `strace is of Linux, this is ${process.platform}`
  const { error, status } = spawnSync("strace", [...failing("/nowhere").slice(1), "true"])
  if (error !== undefined) return "strace is missing"
  return status === 0 ? "" : "strace may not trace here"
})()

/** From now on every confirmation of this process's disk takes so long; gives what ends that. */
export const slowDisk = async (pid: number, ms: number): Promise<() => Promise<void>> => {
  const inject = `inject=fsync,fdatasync:delay_enter=${ms * 1000}`
  const traced = ["-f", "-o", "/dev/null", "-p", String(pid), "-e", "trace=fsync,fdatasync", "-e", inject]
  const strace = spawn("strace", traced, { stdio: ["ignore", "ignore", "pipe"] })
  await new Promise((attached) => strace.stderr.once("data", attached))
  strace.stderr.resume()
  return async () => {
    const ended = new Promise((resolve) => strace.once("exit", resolve))
    strace.kill("SIGINT")
    await ended
  }
}

/** Every card of these tests is the issuer's. */
export const routed = (yaml: string): string => yaml.replace('bin: "621234"', 'bin: "62"')

/** Both partners of a switch, when both links are ready. */
export const connected = async (running: RunningSwitch) => {
  const acquirer = await Line.connect(running.port("acquirer"))
  const issuer = await Line.connect(running.port("issuer"))
  await until(async () => (await running.status()).links.every(({ ready }) => ready), "both links ready")
  return { acquirer, issuer }
}
