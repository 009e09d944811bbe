// A thread that reads one configuration file after another, each as if it had begun for it: `ReadingThreads.ts`.
//
// The thread of a switch takes the file's name from `workerData`, says what it found, and runs to its end while its module is
// evaluated. So each file gets a module of its own; what that imports is loaded once.
import { createRequire, syncBuiltinESMExports } from "node:module"
import { parentPort, workerData } from "node:worker_threads"

const { file } = workerData
const threads = createRequire(import.meta.url)("node:worker_threads")
let files = 0

parentPort.on("message", async (named) => {
  threads.workerData = named
  syncBuiltinESMExports()
  await import(`${file}?${++files}`)
  parentPort.postMessage("free")
})
