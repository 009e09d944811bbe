/** Makes a test of every dialogue of a folder: it runs against a switch of its own, and its journal is looked at afterwards. */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { assert, describe, expect, it, vi } from "vitest"
import {
  failureText,
  type Outcome,
  readDialogue,
  runDialogue,
  usualRun
} from "../../packages/simulator/src/dialogue/index.ts"
import type { Entry } from "../../packages/switch/src/journal/Entry.ts"
import { entryKindName } from "../../packages/switch/src/journal/EntryKind.ts"
import { pace } from "../Pace.ts"
import { journalFindings } from "./JournalCheck.ts"
import { makeSystem } from "./System.ts"

/** Where the dialogues are. */
export const folder = fileURLToPath(new URL("dialogues/", import.meta.url))

/** Everything that a run gives. */
export interface Played {
  readonly outcome: Outcome
  readonly entries: ReadonlyArray<Entry>
  readonly findings: ReadonlyArray<string>
}

/** Runs the dialogue in `file` against a switch with its settings, then stops the switch and looks at its journal. */
export const play = (path: string, file: string): Promise<Played> =>
  Effect.gen(function* () {
    const dialogue = yield* readDialogue(path, { file })
    const system = yield* makeSystem(dialogue.system)
    const outcome = yield* runDialogue(dialogue, {
      ...usualRun,
      withinMs: 5000,
      pace,
      endpoint: (address) => {
        const port = system.ports.get(address)
        return port === undefined ? undefined : { host: "127.0.0.1", port }
      },
      operator: system.operator
    })
    yield* system.stop
    return { outcome, ...(yield* journalFindings(system.directory, outcome.cardData)) }
  }).pipe(Effect.scoped, Effect.runPromise)

/** The journal in a few words, for a failure. */
export const journalText = (entries: ReadonlyArray<Entry>): string =>
  entries
    .map(
      ({ about, code, exchange, kind, seq }) => `${seq} ${entryKindName(kind)} of ${exchange} about ${about} "${code}"`
    )
    .join("\n")

// Dialogues mostly wait: more of them than there are processors do not disturb each other.
vi.setConfig({ maxConcurrency: 6 })

/** One test for each dialogue of `dialogues/<name>/`, titled by its rule. */
export const dialoguesOf = (name: string): void => {
  const isRule = (file: string) =>
    file.endsWith(".yaml") && /^rule:/m.test(readFileSync(`${folder}${name}/${file}`, "utf8"))
  const files = readdirSync(`${folder}${name}`).filter(isRule)
  describe.concurrent(`Dialogues: ${name}`, () => {
    for (const file of files.sort()) {
      it(`${file.slice(0, -".yaml".length).replaceAll("-", " ")}`, async () => {
        const { entries, findings, outcome } = await play(`${folder}${name}/${file}`, `dialogues/${name}/${file}`)
        const problem = outcome.result === "broken" ? failureText(outcome) : outcome.skipped
        if (problem !== "") assert.fail(`${problem}\n\njournal:\n${journalText(entries)}`)
        expect(findings, journalText(entries)).toEqual([])
      })
    }
  })
}
