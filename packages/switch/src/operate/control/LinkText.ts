/**
 * One link of a status report as text: a few lines in the list of all links, and everything when it is asked for alone. Pure.
 */
import { clockWords } from "../ClockWords.ts"
import { counted } from "../Counted.ts"
import type { EndReport, LegReport, LinkReport } from "./Report.ts"
import { ago, span } from "./Spans.ts"
import { trafficText } from "./TrafficText.ts"

const oldest = (when: string | null, at: string): string => (when === null ? "" : `, oldest for ${span(when, at)}`)

const endText = (end: EndReport, at: string): string => {
  const times = end.times === 1 ? "" : ` (${end.times} times since ${span(end.firstAt ?? at, at)})`
  return `${ago(end.at, at)}: ${end.by}, ${end.how}${times}: ${end.reason}, ${end.why}`
}

/** What to look at. Of a link that is ready again its last end is history, and the advice would read as its present state. */
const adviceNow = ({ lastEnd, ready }: LinkReport, before: string): string =>
  lastEnd === null || ready ? "" : `${before}${lastEnd.advice}`

/** What an operator should not overlook. */
const alarms = (link: LinkReport, at: string): ReadonlyArray<string> => {
  const found = link.legs.flatMap(({ leg, disagreements }) =>
    disagreements.map((text) => (leg === "both" ? text : `${leg}: ${text}`))
  )
  const { clocks, inDoubt, unanswered } = link
  const doubts = Object.entries(inDoubt).filter(([, count]) => count > 0)
  if (doubts.length > 0) {
    const counts = doubts.map(([how, count]) => `${count} ${how}`).join(", ")
    found.push(`in doubt until a person ends it: ${counts}: jinka pending list`)
  }
  if (unanswered.askedAt !== null) {
    const asked = `the partner was asked by an echo ${ago(unanswered.askedAt, at)}, no answer yet`
    const many = counted(unanswered.inARow, "request was", "requests in a row were")
    found.push(`${many} not answered; ${unanswered.came || asked}`)
  }
  if (clocks?.writingSince != null) found.push(`a write has not been taken whole for ${span(clocks.writingSince, at)}`)
  if (clocks?.frameSince != null) found.push(`a frame has been open for ${span(clocks.frameSince, at)}`)
  if (clocks?.held === true) found.push("it is not read: the journal lags behind")
  return found.map((text) => `! ${text}`)
}

const next = (link: LinkReport, at: string): ReadonlyArray<string> => {
  if (link.listens !== "" && link.state === "down") return [`waits for the partner to connect to ${link.listens}`]
  if (link.attempts === 0 || link.nextAttempt === null) return []
  const failed = `${counted(link.attempts, "connection", "connections")} failed or ended early`
  // A short link tries again when it has something to send, and its pause is only for what can wait.
  if (link.short !== null && link.nextAttempt <= at) return [`${failed}; it is tried again with the next message`]
  return [`${failed}; the next attempt is in ${span(at, link.nextAttempt)}`]
}

const turnedAway = ({ turnedAway: away }: LinkReport, at: string): ReadonlyArray<string> => {
  if (away === null) return []
  const many = counted(away.count, "connection was", "connections were")
  return [`${many} not let in, the last ${ago(away.at, at)}: ${away.why}`]
}

/** Somebody should ask the partner about it. */
const lies = ({ lies: told }: LinkReport, at: string): ReadonlyArray<string> => {
  if (told === null) return []
  const many = counted(told.count, "message that spoke", "messages that spoke")
  return [`! ${many} for another partner, the last ${ago(told.at, at)}: ${told.why}`]
}

/** What came and left with a MAC, and what is wrong with it. */
const macText = ({ guard }: LinkReport): ReadonlyArray<string> => {
  if (guard === null) return []
  const { current, made, missing, previous, refusedByPartner, translated, unmade, unproved, untranslated, wrong } =
    guard
  const right = `${current + previous} right${previous === 0 ? "" : ` (${previous} by the previous key)`}`
  const pins = translated + untranslated === 0 ? "" : `; PIN blocks ${translated} translated`
  const bad = [
    [wrong, "wrong MAC of the partner", "wrong MACs of the partner"],
    [missing, "message of the partner without a MAC", "messages of the partner without a MAC"],
    [unproved, "message whose MAC could not be checked", "messages whose MAC could not be checked"],
    [refusedByPartner, "answer that says our MAC is wrong", "answers that say our MAC is wrong"],
    [unmade, "message of ours that did not leave, without a MAC", "messages of ours that did not leave, without a MAC"],
    [untranslated, "PIN block that could not be translated", "PIN blocks that could not be translated"]
  ] as const
  const seen = bad.filter(([count]) => count > 0).map(([count, one, many]) => counted(count, one, many))
  return [`MACs ${right}, ${made} made${pins}`, ...(seen.length === 0 ? [] : [`! since the start: ${seen.join(", ")}`])]
}

