// `npm run canary`: puts each deliberate defect of test/simulation/Defects.ts into a copy of the sources and lets the world look
// for it. Each has to be found within ten thousand seeds. Ends with 1 when one is not.
//   node tools/canary.mjs [--shrink] [WORDS OF A NAME]     only the defects whose name holds these words; with --shrink each
//                                                          run that found one is made as small as it can be, with its command
import { spawn } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const seeds = 10_000
const words = process.argv.slice(2)
const unknown = words.find((word) => word.startsWith("-") && word !== "--shrink")
if (unknown !== undefined) {
  console.error(`canary: ${unknown} is not known; --shrink is, and words of a defect's name`)
  process.exit(2)
}
const shrinks = words.includes("--shrink")
const wanted = words.filter((word) => word !== "--shrink").join(" ")

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

/** What `jinka-sim world` of the copy says. */
const world = (folder, mode, ...how) =>
  new Promise((resolve) => {
    const args = [join(folder, "packages/simulator/src/main.ts"), "world", "--mode", mode, ...how]
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] })
    let text = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk))
    child.once("close", (code) => resolve({ code, text }))
  })

const wished = (wishes) => (wishes === undefined ? [] : ["--wishes", JSON.stringify(wishes)])

const hunt = async (folder, last, mode, wishes) => {
  const { code, text } = await world(folder, mode, "--seeds", `1..${last}`, ...wished(wishes))
  const seed = /^seed (\d+), commit/m.exec(text)?.[1]
  const finding = /^ {2}(\S.*)$/m.exec(text)?.[1] ?? ""
  return { code, text, finding, seed: seed === undefined ? undefined : Number(seed) }
}

/** The smallest run that still shows the defect: how many were tried, the finding, and the wishes that fix it. */
const smallest = async (folder, mode, seed, wishes) => {
  const { text } = await world(folder, mode, "--shrink", String(seed), ...wished(wishes))
  const tried = /^(\d+) runs tried/m.exec(text)?.[1]
  const found = text.slice(text.search(/^seed \d+, commit/m))
  const finding = /^ {2}(\S.*)$/m.exec(found)?.[1]
  const command = /^ {2}again: +(.*)$/m.exec(found)?.[1]
  if (tried === undefined || command === undefined) return [`it could not be made smaller: ${text.trim().slice(-300)}`]
  return [`smallest of ${tried} runs: ${finding.slice(0, 160)}`, `with the defect: ${command}`]
}

const inCopy = async (use) => {
  const folder = mkdtempSync(join(tmpdir(), "jinka-canary-"))
  try {
    copyTo(folder)
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const chosen = defects.filter(({ name }) => name.includes(wanted))
if (chosen.length === 0) {
  console.error(
    `canary: no defect has "${wanted}" in its name; there are\n${defects.map(({ name }) => `  ${name}`).join("\n")}`
  )
  process.exit(2)
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
for (const defect of chosen) {
  await inCopy(async (folder) => {
    spoil(folder, defect)
    const began = Date.now()
    const { code, finding, seed, text } = await hunt(folder, seeds, defect.mode ?? "switch", defect.wishes)
    // A copy that breaks down does not show whether the world finds the defect.
    const isBroken = /\b(TypeError|ReferenceError|SyntaxError)\b/.test(finding)
    const isFound = code === 1 && seed !== undefined && !isBroken
    if (!isFound) missed++
    const time = `${((Date.now() - began) / 1000).toFixed(1)} s`
    console.log(`${isFound ? `found by seed ${seed}` : "NOT FOUND"}  ${defect.breaks}  ${defect.name}  (${time})`)
    console.log(`    ${isFound ? finding.slice(0, 160) : text.trim().split("\n").slice(-3).join("\n    ")}`)
    if (!isFound || !shrinks) return
    for (const line of await smallest(folder, defect.mode ?? "switch", seed, defect.wishes)) console.log(`    ${line}`)
  })
}
process.exitCode = missed === 0 ? 0 : 1
