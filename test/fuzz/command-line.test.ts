/** No command line ends in a defect: it does something, or says what is wrong with it, and then shows no secret that it holds. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { sound } from "../switch/operate/checked.ts"
import { cleanUp, folder, jinka, key } from "../switch/operate/program.ts"

/** How often the property is tried; more for a night. */
const runs = Number(process.env["JINKA_FUZZ_RUNS"] ?? 300)

/** Commands that go on until they are interrupted, that write this repository's pages, or that only group others. */
const left = /^(run|top|watch|reference|alarm|day|dialect|journal|key|link|pending)$/

interface Shape {
  readonly path: ReadonlyArray<string>
  readonly places: ReadonlyArray<string>
  readonly flags: ReadonlyArray<{ readonly name: string; readonly choices: ReadonlyArray<string> }>
}

/** What each command takes, as the page of the command line has it. */
const shapes = (): ReadonlyArray<Shape> =>
  readFileSync(new URL("../../docs/reference/cli.md", import.meta.url), "utf8")
    .split(/^## jinka /m)
    .slice(1)
    .flatMap((section) => {
      const path = section.split("\n", 1)[0]!.split(" ")
      const rows = [...section.split(/^## /m, 1)[0]!.matchAll(/^\| `(\S+)`[^|]*\| (.*) \|$/gm)]
      if (left.test(path.join(" "))) return []
      const flags = rows.filter(([, name]) => name!.startsWith("--"))
      return {
        path,
        places: rows.flatMap(([, name]) => (name!.startsWith("--") ? [] : name!)),
        flags: flags.map(([, name, says]) => ({
          name: name!,
          choices: /\(choices: ([^)]*)\)/.exec(says!)?.[1]?.split(", ") ?? []
        }))
      }
    })

const card = "4111111111111111"

const values = [
  "",
  " ",
  "0",
  "-1",
  "1",
  "999999999999999999999",
  "1e9",
  "0x10",
  "1.5",
  "Infinity",
  "10 seconds",
  "10seconds",
  "1000 years",
  "5",
  "127.0.0.1:70000",
  "[::1]:99",
  "2026-13-45",
  "2026-02-30",
  "true",
  "text",
  "cups",
  "--",
  "-x",
  "a=b",
  "中é",
  "a\u0301\u202e",
  "\n",
  "x".repeat(5000),
  card,
  key
]

const files = [
  "missing.yaml",
  "folder",
  "empty",
  "binary",
  "utf16.yaml",
  "broken.yaml",
  "list.yaml",
  "null.yaml",
  "self.yaml",
  "deep.yaml",
  "loop",
  "good.yaml",
  "good.yaml",
  "中文.yaml",
  "a\nb",
  "y".repeat(300),
  card
]

let place = ""
beforeAll(() => {
  place = folder()
  const write = (name: string, content: string | Buffer) => writeFileSync(join(place, name), content)
  mkdirSync(join(place, "folder"))
  symlinkSync("loop", join(place, "loop"))
  write("empty", "")
  write("binary", Buffer.from(Array.from({ length: 3000 }, (_, at) => (at * 7919) % 256)))
  write("utf16.yaml", Buffer.from("name: x\n", "utf16le"))
  write("broken.yaml", "name: [1,2\n  x: : :\n")
  write("list.yaml", "- 1\n- 2\n")
  write("null.yaml", "null\n")
  write("self.yaml", "a: &a\n  b: *a\n")
  write("deep.yaml", `${"[".repeat(3000)}${"]".repeat(3000)}`)
  write("good.yaml", sound.replace("./journal", join(place, "journal")))
  write("中文.yaml", "name: 中\n")
})
afterAll(cleanUp)

const anyValue = fc.constantFrom(...values)
const anyFile = fc.constantFrom(...files).map((name) => ({ file: name }))
type Word = string | { readonly file: string }

/** What a place of the line gets: a link or a dialect may be anything, a file is always one of the test's folder. */
const anyPlace = (name: string): fc.Arbitrary<Word> =>
  name === "link" ? fc.oneof(fc.constantFrom("issuer", "isuer"), anyValue) : anyFile

const anyFlag = ({ choices, name }: Shape["flags"][number]): fc.Arbitrary<ReadonlyArray<Word>> => {
  if (/^--(to|control|file|key-file|anchor)$/.test(name)) return anyFile.map((file) => [name, file])
  const value = choices.length === 0 ? anyValue : fc.oneof(fc.constantFrom(...choices), anyValue)
  return fc.oneof(
    fc.constant([name]),
    value.map((one) => [name, one]),
    value.map((one) => [`${name}=${one}`])
  )
}

const anyLine: fc.Arbitrary<ReadonlyArray<Word>> = fc
  .constantFrom(...shapes())
  .chain(({ flags, path, places }) =>
    fc
      .tuple(
        fc.tuple(...places.map((name) => fc.option(anyPlace(name), { freq: 8 }))),
        fc.tuple(...flags.map((flag) => fc.option(anyFlag(flag), { freq: 1 }))),
        fc.option(fc.constantFrom("extra", "--unknown", "--help", "--", card), { freq: 1 })
      )
      .map(([given, flagged, odd]) => [
        ...path,
        ...given.filter((one) => one !== null),
        ...flagged.flatMap((one) => one ?? []),
        ...(odd === null ? [] : [odd])
      ])
  )

describe("Any command line", () => {
  it(
    "is carried out, or refused in words and with a documented exit code",
    async () => {
      await fc.assert(
        fc.asyncProperty(anyLine, fc.constantFrom("", "0200\n", "{}\n", "\u0000\u00ff"), async (words, input) => {
          const args = words.map((word) => (typeof word === "string" ? word : join(place, word.file)))

          const { code, err, out } = await jinka(args, { input })

          const said = out + err
          expect([0, 1, 2, 3, 4], said).toContain(code)
          expect(said.trim()).not.toBe("")
          if (code !== 0) expect(err.trim(), said).not.toBe("")
          expect(err).not.toMatch(/undefined|\[object |^ +at /m)
          for (const secret of [card, key]) expect(err).not.toContain(secret)
        }),
        { numRuns: runs }
      )
    },
    60_000 + 1000 * runs
  )
})