/** The partner's business day, where anything is known of it. */
const dayText = ({ businessDay }: LinkReport): ReadonlyArray<string> => {
  if (businessDay === null || businessDay.state === "unknown") return []
  const { date, next, state } = businessDay
  return [`business day ${date || "not known"}${state === "closing" ? `, closing: ${next} comes` : ""}`]
}

/** `send leg up for 3 min, 10.0.0.1:4000 to 10.0.0.2:7000, last byte 2 s ago; last end 3 min ago: ...`. */
const simplexText = ({ leg, local, remote, simplex }: LegReport, at: string): ReadonlyArray<string> => {
  if (simplex === null) return []
  const address = remote === "" ? "" : `, ${local} to ${remote}`
  const pause = simplex.nextAttempt === null ? "" : `, the next attempt is in ${span(at, simplex.nextAttempt)}`
  const end = simplex.lastEnd === null ? "" : `; last end ${ago(simplex.lastEnd.at, at)}: ${simplex.lastEnd.why}`
  const held = simplex.since === null ? "" : ` for ${span(simplex.since, at)}`
  return [`${leg} leg ${simplex.state}${held}${address}, last byte ${ago(simplex.lastByte, at)}${pause}${end}`]
}

const shortText = ({ open, dialling, opened, lastSecond }: NonNullable<LinkReport["short"]>): string =>
  `${open} open, ${dialling} being dialled, ${lastSecond} in the last second, ${opened} since the start`

const waitingText = ({ waiting }: LinkReport): string => (waiting === 0 ? "" : `, ${waiting} of them waiting in line`)

/** Seconds between both clocks that are worth a line among other links. */
const CLOCK_SHOWN = 10

const has = ({ alarms: all }: LinkReport, kind: string): boolean => all.some((one) => one.kind === kind)

/** What the alarms say of it; that it is down comes first. */
const standing = ({ alarms: all }: LinkReport, at: string): ReadonlyArray<string> =>
  all.filter(({ kind }) => kind !== "linkDown").map((alarm) => alarmText(alarm, at))

/** `! alarm macFailures for 3 min: 9 wrong or missing MACs in five minutes`. */
export const alarmText = ({ kind, says, silenced, since }: LinkReport["alarms"][number], at: string): string =>
  `! alarm ${kind} for ${span(new Date(since).toISOString(), at)}${silenced ? ", silenced" : ""}: ${says}`

/** The link among others. */
export const linkText = (link: LinkReport, at: string): string => {
  const address = link.remote === "" || link.legs.length > 1 ? "" : `, ${link.local} to ${link.remote}`
  const lines = [
    `${link.name}  ${link.institution}  ${link.state}${link.since === null ? "" : ` for ${span(link.since, at)}`}${address}, connection ${link.epoch}`,
    `outstanding ${link.outstanding} of ${link.window}${waitingText(link)}${oldest(link.oldestOutstanding, at)}; stored ${link.stored}${oldest(link.storeAndForward.oldest?.at ?? null, at)}; unsent ${link.unsent} bytes; last in ${ago(link.lastReceived, at)}, last out ${ago(link.lastSent, at)}`,
    ...trafficText(link),
    ...link.legs.flatMap((leg) => simplexText(leg, at)),
    ...(link.short === null ? [] : [`connections: ${shortText(link.short)}`]),
    ...alarms(link, at),
    ...next(link, at),
    ...(link.clockAhead === null || Math.abs(link.clockAhead) < CLOCK_SHOWN || has(link, "clock")
      ? []
      : [`! ${clockWords(link.clockAhead)}`]),
    ...standing(link, at),
    ...(link.overRate === 0
      ? []
      : [`above its rate limit: ${counted(link.overRate, "message", "messages")} since the start`]),
    ...(link.perhapsRepeats === 0
      ? []
      : [`left unanswered, perhaps repeats: ${counted(link.perhapsRepeats, "message", "messages")} since the start`]),
    ...turnedAway(link, at),
    ...lies(link, at),
    ...macText(link),
    ...dayText(link)
  ]
  if (link.lastEnd !== null) lines.push(`last end ${endText(link.lastEnd, at)}${adviceNow(link, ". ")}`)
  return lines.map((line, row) => (row === 0 ? line : `    ${line}`)).join("\n")
}

const row = (name: string, text: string): string => `  ${name.padEnd(12)} ${text}`

const signs: Readonly<Record<string, string>> = {
  none: "not asked for",
  missing: "missing",
  optional: "missing, not required",
  done: "signed on",
  off: "signed off by an operator"
}

