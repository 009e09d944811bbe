/**
 * The threads of a switch that runs within a test, as they were built: `Programs.ts`; those of journals keep one after another,
 * and those that read configurations: `JournalThreads.ts`, `ReadingThreads.ts`.
 *
 * Tests and sources are loaded by Node itself. A hook of its loader puts the built file of a thread into the module that starts
 * it; which folder that is in is asked when the thread starts.
 */
import { type LoadHookSync, registerHooks } from "node:module"

/** How the file of a thread is named, from source and built. */
const threadFile =
  /new URL\(\s*import\.meta\.url\.endsWith\("\.ts"\) \? "\.\/(\w+)\.ts" : "\.\/\w+\.js",\s*import\.meta\.url\s*\)/g

/** Who starts a thread that is kept for the next one: by the module whose threads they are, the call and the file that has it. */
const kept = [
  ["/journal/SqliteStore.ts", "startedThread", "./JournalThreads.ts"],
  ["/operate/Reading.ts", "startedReading", "./ReadingThreads.ts"]
].map(([module, call, file]) => ({ module, call, file: new URL(file!, import.meta.url).href }))

/** The source of a module that starts threads, with the built ones in it. */
const withBuilt = (url: string, source: string): string => {
  const built = source.replace(
    threadFile,
    (unbuilt, name: string) =>
      `(process.env["JINKA_PROGRAMS"] ? new URL(\`file://\${process.env["JINKA_PROGRAMS"]}/${name}.js\`) : ${unbuilt})`
  )
  const keeper = kept.find(({ module }) => url.endsWith(module!))
  if (keeper === undefined) return built
  const { call, file } = keeper
  return `import { ${call} } from ${JSON.stringify(file)}\n${built.replace("new Worker(", `${call}(`)}`
}

const load: LoadHookSync = (url, context, nextLoad) => {
  const loaded = nextLoad(url, context)
  if (!/\/packages\/switch\/src\/.*\.ts$/.test(url) || loaded.source == null) return loaded
  const source = typeof loaded.source === "string" ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString()
  return source.includes("import.meta.url.endsWith") ? { ...loaded, source: withBuilt(url, source) } : loaded
}

/** A worker runs this before each of its files, and needs the hook once. */
const isHooked = Symbol.for("jinka: threads of tests")
const state = globalThis as { [isHooked]?: boolean }
if (state[isHooked] !== true) registerHooks({ load })
state[isHooked] = true
