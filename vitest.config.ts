import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"
import { builtThreads } from "./test/programs/Threads.ts"

/** Files that take longest, first: where no earlier run is known, one of them would begin last and run on alone. */
const longest = [
  "simulation/Simulation",
  "process/fleet",
  "package/package",
  "examples/examples",
  "docs/commands",
  "process/lab/slow-disk",
  "switch/operate/console-acts",
  "fuzz/sockets",
  "switch/operate/backup",
  "switch/operate/console",
  "process/lab/paused",
  "simulator/load",
  "process/lab/slow",
  "process/lab/disk",
  "simulator/load-connections",
  "simulator/sockets",
  "process/lab/black-hole",
  "postgres/loss",
  "switch/core/keys-crash",
  "codec/cover/Everywhere",
  "switch/operate/run",
  "regression/editions",
  "switch/guard/hsm/HsmFailures",
  "regression/delivery",
  "simulator/command",
  "switch/transport/closing",
  "switch/operate/pending",
  "postgres/outage",
  "switch/modes/sync-short",
  "process/kill",
  "switch/transport/waited",
  "switch/operate/night",
  "simulator/secured",
  "simulator/load-modes",
  "switch/journal/kill",
  "process/lab/storms",
  "regression/request",
  "postgres/store",
  "switch/operate/key-kill",
  "switch/modes/sync-long",
  "simulator/init",
  "simulator/shadow",
  "regression/link",
  "switch/operate/reload",
  "switch/operate/alarm",
  "switch/modes/gone",
  "simulator/fault-history",
  "simulator/replay",
  "regression/edition-1993",
  "switch/operate/hardening",
  "switch/journal/retention",
  "switch/journal/directory",
  "simulator/files",
  "switch/operate/link",
  "switch/operate/canaries",
  "simulator/kept-messages",
  "regression/zones",
  "switch/modes/http",
  "switch/operate/hsm",
  "switch/operate/webhook",
  "switch/operate/refused-calls",
  "simulation/files/Files",
  "switch/journal/recall",
  "regression/message",
  "switch/journal/refusal"
]

class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
      return at < 0 ? longest.length : at
    }
    return (await super.sort(files)).sort((one, other) => place(one) - place(other))
  }
}

export default defineConfig({
  plugins: [builtThreads],
  test: {
    globalSetup: "test/programs/Threads.ts",
    include: ["test/**/*.test.ts"],
    pool: "forks",
    sequence: { sequencer: LongestFirst },
    // Files wait for clocks and processes. On two cores 277 s; 297 with five, 304 with eight, each of which loads and compiles the same.
    maxWorkers: 6,
    // Its helpers take the cores from other workers, and a young generation of 32 MiB ends most of what tests make: a tenth of the time.
    execArgv: ["--single-threaded-gc", "--max-semi-space-size=32"],
    // A new process for each file would load the same packages a hundred times.
    isolate: false,
    // When a test gives up: no verdict on the switch. A busy machine may take ten times as long as a quiet one.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: [
      "default",
      {
        onTestRunEnd(modules, errors) {
          const count = { passed: 0, failed: errors.length, skipped: 0 }
          for (const module of modules) {
            const states = [...module.children.allTests()].map((test) => test.result().state)
            for (const state of states) count[state === "pending" ? "skipped" : state]++
            // A file that does not load, or whose beforeAll fails, has failed although none of its tests has.
            if (!module.ok() && !states.includes("failed")) count.failed++
          }
          const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ""
          console.log(`${count.passed} passed, ${count.failed} failed${skipped}`)
        }
      }
    ]
  }
})
