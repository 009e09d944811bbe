/** What systemd and containers are told: the files that ship beside the switch, and the switch under them. */
import { execFile, execFileSync, spawn } from "node:child_process"
import { chmodSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe as describeEffect, it as itEffect } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { TestClock } from "effect/testing"
import { afterEach, describe, expect, it } from "vitest"
import { ProcessEdge } from "../../../packages/switch/src/operate/ProcessEdge.ts"
import { starting, supervised } from "../../../packages/switch/src/operate/Supervised.ts"
import { until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitchUnder } from "./program.ts"
import { reload } from "./reloading.ts"

afterEach(cleanUp)

const run = promisify(execFile)
const service = (name: string): string =>
  fileURLToPath(new URL(`../../../packages/switch/service/${name}`, import.meta.url))
const has = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((place) => existsSync(join(place, program)))

describe("The unit for systemd", () => {
  /** With programs that are on every machine: systemd looks whether they are there. */
  const unit = (): string => {
    const path = join(folder(), "jinka@demo.service")
    const text = readFileSync(service("jinka@.service"), "utf8")
    writeFileSync(path, text.replace(/\/usr\/lib\/node_modules\S+\/jinka-start|\/usr\/bin\/jinka/g, "/bin/true"))
    return path
  }

  it.skipIf(!has("systemd-analyze"))(
    "is understood by systemd, which finds little that the switch may do",
    async () => {
      const path = unit()

      const { stderr } = await run("systemd-analyze", ["verify", path])
      const { stdout } = await run("systemd-analyze", [
        "security",
        "--offline=yes",
        "--no-pager",
        "--threshold=20",
        path
      ])

      expect(stderr).toBe("")
      expect(stdout).toMatch(/Overall exposure level for jinka@demo\.service: [01]\.\d OK/)
    }
  )

  it("waits longer for a stop than the switch drains by default, and starts nothing again that is written wrongly", () => {
    const text = readFileSync(service("jinka@.service"), "utf8")

    expect(text).toContain("\nTimeoutStopSec=1min\n")
    expect(text).toContain("\nRestartPreventExitStatus=2\n")
    expect(text).toContain("\nNotifyAccess=all\n")
  })

  it("gives the switch the same small nursery as the container does", () => {
    const option = /NODE_OPTIONS=(\S+)/
    const [, unitOption] = option.exec(readFileSync(service("jinka@.service"), "utf8"))!

    expect(unitOption).toBe("--max-semi-space-size=8")
    expect(option.exec(readFileSync(service("Containerfile"), "utf8"))?.[1]).toBe(unitOption)
  })
})

