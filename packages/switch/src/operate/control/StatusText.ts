/**
 * A status report as text for a terminal: what an operator asks first stands first. Pure.
 */
import type { LinkReport, StatusReport } from "./Report.ts"

/** The whole report. */
export const statusText = (report: StatusReport): string => {
  const { name, pid, startedAt, at, links, answers, entries, unwritten } = report
  const ready = links.filter((link) => link.ready).length
  return [
    `${name}: ${ready} of ${links.length} links ready; process ${pid}, up for ${since(startedAt, at)}`,
    ...links.map((link) => linkText(link, at)),
    `answers    ${counts(answers)}`,
    `journal    ${counts(entries)}`,
    `unwritten  ${unwritten.entries} entries, ${unwritten.bytes} bytes`
  ].join("\n")
}

const counts = (numbers: { readonly [name: string]: number }): string => {
  const shown = Object.entries(numbers).filter(([, count]) => count > 0)
  return shown.length === 0 ? "none" : shown.map(([name, count]) => `${name} ${count}`).join(", ")
}

/** `3 h 12 min`, `12 s`. */
const since = (from: string, to: string): string => {
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000))
  const units: ReadonlyArray<readonly [string, number]> = [
    ["d", 86_400],
    ["h", 3600],
    ["min", 60],
    ["s", 1]
  ]
  const first = units.findIndex(([, size]) => seconds >= size)
  if (first < 0) return "0 s"
  let rest = seconds
  const parts = units.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return `${count} ${unit}`
  })
  return parts.join(" ")
}

const linkText = (link: LinkReport, at: string): string => {
  const ago = (when: string | null) => (when === null ? "never" : `${since(when, at)} ago`)
  const address = link.remote === "" ? "" : `, ${link.local} to ${link.remote}`
  const lines = [
    `${link.name}  ${link.institution}  ${link.state}${link.since === null ? "" : ` for ${since(link.since, at)}`}${address}, connection ${link.epoch}`,
    `outstanding ${link.outstanding}, stored ${link.stored}, unsent ${link.unsent} bytes; last in ${ago(link.lastReceived)}, last out ${ago(link.lastSent)}`
  ]
  if (link.attempts > 0 && link.nextAttempt !== null) {
    lines.push(
      `${link.attempts} connections failed or ended early; the next attempt is in ${since(at, link.nextAttempt)}`
    )
  }
  if (link.lastEnd !== null) {
    const { at: ended, reason, why, advice } = link.lastEnd
    lines.push(`last end ${ago(ended)}: ${reason}, ${why}. ${advice}`)
  }
  return lines.map((line, row) => (row === 0 ? line : `    ${line}`)).join("\n")
}
