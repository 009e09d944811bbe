import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/**
 * The order in which files begin that take longer than others: where no earlier run is known, one of them would begin last and run
 * on alone. The longest are first; then one that waits for clocks and processes and one that works, in turns: if all workers wait
 * at once, nobody works.
 */
const order = [
  "simulation/Simulation",
  "package/package",
  "examples/examples",
  "process/fleet",
  "docs/commands",
  "process/lab/slow-disk",
  "process/lab/paused",
  "fuzz/sockets",
  "process/lab/black-hole",
  "switch/operate/console-acts",
  "switch/operate/console-trouble",
  "simulator/load",
  "switch/operate/notations",
  "process/lab/slow",
  "process/lab/storms",
  "simulator/load-connections",
  "switch/core/keys-crash",
  "switch/transport/closing",
  "regression/request",
  "switch/guard/hsm/HsmFailures",
  "codec/doctor/Links",
  "switch/modes/sync-long",
  "codec/fuzz/replay",
  "switch/modes/sync-short",
  "switch/operate/key-kill",
  "simulator/sockets",
  "switch/core/recovery",
  "switch/transport/waited",
  "simulation/files/Files",
  "regression/delivery",
  "tidy/tidy",
  "switch/operate/console",
  "switch/core/memory",
  "postgres/outage",
  "process/kill",
  "switch/operate/pending",
  "switch/operate/canaries",
  "regression/editions",
  "switch/core/keys",
  "simulator/command",
  "switch/journal/directory",
  "simulator/replay",
  "fuzz/whole",
  "simulator/secured",
  "switch/operate/paste",
  "switch/operate/alarm",
  "switch/operate/reload",
  "postgres/loss",
  "simulator/kept-messages",
  "switch/operate/run",
  "switch/operate/hardening",
  "process/lab/disk",
  "switch/journal/damage",
  "simulator/shadow",
  "switch/operate/key",
  "simulator/fault-history",
  "postgres/store",
  "simulator/load-modes",
  "regression/message",
  "switch/modes/gone",
  "codec/cover/Everywhere",
  "simulator/files",
  "switch/operate/command",
  "switch/modes/http",
  "codec/iso8583/AnyDialect",
  "regression/link",
  "fuzz/configuration",
  "regression/edition-1993",
  "process/lab/ends",
  "switch/operate/night",
  "regression/sign-on",
  "switch/operate/refused-calls",
  "fuzz/command-line",
  "switch/operate/webhook",
  "process/pair",
  "switch/journal/contract",
  "codec/iso8583/Encoding",
  "simulator/init",
  "switch/core/originals",
  "switch/operate/service",
  "codec/iso8583/Codec",
  "switch/operate/hsm",
  "switch/journal/refusal",
  "switch/journal/kill",
  "switch/link/Door",
  "switch/core/gate",
  "switch/link/flood",
  "switch/link/http-canaries",
  "switch/link/Simplex",
  "switch/operate/unread",
  "switch/modes/async-short",
  "switch/journal/recall",
  "regression/zones",
  "switch/operate/admin-search",
  "switch/operate/link",
  "simulator/faults",
  "postgres/backup",
  "switch/operate/zones",
  "regression/key-exchange",
  "fuzz/simulator-files",
  "simulator/scripted/command",
  "simulator/traffic",
  "switch/journal/sqlite"
]

class InOrder extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = order.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
      return at < 0 ? order.length : at
    }
    return (await super.sort(files)).sort((one, other) => place(one) - place(other))
  }
}

export default defineConfig({
  test: {
    globalSetup: "test/programs/Threads.ts",
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // Node loads tests and sources by itself, as it loads the programs: what is transformed for a runner runs slower.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    setupFiles: "test/programs/ThreadHooks.ts",
    sequence: { sequencer: InOrder },
    // Files wait for clocks and processes. With six the cores are idle for a twelfth of the time, with eight each file takes longer.
    maxWorkers: 7,
    // Threads beside it take the cores from other workers, and a young generation of 32 MiB ends most of what tests make: together
    // a tenth of the time. A larger one is every thread's of a journal, too, and there are dozens.
    execArgv: ["--single-threaded", "--max-semi-space-size=32"],
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
