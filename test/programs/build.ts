/**
 * Builds the programs of the packages into a folder: `node test/programs/build.ts FOLDER`. See `Programs.ts`.
 *
 * A module that asks where it stands is told where its source does, and finds what lies beside that. Those with threads of their
 * own know two forms of it and keep theirs: threads are built, too.
 */
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { type Plugin, rolldown } from "rolldown"

const root = fileURLToPath(new URL("../../", import.meta.url))
const inRoot = (file: string) => join(root, file)

const programs = ["packages/simulator/src/main.ts", "packages/switch/src/main.ts"]

/** What a thread loads by its name. */
const threads = ["journal/SqliteWorker", "journal/SearchKeys", "operate/ReadingWorker"]

/** Built states that nobody has touched for so long are removed, in ms. */
const KEPT_MS = 3_600_000

/** The text of the URL of a module's source, for `import.meta.url`, and what `import.meta.resolve` finds from there. */
const placed: Plugin = {
  name: "placed",
  transform: (code, id) => {
    if (!id.startsWith(inRoot("packages/")) || code.includes('import.meta.url.endsWith(".ts")')) return null
    if (!code.includes("import.meta.")) return null
    const url = JSON.stringify(pathToFileURL(id).href)
    const resolve = `((name) => pathToFileURLOfPlaced(createRequireOfPlaced(${url}).resolve(name)).href)`
    const imports =
      'import { createRequire as createRequireOfPlaced } from "node:module"\n' +
      'import { pathToFileURL as pathToFileURLOfPlaced } from "node:url"\n'
    return `${code.replaceAll("import.meta.resolve", resolve).replaceAll("import.meta.url", url)}\n${imports}`
  }
}

const [, , folder] = process.argv
if (folder === undefined) throw new Error("node test/programs/build.ts FOLDER")

const input = Object.fromEntries([
  ...programs.map((file) => [file.replace(/\.ts$/, ""), inRoot(file)]),
  ...threads.map((file) => [basename(file), inRoot(`packages/switch/src/${file}.ts`)])
])
const bundle = await rolldown({
  input,
  platform: "node",
  plugins: [placed],
  // One has a binary beside it, the other evaluates text.
  external: ["better-sqlite3", "hdr-histogram-js"],
  onLog: (level, log, handle) => {
    if (level !== "debug" && log.code !== "EVAL") handle(level, log)
  }
})
// Whoever else builds the same at this moment makes the same: the first one gives the folder its name.
const made = `${folder}-${process.pid}`
await bundle.write({ dir: made, entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" })
writeFileSync(join(made, "package.json"), '{ "type": "module" }')
try {
  renameSync(made, folder)
} catch {
  rmSync(made, { recursive: true, force: true })
}
for (const name of readdirSync(dirname(folder))) {
  const other = join(dirname(folder), name)
  if (other !== folder && Date.now() - statSync(other).mtimeMs > KEPT_MS)
    rmSync(other, { recursive: true, force: true })
}
