/**
 * What a configuration says, in a few lines: for `jinka check`. Pure; keys are named by where they are.
 */
import { deviceFamilies } from "../guard/hsm/Families.ts"
import type { DoorSettings, DoorWay } from "../link/door/Door.ts"
import type { GroupSettings } from "../link/LinkGroup.ts"
import type { LinkSettings, Side } from "../link/Settings.ts"
import { asksForCertificate, type TlsSettings } from "../transport/Tls.ts"
import type { Configuration } from "./Configuration.ts"
import type { ConfigurationDocument } from "./configuration/ConfigurationDocument.ts"
import { routeWords } from "./configuration/RouteWords.ts"
import type { KeyDocument } from "./configuration/security/KeyDocument.ts"

/** What `jinka check` prints of a good configuration: links, who connects, routes, warnings. */
export const configurationText = ({ document, settings, journal, socket, warnings }: Configuration): string => {
  const widest = Math.max(...settings.links.map(({ name }) => name.length))
  const count = warnings.length
  const { doors = [], http = [] } = settings
  return [
    `${document.name}: good${count === 0 ? "" : `, with ${count} ${count === 1 ? "warning" : "warnings"}`}`,
    `institution ${document.institution}, requests end after ${document.requestTimeout}, a stop waits ${document.drainTimeout}`,
    "links",
    ...settings.links.map((link) => `  ${link.name.padEnd(widest)}  ${linkText(link)}`),
    ...groupLines(settings.groups ?? []),
    ...(doors.length === 0 ? [] : ["doors", ...doors.map((door) => `  ${door.name}  ${doorText(door)}`)]),
    ...(http.length === 0 ? [] : ["http", ...http.map((door) => `  ${door.name}  ${httpText(door)}`)]),
    "routes",
    ...document.routes.map((route) => `  ${routeWords(route)} to ${route.to}`),
    ...(document.routes.length === 0 ? ["  none"] : []),
    `journal  ${journal.directory}, ${keyText(document.journal.key)}`,
    `control  ${socket}`,
    ...adminText(document.admin),
    ...hookText(document.alarms.webhook),
    ...securityText(document.security)
  ].join("\n")
}

const adminText = (admin: ConfigurationDocument["admin"]): ReadonlyArray<string> => {
  if (admin === undefined) return []
  const { from, host, port, tls } = admin.listen
  const users = admin.users.map(({ name, role }) => `${name} (${role})`).join(", ")
  const who = users === "" ? "everybody who reaches it may look at /metrics, and nobody may do more" : users
  const some = from.length === 0 ? "" : `${fromText(from)}, `
  return [`admin    ${host}:${port}, ${some}${tls === undefined ? "in clear" : "TLS"}: ${who}`]
}

/** Where alarms go besides the log: the host alone, because the rest of the address may be a secret. */
const hookText = (webhook: ConfigurationDocument["alarms"]["webhook"]): ReadonlyArray<string> =>
  webhook === undefined ? [] : [`alarms   also to ${new URL(webhook.url).host}`]

const keyText = ({ env, file }: KeyDocument): string =>
  env === undefined ? `key from the file ${file}` : `key from the environment variable ${env}`

const linkText = ({ institution, dialect, mode, side, short, signOn }: LinkSettings): string => {
  const ways =
    side._tag === "legs"
      ? [`send leg: ${sideText(side.send)}`, `receive leg: ${sideText(side.receive)}`]
      : [...(short?.dial === undefined ? [] : [sideText(short.dial)]), sideText(side)]
  const signs = [...(signOn.send ? ["we sign on"] : []), ...(signOn.expect ? ["the partner signs on"] : [])]
  const how = mode === "async-duplex" ? [] : [mode]
  return [institution, dialect.name, ...how, ...ways, ...signs].join(", ")
}

const sideText = (side: Side): string => {
  switch (side._tag) {
    case "connect":
      return `we connect to ${side.to.host}:${side.to.port}${tlsText(side.tls)}`
    case "listen":
      return `the partner connects to ${side.at.host}:${side.at.port}, ${fromText(side.from)}${tlsText(side.tls)}`
    case "door":
      // Without addresses of its own the door's count, which are on the door's line.
      return `the partner connects to the door ${side.door}${side.sign.from.length === 0 ? "" : `, ${fromText(side.sign.from)}`}`
  }
}

const fromText = (from: ReadonlyArray<string>): string =>
  from.length === 0 ? "from anywhere" : `from ${from.join(", ")}`

const tlsText = (tls: TlsSettings | undefined): string =>
  tls === undefined ? "" : asksForCertificate(tls) ? ", TLS with both certificates" : ", TLS with our certificate"

const doorText = ({ at, by, from, tls }: DoorSettings): string => {
  const told = by._tag === "field" ? `DE ${by.field} of the first message` : signs[by._tag]
  return `${at.host}:${at.port}, ${fromText(from)}${tlsText(tls)}, partners told apart by ${told}`
}

const signs = { address: "their address", certificate: "their certificate", header: "their header's source" } as const

const httpText = ({ at, from, tls }: DoorWay): string =>
  `${at.host}:${at.port}, ${fromText(from)}${tlsText(tls)}, partners told apart by path`

const groupLines = (groups: ReadonlyArray<GroupSettings>): ReadonlyArray<string> =>
  groups.length === 0 ? [] : ["groups", ...groups.map((group) => `  ${groupText(group)}`)]

const groupText = ({ name, use, by, members, failbackMs, fallTogether }: GroupSettings): string =>
  [
    `${name}: ${use}${by.length === 0 ? "" : ` by DE ${by.join(", ")}`} of ${members.map(nameAndWeight).join(", ")}`,
    `failback after ${failbackMs / 1000} s`,
    ...(fallTogether ? ["all fall together"] : [])
  ].join("; ")

const nameAndWeight = ({ name, weight }: GroupSettings["members"][number]): string =>
  weight === 1 ? name : `${name} (weight ${weight})`

/** `keys     hsm payshield: hsm-a at 10.1.0.10:1500, ...`. */
const securityText = (security: ConfigurationDocument["security"]): ReadonlyArray<string> => {
  if (security?.hsm !== undefined) {
    const { devices, family } = security.hsm
    const { port: usual } = deviceFamilies[family]
    const said = devices.map(({ name, host, port }) => `${name} at ${host}:${port ?? usual}`)
    return [`keys     in devices, ${family}: ${said.join(", ")}`]
  }
  return security?.software === undefined ? [] : ["keys     in this process (software): for tests and certification"]
}
