/**
 * Threads that read configuration files for switches that run within a test: one that has read a file keeps the next one. A
 * reload loads all of the configuration's code into a new thread, which takes longer than the file.
 *
 * Programs start threads of their own, as everywhere else.
 */
import { EventEmitter } from "node:events"
import { Worker, type WorkerOptions } from "node:worker_threads"

const host = new URL("./ReadingHost.mjs", import.meta.url)

/** Those that wait for a file. */
const free: Array<Worker> = []

/** What a switch sees of its thread: it is done with one file. */
class ReadingThread extends EventEmitter {
  private worker: Worker | undefined

  constructor(file: URL, options: WorkerOptions) {
    super()
    const worker = free.pop() ?? new Worker(host, { ...options, workerData: { file: file.href } })
    const failed = (error: unknown) => void this.emit("error", error)
    const heard = (message: unknown) => {
      if (message !== "free") return void this.emit("message", message)
      worker.off("error", failed).off("message", heard)
      // An idle one holds up nobody's end.
      worker.unref()
      this.worker = undefined
      free.push(worker)
    }
    worker.once("error", failed).on("message", heard)
    this.worker = worker
    worker.ref()
    worker.postMessage(options.workerData)
  }

  async terminate(): Promise<void> {
    await this.worker?.terminate()
  }
}

/** The thread that reads a file: one that is kept. */
export const startedReading = (file: URL, options: WorkerOptions): ReadingThread | Worker =>
  file.pathname.endsWith("/ReadingWorker.js") ? new ReadingThread(file, options) : new Worker(file, options)
