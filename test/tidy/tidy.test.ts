/** The house rules over this repository. The rules are tables in House.ts; canary.test.ts shows that each can fail. */
import { readFileSync } from "node:fs"
import { posix } from "node:path"
import { assert, describe, it } from "vitest"
import { asynchronous, bannedCalls } from "./Bans.ts"
import { looseReminders, missingDocstrings, missingHeaders, overlong } from "./Comments.ts"
import { elementNumbers } from "./Elements.ts"
import {
  cardNumbersWithin,
  elementsFromDialect,
  namedInTexts,
  packages,
  saidOutside,
  shipped,
  written
} from "./House.ts"
import { hashMembers, misnamedConstants, restlessLoops } from "./Idioms.ts"
import { deadFiles, folderDirections, importCycles, type Manifest, packageDirections, uncompiled } from "./Imports.ts"
import { brokenReferences, cardNumbers, traces } from "./Leaks.ts"
import { brokenAnchors, strayTwins } from "./Pages.ts"
import { type Finding, isWithin, listing, parse, readRepository, root } from "./Source.ts"
import { unreadMembers, unusedExports } from "./Unused.ts"
import { foreignPaths, foreignWords } from "./Vocabulary.ts"

const files = readRepository()
const sources = files
  .filter(({ path }) => path.endsWith(".ts") && isWithin(path, written))
  .map(({ path, text }) => parse(path, text))
const shippedSources = sources.filter(({ path }) => /^packages\/[^/]+\/src\//.test(path))
const paths = new Set(files.map(({ path }) => path))
for (const path of files.map((file) => file.path)) {
  for (let folder = posix.dirname(path); folder !== "."; folder = posix.dirname(folder)) paths.add(folder)
}

type FullManifest = Manifest & { readonly bin?: Readonly<Record<string, string>> }
const manifests = Object.keys(packages).map((folder): readonly [string, FullManifest] => [
  folder,
  JSON.parse(readFileSync(`${root}packages/${folder}/package.json`, "utf8"))
])
const manifestByName = new Map(manifests.map(([, manifest]) => [manifest.name, manifest]))
const entries = manifests.flatMap(([folder, { bin = {}, exports }]) =>
  [...Object.values(exports), ...Object.values(bin)].map((file) => posix.join("packages", folder, String(file)))
)

const expectNone = (findings: ReadonlyArray<Finding>): void => {
  if (findings.length > 0) assert.fail(`${findings.length} found:\n${listing(findings)}`)
}

describe("Who imports whom", () => {
  it("packages import each other one way only, by their public entries, and declare what they import", () => {
    expectNone(packageDirections(sources, manifestByName))
  })
  it("folders of the switch know only what is on their left", () => expectNone(folderDirections(sources)))
  it("there are no import cycles", () => expectNone(importCycles(sources)))
  it("every source file is reached from an entry, a bin or a worker", () => expectNone(deadFiles(sources, entries)))
  it("src holds nothing that the build would leave behind", () => expectNone(uncompiled(files)))
})

describe("What is called where", () => {
  it("time, chance, processes, sockets, disk and output are used in their one home only", () => {
    expectNone(bannedCalls(sources))
  })
  it("the codec is synchronous", () => expectNone(asynchronous(sources)))
})

describe("How a test waits", () => {
  it("what looks again and again pauses in between", () => expectNone(restlessLoops(sources)))
})

describe("What the switch knows of a message", () => {
  it("is asked from its dialect: no data element is named by number", () => {
    expectNone(sources.filter(({ path }) => isWithin(path, elementsFromDialect)).flatMap(elementNumbers))
  })
})

describe("What is obeyed", () => {
  it("every exported value is used by the product or measured", () => {
    const users = sources.filter(({ path }) => isWithin(path, [...shipped, "bench/"]))
    expectNone(unusedExports(users, [...entries, ...namedInTexts]).filter(({ path }) => isWithin(path, shipped)))
  })
  it("every member of the data is read by the product", () => {
    expectNone(unreadMembers(shippedSources, (path, member) => saidOutside[path]?.includes(member) === true))
  })
})

describe("What is written beside the code", () => {
  it("every module opens with what it owns", () => expectNone(missingHeaders(shippedSources)))
  it("every exported declaration says what it is", () => expectNone(missingDocstrings(shippedSources)))
  it("every reminder names its issue", () => expectNone(looseReminders(sources)))
  it("files and comment lines keep within their limits", () => expectNone(overlong(sources)))
})

describe("Which words are used", () => {
  it("names use the field's own words", () => {
    expectNone(foreignWords(sources.filter(({ path }) => isWithin(path, [...shipped, "bench/", "examples/"]))))
  })
  it("a private member is private, a number is in UPPER_CASE, a text or a table in camelCase", () => {
    expectNone([...hashMembers(sources), ...misnamedConstants(sources)])
  })
  it("files and folders use the field's own words", () => expectNone(foreignPaths(files)))
})

describe("The documents", () => {
  it("lead to headings that are there", () => expectNone(brokenAnchors(files)))
  it("for operators are there in Chinese, too, complete and in step", () => expectNone(strayTwins(files)))
})

describe("What must not be in the repository", () => {
  it("no file tells on the machine it was written on", () => expectNone(traces(files)))
  it("no file that a reader sees holds a number that might be somebody's card", () => {
    expectNone(cardNumbers(files.filter(({ path }) => isWithin(path, cardNumbersWithin))))
  })
  it("every path named in a document leads somewhere", () => expectNone(brokenReferences(files, paths)))
})
