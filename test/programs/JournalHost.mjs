// A thread that keeps one journal after another, each as if it had begun for it: `JournalThreads.ts`.
//
// A journal's thread takes what it is told from `workerData` and runs to its end while its module is evaluated. So each
// journal gets a module of its own; what that imports is loaded once. Only a journal that closed in order, or that was
// refused when it was to be opened, has left nothing behind: after any other end this thread ends, too.
import { createRequire, syncBuiltinESMExports } from "node:module"
import { parentPort, workerData } from "node:worker_threads"

const { file } = workerData
const threads = createRequire(import.meta.url)("node:worker_threads")
const { now } = performance
let journals = 0

parentPort.on("message", async (start) => {
  const { port } = start
  const post = port.postMessage.bind(port)
  let isDone = false
  port.postMessage = (message, transfer) => {
    isDone = message.closed === true || message.refused !== undefined
    post(message, transfer)
  }
  const began = now.call(performance)
  performance.now = () => now.call(performance) - began
  threads.workerData = start
  syncBuiltinESMExports()
  await import(`${file}?${++journals}`)
  if (isDone) parentPort.postMessage("free")
  else process.exit()
})
