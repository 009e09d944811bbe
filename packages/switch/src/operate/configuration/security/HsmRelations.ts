/** What must hold between the devices of `security.hsm`, and what they can do for the links. Pure. */
import { type KeyExchange, macAlgorithms } from "@jinka/codec"
import {
  ciphersOf,
  deviceMacLengths,
  deviceWrap,
  macNames,
  paddingOf,
  paddingsFor,
  pinFormatsOf
} from "../../../guard/hsm/Abilities.ts"
import type { DeviceFamily } from "../../../guard/hsm/DeviceFamily.ts"
import { deviceFamilies } from "../../../guard/hsm/Families.ts"
import { dialledTls } from "../link/TlsRelations.ts"
import { type Draft, dialectOf } from "../text/Draft.ts"
import { error, type Finding, listed, warning } from "../text/Problem.ts"
import type { MacDocument } from "./GuardDocument.ts"
import { macRulesOf } from "./GuardPlan.ts"
import { exchangeOf } from "./SecurityPlan.ts"

/** All findings about the devices. */
export const hsmRelations = (hsm: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  if (typeof hsm.raw !== "object" || hsm.raw === null) return []
  const name = hsm.part("family").text ?? "payshield"
  const family = Object.hasOwn(deviceFamilies, name) ? deviceFamilies[name as keyof typeof deviceFamilies] : undefined
  return [
    ...repeated(hsm),
    ...dialledTls(hsm.part("tls")),
    ...pauses(hsm),
    ...(family === undefined
      ? []
      : [
          ...headerFindings(hsm, family),
          ...links.flatMap((link) => [
            ...macs(link, family),
            ...macLengths(link, family),
            ...pins(link, family),
            ...exchanges(link, family)
          ])
        ])
  ]
}

const repeated = (hsm: Draft): ReadonlyArray<Finding> => {
  const names = new Set<string>()
  const addresses = new Set<string>()
  return hsm.part("devices").entries.flatMap((device) => {
    const findings: Array<Finding> = []
    const name = device.part("name").text
    if (name !== undefined && names.has(name)) {
      findings.push(error(device.part("name").path, "another device has the same name", "Give it a name of its own."))
    }
    if (name !== undefined) names.add(name)
    const host = device.part("host").text
    const address = `${host}:${device.part("port").number}`
    if (host !== undefined && addresses.has(address)) {
      findings.push(error(device.part("host").path, "another device has the same address", "Remove one of the two."))
    }
    addresses.add(address)
    return findings
  })
}

const pauses = (hsm: Draft): ReadonlyArray<Finding> => {
  const min = hsm.part("reconnect", "min").ms("100 millis")
  const max = hsm.part("reconnect", "max").ms("10 seconds")
  return min === undefined || max === undefined || min <= max
    ? []
    : [error(hsm.part("reconnect").path, "`max` is not shorter than `min`", "Make `max` longer.", "")]
}

const headerFindings = (hsm: Draft, { frame, name }: DeviceFamily): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  for (const key of ["header", "lmkId", "lmkCheckValue"]) {
    if (frame !== "bare" || !hsm.has(key)) continue
    findings.push(error(hsm.part(key).path, `the family ${name} has no \`${key}\``, "Take it out."))
  }
  if (hsm.part("header").number === 0) {
    const rule = "without a message header one command at a time is under way on each connection"
    findings.push(warning(hsm.part("header").path, rule, "Give the device a header of 4 characters."))
  }
  return findings
}

/** A MAC that the devices cannot make is found before the first message. */
const macs = (link: Draft, family: DeviceFamily): ReadonlyArray<Finding> => {
  const mac = link.part("mac")
  const name = mac.part("algorithm").text
  if (name === undefined || !Object.hasOwn(macAlgorithms, name)) return []
  const algorithm = macAlgorithms[name as keyof typeof macAlgorithms]
  const paddings = paddingsFor(family, algorithm)
  if (paddings.length === 0) {
    const rule = `devices of the family ${family.name} have no MAC ${name}`
    return [error(mac.part("algorithm").path, rule, `They have: ${listed(macNames(family))}.`)]
  }
  const padding = mac.part("padding").number ?? paddingOf(algorithm)
  if (paddings.includes(padding)) return []
  const { path } = mac.has("padding") ? mac.part("padding") : mac.part("algorithm")
  const fix = `Write \`padding: ${paddings.join(" or ")}\`, if the partner agrees.`
  return [error(path, `devices of the family ${family.name} have no padding ${padding} for ${name}`, fix, "")]
}

