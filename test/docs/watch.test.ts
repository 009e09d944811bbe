/** The dashboard and the alert rules of docs/operate use metrics that the switch exports, with labels that it gives them. */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { measures } from "../../packages/switch/src/operate/admin/Measures.ts"

const read = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../docs/operate/${file}`, import.meta.url)), "utf8")

const names = new Set(
  measures.flatMap(({ name, type }) =>
    type === "Histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
  )
)

const used = (text: string): ReadonlyArray<string> => [...new Set(text.match(/\bjinka_[a-z_]+/g))]

interface Rules {
  readonly groups: ReadonlyArray<{
    readonly rules: ReadonlyArray<{
      readonly alert: string
      readonly expr: string
      readonly labels: { readonly severity: string }
    }>
  }>
}

const alerts = (parse(read("alerts.yaml")) as Rules).groups.flatMap(({ rules }) => rules)

describe("Watching a switch", () => {
  it("alerts and shows only what the switch exports", () => {
    const ofRules = alerts.flatMap(({ expr }) => used(expr))
    const ofDashboard = used(read("dashboard.json"))

    expect(ofRules.length).toBeGreaterThan(12)
    expect(ofDashboard.length).toBeGreaterThan(12)
    expect([...ofRules, ...ofDashboard].filter((name) => !names.has(name))).toEqual([])
  })

  it("says of every alert what to do", () => {
    const page = read("watch.md")
    const rows = new Map([...page.matchAll(/^\| (Jinka\w+) +\|(.*)\|$/gm)].map(([, alert, row]) => [alert!, row!]))
    // The manual by symptom says it of an alarm of the switch, which the page gives beside the alert.
    const asAlarms = [...page.matchAll(/^\| [a-z][\w, ]* +\|.*\| (Jinka[\w, ]+?) +\|$/gm)].flatMap(([, names]) =>
      names!.split(", ")
    )

    // One alert may stand for several alarms.
    expect(alerts.map(({ alert }) => alert).sort()).toEqual([...new Set([...rows.keys(), ...asAlarms])].sort())
    expect([...rows.values()].every((row) => row.split("|").every((cell) => cell.trim() !== ""))).toBe(true)
    expect(alerts.every(({ labels }) => ["page", "warn"].includes(labels.severity))).toBe(true)
  })

  it("has names by the conventions: a prefix, the unit at the end, and a total for what only grows", () => {
    const counters = measures.filter(({ type }) => type === "Counter").map(({ name }) => name)
    const others = measures.filter(({ type }) => type !== "Counter").map(({ name }) => name)

    expect(new Set(measures.map(({ name }) => name)).size).toBe(measures.length)
    expect(counters.filter((name) => !/^jinka_[a-z_]+_total$/.test(name))).toEqual([])
    expect(others.filter((name) => !/^jinka_[a-z_]+$/.test(name) || name.endsWith("_total"))).toEqual([])
  })
})
