/**
 * Messages that once led somewhere: each is the shortest found that has its outcome in a switch of its own. `grow.ts` finds them;
 * the worlds begin with them, and mutations begin from them.
 */
import { readFileSync } from "node:fs"

/** One of them. */
export interface Kept {
  /** Dialect of the link that it comes on, and of the host that it goes to. */
  readonly dialect: string
  /** Whether the host's link has STANs of its own. */
  readonly stan: "callers" | "own"
  /** What came of it when it was kept: entries of the journal, answers, what the host got. Nothing is held against it. */
  readonly outcome: string
  readonly hex: string
}

/** The file: one of them a line. */
export const corpusFile: string = new URL("./corpus.jsonl", import.meta.url).pathname

/** All that are kept. */
export const corpus: ReadonlyArray<Kept> = readFileSync(corpusFile, "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line))

/** The messages of a dialect. */
export const keptOf = (dialect: string): ReadonlyArray<Buffer> =>
  corpus.filter((one) => one.dialect === dialect).map(({ hex }) => Buffer.from(hex, "hex"))
