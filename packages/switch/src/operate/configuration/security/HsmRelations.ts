/** What must hold between the devices of `security.hsm`, and what they can do for the links. Pure. */
import { macAlgorithms } from "@jinka/codec"
import type { DeviceFamily } from "../../../guard/hsm/DeviceFamily.ts"
import { deviceFamilies } from "../../../guard/hsm/Families.ts"
import { dialledTls } from "../link/TlsRelations.ts"
import type { Draft } from "../text/Draft.ts"
import { error, type Finding, listed, warning } from "../text/Problem.ts"

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
      : [...headerFindings(hsm, family), ...links.flatMap((link) => [...macs(link, family), ...pins(link, family)])])
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
  const found = family.macs.find(({ cipher, method }) => cipher === algorithm.cipher && method === algorithm.method)
  if (found === undefined) {
    const usual = Object.entries(macAlgorithms).flatMap(([other, { cipher, method }]) =>
      family.macs.some((one) => one.cipher === cipher && one.method === method) ? [other] : []
    )
    return [
      error(
        mac.part("algorithm").path,
        `devices of the family ${family.name} have no MAC ${name}`,
        `They have: ${listed(usual)}.`
      )
    ]
  }
  const padding = (mac.part("padding").number ?? ("padding" in algorithm ? algorithm.padding : 1)) as 1 | 2 | 3
  if (found.paddings[padding] !== undefined) return []
  const { path } = mac.has("padding") ? mac.part("padding") : mac.part("algorithm")
  const fix = `Write \`padding: ${Object.keys(found.paddings).join(" or ")}\`, if the partner agrees.`
  return [error(path, `devices of the family ${family.name} have no padding ${padding} for ${name}`, fix, "")]
}

/** The same of PIN blocks. */
const pins = (link: Draft, family: DeviceFamily): ReadonlyArray<Finding> => {
  const format = link.part("pin", "format")
  if (format.text === undefined || format.text in family.pinFormats) return []
  const rule = `devices of the family ${family.name} have no PIN blocks of ${format.text}`
  return [error(format.path, rule, `They have: ${listed(Object.keys(family.pinFormats))}.`)]
}
