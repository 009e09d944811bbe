/**
 * How long the machine's disk holds a writer that has nothing to do with the switch: a few bytes of a file of its own, forced to
 * disk every ten milliseconds. Arguments: directory. Told `{ since, seconds }` (milliseconds since the epoch) it answers with
 * the longest time of each of these seconds.
 */
import { fdatasyncSync, openSync, writeSync } from "node:fs"
import { join } from "node:path"

const OFTEN_MS = 10

const file = openSync(join(process.argv[2]!, "probe"), "w")
const bytes = Buffer.alloc(512)
const took: Array<{ readonly at: number; readonly ms: number }> = []
setInterval(() => {
  const from = performance.now()
  writeSync(file, bytes, 0, bytes.length, 0)
  fdatasyncSync(file)
  took.push({ at: performance.timeOrigin + from, ms: performance.now() - from })
}, OFTEN_MS)

process.on("message", ({ since, seconds }: { since: number; seconds: number }) => {
  const longest = new Array<number>(seconds).fill(0)
  for (const { at, ms } of took) {
    const first = Math.max(0, Math.floor((at - since) / 1000))
    const last = Math.min(seconds - 1, Math.floor((at + ms - since) / 1000))
    for (let second = first; second <= last; second++) longest[second] = Math.max(longest[second]!, ms)
  }
  process.send?.({ longest })
})
process.on("disconnect", () => process.exit())
