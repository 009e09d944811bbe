/**
 * What a configuration says, in a few lines: for `jinka check`. Pure; keys are named by where they are.
 */
import type { LinkSettings, Side } from "../link/Settings.ts"
import type { Configuration } from "./Configuration.ts"
import type { KeyDocument } from "./configuration/ConfigurationDocument.ts"

/** The summary. */
export const configurationText = ({ document, settings, journal, socket, warnings }: Configuration): string => {
  const widest = Math.max(...settings.links.map(({ name }) => name.length))
  const count = warnings.length
  return [
    `${document.name}: good${count === 0 ? "" : `, with ${count} ${count === 1 ? "warning" : "warnings"}`}`,
    `institution ${document.institution}, requests end after ${document.requestTimeout}, a stop waits ${document.drainTimeout}`,
    "links",
    ...settings.links.map((link) => `  ${link.name.padEnd(widest)}  ${linkText(link)}`),
    "routes",
    ...document.routes.map(({ bin, institution, to }) =>
      bin === undefined ? `  institution ${institution} to ${to}` : `  card numbers ${bin}... to ${to}`
    ),
    ...(document.routes.length === 0 ? ["  none"] : []),
    `journal  ${journal.directory}, ${keyText(document.journal.key)}`,
    `control  ${socket}`
  ].join("\n")
}

const keyText = ({ env, file }: KeyDocument): string =>
  env === undefined ? `key from the file ${file}` : `key from the environment variable ${env}`

const linkText = ({ institution, dialect, side, signOn }: LinkSettings): string => {
  const ways =
    side._tag === "legs"
      ? [`send leg: ${wayText(side.send)}`, `receive leg: ${wayText(side.receive)}`]
      : [wayText(side)]
  const signs = [...(signOn.send ? ["we sign on"] : []), ...(signOn.expect ? ["the partner signs on"] : [])]
  return [institution, dialect.name, ...ways, ...signs].join(", ")
}

const wayText = (side: Side): string =>
  side._tag === "connect"
    ? `we connect to ${side.to.host}:${side.to.port}`
    : `the partner connects to ${side.at.host}:${side.at.port}, ${side.from.length === 0 ? "from anywhere" : `from ${side.from.join(", ")}`}`
