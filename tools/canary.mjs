// `npm run canary`: puts each deliberate defect of test/simulation/Defects.ts into a copy of the sources and lets the world look
// for it. Each has to be found within ten thousand seeds. Ends with 1 when one is not.
//   node tools/canary.mjs [WORDS OF A NAME]     only the defects whose name holds these words
import { spawn } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const seeds = 10_000
const wanted = process.argv.slice(2).join(" ")

const { defects } = await import(join(root, "test/simulation/Defects.ts"))

/** A copy of what the world needs; packages and their links to each other lie inside, everything else is the repository's. */
const copyTo = (folder) => {
  const links = { recursive: true, verbatimSymlinks: true, filter: (path) => !path.includes("/dist/") }
  for (const path of ["packages", "test/simulation", "test/switch/LinkSettings.ts", "package.json"]) {
    cpSync(join(root, path), join(folder, path), links)
  }
  // Our own packages have to be those of the copy, for the tests' files too: two codecs in one process do not know each other.
  const modules = join(folder, "node_modules")
  mkdirSync(modules)
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name !== "@jinka") symlinkSync(join(root, "node_modules", name), join(modules, name))
  }
  mkdirSync(join(modules, "@jinka"))
  for (const name of readdirSync(join(folder, "packages")))
    symlinkSync(join(folder, "packages", name), join(modules, "@jinka", name))
}

const spoil = (folder, { file, find, name, put }) => {
  const path = join(folder, file)
  const text = readFileSync(path, "utf8")
  if (text.split(find).length !== 2) throw new Error(`"${name}" does not fit ${file} any more: mend it in Defects.ts`)
  writeFileSync(
    path,
    text.replace(find, () => put)
  )
}

const hunt = (folder, last, mode) =>
  new Promise((resolve) => {
    const args = [join(folder, "packages/simulator/src/main.ts"), "world", "--mode", mode, "--seeds", `1..${last}`]
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] })
    let text = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk))
    child.once("close", (code) => {
      const seed = /^seed (\d+), commit/m.exec(text)?.[1]
      resolve({
        code,
        text,
        seed: seed === undefined ? undefined : Number(seed),
        finding: /^ {2}(\S.*)$/m.exec(text)?.[1] ?? ""
      })
    })
  })

const inCopy = async (use) => {
  const folder = mkdtempSync(join(tmpdir(), "jinka-canary-"))
  try {
    copyTo(folder)
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A copy without a defect must be good: else every defect would be "found". */
for (const mode of ["switch", "fleet"]) {
  const good = await inCopy((folder) => hunt(folder, 10, mode))
  if (good.code === 0) continue
  console.error(`the world finds something in the sources as they are:\n${good.text}`)
  process.exit(1)
}
console.log("no defect: nothing found in 10 seeds of each mode")

let missed = 0
for (const defect of defects.filter(({ name }) => name.includes(wanted))) {
  await inCopy(async (folder) => {
    spoil(folder, defect)
    const began = Date.now()
    const { code, finding, seed, text } = await hunt(folder, seeds, defect.mode ?? "switch")
    const isFound = code === 1 && seed !== undefined
    if (!isFound) missed++
    const time = `${((Date.now() - began) / 1000).toFixed(1)} s`
    console.log(`${isFound ? `found by seed ${seed}` : "NOT FOUND"}  ${defect.breaks}  ${defect.name}  (${time})`)
    console.log(`    ${isFound ? finding.slice(0, 160) : text.trim().split("\n").slice(-3).join("\n    ")}`)
  })
}
process.exitCode = missed === 0 ? 0 : 1
