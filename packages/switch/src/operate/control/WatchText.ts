/** `jinka watch`: what has changed between two status reports, a line each, as a log that a person reads. Pure. */
import { counted } from "../Counted.ts"
import { fullWords } from "../FullWords.ts"
import { partnerSigns } from "./LinkText.ts"
import type { LinkReport, StatusReport } from "./Report.ts"

const endsSince = (before: LinkReport, after: LinkReport): ReadonlyArray<string> =>
  after.ends
    .filter((end) => end.at !== null && !before.ends.some((old) => old.at === end.at))
    .toReversed()
    .map((end) => `connection ended by ${end.by}, ${end.how}: ${end.reason}, ${end.why}. ${end.advice}`)

const doubts = ({ inDoubt }: LinkReport): number => Object.values(inDoubt).reduce((sum, count) => sum + count, 0)

const more = (before: number, after: number, one: string, many: string): ReadonlyArray<string> =>
  after > before ? [`! ${counted(after - before, one, many)}`] : []

/** Which alarms have come, and which are over. What is silenced is told to nobody. */
const alarmChanges = (before: LinkReport["alarms"], after: LinkReport["alarms"]): ReadonlyArray<string> => {
  const isIn = (alarms: LinkReport["alarms"], kind: string) => alarms.some((one) => one.kind === kind && !one.silenced)
  return [
    ...after
      .filter(({ kind, silenced }) => !silenced && !isIn(before, kind))
      .map(({ kind, says }) => `! alarm ${kind}: ${says}`),
    ...before.filter(({ kind }) => !after.some((one) => one.kind === kind)).map(({ kind }) => `alarm ${kind} is over`)
  ]
}

const linkChanges = (before: LinkReport, after: LinkReport): ReadonlyArray<string> => {
  const was = before.traffic
  const is = after.traffic
  return [
    ...endsSince(before, after),
    ...(before.state === after.state ? [] : [`${before.state} -> ${after.state}`]),
    ...(before.signOn.ours === after.signOn.ours ? [] : [`our sign-on: ${after.signOn.ours}`]),
    ...(before.signOn.partners === after.signOn.partners
      ? []
      : [`the partner's sign-on: ${partnerSigns[after.signOn.partners] ?? ""}`]),
    ...more(was.timeouts, is.timeouts, "request without an answer in time", "requests without an answer in time"),
    ...more(was.lost, is.lost, "request lost with its connection", "requests lost with their connections"),
    ...more(was.late, is.late, "late answer", "late answers"),
    ...more(was.unmatched, is.unmatched, "unmatched answer", "unmatched answers"),
    ...more(
      doubts(before),
      doubts(after),
      "message in doubt: jinka pending list",
      "messages in doubt: jinka pending list"
    ),
    ...(doubts(after) < doubts(before)
      ? [`${counted(doubts(before) - doubts(after), "message is", "messages are")} not in doubt any more`]
      : []),
    ...(before.stored === 0 && after.stored > 0
      ? [`${counted(after.stored, "message waits", "messages wait")} in store-and-forward`]
      : []),
    ...(before.stored > 0 && after.stored === 0 ? ["store-and-forward is empty"] : []),
    ...alarmChanges(before.alarms, after.alarms),
    ...more(
      before.lies?.count ?? 0,
      after.lies?.count ?? 0,
      "message spoke for another partner",
      "messages spoke for another partner"
    )
  ].map((text) => `${after.name}  ${text}`)
}

/** What the module and its devices have become. */
const moduleChanges = (before: StatusReport["module"], after: StatusReport["module"]): ReadonlyArray<string> => {
  if (after === null) return []
  const states = new Map(before?.devices.map(({ name, state }) => [name, state]))
  return [
    ...(before?.state === after.state ? [] : [`${after.state === "up" ? "" : "! "}security module: ${after.state}`]),
    ...after.devices
      .filter(({ name, state }) => states.get(name) !== state)
      .map(({ name, state, why }) => `security module, device ${name}: ${state}${why === "" ? "" : `, ${why}`}`)
  ]
}

/** The lines, without their time; empty when nothing has changed that somebody would want to know. */
export const changes = (before: StatusReport, after: StatusReport): ReadonlyArray<string> => {
  if (before.startedAt !== after.startedAt) return [`the switch was started again (process ${after.pid})`]
  const earlier = new Map(before.links.map((link) => [link.name, link]))
  const there = new Set(after.links.map(({ name }) => name))
  return [
    ...(before.fullBy === after.fullBy
      ? []
      : [
          after.fullBy === null
            ? "new requests are taken again"
            : `! new requests are refused on every link: ${fullWords[after.fullBy]}`
        ]),
    ...alarmChanges(before.alarms, after.alarms),
    ...moduleChanges(before.module, after.module),
    ...(before.diskTrouble === after.diskTrouble
      ? []
      : [after.diskTrouble === "" ? "the journal is written as it should be again" : `! ${after.diskTrouble}`]),
    ...more(before.defects, after.defects, "message", "messages").map(
      (text) => `${text} given up because of a defect of the switch: see its log`
    ),
    ...more(before.stalls?.count ?? 0, after.stalls?.count ?? 0, "stall", "stalls").map(
      (text) => `${text} of disk or process`
    ),
    ...after.links.flatMap((link) => {
      const old = earlier.get(link.name)
      return old === undefined ? [`${link.name}  is new, ${link.state}`] : linkChanges(old, link)
    }),
    ...before.links.filter(({ name }) => !there.has(name)).map(({ name }) => `${name}  is gone`)
  ]
}
