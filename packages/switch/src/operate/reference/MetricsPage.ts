/** docs/reference/metrics.md: every metric of `/metrics`, from the table that makes them. Pure. */
import { boundaries, measures } from "../admin/Measures.ts"
import { cell, page, table } from "./Markdown.ts"

/** The text of docs/reference/metrics.md. */
export const metricsPage = (): string =>
  page("Metrics", [
    "What `/metrics` of the [administrative listener](configuration.md#keys) shows, in the text format of Prometheus 0.0.4, and what an OTLP collector gets. Labels are names of the configuration, response codes and the words below; no field of a message is among them. What ends in `_total` only grows, from zero at each start; `jinka_journal_entries_total` from the beginning of the journal.",
    `Distributions have the bounds ${boundaries.join(", ")} seconds.`,
    table(
      ["Name", "Kind", "What it is"],
      measures.map(({ help, name, type }) => [`\`${name}\``, type.toLowerCase(), cell(help)])
    ),
    "A dashboard for Grafana and alert rules for Prometheus are [dashboard.json](../operate/dashboard.json) and [alerts.yaml](../operate/alerts.yaml); what to do about each alert is in the [manual by symptom](../operate/symptoms.md#alarms) and in [watch a switch](../operate/watch.md#alerts-that-are-no-alarm-of-the-switch)."
  ])
