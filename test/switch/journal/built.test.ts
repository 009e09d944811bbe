import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("../../../", import.meta.url))
const source = join(root, "packages/switch/src/journal")
/** Inside the package, so that its dependencies are found from there. */
const built = join(root, `packages/switch/node_modules/.cache/journal-built-${process.pid}`)

const program = `
import { Effect, Layer } from "effect"
import { Journal } from "./Journal.js"
import { layerSqlite } from "./SqliteStore.js"
const directory = process.argv[2]
const layer = Journal.layer.pipe(Layer.provide(layerSqlite({ directory, key: Buffer.alloc(32, 1) })))
const write = Effect.flatMap(Journal, (journal) => {
  journal.writer.note("built")
  return Effect.map(journal.drained, () => journal.writer.committedSeq)
})
console.log(await Effect.runPromise(Effect.provide(write, layer)))
`

describe("the journal as built", () => {
  it("starts its thread from JavaScript too", () => {
    mkdirSync(built, { recursive: true })
    try {
      const tsc = createRequire(join(root, "package.json")).resolve("typescript/package.json")
      const compile = ["--ignoreConfig", "--noCheck", "--rewriteRelativeImportExtensions", "--types", "node"]
      const shape = ["--module", "nodenext", "--target", "es2024", "--outDir", built, "--rootDir", source]
      const files = ["Journal.ts", "SqliteStore.ts", "SqliteWorker.ts"].map((file) => join(source, file))
      const compiled = spawnSync(process.execPath, [join(dirname(tsc), "bin/tsc"), ...compile, ...shape, ...files], {
        encoding: "utf8",
        cwd: root
      })
      expect(compiled.stdout + compiled.stderr).toBe("")
      writeFileSync(join(built, "package.json"), '{ "type": "module" }')
      writeFileSync(join(built, "program.js"), program)
      const { stdout, stderr } = spawnSync(process.execPath, [join(built, "program.js"), join(built, "journal")], {
        encoding: "utf8"
      })

      expect([stdout.trim(), stderr]).toEqual(["1", ""])
    } finally {
      rmSync(built, { recursive: true, force: true })
    }
  })
})
