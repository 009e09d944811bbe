/**
 * The threads of a switch that runs within a test, as they were built: `Programs.ts`; those of journals keep one after another,
 * and those that read configurations: `JournalThreads.ts`, `ReadingThreads.ts`. While tests are watched, a thread is what its
 * source says now.
 */
import { fileURLToPath } from "node:url"
import type { Plugin } from "vitest/config"
import type { TestProject } from "vitest/node"
import { usePrograms } from "./Programs.ts"

/** How the file of a thread is named, from source and built. */
const threadFile =
  /new URL\(\s*import\.meta\.url\.endsWith\("\.ts"\) \? "\.\/(\w+)\.ts" : "\.\/\w+\.js",\s*import\.meta\.url\s*\)/g

/** Who starts a thread that is kept for the next one: by the module whose threads they are, the call and the file that has it. */
const kept = [
  ["/journal/SqliteStore.ts", "startedThread", "./JournalThreads.ts"],
  ["/operate/Reading.ts", "startedReading", "./ReadingThreads.ts"]
].map(([module, call, file]) => ({ module, call, file: fileURLToPath(new URL(file!, import.meta.url)) }))

/**
 * Puts the built file there. Which folder it is in is asked when the thread starts: what is made here is kept from one run to the
 * next, and must not name the folder of sources that are older by then.
 */
export const builtThreads: Plugin = {
  name: "built-threads",
  enforce: "pre",
  transform: (code, id) => {
    if (!/\/packages\/switch\/src\/.*\.ts$/.test(id) || !code.includes("import.meta.url.endsWith")) return null
    const built = code.replace(
      threadFile,
      (source, name: string) =>
        `(process.env["JINKA_PROGRAMS"] ? new URL(\`file://\${process.env["JINKA_PROGRAMS"]}/${name}.js\`) : ${source})`
    )
    const keeper = kept.find(({ module }) => id.endsWith(module!))
    if (keeper === undefined) return built
    const { call, file } = keeper
    return `import { ${call} } from ${JSON.stringify(file)}\n${built.replace("new Worker(", `${call}(`)}`
  }
}

/** Before all tests: builds what they start. */
export default ({ config }: TestProject): void => {
  if (!config.watch) usePrograms()
}