/** The partner's: only it can sign itself off. */
export const partnerSigns: typeof signs = { ...signs, off: "signed off" }

const signOnText = ({ signOn, clocks, short }: LinkReport): string => {
  if (clocks === null && short === null) return "no connection"
  const attempt = signOn.ours === "missing" ? `, attempt ${signOn.attempts}` : ""
  return `ours ${signs[signOn.ours] ?? ""}${attempt}, the partner's ${partnerSigns[signOn.partners] ?? ""}`
}

const legRows = (leg: LegReport, kernelAbsent: string, at: string): ReadonlyArray<string> => {
  const { kernel } = leg
  const own = simplexText(leg, at).map((text) => row(leg.leg, text))
  if (leg.local === "") return own
  const seen =
    kernel === null
      ? kernelAbsent === ""
        ? "no such connection"
        : `not known: ${kernelAbsent}`
      : `${kernel.state}, send queue ${kernel.sendQueue}, receive queue ${kernel.receiveQueue}, retransmits ${kernel.retransmits}, timer ${kernel.timer}${kernel.timerMs === 0 ? "" : ` in ${(kernel.timerMs / 1000).toFixed(1)} s`}`
  return [...(own.length > 0 ? own : [row("connection", `${leg.local} to ${leg.remote}`)]), row("kernel", seen)]
}

/** What a phase of the watchdog does not say by itself. */
const phases: Readonly<Record<string, string>> = { DOWN: "begins after the sign-on" }

const clockRows = ({ clocks }: LinkReport, at: string): ReadonlyArray<string> => {
  if (clocks === null) return []
  const proofs = clocks.proofsMissing > 0 ? `, ${clocks.proofsMissing} echoes to be answered` : ""
  const due = clocks.watchdogDue === null ? "" : `, acts in ${span(at, clocks.watchdogDue)} unless something comes`
  return [
    row(
      "watchdog",
      `${phases[clocks.watchdog] ?? clocks.watchdog}${clocks.probing ? ", a probe is under way" : ""}${proofs}${due}`
    ),
    row(
      "unheard",
      clocks.unheardSince === null
        ? "no: something came after our last write"
        : `nothing has come since our last write, and for ${span(clocks.unheardSince, at)} in all`
    ),
    row("write", clocks.writingSince === null ? "drained" : `not drained for ${span(clocks.writingSince, at)}`)
  ]
}

const storedText = ({ stored, storeAndForward: queue }: LinkReport, at: string): string => {
  if (queue.oldest === null) return "none"
  const { oldest: first, attemptsMax } = queue
  const pause = queue.nextAttempt === null ? "" : `, the next attempt is in ${span(at, queue.nextAttempt)}`
  return `${stored}: ${queue.underWay} under way, ${queue.resting} between attempts${pause}; oldest is exchange ${first.exchange} for ${span(first.at ?? at, at)}, attempt ${first.attempts} of ${attemptsMax}`
}

/** The link alone, whole. */
export const linkDetail = (link: LinkReport, at: string, kernelAbsent: string): string =>
  [
    `${link.name} (${link.institution}): ${link.state}${link.since === null ? "" : ` for ${span(link.since, at)}`}, connection ${link.epoch}`,
    row("sign-on", signOnText(link)),
    ...link.legs.flatMap((leg) => legRows(leg, kernelAbsent, at)),
    ...(link.short === null ? [] : [row("connections", shortText(link.short))]),
    row("in", `${link.bytesReceived} bytes, last ${ago(link.lastReceived, at)}`),
    row("out", `${link.bytesSent} bytes, last ${ago(link.lastSent, at)}; ${link.unsent} unsent`),
    ...clockRows(link, at),
    ...(link.clockAhead === null ? [] : [row("clock", clockWords(link.clockAhead))]),
    row(
      "outstanding",
      `${link.outstanding} of ${link.window}${waitingText(link)}${oldest(link.oldestOutstanding, at)}`
    ),
    row("stored", storedText(link, at)),
    ...trafficText(link).map((text) => row("traffic", text)),
    ...(link.success === null ? [] : [row("approved", `${link.success.isLow ? "! " : ""}${link.success.says}`)]),
    ...[...alarms(link, at), ...standing(link, at)].map((line) => `  ${line}`),
    ...[...next(link, at), ...turnedAway(link, at), ...lies(link, at), ...macText(link), ...dayText(link)].map(
      (line) => `  ${line}`
    ),
    ...(link.ends.length === 0 ? [row("ends", "none yet")] : ["  ends, newest first"]),
    ...link.ends.map((end, row) => `    ${endText(end, at)}${row === 0 ? adviceNow(link, "\n      ") : ""}`)
  ].join("\n")
