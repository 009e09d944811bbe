/**
 * One group of operations in a thread of its own, because V8 remembers for each function all that it has met: a link speaks one
 * dialect, and its code should not be measured after nine others. Turns of all operations follow each other, so that a busy
 * moment of the machine troubles them alike. Posts for each operation the nanoseconds that a message took in each turn.
 */
import { parentPort, workerData } from "node:worker_threads"
import { groups, type Operation } from "./operations.ts"

/** Length of a turn in milliseconds: it holds its share of collections of memory, and some turns meet with a quiet machine. */
const TURN_MS = 5

const kept: Array<unknown> = new Array(64)

/** Runs an operation some times and returns the milliseconds; results are kept alive in a ring. */
const time = ({ run }: Operation, times: number): number => {
  const begin = performance.now()
  for (let turn = 0; turn < times; turn++) kept[turn & 63] = run(turn)
  return performance.now() - begin
}

/** Times that make a turn, once the code is warm. */
const turnOf = (operation: Operation): number => {
  let times = 200
  // V8 settles on its best code only after some 100 000 messages.
  for (let warm = 0; warm < 150; warm += TURN_MS) {
    const spent = time(operation, times)
    times = Math.ceil(times * Math.min(10, TURN_MS / Math.max(spent, 0.001)))
  }
  return times
}

const { name, turns } = workerData as { readonly name: string; readonly turns: number }
const operations = groups[name]!()
const times = operations.map(turnOf)
const taken = operations.map((): Array<number> => [])
for (let turn = 0; turn < turns; turn++)
  for (const [at, operation] of operations.entries())
    taken[at]!.push((time(operation, times[at]!) * 1e6) / (times[at]! * operation.messages))
parentPort!.postMessage(
  operations.map(({ dialect, what, messageBytes }, at) => ({ dialect, what, messageBytes, nanoseconds: taken[at]! }))
)
