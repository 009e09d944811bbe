/** What the doctor found, as text for people: a table of the explanations, and the evidence of the best. Pure. */
import type { Diagnosis } from "@jinka/codec"
import Table from "cli-table3"

const looks: Readonly<Record<Exclude<Diagnosis["looks"], "iso8583">, string>> = {
  idle: "idle frames only: wait for a message",
  tls: "TLS: capture behind the TLS end, or give the link a `tls` section",
  http: "HTTP: somebody else dialled this port",
  xml: "XML: a document, no ISO 8583 message",
  json: "JSON: a document, no ISO 8583 message"
}

const named = ({ dialect, looks: kind }: Diagnosis): string => {
  if (kind !== "iso8583") return looks[kind]
  return dialect === undefined ? "" : `${dialect.name}, header ${dialect.header}`
}

const noFrame =
  "No frame that the doctor knows fits these bytes: ask the partner what is in front of a message and behind it. Where each message has a connection of its own and nothing is around it, write `mode: sync-short` and `frame: { kind: until-close, lengthMax: 4096 }`."

/** The lines of a configuration for it, and of a dialect file where it takes one. */
const linkLines = ({ link, frame }: Diagnosis): ReadonlyArray<string> => {
  if (link === undefined) return frame.format === undefined ? ["", noFrame] : []
  const written = typeof link.frame === "string" ? link.frame : flow(link.frame)
  const lines = ["", "For the link:", `    frame: ${written}`, `    dialect: ${link.dialect}`]
  if (link.file === undefined) return lines
  const { name, extends: base, header } = link.file
  return [
    ...lines,
    "",
    `${link.dialect}:`,
    `    name: ${name}`,
    ...(base === undefined ? [] : [`    extends: ${base}`]),
    `    header: ${header}`
  ]
}

/** A frame in YAML's flow style: JSON with names as people write them. */
const flow = (format: object): string =>
  `{ ${Object.entries(format)
    .map(
      ([key, value]) => `${key}: ${typeof value === "object" && value !== null ? flow(value) : JSON.stringify(value)}`
    )
    .join(", ")} }`

/** The whole report. No value of a message is in it. */
export const diagnosisText = (diagnoses: ReadonlyArray<Diagnosis>): string => {
  const [best] = diagnoses
  if (best === undefined)
    return "Nothing that Jinka knows fits these bytes. Do they begin with the first byte of a frame, and are they the bytes of one direction only?"
  const table = new Table({
    head: ["score", "length header", "what the messages are", "frames", "read", "stops at"],
    style: { head: [], border: [], compact: true },
    colAligns: ["right", "left", "left", "right", "right", "left"]
  })
  for (const one of diagnoses) {
    const read = one.looks === "iso8583" ? `${one.decoded}/${one.messages}` : ""
    table.push([one.score, one.frame.title, named(one), one.frames, read, one.stopsAt?.says ?? ""])
  }
  const reasons = best.evidence.map(({ says, weight }) => `${String(weight).padStart(4)}  ${says}`)
  return [table.toString(), "", "Why the first:", ...reasons, ...linkLines(best)].join("\n")
}
