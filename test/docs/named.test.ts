/** Every command that a document, an example or a help text names is there, with the flags that it is given. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { allHelp, page } from "../../tools/commands.mjs"
import { isWithin, readRepository } from "../tidy/Source.ts"

const read = (name: string): string => readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), "utf8")

/** What a reference says of one command. */
interface Known {
  readonly flags: ReadonlySet<string>
  readonly examples: ReadonlyArray<string>
  readonly description: string
}

/** The commands of a reference by their paths: `jinka link block`. */
const commandsOf = (program: string, reference: string): ReadonlyMap<string, Known> => {
  const [whole, ...sections] = reference.split(/^## /m)
  const everywhere = reference.slice(reference.indexOf("## Flags of every command"))
  const flagsIn = (text: string) => [...text.matchAll(/^\| `--([\w-]+)`((?:, `-{0,2}[\w-]+`)*) \|/gm)]
  const names = (text: string) => flagsIn(text).flatMap(([, name, more]) => [name!, ...(more!.match(/[\w-]+/g) ?? [])])
  const known = (text: string): Known => ({
    flags: new Set([...names(text), ...names(everywhere)].map((name) => name.replace(/^-+/, ""))),
    examples: (/```sh\n([\s\S]*?)```/.exec(text)?.[1] ?? "").split("\n").filter((line) => line.startsWith(program)),
    description: text.split("\n").find((line) => /^[A-Z]/.test(line)) ?? ""
  })
  return new Map([
    [program, known(whole!)],
    ...sections
      .filter((section) => section.startsWith(`${program} `))
      .map((section) => [section.slice(0, section.indexOf("\n")), known(section)] as const)
  ])
}

const commands = new Map([...commandsOf("jinka", read("cli.md")), ...commandsOf("jinka-sim", read("simulator-cli.md"))])

/** Whether a command has others below it. */
const isGroup = (path: string): boolean => [...commands.keys()].some((other) => other.startsWith(`${path} `))

/** What is wrong with a command as somebody wrote it; "" when there is such a one. */
const wrongWith = (written: string): string => {
  const words = written.replaceAll(/"[^"]*"|'[^']*'/g, "TEXT").split(/\s+/)
  let path = words[0]!
  let at = 1
  while (at < words.length && commands.has(`${path} ${words[at]}`)) path += ` ${words[at++]}`
  const next = words[at]
  // A group wants one of its commands behind it; what is written in capitals, or not at all, stands for any.
  if (
    isGroup(path) &&
    next !== undefined &&
    /^[a-z]+(?:-[a-z]+)*$/.test(next) &&
    !commands.get(path)!.flags.has("listen")
  ) {
    return `there is no ${path} ${next}`
  }
  const flags = words.flatMap((word) => /^--([a-z][\w-]*)/.exec(word)?.[1] ?? [])
  const strange = flags.filter((flag) => !commands.get(path)!.flags.has(flag.replace(/^no-/, "")))
  return strange.length === 0 ? "" : `${path} has no --${strange.join(", --")}`
}

/** Commands in a text, in the form of the installed programs, with their lines. */
const namedIn = (text: string): ReadonlyArray<string> =>
  [
    // In backticks, and in blocks of code, behind whatever comes before the program.
    ...[...text.matchAll(/`((?:npx )?jinka(?:-sim)?(?: [^`\n]*)?)`/g)].map(([, one]) => one!),
    ...[
      ...text.matchAll(/^(?:\$ | {4})?(?:npx )?((?:jinka(?:-sim)?|npm run (?:--silent )?(?:jinka|sim) --)(?: .*)?)$/gm)
    ].map(([, one]) => one!)
  ]
    .map((one) =>
      one
        .replace(/^npx /, "")
        .replace(/^npm run (?:--silent )?jinka --/, "jinka")
        .replace(/^npm run (?:--silent )?sim --/, "jinka-sim")
        .replace(/(?: {4,}| {2,}#| \|| 2?>|;).*$/, "")
        .replace(/\\$/, "")
        .trim()
    )
    // A program puts the command together itself.
    .filter((one) => /^jinka(?:-sim)?(?: |$)/.test(one) && !/^\S+ (?:\w+ )?\$\{/.test(one))

describe("The reference of the simulator's command line", () => {
  it("is what the commands say of themselves today", async () => {
    expect(page(await allHelp())).toBe(read("simulator-cli.md"))
  })
})

describe("Every command that is named", () => {
  const pages = readRepository().filter(
    ({ path }) => path.endsWith(".md") && !isWithin(path, ["CHANGELOG.md", "docs/decisions/", "docs/reference/cli.md"])
  )
  const sources = readRepository().filter(({ path }) => /^packages\/\w+\/(?:src|service|console)\/.*/.test(path))

  it.each([
    ["the documents", pages, 400],
    ["the texts of the programs", sources, 60]
  ] as const)("in %s is there, with these flags", (_where, files, atLeast) => {
    const named = files.flatMap(({ path, text }) => namedIn(text).map((written) => ({ path, written })))
    const wrong = named.flatMap(({ path, written }) => {
      const why = wrongWith(written)
      return why === "" ? [] : [`${path}: \`${written}\`: ${why}`]
    })

    expect(wrong).toEqual([])
    expect(named.length).toBeGreaterThan(atLeast)
  })

  it("in a help text is an example that is there, and each command has one", () => {
    const all = [...commands].filter(([path]) => !isGroup(path))
    const wrong = all.flatMap(([path, { examples }]) =>
      examples.flatMap((example) => {
        const why = example.startsWith(path) ? wrongWith(example.replace(/ (?:\||2?>|<).*$/, "")) : "another command's"
        return why === "" ? [] : [`${path}: ${example}: ${why}`]
      })
    )

    expect(all.length).toBeGreaterThan(60)
    expect(wrong).toEqual([])
    expect(all.filter(([, { examples }]) => examples.length === 0).map(([path]) => path)).toEqual([])
  })

  it("says in a sentence what it does", () => {
    const short = [...commands].filter(([, { description }]) => !/^[A-Z`].{20,}[.?]$/.test(description))

    expect(short.map(([path, { description }]) => [path, description])).toEqual([])
  })
})

describe("The rule", () => {
  it.each([
    ["jinka link show switch.yaml", "there is no jinka link show"],
    ["jinka status --colour", "jinka status has no --colour"],
    ["jinka-sim proxy lst", ""],
    ["jinka status switch.yaml LINK --json", ""],
    ['jinka pending close switch.yaml --exchange 4 --reason "--odd words"', ""]
  ])("%s: %s", (written, why) => expect(wrongWith(written)).toBe(why))
})
