/** Every house rule, shown a small text that breaks it and one that does not: a rule that cannot fail guards nothing. */
import { describe, expect, it } from "vitest"
import { asynchronous, bannedCalls } from "./Bans.ts"
import { looseReminders, missingDocstrings, missingHeaders, overlong } from "./Comments.ts"
import { elementNumbers } from "./Elements.ts"
import { bans, LINES_MAX, publishedCardNumbers, words } from "./House.ts"
import { hashMembers, misnamedConstants, restlessLoops } from "./Idioms.ts"
import { deadFiles, folderDirections, importCycles, type Manifest, packageDirections, uncompiled } from "./Imports.ts"
import { brokenReferences, cardNumbers, hasCheckDigit, traces } from "./Leaks.ts"
import { listing, parse, readRepository } from "./Source.ts"
import { unreadMembers, unusedExports } from "./Unused.ts"
import { foreignPaths, foreignWords } from "./Vocabulary.ts"

const manifest = (name: string, dependencies: Record<string, string> = {}): readonly [string, Manifest] => [
  name,
  { name, exports: { ".": "./src/index.ts" }, dependencies }
]
const manifests = new Map([
  manifest("@jinka/codec", { yaml: "1" }),
  manifest("@jinka/switch", { "@jinka/codec": "1", effect: "1" }),
  manifest("@jinka/simulator", { "@jinka/codec": "1", "@jinka/switch": "1", effect: "1" })
])

describe("Imports between packages", () => {
  const check = (path: string, text: string): string => listing(packageDirections([parse(path, text)], manifests))

  it.each([
    ["packages/codec/src/A.ts", `import { Effect } from "effect"`, '"effect" in codec'],
    ["packages/codec/src/A.ts", `import * as Socket from "effect/socket"`, '"effect/socket" in codec'],
    ["packages/codec/src/A.ts", `import { readFileSync } from "node:fs"`, '"node:fs" in codec'],
    ["packages/codec/src/A.ts", `export * from "@jinka/switch"`, '"@jinka/switch" in codec'],
    ["packages/simulator/src/A.ts", `import { Link } from "@jinka/switch"`, '"@jinka/switch" in simulator'],
    ["packages/simulator/src/A.ts", `type Link = import("@jinka/switch").Link`, '"@jinka/switch" in simulator'],
    [
      "packages/switch/src/link/A.ts",
      `const partner = await import("@jinka/simulator")`,
      '"@jinka/simulator" in switch'
    ],
    ["packages/switch/src/link/A.ts", `import { x } from "../../../codec/src/Mti.ts"`, "leaves the package"],
    ["packages/switch/src/link/A.ts", `import { x } from "@jinka/codec/src/Mti.ts"`, "not a public entry"],
    ["packages/switch/src/link/A.ts", `import { parse } from "yaml"`, "not among the dependencies"],
    ["packages/ledger/src/A.ts", `import { x } from "@jinka/codec"`, "no row"]
  ])("%s: %s is refused", (path, text, message) => {
    expect(check(path, text)).toContain(`${path}:1  import between packages:`)
    expect(check(path, text)).toContain(message)
  })

  it("allows the codec by its entry, declared packages and the own files", () => {
    const text = `import { Mti } from "@jinka/codec"\nimport { Effect } from "effect"\nimport { x } from "../X.ts"`
    expect(check("packages/switch/src/link/A.ts", text)).toBe("")
    expect(check("packages/codec/src/security/A.ts", `import { createCipheriv } from "node:crypto"`)).toBe("")
  })
})

describe("Imports between folders of the switch", () => {
  const check = (folder: string, to: string): string =>
    listing(folderDirections([parse(`packages/switch/src/${folder}/A.ts`, `import type { X } from "${to}"`)]))

  it.each([
    ["transport", "link"],
    ["transport", "exchange"],
    ["transport", "journal"],
    ["transport", "operate"],
    ["link", "exchange"],
    ["link", "operate"],
    ["journal", "link"],
    ["journal", "exchange"],
    ["journal", "operate"],
    ["exchange", "operate"]
  ])("%s knows nothing of %s", (folder, other) => {
    expect(check(folder, `../${other}/X.ts`)).toContain(`${folder}/ knows nothing of ${other}/`)
  })

  it("nobody imports the package's own entry, and a new folder needs a row", () => {
    expect(check("link", "../index.ts")).toContain("the package's entry")
    expect(check("shared", "./X.ts")).toContain("has no row")
  })

  it("allows what is on the left", () => {
    expect(check("link", "../transport/Transport.ts") + check("exchange", "../journal/Journal.ts")).toBe("")
  })
})

