/**
 * The Containerfile's steps without a container: the same command installs the tarballs, and the switch runs as its user, with
 * its environment, on a root file system that is read-only but for the volume and the folder of the socket.
 *
 * To run it needs root and a mount namespace of its own (`unshare`), as a builder of images does. What it does not show: the base
 * image, and the limits that a container's engine sets.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "../tidy/Source.ts"

const file = readFileSync(join(root, "packages/switch/service/Containerfile"), "utf8").replaceAll("\\\n", " ")
const steps = file.split("\n").filter((line) => /^[A-Z]/.test(line))
const last = (instruction: string): string =>
  steps.findLast((step) => step.startsWith(`${instruction} `))!.slice(instruction.length + 1)

/** The step that installs the tarballs of the folder that it runs in. */
export const installStep = steps.find((step) => step.startsWith("RUN npm install"))!.slice("RUN ".length)

/** Whether this machine lets us have a file system of our own. */
export const canMount = (): boolean => {
  try {
    execFileSync("unshare", ["--mount", "setpriv", "--version"], { stdio: "ignore" })
    return process.getuid?.() === 0
  } catch {
    return false
  }
}

/** The image, as folders: `opt` is /opt/jinka, where the step has installed, `data` the volume, `run` /run/jinka. */
export class Image {
  readonly path = mkdtempSync(join(tmpdir(), "jinka-image-"))
  private readonly user = Number(last("USER").split(":")[0])
  private readonly opt: string

  constructor(opt: string) {
    this.opt = opt
    chmodSync(this.path, 0o755)
    for (const folder of ["bin", "etc"]) mkdirSync(join(this.path, folder))
    for (const folder of ["data", "run"]) {
      mkdirSync(join(this.path, folder), { mode: 0o700 })
      chownSync(join(this.path, folder), this.user, this.user)
    }
    copyFileSync(process.execPath, join(this.path, "bin/node"))
  }

  /** Writes /etc/jinka/switch.yaml, as the volume of the container brings it. */
  configure(yaml: string): void {
    writeFileSync(join(this.path, "etc/switch.yaml"), yaml)
  }

  /** Starts what the image starts (`CMD`). */
  run(key: string): ChildProcess {
    return spawn("unshare", this.inside(JSON.parse(last("CMD"))), { env: this.env(key) })
  }

  /** Runs the image's health check, and gives what it says. */
  health(): string {
    const [, command] = / CMD (\[.*\])$/.exec(last("HEALTHCHECK"))!
    const [, ...args] = JSON.parse(command!) as ReadonlyArray<string>
    return execFileSync("unshare", this.inside(args), { env: this.env(""), encoding: "utf8" })
  }

  private env(key: string): NodeJS.ProcessEnv {
    const path = [join(this.opt, "node_modules/.bin"), join(this.path, "bin"), "/usr/bin", "/bin", "/usr/sbin", "/sbin"]
    return { PATH: path.join(":"), NODE_ENV: "production", JINKA_JOURNAL_KEY: key }
  }

  /** `jinka` with these arguments, as the image's user without any privilege, where only `data` and `run` can be written. */
  private inside(args: ReadonlyArray<string>): ReadonlyArray<string> {
    const at = (folder: string) => join(this.path, folder)
    const mounts = [
      "mount --make-rprivate /",
      ...["data", "run"].map((folder) => `mount --bind ${at(folder)} ${at(folder)}`),
      // It may lie on another disk than the root.
      `mount --bind ${this.opt} ${this.opt}`,
      `mount -o remount,bind,ro ${this.opt}`,
      "mount -o remount,bind,ro /",
      `cd ${at("data")}`
    ]
    const privileges = "--no-new-privs --clear-groups --bounding-set=-all --inh-caps=-all"
    const start = `exec setpriv --reuid ${this.user} --regid ${this.user} ${privileges} jinka "$@"`
    const there = args.map((arg) => arg.replace("/etc/jinka", at("etc")))
    return ["--mount", "sh", "-euc", [...mounts, start].join("; "), "sh", ...there]
  }
}
