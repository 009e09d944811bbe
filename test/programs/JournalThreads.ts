/**
 * Threads for the journals of switches that run within a test: one that has closed its journal keeps the next one. A thread's
 * start and the loading of its code take longer than most tests of a switch, and a run of all tests begins some thousand.
 *
 * Programs start threads of their own, as everywhere else.
 */
import { EventEmitter } from "node:events"
import { Worker, type WorkerOptions } from "node:worker_threads"

const host = new URL("./JournalHost.mjs", import.meta.url)

/** Those that wait for a journal, by the file of their store. */
const free = new Map<string, Array<Worker>>()

const begin = (file: URL, { workerData: _, transferList: __, ...options }: WorkerOptions): Worker => {
  const worker = new Worker(host, { ...options, workerData: { file: file.href } })
  // An idle one holds up nobody's end.
  worker.unref()
  return worker
}

/** What a store sees of its thread: it ends with the journal. */
class JournalThread extends EventEmitter {
  constructor(file: URL, options: WorkerOptions) {
    super()
    const alike = free.get(file.href) ?? []
    free.set(file.href, alike)
    const worker = alike.pop() ?? begin(file, options)
    const failed = (error: unknown) => void this.emit("error", error)
    const ended = (code: number) => void this.emit("exit", code)
    worker.once("error", failed).once("exit", ended)
    worker.once("message", () => {
      worker.off("error", failed).off("exit", ended).unref()
      alike.push(worker)
      ended(0)
    })
    worker.ref()
    worker.postMessage(options.workerData, options.transferList)
  }
}

/** The thread of a store: one that is kept, unless it is its source while tests are watched. */
export const startedThread = (file: URL, options: WorkerOptions): EventEmitter =>
  file.pathname.endsWith(".js") ? new JournalThread(file, options) : new Worker(file, options)
