/** `jinka top`: two status reports as one screen of 80 columns: what flows, how fast, what is stuck. Pure. */
import { counted } from "../Counted.ts"
import { fullWords } from "../FullWords.ts"
import type { LinkReport, StatusReport } from "./Report.ts"
import { span } from "./Spans.ts"

/** Columns: the name has what the others leave. */
const WIDTH = 80

const seconds = (before: StatusReport, after: StatusReport): number =>
  Math.max(0.001, (Date.parse(after.at) - Date.parse(before.at)) / 1000)

/** `12`, `3.4`, `12k`: five characters at most. */
const few = (value: number): string => {
  if (value >= 9_999.5) return `${Math.round(value / 1000)}k`
  return value >= 10 || value === 0 ? String(Math.round(value)) : value.toFixed(1)
}

const ms = (value: number): string => (value >= 9_999.5 ? `${Math.round(value / 1000)}s` : few(value))

/** Share of answers that approve, of those between two reports. */
const approved = (before: LinkReport | undefined, { traffic }: LinkReport): string => {
  const sum = (answers: LinkReport["traffic"]["answersIn"] = {}) =>
    Object.values(answers).reduce((all, count) => all + count, 0)
  const all = sum(traffic.answersIn) - sum(before?.traffic.answersIn)
  const good = traffic.approved - (before?.traffic.approved ?? 0)
  return all <= 0 ? "-" : `${Math.round((100 * good) / all)}%`
}

/** States that are longer than their column. */
const brief: Readonly<Record<string, string>> = {
  "waiting for sign-on": "not signed on",
  "partner signed off": "it signed off",
  "collecting late answers": "late answers",
  "without module": "no key module"
}

/** Alarms that nobody has silenced. */
const loud = (alarms: LinkReport["alarms"]) => alarms.filter(({ silenced }) => !silenced)

/** Alarms of the whole switch that have no mark of their own. */
const marked = new Set(["lag", "device", "certificate", "refusedCalls"])

/** What is in the way, shortest word first. */
const trouble = (link: LinkReport): string => {
  const doubts = Object.values(link.inDoubt).reduce((sum, count) => sum + count, 0)
  if (doubts > 0) return `!${doubts} in doubt`
  const alarm = loud(link.alarms)[0]
  return link.ready && alarm !== undefined ? `!${alarm.kind}` : (brief[link.state] ?? link.state)
}

const widths = [16, 14, 6, 6, 5, 7, 6, 6, 6] as const

const columns = (cells: ReadonlyArray<string>): string =>
  cells
    .map((cell, at) => (at < 2 ? cell.slice(0, widths[at]! - 1).padEnd(widths[at]!) : cell.padStart(widths[at]!)))
    .join("")
    .trimEnd()

const linkLine = (before: LinkReport | undefined, link: LinkReport, past: number): string => {
  const { traffic } = link
  const rate = (read: (link: LinkReport) => number) =>
    before === undefined ? "-" : few(Math.max(0, read(link) - read(before)) / past)
  return columns([
    link.name,
    trouble(link),
    rate((one) => one.traffic.requestsIn),
    rate((one) => one.traffic.requestsOut),
    few(link.outstanding),
    few(link.stored),
    approved(before, link),
    ms(traffic.partnerTime.p99),
    ms(traffic.ourTime.p99)
  ])
}

/** Links that need somebody first, then the busy ones. */
const urgency = (link: LinkReport): number =>
  (Object.values(link.inDoubt).some((count) => count > 0) ? 4 : 0) +
  (link.ready && loud(link.alarms).length === 0 ? 0 : 2) +
  (link.stored > 0 ? 1 : 0)

/** The screen. `rows`: lines of the terminal. */
export const topText = (before: StatusReport, after: StatusReport, rows: number): string => {
  const past = seconds(before, after)
  const earlier = new Map(before.links.map((link) => [link.name, link]))
  const links = [...after.links].sort((one, other) => urgency(other) - urgency(one))
  const ready = links.filter((link) => link.ready).length
  const sum = (read: (link: LinkReport) => number, report: StatusReport) =>
    report.links.reduce((all, link) => all + read(link), 0)
  const asked = (report: StatusReport) => sum(({ traffic }) => traffic.requestsIn, report)
  const unanswered = (report: StatusReport) => sum(({ traffic }) => traffic.timeouts + traffic.lost, report)
  const marks = [
    ...(after.fullBy === null ? [] : [`! ${fullWords[after.fullBy]}`]),
    ...(after.inDoubt === 0 ? [] : [`! ${after.inDoubt} in doubt`]),
    ...(after.module?.state === "away" ? ["! the security module is away"] : []),
    ...loud(after.alarms).flatMap(({ kind }) => (marked.has(kind) ? [`! ${kind}`] : [])),
    ...(after.diskTrouble === "" ? [] : ["! the journal's disk"]),
    ...(after.defects === 0 ? [] : [`! ${counted(after.defects, "defect", "defects")}`])
  ]
  const head = [
    `${after.name}  ${after.at.slice(11, 19)}  up ${span(after.startedAt, after.at)}  links ${ready}/${links.length}  ${marks.join("  ")}`,
    `requests ${few((asked(after) - asked(before)) / past)}/s  no answer ${few((unanswered(after) - unanswered(before)) / past)}/s  unwritten ${after.unwritten.entries}, ${after.unwritten.lagMs} ms to disk`,
    "",
    columns(["LINK", "STATE", "IN/s", "OUT/s", "OPEN", "STORED", "OK", "PEER", "OURS"])
  ]
  const room = Math.max(1, rows - head.length - 1)
  const shown = links.slice(0, room).map((link) => linkLine(earlier.get(link.name), link, past))
  const more =
    links.length > shown.length ? [`and ${counted(links.length - shown.length, "more link", "more links")}`] : []
  return [...head, ...shown, ...more].map((line) => line.slice(0, WIDTH).trimEnd()).join("\n")
}