/** How much of a MAC is sent, as the link or its dialect says. */
const macLengths = (link: Draft, { name }: DeviceFamily): ReadonlyArray<Finding> => {
  const mac = link.part("mac")
  const dialect = dialectOf(link)?.dialect
  if (dialect === undefined || typeof mac.raw !== "object" || mac.raw === null) return []
  const { bytes } = macRulesOf(mac.raw as Partial<typeof MacDocument.Type>, dialect)
  if (deviceMacLengths.includes(bytes)) return []
  const { path } = mac.has("bytes") ? mac.part("bytes") : mac
  const lengths = deviceMacLengths.join(" or ")
  return [
    error(path, `devices of the family ${name} have no MACs of ${bytes} bytes`, `Write \`bytes: ${lengths}\`.`, "")
  ]
}

/** The same of PIN blocks. */
const pins = (link: Draft, family: DeviceFamily): ReadonlyArray<Finding> => {
  const [format, keys] = [link.part("pin", "format"), link.part("pin", "keys")]
  const findings: Array<Finding> = []
  if (format.text !== undefined && !pinFormatsOf(family).some((one) => one === format.text)) {
    const rule = `devices of the family ${family.name} have no PIN blocks of ${format.text}`
    findings.push(error(format.path, rule, `They have: ${listed(pinFormatsOf(family))}.`))
  }
  if (keys.text === "terminal" && family.terminals === undefined) {
    const rule = `devices of the family ${family.name} do not translate PIN blocks of terminals`
    findings.push(error(keys.path, rule, "They translate from zone to zone: give the partner a zone's key."))
  }
  return findings
}

/** The same of keys that are exchanged. */
const exchanges = (link: Draft, family: DeviceFamily): ReadonlyArray<Finding> => {
  const keys = link.part("keys")
  const dialect = dialectOf(link)?.dialect
  if (dialect === undefined || typeof keys.raw !== "object" || keys.raw === null) return []
  const exchange = exchangeOf(dialect, keys.part("exchange").text)
  if (exchange === undefined) return []
  const findings: Array<Finding> = []
  const add = (part: Draft, rule: string, fix: string) =>
    findings.push(error((part.raw === undefined ? keys : part).path, rule, fix, ""))
  const who = `devices of the family ${family.name}`
  const ciphers = ciphersOf(family)
  const asked = keys.part("algorithm").text ?? "tdes"
  for (const cipher of ciphersIn(exchange, asked))
    if (!ciphers.some((one) => one === cipher))
      add(keys.part("algorithm"), `${who} take and give no ${cipher} keys`, `They have: ${listed(ciphers)}.`)
  if (exchange.wrap !== deviceWrap) {
    const rule = `${who} take and give keys as \`${deviceWrap}\`, and the exchange ${exchange.name} has them as \`${exchange.wrap}\``
    add(keys.part("exchange"), rule, "Name another exchange, or bring the keys as the device prints them.")
  }
  if (keys.part("giver").text === "us" && family.generateKey === undefined)
    add(keys.part("giver"), `${who} draw no keys that leave them`, "Let the partner give them.")
  if (exchange.parts.some(({ check }) => check?.method === "cmac"))
    add(keys.part("exchange"), `${who} have no check values of a CMAC`, "Agree on those of zeros.")
  if (link.part("pin", "keys").text === "terminal")
    add(
      link.part("pin", "keys"),
      `${who} take no keys of terminals by exchange`,
      "Bring them as the device prints them."
    )
  return findings
}

/** The ciphers of the keys of an exchange: as its parts say, otherwise as it says itself, otherwise as the link asks for them. */
const ciphersIn = ({ algorithm, parts }: KeyExchange, asked: string): ReadonlyArray<string> => {
  const isFree = algorithm === undefined || typeof algorithm !== "string"
  const fixed = parts.flatMap((part) => part.algorithm ?? [])
  // A part for one cipher beside parts for any is for keys that may never come.
  if (parts.every((part) => part.algorithm !== undefined)) return [...new Set(fixed)]
  return [isFree ? asked : algorithm]
}
