/**
 * Every command of the README, of docs/start.md and of the examples' READMEs, in the order of the text, from a clean folder: it
 * runs, and its output looks as the page shows it.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { allHelp } from "../../tools/commands.mjs"
import { needFreePorts } from "../Ports.ts"
import { jinka } from "../switch/operate/program.ts"
import { House } from "./House.ts"
import { missing, type Step, stepsOf } from "./Page.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))
const textOf = (page: string): string => readFileSync(`${root}${page}`, "utf8")

/** What is not run here, and where it is run instead. */
const elsewhere: ReadonlyArray<readonly [RegExp, string]> = [
  [/^npm test$/, "it is what runs this test"],
  [/^npm run (?:check|build|bench)$/, "CI, test/package, and by hand: a benchmark wants a quiet machine"],
  [/^npm start -- /, "the same command with other numbers; test/process/kill runs the parts"],
  [/^curl .*7871/, "the example makes this call itself, with its own body: test/examples"],
  [/^node tools\/run\.mjs examples\/(?!01)\S+\/main\.ts$/, "test/examples runs each of them"]
]

/** Runs until it is told to stop: it is up when it says so. */
const beside: ReadonlyArray<readonly [RegExp, (output: string) => boolean]> = [
  [/ sim -- (?:issuer|partner .*--screen) /, (output) => output.includes('"event":"started"')],
  [/ sim -- dialogue record /, (output) => output.includes("records ")],
  [/ jinka -- run /, (output) => output.includes('"event":"ready"')]
]

/** The same for less time: what runs long on a page to have something to look at, or to kill while it runs. */
const shorter: ReadonlyArray<readonly [RegExp, string]> = [
  [/^npm start$/, "npm start -- --rate 40 --seconds 6"],
  // As many are declined as of the page's 1,440 requests, of a tenth of them: each reason once.
  [/--decline 5 /, "--decline 40 "],
  [/--rate 100 --duration "15 seconds"/, '--rate 50 --duration "3 seconds"']
]

/** What is run for a written command, after what the command before it has printed. */
const runFor = (written: string, last: string): string =>
  shorter
    .reduce((command, [pattern, short]) => command.replace(pattern, short), written)
    // Which transaction had no answer is another one each time: the page takes it from the command before, and so does this.
    .replace(/(?<=--rrn )\w+/, (rrn) => /"rrn":"(\w+)"/.exec(last)?.[1] ?? rrn)

const isElsewhere = ({ command }: Step): boolean => elsewhere.some(([pattern]) => pattern.test(command))

let house: House
beforeAll(async () => {
  const free = await needFreePorts(textOf("docs/start.md"), textOf("examples/01-first-link/README.md"))
  house = new House()
  return free
})
afterAll(() => house?.close())

/** Runs a page's steps; each has to end well and to show what the page shows. */
const follow = async (page: string, isWanted: (step: Step) => boolean = () => true): Promise<number> => {
  const steps = stepsOf(page, textOf(page)).filter((step) => !isElsewhere(step) && isWanted(step))
  let last = ""
  for (const { place, command: written, shown } of steps) {
    const command = runFor(written, last)
    const up = beside.find(([pattern]) => pattern.test(command))?.[1]
    if (up !== undefined) {
      await house.runBeside(command, (output) => up(output) && missing(shown, output).length === 0)
      continue
    }
    const { code, out } = await house.run(command)
    last = out
    expect([place, command, code], out).toEqual([place, command, 0])
    expect([place, ...missing(shown, out)], out).toEqual([place])
  }
  return steps.length
}

describe("The commands of a page, in the order of the text, from a clean folder", () => {
  it("of docs/start.md: run, and show what the page shows", async () => {
    expect(await follow("docs/start.md")).toBeGreaterThan(14)
  })

  it("of the main job: look at the journal that npm start has left", async () => {
    expect(await follow("examples/main-job/README.md")).toBe(2)
  })

  it("of the first link: run by hand behind the example itself", async () => {
    expect(await follow("examples/01-first-link/README.md")).toBeGreaterThan(8)
  })
})

