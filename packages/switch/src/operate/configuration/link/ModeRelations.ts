/**
 * Which keys of a link go with which mode. Pure.
 */
import { type Draft, frameOf } from "../text/Draft.ts"
import { error, type Finding } from "../text/Problem.ts"
import { frameFinding } from "./FrameRelations.ts"

/** The mode of a link; what is no mode reads as the default, and the decoder says what is wrong with it. */
export const modeOf = (link: Draft): string => link.part("mode").text ?? "async-duplex"

/** Whether the link opens a connection for each exchange. */
export const isShort = (link: Draft): boolean => ["sync-short", "async-short"].includes(modeOf(link))

/** All findings about the modes of links. */
export const modeRelations = (link: Draft, requestTimeout: number | undefined): ReadonlyArray<Finding> => [
  ...(isShort(link) ? [...withoutConnection(link), ...shortLimits(link, requestTimeout)] : longOnly(link)),
  ...frameOfMode(link),
  ...oneAtATime(link),
  ...waits(link, requestTimeout)
]

const keyError = (link: Draft, keys: ReadonlyArray<string>, rule: string, fix: string): Finding => ({
  ...error(link.part(...keys).path, rule, fix, ""),
  atKey: true
})

/** A short connection has no life of its own: nothing of what keeps a long one alive. */
const withoutConnection = (link: Draft): ReadonlyArray<Finding> => {
  const mode = modeOf(link)
  const kept = [["signOn"], ["watchdog"], ["idle"], ["partnerIdleTimeout"], ["listen", "second"]]
  return kept
    .filter((keys) => link.part(...keys.slice(0, -1)).has(keys.at(-1)!))
    .map((keys) =>
      keyError(
        link,
        keys,
        `\`${keys.join(".")}\` is for long connections; ${mode} opens one for each exchange`,
        `Remove \`${keys.join(".")}\`, or choose a long mode.`
      )
    )
}

const shortLimits = (link: Draft, requestTimeout: number | undefined): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  if (!link.has("listen")) {
    for (const key of ["keep", "firstMessage", "idle", "connections"]) {
      if (!link.part("short").has(key)) continue
      const rule = `\`short.${key}\` is about connections that the partner makes, and this link only dials`
      findings.push(keyError(link, ["short", key], rule, `Remove \`short.${key}\`.`))
    }
    return findings
  }
  const idle = link.part("short", "idle").ms("60 seconds")
  if (modeOf(link) === "sync-short" && idle !== undefined && requestTimeout !== undefined && idle <= requestTimeout) {
    const rule = "a connection stays open longer than `requestTimeout`, or its answer finds it closed"
    findings.push(error(link.part("short", "idle").path, rule, "Make `short.idle` longer than `requestTimeout`."))
  }
  if (link.part("short", "keep").truth(false) === true && frameOf(link)?.kind === "until-close") {
    const rule = "with the frame until-close a connection carries one message each way"
    findings.push(error(link.part("short", "keep").path, rule, "Write `keep: false`."))
  }
  return findings
}

const longOnly = (link: Draft): ReadonlyArray<Finding> => {
  if (!link.has("short")) return []
  const rule = `\`short\` is for the modes sync-short and async-short; this link is ${modeOf(link)}`
  return [keyError(link, ["short"], rule, "Remove `short`, or choose one of these modes.")]
}

const frameOfMode = (link: Draft): ReadonlyArray<Finding> => {
  const frame = frameOf(link)
  if (frame === undefined || frameFinding(link).length > 0) return []
  const mode = modeOf(link)
  const fix = "Agree with the partner on a length header, or choose the mode sync-short."
  if (frame.kind === "until-close" && mode !== "sync-short") {
    const rule = `the frame until-close ends a message with the connection, and ${mode} sends more than one on it`
    return [error(link.part("frame", "kind").path, rule, fix)]
  }
  if (frame.kind === "single-read" && ["async-duplex", "async-simplex"].includes(mode)) {
    const rule = `the frame single-read takes each read for a message, and with ${mode} several come in one read`
    return [error(link.part("frame", "kind").path, rule, fix)]
  }
  return []
}

const waits = (link: Draft, requestTimeout: number | undefined): ReadonlyArray<Finding> => {
  const wait = link.part("wait")
  if (link.has("waiting") && (!link.has("wait") || wait.text === "never")) {
    const rule = "nobody waits on this link: `wait` is never"
    return [keyError(link, ["waiting"], rule, "Write how long under `wait`, or remove `waiting`.")]
  }
  const ms = wait.ms()
  if (ms === undefined || requestTimeout === undefined || ms < requestTimeout) return []
  const rule = "a request waits shorter than `requestTimeout`, or its time is up before it leaves"
  return [error(wait.path, rule, "Make `wait` shorter, so that the partner has time left to answer.")]
}

const oneAtATime = (link: Draft): ReadonlyArray<Finding> => {
  const window = link.part("window")
  if (modeOf(link) !== "sync-long" || window.raw === undefined || window.number === 1) return []
  const rule = "with sync-long one request is outstanding at a time"
  return [error(window.path, rule, "Leave `window` out; `waiting` and `wait` let requests wait for their turn.")]
}
