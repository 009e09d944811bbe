/** Outcomes of dialogues for people and for build systems: terminal text and JUnit XML. Prints nothing. */
import { basename, dirname } from "node:path"
import { coverCardText, coverTyped } from "@jinka/codec"
import { shownText, visibleText } from "../file/FileInvalid.ts"
import type { Dialogue } from "./Dialogue.ts"
import type { Outcome } from "./Runner.ts"
import { transcriptText } from "./Transcript.ts"

const sign = { kept: "kept   ", broken: "BROKEN ", wrong: "WRONG  ", skipped: "skipped" }

/** Where a failure is: file and line of the step, or the file. */
const placeOf = ({ dialogue, failure }: Outcome): string => {
  const step = failure?.step
  return step === undefined ? dialogue.file : `${step.place.file}:${step.place.line}`
}

/** The rule, and the case where the rule does not say it. */
export const titleOf = ({ caseText, rule }: Dialogue): string => {
  const text = caseText === "" ? rule : `${rule} [${caseText}]`
  // Amounts and references stay: what is shaped like a card number does not.
  return visibleText(coverCardText(text.trim().replaceAll(/\s*\n\s*/g, " ")))
}

/** What went wrong, with the whole transcript; "" for a dialogue that was kept or skipped. */
export const failureText = (outcome: Outcome): string => {
  const { dialogue, failure, startedAt, transcript } = outcome
  if (failure === undefined) return ""
  const step = failure.step === undefined ? "after the last step" : failure.step.text
  return [
    `${sign[outcome.result].trim()}  ${titleOf(dialogue)}`,
    `source  ${shownText(dialogue.source)}`,
    `step    ${shownText(step)}   (${placeOf(outcome)})`,
    ...failure.says.map((sentence) => `        ${shownText(sentence)}`),
    "",
    transcriptText(transcript, startedAt, failure.mark)
  ].join("\n")
}

/** One line for one dialogue. */
export const outcomeLine = (outcome: Outcome): string => {
  const { dialogue, endedAt, result, skipped, startedAt } = outcome
  const time = `${(endedAt - startedAt).toFixed(0)} ms`
  return `${sign[result]}  ${titleOf(dialogue)}  (${result === "skipped" ? skipped : time})`
}

const count = (outcomes: ReadonlyArray<Outcome>, result: Outcome["result"]): number =>
  outcomes.filter((outcome) => outcome.result === result).length

/** What failed, whole, and the sum in one line. */
export const summaryText = (outcomes: ReadonlyArray<Outcome>): string => {
  const failures = outcomes.filter(({ failure }) => failure !== undefined).map(failureText)
  const results = (["kept", "broken", "wrong", "skipped"] as const).filter(
    (result) => result !== "wrong" || count(outcomes, result) > 0
  )
  const sums = results.map((result) => `${count(outcomes, result)} ${result}`)
  return [...failures, `${outcomes.length} dialogue${outcomes.length === 1 ? "" : "s"}: ${sums.join(", ")}`].join(
    "\n\n"
  )
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }

/** Text for XML 1.0: characters that it does not allow become dots. */
const xml = (text: string): string =>
  text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, ".")
    .replace(/[&<>"]/g, (one) => entities[one]!)

const seconds = ({ endedAt, startedAt }: Outcome): string => ((endedAt - startedAt) / 1000).toFixed(3)

const testCase = (outcome: Outcome): string => {
  const { dialogue, failure, result, skipped } = outcome
  const name = `name="${xml(titleOf(dialogue))}" classname="${xml(dialogue.file.replace(/\.ya?ml$/, ""))}"`
  const open = `    <testcase ${name} file="${xml(dialogue.file)}" time="${seconds(outcome)}"`
  if (result === "kept") return `${open}/>`
  if (result === "skipped") return `${open}>\n      <skipped message="${xml(skipped)}"/>\n    </testcase>`
  const says = xml(coverTyped(failure?.says.join("; ") ?? ""))
  if (result === "wrong")
    return `${open}>\n      <error message="${says}">${xml(failureText(outcome))}</error>\n    </testcase>`
  return `${open}>\n      <failure message="${says}">${xml(failureText(outcome))}</failure>\n    </testcase>`
}

const suite = (folder: string, outcomes: ReadonlyArray<Outcome>): string => {
  const time = outcomes.reduce((sum, outcome) => sum + Number(seconds(outcome)), 0).toFixed(3)
  const counts = `tests="${outcomes.length}" failures="${count(outcomes, "broken")}" skipped="${count(outcomes, "skipped")}"`
  const began = new Date(Math.min(...outcomes.map(({ startedWall }) => startedWall))).toISOString()
  const head = `  <testsuite name="${xml(basename(folder))}" ${counts} errors="${count(outcomes, "wrong")}" time="${time}" timestamp="${began}">`
  return [head, ...outcomes.map(testCase), "  </testsuite>"].join("\n")
}

/** JUnit XML: one suite a folder, one case a dialogue, the transcript as the failure's text. */
export const junitXml = (outcomes: ReadonlyArray<Outcome>): string => {
  const folders = new Map<string, Array<Outcome>>()
  for (const outcome of outcomes) {
    const folder = dirname(outcome.dialogue.file)
    folders.set(folder, [...(folders.get(folder) ?? []), outcome])
  }
  const suites = [...folders].map(([folder, inFolder]) => suite(folder, inFolder))
  return ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", ...suites, "</testsuites>", ""].join("\n")
}
