/** Makes a test of every dialogue of a folder: it runs against a switch of its own, and its journal is looked at afterwards. */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { assert, describe, expect, it, vi } from "vitest"
import {
  type Dialogue,
  failureText,
  type Outcome,
  readDialogues,
  runDialogue,
  usualRun
} from "../../packages/simulator/src/dialogue/index.ts"
import { ParsedFiles } from "../../packages/simulator/src/file/ParsedFiles.ts"
import type { Entry } from "../../packages/switch/src/journal/Entry.ts"
import { entryKindName } from "../../packages/switch/src/journal/EntryKind.ts"
import { pace, watchStalls } from "../Pace.ts"
import { isLong } from "../Runs.ts"
import { journalFindings } from "./JournalCheck.ts"
import { makeSystem } from "./System.ts"

/** Where the dialogues are. */
export const folder = fileURLToPath(new URL("dialogues/", import.meta.url))

/** Everything that a run gives. */
interface Played {
  readonly outcomes: ReadonlyArray<Outcome>
  readonly entries: ReadonlyArray<Entry>
  readonly findings: ReadonlyArray<string>
}

/** Numbers that one case may use up before those of the next one begin. */
const NUMBERS_EACH = 100

/**
 * Runs dialogues that want the same system one after the other against it; then stops the switch and looks at its journal.
 */
const playOn = (dialogues: ReadonlyArray<Dialogue>) =>
  Effect.gen(function* () {
    const system = yield* makeSystem(dialogues[0]!.system)
    const outcomes = yield* Effect.forEach(dialogues, (dialogue, place) =>
      runDialogue(dialogue, {
        ...usualRun,
        numbersFrom: place * NUMBERS_EACH + 1,
        withinMs: 5000,
        pace,
        endpoint: (address) => {
          const port = system.ports.get(address)
          return port === undefined ? undefined : { host: "127.0.0.1", port }
        },
        operator: system.operator
      })
    )
    yield* system.stop
    const cardData = outcomes.flatMap((outcome) => outcome.cardData)
    return { outcomes, ...(yield* journalFindings(system.directory, cardData)) }
  }).pipe(Effect.scoped)

/** A process that stood still for longer sees what came in between at once, and its own times pass unobserved: in ms. */
const STALL_MAX = 100
/** A machine that is never quiet for as long as a dialogue takes: what it gave the last time is the result. */
const RUNS_MAX = 6

const isBroken = ({ findings, outcomes }: Played): boolean =>
  findings.length > 0 || outcomes.some(({ result }) => result !== "kept")

/**
 * The same; a run that breaks while the machine had other work is run again. Dialogues give times in milliseconds ("not before",
 * a watchdog's), and partners and switch are one process: when that stands still, it is the test that was late.
 */
const playUndisturbed = async (dialogues: ReadonlyArray<Dialogue>): Promise<Played> => {
  for (let run = 1; ; run++) {
    const stalled = watchStalls()
    const played = await Effect.runPromise(playOn(dialogues))
    const isDisturbed = stalled() > STALL_MAX
    if (!isBroken(played) || !isDisturbed || run === RUNS_MAX) return played
  }
}

/** Openings and messages that the files of a folder share. */
const parsed = new ParsedFiles()

/**
 * Of a rule for each dialect of the editions: one dialect of each edition, another one with the next rule. JINKA_LAB=long: all.
 */
const chosen = (dialogues: ReadonlyArray<Dialogue>, turn: number): ReadonlyArray<Dialogue> => {
  if (isLong) return dialogues
  const byEdition = Map.groupBy(dialogues, ({ caseText }) => /^dialect \w+, edition (\d{4}), v \d$/.exec(caseText)?.[1])
  return [...byEdition].flatMap(([edition, all]) => (edition === undefined ? all : [all[turn % all.length]!]))
}

/** Runs the dialogues of a file, all cases of its table; those that want the same system share one. */
const play = async (path: string, file: string, turn: number): Promise<ReadonlyArray<Played>> => {
  const bySystem = new Map<string, Array<Dialogue>>()
  for (const dialogue of chosen(await Effect.runPromise(readDialogues(path, { file, parsed })), turn)) {
    const key = JSON.stringify(dialogue.system)
    bySystem.set(key, [...(bySystem.get(key) ?? []), dialogue])
  }
  const played: Array<Played> = []
  for (const dialogues of bySystem.values()) played.push(await playUndisturbed(dialogues))
  return played
}

/** The journal in a few words, for a failure. */
const journalText = (entries: ReadonlyArray<Entry>): string =>
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
    for (const [turn, file] of files.sort().entries()) {
      it(`${file.slice(0, -".yaml".length).replaceAll("-", " ")}`, async () => {
        for (const played of await play(`${folder}${name}/${file}`, `dialogues/${name}/${file}`, turn)) {
          const { entries, findings, outcomes } = played
          for (const outcome of outcomes) {
            const problem = outcome.result === "kept" ? "" : failureText(outcome) || outcome.skipped
            if (problem !== "") assert.fail(`${problem}\n\njournal:\n${journalText(entries)}`)
          }
          expect(findings, journalText(entries)).toEqual([])
        }
      })
    }
  })
}