describe("Cycles and dead files", () => {
  const a = parse("packages/codec/src/A.ts", `import { b } from "./B.ts"`)
  const b = parse("packages/codec/src/B.ts", `import type { C } from "./C.ts"`)
  const c = parse("packages/codec/src/C.ts", `export { a } from "./A.ts"`)

  it("names the circle once", () => {
    expect(listing(importCycles([a, b, c]))).toBe(
      "packages/codec/src/C.ts:1  import cycle: A.ts -> B.ts -> C.ts -> A.ts; move what both need into a third module"
    )
    expect(importCycles([a, b])).toEqual([])
  })

  it("finds the file that nobody leads to, and follows a worker's address", () => {
    const lost = parse("packages/codec/src/Lost.ts", `import { a } from "./A.ts"`)
    expect(deadFiles([a, b, c, lost], [a.path]).map(({ path }) => path)).toEqual([lost.path])
    const entry = parse("packages/codec/src/index.ts", `new Worker(new URL("./Lost.ts", import.meta.url))`)
    expect(deadFiles([a, b, c, lost, entry], [entry.path])).toEqual([])
  })

  it("refuses a file that tsc would not compile", () => {
    expect(listing(uncompiled([{ path: "packages/codec/src/cups.yaml", text: "" }]))).toContain("TypeScript only")
    expect(uncompiled([a, { path: "packages/codec/package.json", text: "" }])).toEqual([])
  })
})

describe("Banned calls", () => {
  const check = (text: string, path = "packages/switch/src/link/A.ts"): string =>
    listing(bannedCalls([parse(path, text)]))

  it.each([
    "Date.now()",
    "const now = Date.now",
    "new Date()",
    "Date()",
    "performance.now()",
    "Math.random()",
    `Math["random"]()`,
    "setTimeout(f, 1)",
    "const later = setInterval",
    "globalThis.setImmediate(f)",
    `import { setTimeout } from "node:timers/promises"`,
    "queueMicrotask(f)",
    "process.nextTick(f)",
    "process.env.PATH",
    "const { PATH } = process.env",
    "process.exit(1)",
    "console.log(1)",
    "globalThis.console.error(1)",
    "process.stdout.write(x)",
    "Effect.runPromise(program)",
    `import { spawn } from "node:child_process"`,
    `import * as net from "node:net"`,
    `const tls = await import("node:tls")`,
    `import { NodeSocket } from "@effect/platform-node"\nimport * as S from "@effect/platform-node/NodeSocket"`,
    `import Database from "better-sqlite3"`,
    `import { randomBytes } from "node:crypto"`,
    "crypto.randomUUID()",
    `new Function("return 1")`,
    `eval("1")`
  ])("%s is refused, with what to do instead", (text) => {
    expect(check(text)).toMatch(/^packages\/switch\/src\/link\/A\.ts:\d+ {2}banned call: .+; \w+/)
  })

  it.each([
    "new Date(seconds * 1000)",
    "clock.now()",
    "x.setTimeout(5)",
    "const y = { eval: 1, console: 2 }",
    "interface Z { readonly random: number }",
    `import { createHash } from "node:crypto"`,
    "// console.log is for the command\n"
  ])("%s is allowed", (text) => expect(check(text)).toBe(""))

  it("allows each thing in its home and only there", () => {
    expect(check(`import Database from "better-sqlite3"`, "packages/switch/src/journal/Worker.ts")).toBe("")
    expect(check(`import { connect } from "node:net"`, "packages/switch/src/transport/NodeTransport.ts")).toBe("")
    expect(check("process.exitCode = 1", "packages/switch/src/main.ts")).toBe("")
    expect(check("process.exitCode = 1", "packages/switch/src/operate/main.ts")).not.toBe("")
    expect(check("setTimeout(f, 1)", "test/process/kill.test.ts")).toBe("")
    expect(check("Math.random()", "test/codec/Framer.test.ts")).not.toBe("")
  })

  /** The shortest program that does what a row of the table bans. */
  const programOf = (what: string): string => {
    if (!what.startsWith("import ")) return what.replace(".*", ".x").replace(/^new (\w+)$/, "new $1(1)")
    const [module = "", names = "* as x"] = what.slice("import ".length).replace("/*", "/x").split("#")
    return `import ${names.startsWith("*") ? names : `{ ${names.split(",")[0]} }`} from "${module}"`
  }

  it.each(bans.flatMap(({ homes, instead, what, within }) => what.map((one) => ({ homes, instead, one, within }))))(
    "the row of $one is found outside its home, allowed in it, and says what to do",
    ({ homes, instead, one, within }) => {
      const outside = within.includes("packages/") ? "packages/switch/src/link/A.ts" : `${within[0]}A.ts`
      expect(check(programOf(one), outside)).toContain(instead)
      for (const home of homes) expect(check(programOf(one), home.endsWith("/") ? `${home}A.ts` : home)).toBe("")
      expect(instead.length).toBeGreaterThan(20)
    }
  )

  it("the codec neither waits nor promises", () => {
    const asyncIn = (path: string): number =>
      asynchronous([parse(path, "const f = async (): Promise<void> => {}")]).length
    expect(asyncIn("packages/codec/src/A.ts")).toBe(2)
    expect(asyncIn("packages/switch/src/A.ts")).toBe(0)
  })
})

