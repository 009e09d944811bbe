/**
 * Builds the programs of the packages into a folder: `node test/programs/build.ts FOLDER`. See `Programs.ts`.
 *
 * A module that asks where it stands is told where its source does, and finds what lies beside that. A file that it loads by name
 * in two forms, such as that of a thread, is built, too: it finds it beside the program.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import http from "node:http"
import { basename, dirname, join, relative } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { type Plugin, rolldown } from "rolldown"

const root = fileURLToPath(new URL("../../", import.meta.url))
const inRoot = (file: string) => join(root, file)

/** The examples. `tests/` is in front of their names: who runs a copy of one by tools/run.mjs has to get that copy. */
const examples = (): ReadonlyArray<string> =>
  readdirSync(inRoot("examples"))
    .map((name) => `examples/${name}/main.ts`)
    .filter((file) => existsSync(inRoot(file)))

/** How a module names a file that it loads from source as `.ts` and built as `.js`. */
const twoForms = /import\.meta\.url\.endsWith\("\.ts"\)\s*\?\s*"([^"]+)\.ts"\s*:\s*"[^"]+\.js"/g

/** The files that are loaded so, by their names without an ending. */
const loadedByName = (): ReadonlyArray<readonly [name: string, file: string]> =>
  readdirSync(inRoot("packages"))
    // Sources alone: another test may remove and make what stands beside them.
    .map((name) => inRoot(`packages/${name}/src`))
    .flatMap((source) => readdirSync(source, { recursive: true, encoding: "utf8" }).map((file) => join(source, file)))
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(twoForms)].map(
        ([, named]) => [basename(named!), join(dirname(file), `${named}.ts`)] as const
      )
    )

/** Built states that nobody has touched for so long are removed, in ms. */
const KEPT_MS = 3_600_000

/**
 * Node gives every name of a built-in module to whoever imports one; those of `node:http` hold all of fetch, which takes an
 * eighth of a start to load. What is asked for by this call comes alone.
 */
const aloneHttp: Plugin = {
  name: "alone-http",
  resolveId: { filter: { id: /^node:http$/ }, handler: () => "\0alone-http" },
  load: {
    filter: { id: /^\0alone-http$/ },
    handler: () =>
      `const http = process.getBuiltinModule("node:http")\nexport default http\nexport const { ${httpNames.join(", ")} } = http`
  }
}

/** The text of the URL of a module's source, for `import.meta.url`, and what `import.meta.resolve` finds from there. */
const placed: Plugin = {
  name: "placed",
  transform: {
    // Said ahead: the other modules, which are nearly all, are not handed over.
    filter: { code: "import.meta." },
    handler: (code, id) => {
      if (!/^(?:packages|examples)\//.test(relative(root, id))) return null
      if (code.search(twoForms) >= 0) return code.replace(twoForms, (_, named: string) => `"./${basename(named)}.js"`)
      const url = JSON.stringify(pathToFileURL(id).href)
      const resolve = `((name) => pathToFileURLOfPlaced(createRequireOfPlaced(${url}).resolve(name)).href)`
      const imports =
        'import { createRequire as createRequireOfPlaced } from "node:module"\n' +
        'import { pathToFileURL as pathToFileURLOfPlaced } from "node:url"\n'
      return `${code.replaceAll("import.meta.resolve", resolve).replaceAll("import.meta.url", url)}\n${imports}`
    }
  }
}

/** What `node:http` gives, but for what belongs to fetch. */
const httpNames = Object.entries(Object.getOwnPropertyDescriptors(http))
  .filter(([, { get }]) => get === undefined)
  .map(([name]) => name)

const [, , folder] = process.argv
if (folder === undefined) throw new Error("node test/programs/build.ts FOLDER")

type Inputs = ReadonlyArray<readonly [name: string, file: string]>

/** What is built together, and shares files. A program that shares with fewer others is in fewer files, which is read sooner. */
const together: ReadonlyArray<Inputs> = [
  [["packages/switch/src/main", inRoot("packages/switch/src/main.ts")], ...loadedByName()],
  [["packages/simulator/src/main", inRoot("packages/simulator/src/main.ts")]],
  // Beside the threads that its journal starts.
  [["Writing", inRoot("test/switch/journal/Writing.ts")]],
  examples().map((file) => [`tests/${file.replace(/\.ts$/, "")}`, inRoot(file)] as const)
]

// Whoever else builds the same at this moment makes the same: the first one gives the folder its name.
const made = `${folder}-${process.pid}`
for (const inputs of together) {
  const bundle = await rolldown({
    input: Object.fromEntries(inputs),
    platform: "node",
    plugins: [placed, aloneHttp],
    // One has a binary beside it, the other evaluates text.
    external: ["better-sqlite3", /^hdr-histogram-js/],
    onLog: (level, log, handle) => {
      if (level !== "debug" && log.code !== "EVAL") handle(level, log)
    }
  })
  await bundle.write({ dir: made, entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js", comments: false })
}
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