describe("The commands of a guide, from a clean folder", () => {
  const guides = ["stand-in-for-your-partner", "certify-a-partner", "write-a-dialogue", "load-your-system"]

  it.each(guides)("run, and show what the page shows: %s", async (name) => {
    expect(await follow(`docs/guides/${name}.md`)).toBeGreaterThan(3)
  })

  it.each(guides)("are the same in Chinese: %s", (name) => {
    const commands = (page: string) => stepsOf(page, textOf(page)).map(({ command, shown }) => [command, shown])

    expect(commands(`docs/guides/${name}.zh.md`)).toEqual(commands(`docs/guides/${name}.md`))
  })
})

describe("Every command that a page names", () => {
  it("is one that jinka and jinka-sim have", async () => {
    const named = new Map<string, string>()
    for (const { command, place } of stepsOf("README.md", textOf("README.md"))) {
      const found = /^npm run (jinka|sim) -- (.*)$/.exec(command)
      if (found === null) continue
      const [words = ""] = found[2]!.split(/ (?=\S+\.yaml|--|\.\.\.|\[)/)
      const [first = "", ...rest] = words.split(" ").filter((word) => word !== "|")
      // `decode | encode` are two commands, `journal verify | summary` two of one.
      const inner = ["alarm", "day", "dialect", "journal", "key", "link", "pending"].includes(first)
        ? rest.flatMap((word) => word.split("|"))
        : []
      // `init links` is one with its argument.
      const others = words.includes(" | ") ? rest : []
      const all = inner.length > 0 ? inner.map((word) => `${first} ${word}`) : [first, ...others]
      for (const one of all) named.set(`${found[1]} ${one}`, place)
    }

    const simulated = new Set(
      (await allHelp()).map(({ commandPath }) => ["sim", ...(commandPath ?? []).slice(1)].join(" "))
    )

    expect(named.size).toBeGreaterThan(12)
    for (const [command, place] of named) {
      const [program = "", ...args] = command.split(" ")
      if (program === "sim") {
        expect(simulated, place).toContain(command)
        continue
      }
      const { code, out } = await jinka([...args, "--help"])
      expect([place, command, code], out).toEqual([place, command, 0])
      // The help of this one: a word that is no command gets that of all.
      expect(out).toMatch(new RegExp(`USAGE\\s+jinka ${args.join(" ")}\\b`))
    }
  })

  it("in an example's README is its one command, which test/examples runs", () => {
    const tests = textOf("test/examples/examples.test.ts")
    // 14-embed is a part of a program, which test/docs/embed.test.ts runs.
    const numbered = readdirSync(`${root}examples`).filter(
      (name) => /^\d\d-/.test(name) && existsSync(`${root}examples/${name}/main.ts`)
    )

    expect(numbered.length).toBeGreaterThan(9)
    for (const name of numbered) {
      const commands = stepsOf(`examples/${name}/README.md`, textOf(`examples/${name}/README.md`)).map(
        ({ command }) => command
      )
      expect(commands[0]).toBe(`node tools/run.mjs examples/${name}/main.ts`)
      if (name !== "01-first-link") expect(tests).toContain(`run("${name}")`)
    }
  })
})

describe("A key that a page has made", () => {
  it("is kept when its commands are given again: the journal that it sealed has no other", () => {
    const pages = [
      "README.md",
      "docs/start.md",
      "docs/start.zh.md",
      "examples/main-job/main.ts",
      "examples/01-first-link/README.md"
    ]
    for (const page of pages) {
      const lines = textOf(page).split("\n")
      const made = lines.filter((line, at) => /openssl rand.* > /.test(line) && !/^rm -rf /.test(lines[at - 1] ?? ""))
      for (const line of made) expect(line).toMatch(/test -f (\S+) \|\| openssl rand -hex 32 > \1/)
    }
  })
})

describe("The shape of an output", () => {
  it("is kept with other numbers, and not with other words", () => {
    const shown = ["main-job: 1 of 2 links ready; process 17438, up for 23 s", "answers    00: 1344, ..."]

    expect(missing(shown, "main-job: 1 of 2 links ready; process 9, up for 1.5 s\nanswers 00: 7, 05: 1\n")).toEqual([])
    expect(missing(shown, "main-job: 1 of 2 links down; process 9, up for 1.5 s\n")).toEqual(shown)
  })
})