describe("The start for systemd", () => {
  /** Listens on a datagram socket as systemd does, and prints what comes, one message a line. */
  const program = `use Socket; socket(S, PF_UNIX, SOCK_DGRAM, 0) or die; bind(S, sockaddr_un($ARGV[0])) or die; $| = 1; print "up\\n";
    while (defined recv(S, $m, 4096, 0)) { $m =~ s/\\n/|/g; print "$m\\n" unless $m =~ /BARRIER/ }`
  const hasManager = has("systemd-notify") && has("perl")

  /** A manager in the place of systemd: its socket, and what it has heard. */
  const manager = async () => {
    const socket = join(folder(), "notify.sock")
    const listening = spawn("perl", ["-e", program, socket])
    const heard: Array<string> = []
    listening.stdout.on("data", (chunk: Buffer) => heard.push(...chunk.toString().trim().split("\n")))
    await until(() => heard.includes("up"), "the manager listens")
    heard.length = 0
    return { socket, heard, [Symbol.dispose]: () => void listening.kill() }
  }

  it.skipIf(!hasManager)("hands each message on as one, and takes no variable along", async () => {
    using systemd = await manager()

    const said = `printf 'READY=1\\tSTATUS=runs with 2 links\\n' >&3; echo "$NOTIFY_SOCKET"; sleep 0.1; printf 'STOPPING=1\\n' >&3`
    const { stdout } = await run(service("jinka-start"), ["sh", "-c", said], {
      env: { ...process.env, NOTIFY_SOCKET: systemd.socket }
    })
    await until(() => systemd.heard.some((line) => line.includes("STOPPING=1")), "the last message has come")

    expect(systemd.heard).toEqual([
      expect.stringMatching(/^READY=1\|STATUS=runs with 2 links/),
      expect.stringMatching(/^STOPPING=1/)
    ])
    expect(stdout).toBe("\n")
  })

  it.skipIf(!hasManager)(
    "lets systemd hear of a switch: ready, alive, silent while it stands still, stopping",
    async () => {
      using systemd = await manager()
      const { heard } = systemd
      const beats = (lines: ReadonlyArray<string>) => lines.filter((line) => line.startsWith("WATCHDOG=1")).length
      const place = (line: string) => heard.findIndex((one) => one.startsWith(line))
      const env = ["env", `NOTIFY_SOCKET=${systemd.socket}`, "WATCHDOG_USEC=300000"]
      const running = await runSwitchUnder([...env, "sh", service("jinka-start")], configuration(folder()))
      await until(() => beats(heard) >= 2, "it is alive")

      // What the switch has said before it stood still comes before the first mark: both go through the same pipe.
      const mark = (name: string) => writeFileSync(`/proc/${running.ready.pid}/fd/3`, `STATUS=${name}\n`)
      running.signal("SIGSTOP")
      mark("stands still")
      await until(() => place("STATUS=stands still") >= 0, "the first mark has come")
      await new Promise((resolve) => setTimeout(resolve, 600))
      mark("goes on")
      running.signal("SIGCONT")
      await until(() => beats(heard.slice(place("STATUS=goes on") + 1)) >= 1, "it is alive again")
      await running.stop()
      await until(() => place("STOPPING=1") >= 0, "it has said that it stops")

      expect(heard[0]).toMatch(/^EXTEND_TIMEOUT_USEC=30000000/)
      expect(heard.find((line) => line.startsWith("READY=1"))).toMatch(/^READY=1\|STATUS=runs with 2 links/)
      expect(beats(heard.slice(place("STATUS=stands still"), place("STATUS=goes on")))).toBe(0)
    }
  )

  it("is the command itself where nobody listens, and says what it wants when nothing is given", async () => {
    const { NOTIFY_SOCKET: _, ...env } = process.env

    const plain = await run(service("jinka-start"), ["echo", "here"], { env })
    const none = await run(service("jinka-start"), [], { env }).catch(
      (error: { code: number; stderr: string }) => error
    )

    expect(plain.stdout).toBe("here\n")
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("give the command to start") })
  })

  it("brings the switch's words: ready, alive, reads anew, stops; its log may be copied and cut meanwhile", async () => {
    const directory = folder()
    const words = join(directory, "words")
    writeFileSync(words, "")
    writeFileSync(join(directory, "systemd-notify"), `#!/bin/sh\nIFS='|'\necho "$*" >>${words}\n`)
    chmodSync(join(directory, "systemd-notify"), 0o755)
    const heard = () => readFileSync(words, "utf8").trim().split("\n")
    const env = [
      "env",
      "NOTIFY_SOCKET=/nowhere",
      "WATCHDOG_USEC=600000",
      `PATH=${directory}${delimiter}${process.env["PATH"]}`
    ]
    const log = join(directory, "switch.log")
    const appended = ["sh", "-c", `exec "$0" "$@" 2>>${log}`]
    const running = await runSwitchUnder([...env, ...appended, "sh", service("jinka-start")], configuration(directory))

    await until(() => heard().filter((line) => line === "WATCHDOG=1").length >= 2, "it is alive")
    const alive = await jinka(["health", join(directory, "switch.yaml")])
    const notReady = await jinka(["health", join(directory, "switch.yaml"), "--ready"])
    const whole = readFileSync(log, "utf8")
    truncateSync(log)
    await reload(running)
    await running.stop()
    await until(() => heard().some((line) => line.startsWith("STOPPING=1")), "it has said that it stops")
    const gone = await jinka(["health", join(directory, "switch.yaml")])

    const said = heard().filter((line) => line !== "WATCHDOG=1")
    expect(said[0]).toBe("EXTEND_TIMEOUT_USEC=30000000")
    expect(said.filter((line) => !line.startsWith("EXTEND_TIMEOUT"))).toEqual([
      "READY=1|STATUS=runs with 2 links",
      expect.stringMatching(/^RELOADING=1\|MONOTONIC_USEC=\d{6,}$/),
      "READY=1",
      "STOPPING=1|EXTEND_TIMEOUT_USEC=12000000"
    ])
    expect(alive).toMatchObject({ code: 0, out: "alive, not ready: no link is ready\n" })
    expect(notReady.code).toBe(1)
    expect(gone.code).toBe(4)
    expect(whole).toContain("anchor: ")
    expect(readFileSync(log, "utf8")).toMatch(/^\d{4}-\d\d-\d\d [\d:.]+ INFO {2}reloaded by /)
  })
})

