/**
 * Answers `jinka status` and `jinka trace` of a running switch in a fraction of the time that the program takes to load: it reads
 * the socket's place out of the file, asks, and prints. Whatever is not plain (another form, a file that cannot be read, no
 * switch, a refusal, nothing found) is left to the program, which has the words for it.
 *
 * Loads nothing of Effect, of the codec and of the journal: that is what it is for. Never throws.
 */
import { readFileSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { linkDetail } from "../control/LinkText.ts"
import { dropProof, makeProof, proofHeader } from "../control/ProofFile.ts"
import type { StatusReport } from "../control/Report.ts"
import { statusText } from "../control/StatusText.ts"
import type { TraceReport } from "../trace/TraceReport.ts"
import { traceText } from "../trace/TraceText.ts"
import { type Question, questionOf } from "./Question.ts"

/** Alone: with an `import` of it Node loads all of fetch, too, which takes longer than the answer. */
const { request } = process.getBuiltinModule("node:http")

/** A switch that takes longer is left to the program, which says what may be wrong with it. */
const PATIENCE_MS = 2000

/** Longest file and answer that are looked at, in bytes. */
const FILE_MAX = 1 << 20
const ANSWER_MAX = 64 << 20

/** What is printed, with its line end; `undefined`: the program answers. */
export const quickAnswer = async (args: ReadonlyArray<string>, pid: number): Promise<string | undefined> => {
  const question = questionOf(args)
  if (question === undefined) return undefined
  try {
    const socket = await socketOf(question)
    const text = socket === undefined ? undefined : await asked(socket, question, pid)
    return text === undefined ? undefined : `${shown(question, JSON.parse(text))}\n`
  } catch {
    // The program meets the same trouble, and has the words for it.
    return undefined
  }
}

/** Where the switch takes commands; `undefined` where the file does not plainly say it. */
const socketOf = async ({ place, placeIs, what }: Question): Promise<string | undefined> => {
  const whole = resolve(place)
  if (placeIs === "control") return whole.endsWith(".sock") ? whole : join(whole, "control.sock")
  const info = statSync(whole)
  if (info.isDirectory()) return what === "trace" ? join(whole, "control.sock") : undefined
  if (!info.isFile() || info.size > FILE_MAX) return undefined
  const { parse } = await import("yaml")
  const { control, journal } = parse(readFileSync(whole, "utf8"), { logLevel: "silent" })
  const directory: unknown = (control ?? journal)?.directory
  return typeof directory === "string" ? join(resolve(dirname(whole), directory), "control.sock") : undefined
}

const pathOf = ({ what, link }: Question): string =>
  what === "link" ? `/links/${encodeURIComponent(link)}` : `/${what}`

/** The body of a good answer. */
const asked = (socket: string, question: Question, pid: number): Promise<string | undefined> => {
  const isTrace = question.what === "trace"
  const proof = isTrace ? makeProof(socket, pid, pid) : undefined
  // A look at a transaction is recorded with its user: without a proof the program tries.
  if (isTrace && proof === undefined) return Promise.resolve(undefined)
  const headers = proof === undefined ? {} : { [proofHeader]: proof.says, "content-type": "application/json" }
  const method = isTrace ? "POST" : "GET"
  return new Promise<string | undefined>((settle) => {
    const call = request({ socketPath: socket, path: pathOf(question), method, headers, timeout: PATIENCE_MS })
    const end = () => {
      settle(undefined)
      call.destroy()
    }
    call.once("response", (answer) => {
      const chunks: Array<Buffer> = []
      let length = 0
      answer.on("data", (chunk: Buffer) => {
        chunks.push(chunk)
        length += chunk.length
        if (length > ANSWER_MAX) end()
      })
      answer.once("end", () => settle(answer.statusCode === 200 ? Buffer.concat(chunks).toString() : undefined))
      answer.once("error", end)
    })
    call.once("timeout", end)
    call.once("error", end)
    call.end(isTrace ? JSON.stringify(question.keys) : undefined)
  }).finally(() => dropProof(proof))
}

/** As the program shows it. Throws where there is nothing to show. */
const shown = ({ what, isJson }: Question, answer: unknown): string => {
  if (what === "trace") {
    const report = answer as TraceReport
    if (report.exchanges.length === 0) throw new Error("nothing was found")
    return isJson ? JSON.stringify(report) : traceText(report)
  }
  const report = answer as StatusReport
  if (what === "status") return isJson ? JSON.stringify(report) : statusText(report)
  const [found] = report.links
  if (found === undefined) throw new Error("there is no such link")
  return isJson ? JSON.stringify(found) : linkDetail(found, report.at, report.kernelAbsent)
}
