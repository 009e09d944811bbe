/**
 * Outcomes of dialogues as one page that needs nothing else: what was kept, what was said in time with a column for each partner,
 * and of a broken rule the message that came beside the one that it was to be like. Card data covered. Pure.
 */
import { coverTyped, type DescribedRow, describe } from "@jinka/codec"
import { counted } from "../file/Counted.ts"
import { shownText } from "../file/FileInvalid.ts"
import { coveredBytes } from "./Cover.ts"
import type { Dialogue } from "./Dialogue.ts"
import { titleOf } from "./DialogueReport.ts"
import { mtiOf, type Observed } from "./Observed.ts"
import type { Failure, Outcome } from "./Runner.ts"
import { happeningText, type Line, type Mark } from "./Transcript.ts"

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }

const html = (text: string): string =>
  text.replace(/[&<>"]/g, (one) => entities[one]!).replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}]/gu, "·")

/** Colours for both themes, no script but what filters the list. */
const style = `
:root { color-scheme: light dark; --line: #8884; --bad: #c0392b; --good: #1e8449; --mark: #e74c3c33 }
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 110rem; padding: 0 1rem }
h1 { font-size: 1.3rem } h1 small { font-weight: normal; opacity: .7 }
table { border-collapse: collapse } td, th { border-bottom: 1px solid var(--line); padding: .15rem .6rem; text-align: left; vertical-align: top }
code, pre, .bytes td, .time { font: 12px/1.4 ui-monospace, monospace }
details { border-bottom: 1px solid var(--line); padding: .3rem 0 } summary { cursor: pointer }
.kept b { color: var(--good) } .broken b, .wrong b { color: var(--bad) } .skipped { opacity: .6 }
.differs td { background: var(--mark) } .says { color: var(--bad) } .place { opacity: .7 }
.beside { display: flex; gap: 2rem; flex-wrap: wrap } .talk > tbody > tr > td { min-width: 14rem }
`

const script = `
const filter = document.getElementById("filter")
filter.oninput = () => { for (const one of document.querySelectorAll("details"))
  one.hidden = !one.textContent.toLowerCase().includes(filter.value.toLowerCase()) }
`

/** Data elements and header parts of a message, values masked. */
const rowsOf = ({ bytes, form }: Observed): ReadonlyArray<DescribedRow> =>
  describe(form.codec, bytes).rows.filter(({ id }) => id !== "bitmap" && !id.includes("."))

const fieldRow = ({ id, name, value }: DescribedRow, isMarked: boolean): string =>
  `<tr${isMarked ? ' class="differs"' : ""}><td>${html(id)}</td><td>${html(value)}</td><td>${html(name)}</td></tr>`

const messageTable = (message: Observed, marked: ReadonlySet<string>): string => {
  const rows = rowsOf(message)
  const missing = [...marked].filter((id) => id !== "" && !rows.some((row) => row.id === id))
  return [
    '<table class="bytes">',
    ...rows.map((row) => fieldRow(row, marked.has(row.id))),
    ...missing.map((id) => `<tr class="differs"><td>${html(id)}</td><td>not there</td><td></td></tr>`),
    "</table>"
  ].join("")
}

/** Both messages, field by field: what it was to be like, and what came. */
const besideTable = ({ beside, ids, message }: Mark): string => {
  const marked = new Set(ids)
  if (beside === undefined) return messageTable(message, marked)
  const left = new Map(rowsOf(beside).map((row) => [row.id, row]))
  const right = new Map(rowsOf(message).map((row) => [row.id, row]))
  const order = [...new Set([...left.keys(), ...right.keys(), ...ids.filter((id) => id !== "")])].sort(byPlace)
  const rows = order.map((id) => {
    const one = left.get(id)
    const other = right.get(id)
    const cells = [id, one?.value ?? "", other?.value ?? "", one?.name ?? other?.name ?? ""]
    return `<tr${marked.has(id) ? ' class="differs"' : ""}>${cells.map((cell) => `<td>${html(cell)}</td>`).join("")}</tr>`
  })
  const head = `<tr><th></th><th>expected to be like: ${html(mtiOf(beside))}</th><th>came: ${html(mtiOf(message))}</th><th></th></tr>`
  return `<table class="bytes">${head}${rows.join("")}</table>`
}

/** Header parts first, then the MTI, then data elements by number. */
const byPlace = (one: string, other: string): number => placeOf(one) - placeOf(other)

const placeOf = (id: string): number => (/^\d+$/.test(id) ? Number(id) : id === "mti" ? 0 : -1)

const lineText = (line: Line): string => {
  switch (line._tag) {
    case "sent":
    case "received": {
      const arrow = line._tag === "sent" ? "sends" : "gets"
      const title = `${arrow} ${mtiOf(line.message) || "an unreadable message"}, ${line.message.bytes.length} bytes`
      return `<details><summary>${html(title)}</summary>${messageTable(line.message, new Set())}</details>`
    }
    case "sentBytes":
      return `sends ${line.wire.length} bytes <code>${coveredBytes(line.wire).subarray(0, 64).toString("hex")}</code>`
    case "happened":
      return html(happeningText(line.happening))
    case "noted":
      return html(coverTyped(line.text))
  }
}

/** What was said, in time, with a column for each partner. */
const talk = ({ dialogue, startedAt, transcript }: Outcome): string => {
  const names = dialogue.partners.map(({ name }) => name)
  const head = `<tr><th>s</th>${names.map((name) => `<th>${html(name)}</th>`).join("")}</tr>`
  const rows = transcript.map((line) => {
    const time = `<td class="time">${((line.at - startedAt) / 1000).toFixed(3)}</td>`
    const cells = names.map((name) => `<td>${line.partner === name ? lineText(line) : ""}</td>`).join("")
    return line.partner === ""
      ? `<tr>${time}<td colspan="${names.length}">${lineText(line)}</td></tr>`
      : `<tr>${time}${cells}</tr>`
  })
  return `<table class="talk"><tbody>${head}${rows.join("")}</tbody></table>`
}

const failureText = (dialogue: Dialogue, { mark, says, step }: Failure): string => {
  const place = step === undefined ? dialogue.file : `${step.place.file}:${step.place.line}`
  const at = step === undefined ? "after the last step" : coverTyped(step.text)
  return [
    `<p class="says">${says.map((one) => html(coverTyped(one))).join("<br>")}</p>`,
    `<p class="place">${html(at)} (${html(place)})</p>`,
    mark === undefined ? "" : `<div class="beside">${besideTable(mark)}</div>`
  ].join("")
}

const outcomeText = (outcome: Outcome): string => {
  const { dialogue, endedAt, failure, result, skipped, startedAt } = outcome
  const time = result === "skipped" ? skipped : `${(endedAt - startedAt).toFixed(0)} ms`
  const open = failure === undefined ? "" : " open"
  return [
    `<details class="${result}"${open}><summary><b>${result}</b> ${html(titleOf(dialogue))} <span class="place">${html(time)}</span></summary>`,
    `<p class="place">${html(shownText(dialogue.source))} · ${html(dialogue.file)}</p>`,
    failure === undefined ? "" : failureText(dialogue, failure),
    talk(outcome),
    "</details>"
  ].join("")
}

const results = ["kept", "broken", "wrong", "skipped"] as const

/** The report of a run of dialogues as one HTML page that fetches nothing; what is wrong or broken comes first. */
export const htmlReport = (outcomes: ReadonlyArray<Outcome>): string => {
  const sums = results.map((result) => `${outcomes.filter((one) => one.result === result).length} ${result}`)
  const began =
    outcomes.length === 0 ? "" : new Date(Math.min(...outcomes.map(({ startedWall }) => startedWall))).toISOString()
  // What needs somebody's eyes is first.
  const order = ["wrong", "broken", "kept", "skipped"]
  const sorted = [...outcomes].sort((one, other) => order.indexOf(one.result) - order.indexOf(other.result))
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>Dialogues: ${sums.join(", ")}</title><style>${style}</style>`,
    `<h1>${counted(outcomes.length, "dialogue")}: ${sums.join(", ")} <small>${began}</small></h1>`,
    '<input id="filter" placeholder="filter by rule, file or value" size="40">',
    ...sorted.map(outcomeText),
    `<script>${script}</script></html>`,
    ""
  ].join("\n")
}