describeEffect("The watchdog", () => {
  const edgeWith = (said: Array<string>, watchdogMs: number | undefined) =>
    ProcessEdge.of({
      pid: 1,
      supervisor: { say: (parts) => said.push(parts.join(" ")), watchdogMs },
      keepToSelf: () => Effect.void,
      takeSignals: Effect.succeed(Effect.never),
      exitNow: () => Effect.never,
      killNow: Effect.never
    })

  itEffect.effect("hears of the program three times in its time, and no more when the program has ended", () =>
    Effect.gen(function* () {
      const said: Array<string> = []
      const program = supervised(Effect.sleep("70 seconds")).pipe(
        Effect.provideService(ProcessEdge, edgeWith(said, 30_000)),
        Effect.forkChild
      )
      const fiber = yield* program
      yield* TestClock.adjust("61 seconds")

      expect(said).toEqual(Array.from({ length: 7 }, () => "WATCHDOG=1"))

      yield* TestClock.adjust("60 seconds")

      expect(said).toHaveLength(7)
      expect(fiber.pollUnsafe()).toEqual(Exit.void)
    })
  )

  itEffect.effect("is not there: a start says all the same that it goes on, until it is done", () =>
    Effect.gen(function* () {
      const said: Array<string> = []
      yield* supervised(starting(Effect.sleep("12 seconds"))).pipe(
        Effect.provideService(ProcessEdge, edgeWith(said, undefined)),
        Effect.forkChild
      )
      yield* TestClock.adjust("60 seconds")

      expect(said).toEqual(Array.from({ length: 3 }, () => "EXTEND_TIMEOUT_USEC=30000000"))
    })
  )
})

describe("The container", () => {
  const lines = readFileSync(service("Containerfile"), "utf8")
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => /^[A-Z]/.test(line))
    .map((line): readonly [string, string] => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)])
  const last = (what: string): string => lines.findLast(([instruction]) => instruction === what)![1]

  it("is not root's, keeps what it writes in a volume, and is asked by the switch's own command", async () => {
    const asked = JSON.parse(last("HEALTHCHECK").replace(/^.*CMD /, "")) as ReadonlyArray<string>
    const started = JSON.parse(last("CMD")) as ReadonlyArray<string>

    expect(new Set(lines.map(([instruction]) => instruction))).toEqual(
      new Set([
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "ENV",
        "USER",
        "VOLUME",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD"
      ])
    )
    expect(last("USER")).toBe("10001:10001")
    expect(JSON.parse(last("VOLUME"))).toEqual([last("WORKDIR"), "/run/jinka"])
    expect([asked[0], JSON.parse(last("ENTRYPOINT"))]).toEqual(["jinka", ["jinka"]])
    // Both are commands of this version: what is wrong is the file, which is not there.
    for (const args of [asked.slice(1), started]) {
      expect((await jinka(args)).err).toMatch(/\/etc\/jinka\/switch\.yaml/)
    }
  })

  it("has steps that a shell understands", () => {
    for (const [instruction, step] of lines) {
      if (instruction === "RUN") execFileSync("sh", ["-n", "-c", step])
    }
  })
})
