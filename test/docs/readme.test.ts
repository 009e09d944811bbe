/** The first screen of the README: its configuration is one that `jinka check` takes. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, expect, it } from "vitest"
import { cleanUp, folder, jinka } from "../switch/operate/program.ts"

afterEach(cleanUp)

it("the smallest configuration of the README is good, without a warning", async () => {
  const page = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
  const yaml = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? ""
  const file = join(folder(), "switch.yaml")
  writeFileSync(file, yaml.replace("JINKA_JOURNAL_KEY", "JINKA_TEST_KEY"))

  const { code, err, out } = await jinka(["check", file])

  expect([code, err]).toEqual([0, ""])
  expect(out).not.toContain("warning")
  expect(out).toContain("621999... to issuer")
})
