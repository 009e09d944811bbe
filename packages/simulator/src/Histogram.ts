/**
 * Histograms of latencies, in microseconds with three digits. Of the library only the file with their kind is loaded: the whole
 * of it, with logs, packed forms and WebAssembly, costs a start 30 ms of processor time, this 3.
 */
import { createRequire } from "node:module"
import type { Int32Histogram } from "hdr-histogram-js"

const file: { readonly default: typeof Int32Histogram } = createRequire(import.meta.url)(
  "hdr-histogram-js/dist/Int32Histogram.js"
)

/** How often what was recorded. */
export type Histogram = Int32Histogram

/** An empty one; microseconds up to `highest` are kept apart. */
export const makeHistogram = (highest: number): Histogram => {
  const made = new file.default(1, highest, 3)
  made.autoResize = true
  return made
}