describe("Data elements by number", () => {
  const found = (text: string) => listing(elementNumbers(parse("packages/switch/src/exchange/A.ts", text)))

  it("are found in calls, constants, fields and literals", () => {
    expect(found("const code = index.text(39)")).toContain("data element")
    expect(found("const STAN = 11\npatches.set(STAN, stan)")).toContain("data element")
    expect(found("const pan = layout.fields[2]")).toContain("data element")
    expect(found("const fields = { 7: time }")).toContain("data element")
  })

  it("are not what is no data element", () => {
    expect(found("const room = Buffer.from(12)\nconst size = list[2]\nstates.set(id, 2)\nindex.text(roles.stan)")).toBe(
      ""
    )
  })
})

describe("What nobody obeys", () => {
  const sources = (a: string, b: string) => [parse("packages/x/src/A.ts", a), parse("packages/x/src/B.ts", b)]

  it("is an export that nobody uses, and not one that a file, a namespace or an entry uses", () => {
    const unused = (b: string, entries: ReadonlyArray<string> = []) =>
      listing(unusedExports(sources("export const odd = 1\nexport const even = 2", b), entries))

    expect(unused('import { even } from "./A.ts"')).toContain("odd is used by nobody")
    expect(unused('import * as A from "./A.ts"\nA.odd + A.even')).toBe("")
    expect(unused('export * from "./A.ts"', ["packages/x/src/B.ts"])).toBe("")
  })

  it("is a member that nobody reads, and not one that is read, taken apart or said", () => {
    const unread = (b: string, said = "") =>
      listing(
        unreadMembers(sources("export interface Link { readonly window: number }", b), (_, name) => name === said)
      )

    expect(unread("const link = { window: 1 }")).toContain("nobody reads window")
    expect(unread("link.window")).toBe("")
    expect(unread("const { window } = link")).toBe("")
    expect(unread("", "window")).toBe("")
  })
})

