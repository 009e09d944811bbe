/**
 * The threads of a switch that runs within a test, as they were built: `Programs.ts`; those of journals keep one after another:
 * `JournalThreads.ts`. While tests are watched, a thread is what its source says now.
 */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Plugin } from "vitest/config"
import type { TestProject } from "vitest/node"
import { usePrograms } from "./Programs.ts"

/** How the file of a thread is named, from source and built. */
const threadFile =
  /new URL\(\s*import\.meta\.url\.endsWith\("\.ts"\) \? "\.\/(\w+)\.ts" : "\.\/\w+\.js",\s*import\.meta\.url\s*\)/g

/** Where the threads are that keep one journal after another. */
const keptThreads = fileURLToPath(new URL("./JournalThreads.ts", import.meta.url))

/** Puts the built file there. */
export const builtThreads: Plugin = {
  name: "built-threads",
  enforce: "pre",
  transform: (code, id) => {
    const programs = process.env["JINKA_PROGRAMS"]
    if (!programs || !/\/packages\/switch\/src\/.*\.ts$/.test(id) || !code.includes("import.meta.url.endsWith"))
      return null
    const file = (name: string) => JSON.stringify(`file://${join(programs, `${name}.js`)}`)
    const built = code.replace(threadFile, (_, name: string) => `new URL(${file(name)})`)
    if (!id.endsWith("/journal/SqliteStore.ts")) return built
    return `import { startedThread } from ${JSON.stringify(keptThreads)}\n${built.replace("new Worker(", "startedThread(")}`
  }
}

/** Before all tests: builds what they start. */
export default ({ config }: TestProject): void => {
  if (!config.watch) usePrograms()
}
