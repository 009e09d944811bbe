import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
import { builtProgram } from "../programs/Programs.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))
const guide = readFileSync(join(root, "docs/guides/describe-a-dialect.md"), "utf8")
const folder = mkdtempSync(join(tmpdir(), "jinka-guide-"))

afterAll(() => rmSync(folder, { recursive: true }))

/** Blocks of the guide: a file to write, commands to run, or lines that the commands before must have printed. */
const blocks = [...guide.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(([, language, file, text]) => ({
  language: language!,
  file,
  text: text!
}))

const run = (commands: string): string => {
  const prelude = `set -e; jinka() { "${process.execPath}" "${builtProgram("packages/switch/src/main.ts")}" "$@"; };`
  const { status, stdout, stderr } = spawnSync("bash", ["-c", `${prelude}\n${commands}`], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" }
  })
  expect(status, `${commands}\n${stdout}\n${stderr}`).toBe(0)
  return stdout
}

describe("The guide to a partner's dialect", () => {
  it("does what it says, from the capture to the round trip", () => {
    let printed = ""
    let compared = 0
    for (const { language, file, text } of blocks) {
      if (file !== undefined) writeFileSync(join(folder, file), text)
      else if (language === "sh") printed = run(text)
      else
        for (const line of text.trim().split("\n")) {
          compared++
          expect(printed).toContain(line)
        }
    }

    expect(compared).toBeGreaterThan(15)
  })
})
