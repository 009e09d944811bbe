/**
 * Partners on a terminal while they run: one row each, and what happened last. Pure; printing is the command's.
 */
import Table from "cli-table3"
import type { HistoryLine } from "../history/History.ts"
import { endpointText } from "../link/Listener.ts"
import type { RunningPartner } from "./RunningPartner.ts"

/** Rows of the last events. */
const EVENTS_SHOWN = 10

/** Partners whose keys are shown. */
const KEYS_SHOWN = 4

const count = (value: number): string => value.toLocaleString("en-US")

const stateOf = (partner: RunningPartner): string => {
  const { mode } = partner.plan().link.mode
  const { connections } = partner.totals()
  if (mode === "sync-short" || mode === "async-short") return "ready"
  return connections === 0 ? "down" : connections === 1 ? "up" : `up, ${connections}`
}

const rowOf = (partner: RunningPartner): ReadonlyArray<string> => {
  const plan = partner.plan()
  const totals = partner.totals()
  return [
    plan.name,
    `${plan.link.mode.mode}, ${partner.link().endpoints.map(endpointText).join(" and ")}`,
    stateOf(partner),
    count(totals.received),
    count(totals.approved),
    count(totals.declined),
    count(totals.reversals),
    count(totals.faulted + totals.dropped + totals.ignored),
    count(totals.waiting),
    count(totals.unmatched)
  ]
}

const head = ["partner", "link", "state", "in", "approved", "declined", "reversed", "faults", "waiting", "unmatched"]

/** One event in a line: time, partner, what, and what is known of it. */
export const eventText = (name: string, { amount, at, code, key, mti, reason, rule, what }: HistoryLine): string => {
  const time = new Date(at).toISOString().slice(11, 23)
  const stan = key === undefined ? "" : `STAN ${key.slice(0, 6)}`
  const parts = [what, mti, stan, amount === undefined ? "" : `amount ${amount}`, rule, code, reason]
  return `${time}  ${name}  ${parts.filter((part) => part !== undefined && part !== "").join("  ")}`
}

/** The keys in use, by check values, of the first partners that have some. */
const keysOf = (partners: ReadonlyArray<RunningPartner>): ReadonlyArray<string> =>
  partners
    .map((partner) => ({ name: partner.plan().name, values: partner.totals().checkValues }))
    .filter(({ values }) => values.length > 0)
    .slice(0, KEYS_SHOWN)
    .map(({ name, values }) => `keys of ${name}: ${values.join(", ")}`)

/** The whole screen. Partners beyond `rowsMax` are summed up. */
export const screenText = (
  partners: ReadonlyArray<RunningPartner>,
  events: ReadonlyArray<string>,
  title: string,
  rowsMax: number
): string => {
  const style = { compact: true, head: ["bold"], border: ["grey"] }
  const table = new Table({ head: [...head], style })
  for (const partner of partners.slice(0, rowsMax)) table.push([...rowOf(partner)])
  const more = partners.length - rowsMax
  return [
    title,
    table.toString(),
    ...keysOf(partners),
    ...(more > 0 ? [`and ${more} more partners`] : []),
    "",
    ...events.slice(-EVENTS_SHOWN)
  ].join("\n")
}
