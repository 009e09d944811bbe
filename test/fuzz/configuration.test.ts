/** No text of a configuration ends in a defect: it is taken, or refused with place, rule and what to write. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { compile, Framer } from "@jinka/codec"
import { Cause, Effect, Exit } from "effect"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { parse as parseYaml, stringify } from "yaml"
import { FileInvalid } from "../../packages/simulator/src/file/FileInvalid.ts"
import { parseYaml as parseDialogue } from "../../packages/simulator/src/file/YamlNodes.ts"
import { type Configuration, ConfigurationInvalid, parse } from "../../packages/switch/src/operate/Configuration.ts"
import { configurationText } from "../../packages/switch/src/operate/ConfigurationText.ts"
import { dialectOfText } from "../../packages/switch/src/operate/configuration/DialectFiles.ts"
import { planOf } from "../../packages/switch/src/operate/configuration/Plan.ts"
import { problemText } from "../../packages/switch/src/operate/configuration/text/Problem.ts"
import { YamlText } from "../../packages/switch/src/operate/configuration/text/YamlText.ts"
import { sound } from "../switch/operate/checked.ts"
import { anyChange, anyTextChange, changeText, changeTree } from "./Corruption.ts"
import { UnderWay } from "./UnderWay.ts"

const examples = new URL("../../examples/", import.meta.url)
const corpus = new URL("../fixtures/configuration/", import.meta.url)

const texts = [
  sound,
  ...readdirSync(examples)
    // An example without a switch shows the simulator alone.
    .filter((name) => existsSync(new URL(`${name}/switch.yaml`, examples)))
    .map((name) => readFileSync(new URL(`${name}/switch.yaml`, examples), "utf8"))
]

/** Each property is tried as often; more for a night. */
const runs = Number(process.env["JINKA_FUZZ_RUNS"] ?? 40)
const PATIENCE = 60_000 + 1000 * runs

/** A partner's table with something of everything. */
const dialectFile = `name: our-partner
title: Our partner
extends: cups
header: none
fields:
  60: ans...030
  5: null
  44: { format: ans..25, encoding: gbk, name: { en: Extra, zh: 附加 } }
  62: { structure: { style: usage-value, tagLength: 2 } }
match: { transaction: [7, 11, 32] }
network: { codes: { echo: "301" } }
responseCodes: { "00": { en: Approved, zh: 承兑 } }
`

const parsed = (text: string) =>
  Effect.runPromiseExit(parse(text, "switch.yaml", "/srv/jinka").pipe(Effect.provide(NodeServices.layer)))

const underWay = new UnderWay("configuration")
afterAll(() => underWay.ended())

let base: Configuration
beforeAll(async () => {
  const exit = await parsed(sound)
  if (Exit.isSuccess(exit)) base = exit.value
})

/** What a command would do with the text; throws for anything but a good file and a refused one that can be corrected. */
const look = async (text: string): Promise<void> => {
  underWay.begins(text)
  // What an operator's command still finds in a corrupt file.
  void new YamlText(text).guess
  const exit = await parsed(text)
  if (Exit.isSuccess(exit)) {
    configurationText(exit.value)
    planOf(base, exit.value)
    for (const link of exit.value.settings.links) new Framer(link.frame)
    return
  }
  const failed = Cause.squash(exit.cause)
  if (!(failed instanceof ConfigurationInvalid)) throw failed
  const lines = text.split(/\r\n|[\r\n]/).length
  expect(failed.problems.filter(({ severity }) => severity === "error")).not.toEqual([])
  for (const problem of failed.problems) {
    const said = problemText("switch.yaml", problem)
    expect(problem.rule, said).not.toBe("")
    expect(problem.fix, said).toMatch(/^[A-Z`].*[.?]$/su)
    expect(said).not.toMatch(/undefined|\[object|NaN|another value/)
    expect(said.length, said).toBeLessThan(2000)
    expect(said).not.toContain("\n")
    expect(problem.line, said).toBeLessThanOrEqual(lines)
  }
}

describe(`Any text of a configuration (the one under way: ${underWay.place})`, () => {
  it(
    "is taken, or refused with place, rule and what to write, however its keys and values are changed",
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...texts),
          fc.array(anyChange, { minLength: 1, maxLength: 4 }),
          async (text, changes) => {
            underWay.begins({ text, changes })
            const tree = parseYaml(text)
            for (const change of changes) changeTree(tree, change)
            await look(stringify(tree, { aliasDuplicateObjects: false }))
          }
        ),
        { numRuns: runs }
      )
    },
    PATIENCE
  )

  it(
    "is taken, or refused with place, rule and what to write, however its characters are changed",
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...texts),
          fc.array(anyTextChange, { minLength: 1, maxLength: 3 }),
          async (text, changes) => look(changes.reduce(changeText, text))
        ),
        { numRuns: runs }
      )
    },
    PATIENCE
  )

  it.each([100, 400, 700, 1000, 1300, 1600, 2000, 2500, 4000, 20_000])("nested %i deep is refused", async (depth) => {
    for (const [open, close] of [
      ["[", "]"],
      ["{ a: ", "}"],
      ["- ", "x"],
      ["? ", ""]
    ]) {
      const nested = `${open!.repeat(depth)}${close === "x" ? close : close!.repeat(depth)}`
      await look(`${sound}groups: ${nested}\n`)
      await look(`name: demo\nlinks: ${nested}\n`)
      await look(nested)
      await look(`${nested}\n${sound}`)
      await look(`${nested}: 1\n${sound}`)
      expect(typeof dialectOfText(`name: x\nextends: cups\nfields: ${nested}\n`)).toBe("string")
      expect(typeof dialectOfText(`${nested}\nname: x\n`)).toBe("string")
      expect(() => parseDialogue("a.yaml", `${nested}\nrule: x\n`)).toThrow(FileInvalid)
    }
  })

  it(
    "of a dialect file is taken, or refused with place and rule, however it is changed",
    () => {
      fc.assert(
        fc.property(
          fc.array(anyChange, { maxLength: 4 }),
          fc.array(anyTextChange, { maxLength: 2 }),
          (changes, textChanges) => {
            underWay.begins({ changes, textChanges })
            const tree = parseYaml(dialectFile)
            for (const change of changes) changeTree(tree, change)
            const text = textChanges.reduce(changeText, stringify(tree, { aliasDuplicateObjects: false }))
            underWay.begins(text)
            const read = dialectOfText(text)
            if (typeof read === "string") expect(read).not.toMatch(/undefined|\[object|NaN|call stack/)
            else compile(read)
          }
        ),
        { numRuns: runs }
      )
    },
    PATIENCE
  )

  it.each(readdirSync(corpus))("that once ended otherwise is refused: %s", async (name) => {
    const text = readFileSync(new URL(name, corpus), "utf8")

    await look(text)

    expect(Exit.isFailure(await parsed(text))).toBe(true)
  })
})
