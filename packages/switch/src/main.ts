#!/usr/bin/env node
/**
 * The `jinka` command. What an operator asks most, `status` and `trace` of a running switch, is answered without loading the
 * program: that alone takes longer than the answer. Everything else, and whatever is not plain, is `Program.ts`.
 */
import { tooOld } from "./operate/quick/NodeVersion.ts"
import { quickAnswer } from "./operate/quick/Quick.ts"

// Node opens its debugger at SIGUSR1 to anybody who may send one; a listener of ours takes that away.
process.on("SIGUSR1", () => {})

// Whoever reads our output or log may go before us, and a disk that takes them may be full: the switch does not end with that.
for (const output of [process.stdout, process.stderr]) output.on("error", () => {})

const old = tooOld(process.versions.node)
if (old !== undefined) {
  console.error(old)
  process.exit(2)
}

const said = await quickAnswer(process.argv.slice(2), process.pid)
if (said === undefined) await import("./Program.ts")
else process.stdout.write(said)
