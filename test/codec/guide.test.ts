import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
import { jinka } from "../switch/operate/program.ts"
import { testFolder } from "../TestFolder.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))
const guide = readFileSync(join(root, "docs/guides/describe-a-dialect.md"), "utf8")
const folder = mkdtempSync(join(testFolder(), "jinka-guide-"))

afterAll(() => rmSync(folder, { recursive: true }))

/** Blocks of the guide: a file to write, commands to run, or lines that the commands before must have printed. */
const blocks = [...guide.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(([, language, file, text]) => ({
  language: language!,
  file,
  text: text!
}))

/** A command of `jinka`, with where its output goes or what is said when it fails; it runs within this process, in `folder`. */
const ours = /^jinka (.+?)(?: > (\S+)|( \|\| echo "ends with \$\?"))?$/

const runLine = async (line: string): Promise<string> => {
  const [, words, file, mayFail] = ours.exec(line) ?? []
  if (words === undefined) return execFileSync("bash", ["-ec", line], { cwd: folder, encoding: "utf8" })
  const args = words.split(" ").map((word) => (existsSync(join(folder, word)) ? join(folder, word) : word))
  const { code, out, err } = await jinka(args)
  if (mayFail === undefined) expect(code, `${line}\n${out}\n${err}`).toBe(0)
  if (file === undefined) return code === 0 ? out : `${out}ends with ${code}\n`
  writeFileSync(join(folder, file), out)
  return ""
}

const run = async (commands: string): Promise<string> => {
  let printed = ""
  for (const line of commands.trim().split("\n")) printed += await runLine(line)
  return printed
}

describe("The guide to a partner's dialect", () => {
  it("does what it says, from the capture to the round trip", async () => {
    let printed = ""
    let compared = 0
    for (const { language, file, text } of blocks) {
      if (file !== undefined) writeFileSync(join(folder, file), text)
      else if (language === "sh") printed = await run(text)
      else
        for (const line of text.trim().split("\n")) {
          compared++
          expect(printed).toContain(line)
        }
    }

    expect(compared).toBeGreaterThan(15)
  })
})
