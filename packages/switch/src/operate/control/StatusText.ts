/**
 * A status report as text for a terminal: what an operator asks first is first. Pure.
 */
import { counted } from "../Counted.ts"
import { alarmText, linkText } from "./LinkText.ts"
import type { DoorReport, GroupReport, ModuleReport, OwnerReport, StatusReport } from "./Report.ts"
import { ago, span } from "./Spans.ts"
import { byCode } from "./TrafficText.ts"

const fullText = {
  disk: "! new requests are refused on every link: the journal's disk is nearly full. Free some space; they are taken again by themselves",
  lag: "! new requests are refused on every link: the journal lags behind. Look at its disk",
  away: "! new requests are refused on every link: the journal's store does not answer. Look at PostgreSQL and the network to it; links stay up, and requests are taken again by themselves"
}

const defectsText = (count: number): string =>
  `! ${counted(count, "message was", "messages were")} given up because of a defect of the switch: the log names the place (ERROR); report it`

/** Alarms that have a line of their own in it. */
const said = new Set(["full", "disk", "retention", "keys", "inDoubt", "defect"])

/** The whole report. */
export const statusText = (report: StatusReport): string => {
  const { name, pid, startedAt, at, links, doors, answers, entries, unwritten } = report
  const ready = links.filter((link) => link.ready).length
  if (report.owner?.role === "standby") return standbyText(report, report.owner)
  return [
    `${name}: ${ready} of ${links.length} links ready; process ${pid}, up for ${span(startedAt, at)}`,
    ...(report.fullBy === null ? [] : [fullText[report.fullBy]]),
    ...(report.diskTrouble === "" ? [] : [`! ${report.diskTrouble}`]),
    ...(report.retention?.trouble
      ? [`! old days cannot be dropped from the journal: ${report.retention.trouble}`]
      : []),
    ...(report.module?.state === "away"
      ? ["! the security module is away: links with keys take no new requests. It says below for each device why"]
      : []),
    ...(report.defects === 0 ? [] : [defectsText(report.defects)]),
    ...(report.inDoubt === 0 ? [] : [`! ${report.inDoubt} in doubt until a person ends it: jinka pending list`]),
    ...report.alarms.filter(({ kind }) => !said.has(kind)).map((alarm) => alarmText(alarm, at)),
    ...(report.stalls === null ? [] : [stallText(report.stalls, at)]),
    ...links.map((link) => linkText(link, at)),
    ...report.groups.map((group) => groupText(group, at)),
    ...doors.map(doorText),
    ...(report.owner === null ? [] : [ownerText(report.owner, at)]),
    ...(report.module === null ? [] : [moduleText(report.module)]),
    ...(report.kernelAbsent === "" ? [] : [`kernel     not asked: ${report.kernelAbsent}`]),
    `answers    ${byCode(answers)}`,
    `journal    ${counts(entries)}`,
    ...(report.retention === null ? [] : [retentionText(report.retention)]),
    unwrittenText(unwritten)
  ].join("\n")
}

/** `unwritten  3 entries, 900 bytes; an entry is on disk after 2 ms`. */
const unwrittenText = ({ bytes, entries, lagMs }: StatusReport["unwritten"]): string => {
  const lag = lagMs === 0 ? "" : `; an entry is on disk after ${lagMs} ms`
  return `unwritten  ${counted(entries, "entry", "entries")}, ${counted(bytes, "byte", "bytes")}${lag}`
}

/** `owner      node n1 for 3 min, epoch 4`. */
const ownerText = ({ node, epoch, since }: OwnerReport, at: string): string =>
  `owner      node ${node} for ${span(since, at)}, epoch ${epoch}`

/** What a node that stands by says of the owner that it sees; "": none. */
export const ownerWords = (node: string, owner: string): string => {
  if (owner === "") return "no node has the switch yet"
  // Started again before the others can know that it has ended.
  return owner === node
    ? "it had the switch until it ended, and no other node has it yet"
    : `node ${owner} has the switch`
}

/** All that a node has to say that stands by. */
const standbyText = ({ name, pid, startedAt, at }: StatusReport, { node, owner, blind }: OwnerReport): string => {
  const seen = blind === "" ? ownerWords(node, owner) : `it does not see who has the switch: ${blind}`
  return `${name}: stands by on node ${node}; ${seen}; process ${pid}, up for ${span(startedAt, at)}`
}

/**
 * `kept       since 2026-08-29, for 90 days; the journal takes 12.3 GiB and grows by 140 MiB a day; nothing of it may be
 * dropped`.
 */
const retentionText = ({ keepDays, says, since }: NonNullable<StatusReport["retention"]>): string => {
  const days = keepDays === null ? "for good" : `for ${counted(keepDays, "day", "days")}`
  return `kept       ${since === null ? "" : `since ${since.slice(0, 10)}, `}${days}; ${says}`
}

/** `stalls     2 since the start, the last 12 s ago: the journal's disk confirmed nothing for 4.2 s`. */
const stallText = ({ count, last, longest }: NonNullable<StatusReport["stalls"]>, at: string): string => {
  const who = last.what === "disk" ? "the journal's disk confirmed nothing" : "the process did not run"
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const most = longest.ms > last.ms ? `; the longest ${seconds(longest.ms)}, ${ago(longest.at, at)}` : ""
  return `stalls     ${count} since the start, the last began ${ago(last.at, at)}: ${who} for ${seconds(last.ms)}${most}`
}

/** `issuer  group, primary-backup: issuer-a spare for 12 s, failback in 4 min; issuer-b used for 12 s`. */
const groupText = ({ name, use, fall, members, fellAt }: GroupReport, at: string): string => {
  const told = members.map(({ link, state, since, failbackDue, outstanding }) => {
    const held = since === null ? "" : ` for ${span(since, at)}`
    const due = failbackDue === null ? "" : `, failback in ${span(at, failbackDue)}`
    return `${link} ${state}${held}${due}, outstanding ${outstanding}`
  })
  const fell = fellAt === null ? "" : `, fell ${ago(fellAt, at)}`
  const together = fall === "together" ? `, falls together${fell}` : ""
  return [`${name}  group, ${use}${together}`, ...told].join("\n    ")
}

/** `keys       hsm degraded`, and a line for each device. */
const moduleText = ({ module, state, devices }: ModuleReport): string =>
  [
    `keys       ${module === "software" ? "in this process (software): for tests and certification" : `hsm ${state}`}`,
    ...devices.map((device) => {
      const { name, address, connected, connections, outstanding, answerMs, lmkCheckValue, why } = device
      const time = answerMs === null ? "" : `, ${answerMs} ms a call`
      const lmk = lmkCheckValue === "" ? "" : `, LMK ${lmkCheckValue}`
      const because = why === "" ? "" : `: ${why}`
      const links = `${connected} of ${connections} connections`
      return `${name} at ${address} ${device.state}${because}; ${links}, outstanding ${outstanding}${time}${lmk}`
    })
  ].join("\n    ")

/** `door front at 0.0.0.0:7000: 12 open, 0 pending, 57 admitted; refused PeerNotAllowed 9321`. */
const doorText = ({ name, at, open, pending, admitted, refused }: DoorReport): string =>
  `door ${name} at ${at}: ${open} open, ${pending} pending, ${admitted} admitted; refused ${counts(refused)}`

const counts = (numbers: { readonly [name: string]: number }): string => {
  const shown = Object.entries(numbers).filter(([, count]) => count > 0)
  return shown.length === 0 ? "none" : shown.map(([name, count]) => `${name} ${count}`).join(", ")
}
