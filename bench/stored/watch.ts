/** Tells what the process that it is loaded into has in memory after a full collection, for the bench that started it. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { usage } from "../Usage.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

process.on("message", (asked) => {
  if (asked !== "usage") return
  const { mainUs } = usage()
  collect()
  process.send?.({ usage: { ...usage(), mainUs } })
})