describe("Headers, docstrings, reminders, sizes", () => {
  const source = (text: string) => [parse("packages/codec/src/A.ts", text)]
  const header = "/** What this module owns, and what it leaves to others. */\n"

  it("asks for a header, and does not take the first export's docstring for one", () => {
    expect(missingHeaders(source("const a = 1"))).toHaveLength(1)
    expect(missingHeaders(source("// short\nconst a = 1"))).toHaveLength(1)
    expect(
      missingHeaders(source("/** The first number there is, in all its glory. */\nexport const a = 1"))
    ).toHaveLength(1)
    expect(missingHeaders(source(`${header}\n/** A number. */\nexport const a = 1`))).toEqual([])
    expect(missingHeaders(source(`#!/usr/bin/env node\n${header}import "./B.ts"`))).toEqual([])
  })

  it.each([
    "export const a = 1",
    "// A number.\nexport const a = 1",
    "/** Far away. */\nconst b = 1\nexport const a = b",
    "export interface A {}",
    "export type A = string",
    "export class A {}",
    "export function a() {}",
    "const a = 1\nexport { a }",
    "export default function () {}"
  ])("%s lacks a docstring", (text) => expect(missingDocstrings(source(text))).toHaveLength(1))

  it.each([
    "/** A number. */\nexport const a = 1",
    "const a = 1",
    "/** A number. */\nconst a = 1\nexport { a }",
    `export { a } from "./B.ts"`,
    "/** A kind. */\nexport type A = string\nexport const A = 1",
    "/** Twice. */\nexport function a(b: 1): void\nexport function a(b: 2): void\nexport function a() {}"
  ])("%s is documented well enough", (text) => expect(missingDocstrings(source(text))).toEqual([]))

  it("asks for an issue with each reminder", () => {
    const word = ["TO", "DO"].join("")
    expect(listing(looseReminders(source(`const a = 1\n// ${word} later`)))).toContain("A.ts:2  reminder:")
    expect(looseReminders(source(`// ${word}(#12): when the partner speaks 1993`))).toEqual([])
    expect(looseReminders(source(`const a = "${word}"`))).toEqual([])
  })

  it("limits the length of files and the width of comments", () => {
    expect(overlong(source("\n".repeat(LINES_MAX + 1)))).toHaveLength(1)
    expect(overlong(source("\n".repeat(LINES_MAX)))).toEqual([])
    expect(listing(overlong(source(`const a = 1\n// ${"long ".repeat(30)}`)))).toContain("A.ts:2  comment width:")
  })
})

describe("Vocabulary", () => {
  const check = (text: string): string => listing(foreignWords([parse("packages/switch/src/link/A.ts", text)]))

  it.each([
    "const messageHandler = 1",
    "function f(payload: string) {}",
    "const f = (job = 1) => job",
    "const f = (...tasks: number[]) => 1\nconst task = 1",
    "interface LinkManager {}",
    "type Data = string",
    "class A { private helper = 1 }",
    "class A { handleTask() {} }",
    "interface A { readonly clientName: string }",
    "const { message: data } = x",
    "const [data] = x",
    `import { x as utils } from "./B.ts"`,
    "type F = (payload: string) => void"
  ])("%s is refused", (text) => expect(check(text)).toMatch(/A\.ts:\d+ {2}vocabulary: "\w+" says \w+; /))

  it.each([
    "const originalData = 1",
    `import { Data } from "effect"\nclass Refused extends Data.TaggedError("Refused")<{}> {}`,
    "const { data } = event",
    "socket.on(x, { handler: accept })",
    "const servername = 1",
    "const dataElement = 1"
  ])("%s is allowed", (text) => expect(check(text)).toBe(""))

  it("looks at file and folder names too", () => {
    const at = (path: string): number => foreignPaths([{ path, text: "" }]).length

    expect(at("packages/switch/src/utils/Time.ts")).toBe(1)
    expect(at("packages/switch/src/link/LinkManager.ts")).toBe(1)
    expect(at("packages/codec/src/iso8583/OriginalData.ts")).toBe(0)
    expect(at("examples/main-job/main.ts")).toBe(0)
  })

  it.each(words)("the row of $word is found, with what to say instead", ({ instead, word }) => {
    expect(check(`const ${word} = 1`)).toContain(`says ${word}; ${instead}`)
    expect(instead.length).toBeGreaterThan(5)
  })
})

