/** A configuration file that was corrupted while its switch runs: the switch goes on, says so, and is still operated. */
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { Effect, Path } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { loadBeside } from "../../../packages/switch/src/operate/Reading.ts"
import { until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitch } from "./program.ts"
import { refusalOf } from "./reloading.ts"

afterEach(cleanUp)

const corpus = new URL("../../fixtures/configuration/", import.meta.url).pathname

/** Ways to corrupt a file. */
const corruptions: Readonly<Record<string, (file: string) => void>> = {
  "a tab in it": (file) => writeFileSync(file, readFileSync(file, "utf8").replace("\n  - name", "\n\t- name")),
  "a key twice": (file) => writeFileSync(file, `${readFileSync(file, "utf8")}name: again\n`),
  "a bracket too few": (file) =>
    writeFileSync(file, readFileSync(file, "utf8").replace("from: [127.0.0.1] }", "from: [")),
  "a frame without lengthMax": (file) =>
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace(
        "    dialect: cups\n",
        "    dialect: cups\n    frame: { kind: length, encoding: bcd, bytes: 2 }\n"
      )
    )
}

/** Ways that leave nothing to find the switch by. */
const losses: Readonly<Record<string, (file: string) => void>> = {
  "with nothing in it": (file) => writeFileSync(file, ""),
  "that is gone": (file) => rmSync(file),
  "with another text in it": (file) => writeFileSync(file, "- a list\n")
}

describe("While its switch runs, a file", () => {
  it("that was corrupted still leads to the switch, and one that is lost is done without by --control", async () => {
    const file = configuration(folder())
    const running = await runSwitch(file)
    const control = dirname(running.ready.control)
    cpSync(file, `${file}.kept`)
    for (const [how, corrupt] of Object.entries(corruptions)) {
      cpSync(`${file}.kept`, file)
      corrupt(file)
      const { code, out, err } = await jinka(["status", file])

      expect([how, code, err]).toEqual([how, 0, ""])
      expect(out).toContain("acquirer")
    }
    for (const [how, lose] of Object.entries(losses)) {
      cpSync(`${file}.kept`, file)
      lose(file)
      const alone = await jinka(["status", file])
      const named = await jinka(["status", file, "--control", control, "issuer"])

      expect([how, alone.code]).toEqual([how, 2])
      expect(alone.err).toContain("name the place where its switch takes commands with --control")
      const looks = await jinka(["pending", "list", file])
      const ofJournal = await jinka(["journal", "backup", file, `${file}.copy`])

      expect([looks.code, ofJournal.code]).toEqual([2, 2])
      expect(looks.err).toContain("name the place where its switch takes commands with --control")
      expect(ofJournal.err).toContain("give the journal's directory in its place")
      expect([how, named.code, named.err]).toEqual([how, 0, ""])
      expect(named.out).toContain("issuer")
    }
    const mistaken = await jinka(["status", "--control", `${file}.kept`])

    expect(mistaken.err).toContain("--control takes the directory of control.sock")

    const all = [
      await jinka(["status", "--control", control]),
      await jinka(["status", "--control", control, "issuer"]),
      await jinka(["link", "block", "--control", control, "issuer"]),
      await jinka(["link", "unblock", "--control", running.ready.control, "issuer"]),
      await jinka(["trace", "--control", control, "--stan", "1"]),
      await jinka(["reload", "--control", control]),
      await jinka(["stop", "--control", control])
    ]

    const { code } = await running.ended

    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0, 1, 2, 0])
    expect(all[4]!.err).toContain("No transaction in this journal has these keys.")
    expect(all[5]!.err).toContain("Nothing was changed.")
    expect(code).toBe(0)
  })

  it("that once ended in a defect refuses a reload, by command and by SIGHUP, with a line in the log", async () => {
    const file = configuration(folder())
    const running = await runSwitch(file)
    cpSync(file, `${file}.kept`)
    for (const name of readdirSync(corpus)) {
      const before = running.err().length
      cpSync(join(corpus, name), file)
      const { exit, says } = await refusalOf(running)
      running.signal("SIGHUP")
      await until(() => running.err().slice(before).includes("reload by SIGHUP refused: "), `${name}: the log says it`)

      expect([name, exit]).toEqual([name, "usage"])
      expect(says).toContain("Nothing was changed.")
      expect(running.err().slice(before)).toMatch(/reload by (?!SIGHUP)\S+ refused: /)
      expect(running.err()).not.toContain("a defect")
    }
    renameSync(`${file}.kept`, file)
    const status = await running.status()
    await running.stop()

    expect(status.links).toHaveLength(2)
  })

  it("that once ended in a defect is refused by check and by run, with its line", async () => {
    for (const name of ["frame-without-lengthMax.yaml", "frame-with-half-a-trailer.yaml"]) {
      for (const command of ["check", "run"]) {
        const { code, out, err } = await jinka([command, join(corpus, name)])

        expect([name, command, code, out]).toEqual([name, command, 2, ""])
        expect(err).toMatch(/:10:\d+ error links\[0\]\.frame/)
      }
    }
  })

  it("with thousands of mistakes is read in a thread of its own: the switch's own thread has turns meanwhile", async () => {
    const file = join(folder(), "large.yaml")
    const link = (n: number) => `  - { name: link-${n}, institution: "1", dialect: cups, idel: 15 }\n`
    const links = Array.from({ length: 1000 }, (_, n) => link(n)).join("")
    writeFileSync(file, `name: demo\nlinks:\n${links}`)
    let turns = 0
    let isRead = false
    const turn = () => {
      turns++
      if (!isRead) setTimeout(turn, 1)
    }
    setTimeout(turn, 1)
    const failed = await Effect.runPromise(Effect.flip(loadBeside(file)).pipe(Effect.provide(Path.layer)))
    isRead = true

    // A thread that reads the file itself has a handful of turns.
    expect(turns).toBeGreaterThan(20)
    expect(failed.problems.length).toBeGreaterThan(2000)
    expect(failed.message.split("\n")).toHaveLength(101)
    expect(failed.message).toMatch(/and \d+ more problems\. Correct these first\.$/)
  })
})
