/**
 * How far the heap grows before the engine collects all of it. Whatever a socket reads and whatever an answer is written to is
 * counted as memory outside of the heap, at once. V8 lets a small heap grow by a tenth and begins to collect all of it when less
 * than the nursery is left: a flood of 4 MB/s brought that about once a second, and for 20 to 40 ms everybody waited
 * (docs/decisions/0034-heap.md). With more room the nursery is emptied first, in one or two ms, and those bytes with it.
 */
import { setFlagsFromString } from "node:v8"

/** The heap may grow to three times what was alive; left to itself V8 takes 1.1 to 4 times, by what collecting costs it. */
const GROWING_PERCENT = 200

/** For the whole process and all of its threads. The engine's own limit of the heap remains. */
export const letHeapGrow = (): void => setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`)
