import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"
import { builtThreads } from "./test/programs/Threads.ts"

/** Files that take longest, first: where no earlier run is known, one of them would begin last and run on alone. */
const longest = [
  "simulation/Simulation",
  "examples/examples",
  "docs/commands",
  "package/package",
  "process/fleet",
  "core/keys-crash",
  "process/lab/disk",
  "process/lab/slow-disk",
  "fuzz/simulator-files",
  "operate/console-acts",
  "simulation/files/Files",
  "simulation/Defects",
  "operate/run",
  "operate/key-kill",
  "process/lab/ends",
  "journal/retention",
  "simulator/command",
  "process/kill",
  "operate/hardening",
  "fuzz/configuration",
  "postgres/loss",
  "core/keys",
  "core/recovery",
  "guard/hsm/HsmFailures",
  "operate/reload",
  "operate/console",
  "process/lab/black-hole",
  "process/lab/paused",
  "operate/link",
  "journal/sqlite",
  "journal/kill",
  "journal/refusal",
  "regression/editions",
  "journal/damage",
  "simulation/Canary",
  "link/flood",
  "fuzz/sockets",
  "codec/fuzz/replay",
  "operate/canaries",
  "simulator/init",
  "journal/directory",
  "fuzz/whole",
  "postgres/store",
  "regression/request",
  "iso8583/Codec",
  "operate/paste",
  "postgres/outage",
  "operate/corrupt",
  "operate/key",
  "regression/link",
  "simulator/sockets",
  "process/lab/slow",
  "codec/cover/Everywhere",
  "regression/message",
  "operate/pending",
  "modes/gone",
  "operate/admin",
  "process/lab/storms"
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
    // Files wait for clocks and processes half of their time: two workers a core. On two cores 324 s; 378 with three, 319 with five.
    maxWorkers: 4,
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
