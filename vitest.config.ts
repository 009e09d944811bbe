import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"
import { builtThreads } from "./test/programs/Threads.ts"

/** These take longest, and begin first: where no earlier run is known, one of them would begin last and run on alone. */
const longest = ["simulation/Simulation", "package/package", "examples/examples", "process/fleet", "docs/commands"]

/**
 * These wait for clocks and processes more than they work, the longest first. One by one they have another file between them: if
 * all workers wait at once, nobody works.
 */
const waiting = [
  "process/lab/slow-disk",
  "fuzz/sockets",
  "switch/operate/console-acts",
  "switch/operate/backup",
  "simulator/load",
  "simulator/load-connections",
  "process/lab/slow",
  "switch/guard/hsm/HsmFailures",
  "switch/modes/sync-short",
  "switch/modes/sync-long",
  "switch/transport/closing",
  "switch/transport/waited",
  "regression/delivery",
  "switch/operate/console",
  "simulator/sockets",
  "regression/editions",
  "switch/operate/pending",
  "simulator/secured",
  "postgres/outage",
  "simulator/command",
  "simulator/replay",
  "switch/operate/alarm",
  "switch/modes/http",
  "regression/edition-1993",
  "simulator/fault-history",
  "simulator/shadow",
  "simulator/files",
  "process/lab/paused",
  "simulator/load-modes",
  "switch/operate/admin-search",
  "switch/operate/refused-calls",
  "switch/operate/key",
  "postgres/loss",
  "switch/operate/webhook",
  "switch/operate/night",
  "switch/modes/gone",
  "codec/doctor/Links",
  "regression/link",
  "simulator/init",
  "switch/link/Simplex",
  "switch/core/memory",
  "switch/operate/console-trouble",
  "switch/operate/hsm",
  "process/lab/disk",
  "switch/link/Door",
  "switch/operate/service",
  "fuzz/simulator-files",
  "codec/fuzz/replay",
  "regression/zones",
  "switch/link/flood",
  "postgres/backup",
  "regression/request",
  "switch/modes/async-short",
  "switch/journal/damage",
  "simulator/faults",
  "tidy/tidy",
  "switch/operate/zones",
  "switch/operate/paste",
  "codec/iso8583/AnyDialect",
  "switch/operate/notations",
  "regression/key-exchange",
  "switch/operate/console-links",
  "switch/core/keys",
  "switch/core/recovery",
  "switch/operate/link",
  "postgres/connection",
  "simulator/scripted/command",
  "switch/journal/recall",
  "fuzz/whole",
  "simulator/proxy",
  "switch/operate/archive"
]

/** The files of a list, in its order. */
const filesOf = (names: ReadonlyArray<string>, files: ReadonlyArray<TestSpecification>) =>
  names.flatMap((name) => files.filter(({ moduleId }) => moduleId.endsWith(`/${name}.test.ts`)))

class InTurns extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const first = filesOf(longest, files)
    const waits = filesOf(waiting, files)
    const others = (await super.sort(files)).filter((file) => !first.includes(file) && !waits.includes(file))
    const turns = Array.from({ length: Math.max(waits.length, others.length) }, (_, at) => [waits[at], others[at]])
    return [...first, ...turns.flat().filter((file) => file !== undefined)]
  }
}

export default defineConfig({
  plugins: [builtThreads],
  test: {
    globalSetup: "test/programs/Threads.ts",
    include: ["test/**/*.test.ts"],
    pool: "forks",
    sequence: { sequencer: InTurns },
    // Files wait for clocks and processes. With five or eight workers they took a tenth longer: each loads and compiles the same.
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
