/** The files that the simulator's reference pages show: each can be read by the command that the page is about. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { afterAll, expect, it } from "vitest"
import { readDialogues } from "../../packages/simulator/src/dialogue/index.ts"
import { readTolerance } from "../../packages/simulator/src/traffic/Compare.ts"
import { simulatorHere } from "../simulator/here.ts"
import { testFolder } from "../TestFolder.ts"

const folder = mkdtempSync(join(testFolder(), "jinka-written-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** The YAML texts of a reference page, in order. */
const shownIn = (page: string): ReadonlyArray<string> => {
  const text = readFileSync(new URL(`../../docs/reference/${page}.md`, import.meta.url), "utf8")
  return [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, yaml]) => yaml!)
}

const file = (text: string): string => {
  const path = join(folder, "written.yaml")
  writeFileSync(path, text)
  return path
}

writeFileSync(join(folder, "cards.csv"), "pan\n6200000000000005\n")
const [partner, keys] = shownIn("partners")
const [linkSides, tolerance, shadow] = shownIn("traffic")

it.each([
  ["load", "load.md", shownIn("load")],
  ["proxy", "faults.md", shownIn("faults")],
  ["partner", "partners.md", [partner!, partner!.replace(/^rules:.*^history/ms, `${keys}history`)]],
  ["proxy", "traffic.md", [`listen: 127.0.0.1:1\ntarget: 127.0.0.1:2\ndialect: cups\n${shadow}`]]
])("jinka-sim %s reads what %s shows", async (command, _, texts) => {
  writeFileSync(join(folder, "tolerance.yaml"), tolerance!)
  for (const text of texts) {
    const { code, err } = await simulatorHere(command, file(text), "--check")
    expect([code, err]).toEqual([0, ""])
  }
})

it("a tolerance and the dialogues of the pages are read, and the link of a replay but for its certificates", async () => {
  const openings = fileURLToPath(new URL("../regression/dialogues/openings/", import.meta.url))
  const [one, table, signed] = shownIn("dialogues")
  const placed = (text: string) => text.replace("../openings/", openings)

  expect((await Effect.runPromise(readTolerance(file(tolerance!)))).sameClass).toBe(true)
  expect(await Effect.runPromise(readDialogues(file(placed(one!))))).toHaveLength(1)
  expect(await Effect.runPromise(readDialogues(file(placed(table!))))).toHaveLength(6)
  const twins = signed!.replace(/^ {2}z(\w+)A: (.*)$/gm, "  z$1A: $2\n  z$1B: $2")
  const whole = `rule: r\nsource: s\nfirst: ${openings}both-signed-on.yaml\n${twins}`
  expect(await Effect.runPromise(readDialogues(file(whole)))).toHaveLength(1)
  const link = await simulatorHere("replay", file(""), "--connect", "127.0.0.1:1", "--link", file(linkSides!))
  expect(link.err).toMatch(/\.pem cannot be read/)
})