describe("Leaks", () => {
  const file = (text: string, path = "guide/a.md") => [{ path, text }]

  it.each([
    [["", "work", "notes"].join("/"), "machine path"],
    [`see ${["", "home", "chen", "jinka"].join("/")}`, "machine path"],
    [`resolved: https://${["registry", "example", "com"].join(".")}/x`, "registry host"],
    [`resolution: {integrity: sha512-x, ${"tarball"}: https://example.com/x.tgz}`, "registry host"],
    [`as ${["clau", "de"].join("")} says`, "workplace tool"],
    [`see ${["shared", "design.md"].join("/")}`, "workplace tool"]
  ])("%s is refused", (text, name) => expect(listing(traces(file(text)))).toContain(`guide/a.md:1  ${name}:`))

  it.each([
    "framework/link",
    "/etc/jinka/switch.yaml",
    "the npm registry",
    "homework/a",
    "https://example.com/home/a/"
  ])("%s is allowed", (text) => expect(traces(file(text))).toEqual([]))

  it("finds a number that might be a card, without repeating it", () => {
    const number = "4000000000000002"
    for (const text of [
      number,
      `PAN ${number}.`,
      "4000 0000 0000 0002",
      "4000-0000-0000-0002",
      `${number}=2512`,
      `${number}D2512`
    ]) {
      const found = listing(cardNumbers(file(text)))
      expect(found, text).toContain("card number: 16 digits beginning 4000")
      expect(found).not.toContain(number)
    }
    for (const text of [
      "4000000000000001",
      `x${number}`,
      `1${number}0000`,
      "0000000000000000",
      ...publishedCardNumbers
    ]) {
      expect(cardNumbers(file(text)), text).toEqual([])
    }
  })

  it("lists only numbers that the rule would otherwise find", () => {
    for (const number of publishedCardNumbers) expect([number, hasCheckDigit(number)]).toEqual([number, true])
  })

  it("follows links and cited paths", () => {
    const known = new Set(["guide", "guide/a.md", "guide/b", "guide/b/c.md"])
    const gone = ["docs", "gone.md"].join("/")

    expect(
      brokenReferences(file("[x](b/c.md), [y](b/), [z](https://example.com), [u](#u), [v](b/c.md#v)"), known)
    ).toEqual([])
    expect(brokenReferences(file("[x](c.md)"), known)).toHaveLength(1)
    expect(brokenReferences(file(`see ${gone}`), known)).toHaveLength(1)
    expect(brokenReferences(file(`// ${gone}`, "packages/codec/src/A.ts"), known)).toHaveLength(1)
  })
})

describe("The repository as the rules see it", () => {
  it("holds our files and none that git ignores", () => {
    const paths = readRepository().map(({ path }) => path)
    expect(paths).toContain("package.json")
    expect(paths).toContain("test/tidy/canary.test.ts")
    expect(paths.filter((path) => /(^|\/)(node_modules|dist|\.git)\//.test(path))).toEqual([])
  })
})

describe("Idioms", () => {
  const check = (text: string): string => {
    const sources = [parse("packages/switch/src/link/A.ts", text)]
    return listing([...hashMembers(sources), ...misnamedConstants(sources), ...restlessLoops(sources)])
  }

  it.each([
    ["class A { readonly #count = 0 }", "#count: say private"],
    ["class A { #look() {} }", "#look: say private"],
    ["const framesMax = 64 * 1024", "the number framesMax"],
    ["export const pauseMs = -1", "the number pauseMs"],
    ["const half = WHOLE / 2", "the number half"],
    ['const NO_ROW = "no row"', "the text NO_ROW"],
    ["const STATES = [1, 2]", "the table STATES"],
    ["while (calls.length < 3) await running.status()", "without a pause"],
    ["while ((await running.status()).links.some(({ ready }) => !ready));", "without a pause"],
    ['for (;;) { one.say({ do: "status" }); if (isSo(await one.event("status"))) break }', "without a pause"]
  ])("%s is found", (text, message) => {
    expect(check(text)).toContain(message)
  })

  it.each([
    "class A { private readonly count = 0; look() { return this.count } }",
    "const FRAMES_MAX = 64 * 1024",
    'const noRow = "no row"',
    "const states = [1, 2]",
    "const size = measure(3)",
    "while (!isSo(await running.status())) await pause(50)"
  ])("%s is good", (text) => {
    expect(check(text)).toBe("")
  })
})
