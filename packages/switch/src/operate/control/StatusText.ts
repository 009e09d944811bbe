/**
 * A status report as text for a terminal: what an operator asks first stands first. Pure.
 */
import { linkText } from "./LinkText.ts"
import type { StatusReport } from "./Report.ts"
import { span } from "./Spans.ts"

/** The whole report. */
export const statusText = (report: StatusReport): string => {
  const { name, pid, startedAt, at, links, answers, entries, unwritten } = report
  const ready = links.filter((link) => link.ready).length
  return [
    `${name}: ${ready} of ${links.length} links ready; process ${pid}, up for ${span(startedAt, at)}`,
    ...links.map((link) => linkText(link, at)),
    ...(report.kernelAbsent === "" ? [] : [`kernel     not asked: ${report.kernelAbsent}`]),
    `answers    ${counts(answers)}`,
    `journal    ${counts(entries)}`,
    `unwritten  ${unwritten.entries} entries, ${unwritten.bytes} bytes`
  ].join("\n")
}

const counts = (numbers: { readonly [name: string]: number }): string => {
  const shown = Object.entries(numbers).filter(([, count]) => count > 0)
  return shown.length === 0 ? "none" : shown.map(([name, count]) => `${name} ${count}`).join(", ")
}
