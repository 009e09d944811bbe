/**
 * The folder of `jinka-sim init`: every file of it is good in every dialect, and it leaves nothing behind. That it passes against
 * the shipped switch is shown with what npm has installed: test/package.
 */
import { spawn } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { delimiter, dirname, join } from "node:path"
import { dialects } from "@jinka/codec"
import { Effect } from "effect"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { readFolder } from "../../packages/simulator/src/dialogue/index.ts"
import { makeWireFormat } from "../../packages/simulator/src/dialogue/WireFormat.ts"
import { initFiles } from "../../packages/simulator/src/init/InitFolder.ts"
import { canBegin } from "../../packages/simulator/src/init/InitMessages.ts"
import { readPartners } from "../../packages/simulator/src/scripted/PlanFile.ts"
import { builtProgram } from "../programs/Programs.ts"
import { pause } from "../switch/operate/Line.ts"
import { freePort } from "../switch/operate/reloading.ts"
import { testFolder } from "../TestFolder.ts"
import { simulatorHere } from "./here.ts"

const programs = {
  sim: builtProgram("packages/simulator/src/main.ts"),
  switch: builtProgram("packages/switch/src/main.ts")
}

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(testFolder(), "jinka-init-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const settings = (dialect: string, port = 7911) => ({
  layout: makeWireFormat(dialects[dialect]!).codec.layout,
  dialect,
  acquirerPort: port,
  issuerPort: port + 1
})

/** `npm test` has the workspace's own commands on its path; a user's project has what was installed in it. */
const PATH = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
  .join(delimiter)

const run = (command: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) =>
  new Promise<{ readonly code: number | null; readonly output: string }>((resolve) => {
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, PATH, ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text
      })
    }
    child.on("close", (code) => resolve({ code, output }))
  })

const sim = (...args: ReadonlyArray<string>) => run(process.execPath, [programs.sim, ...args])

describe("jinka-sim init", () => {
  it.each(Object.keys(dialects).filter((name) => canBegin(dialects[name]!)))(
    "writes a partner and dialogues that can be read, in the dialect %s",
    async (dialect) => {
      for (const [name, text] of initFiles(settings(dialect))) {
        mkdirSync(dirname(join(folder, name)), { recursive: true })
        writeFileSync(join(folder, name), text)
      }
      const { plans } = await Effect.runPromise(readPartners(join(folder, "partners/issuer.yaml")))
      const dialogues = await Effect.runPromise(readFolder(join(folder, "dialogues")))

      expect(plans.map(({ name, rules }) => [name, rules.length])).toEqual([["issuer", 3]])
      expect(dialogues).toHaveLength(10)
      expect(dialogues[0]!.partners[0]!.form.codec.dialect.name).toBe(dialect)
    }
  )

  it("says what to run, and that the switch is missing where it is not installed; its load can be read", async () => {
    expect(await sim("init", "links")).toMatchObject({
      code: 0,
      output: expect.stringContaining("16 files. Now: sh links/run.sh")
    })
    // As `npm install` leaves it in the project that the folder was made in.
    mkdirSync(join(folder, "node_modules/.bin"), { recursive: true })
    const installed = join(folder, "node_modules/.bin/jinka-sim")
    writeFileSync(installed, `#!/bin/sh\nexec "${process.execPath}" "${programs.sim}" "$@"\n`)
    chmodSync(installed, 0o755)

    expect(await run("sh", ["links/run.sh"])).toEqual({
      code: 2,
      output: "jinka is not here: npm install @jinka/simulator @jinka/switch\n"
    })
    // How fast it is depends on the machine; that it can be read does not.
    expect((await simulatorHere("load", join(folder, "links/load.yaml"), "--check")).out).toContain(
      "1 link, 1 line of mix, good"
    )
  })

  it("tests nothing against a stranger that holds the stand-in's port, and leaves nothing running when a signal ends it", async () => {
    const [port, issuerPort] = await Promise.all([freePort(), freePort()])
    const ports = ["--acquirer-port", String(port), "--issuer-port", String(issuerPort)]
    await simulatorHere("init", join(folder, "links"), ...ports)
    const node = (program: string) => `${process.execPath} ${program}`
    const env = { JINKA_SIM: node(programs.sim), JINKA: node(programs.switch) }
    const stranger = createServer()
    await new Promise<void>((resolve) => stranger.listen(issuerPort, "127.0.0.1", resolve))
    const refused = await run("sh", ["links/run.sh"], { ...env, TARGET: "acquirer=127.0.0.1:1" })
    await new Promise((resolve) => stranger.close(resolve))

    expect(refused.code).toBe(1)
    expect(refused.output).toContain("the stand-in for the issuer did not start. It says:\njinka-sim: cannot listen on")
    expect(refused.output).not.toContain("kept")

    const child = spawn("sh", ["links/run.sh"], { cwd: folder, env: { ...process.env, PATH, ...env }, stdio: "ignore" })
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
    const holds = (text: string) => () => {
      const log = join(folder, "links/.run/issuer.log")
      return existsSync(log) && readFileSync(log, "utf8").includes(text)
    }
    while (!holds('"event":"started"')()) await pause(50)
    child.kill("SIGTERM")

    expect(await ended).toBe(143)
    while (!holds('"event":"summary"')()) await pause(50)
  })

  it("overwrites nothing, and refuses a dialect that its dialogues cannot speak", async () => {
    writeFileSync(join(folder, "README.md"), "mine")

    expect(await simulatorHere("init", folder)).toMatchObject({
      code: 2,
      err: expect.stringContaining("it is there already")
    })
    expect(readFileSync(join(folder, "README.md"), "utf8")).toBe("mine")
    expect(existsSync(join(folder, "switch.yaml"))).toBe(false)

    const inDialect = async (dialect: string) =>
      (await simulatorHere("init", join(folder, "x"), "--dialect", dialect)).err

    expect(await inDialect("unionPayPos")).toContain("no sign-on, echo or reversal")
    expect(await inDialect("cupps")).toContain('did you mean "cups"?')
  })
})
