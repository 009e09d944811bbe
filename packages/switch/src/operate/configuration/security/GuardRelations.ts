/** Whether the MACs and PIN blocks that a link says it has fit its dialect, and each other. Pure. */
import {
  type Dialect,
  type FieldDefinition,
  fieldLayout,
  type MacRules,
  macAlgorithms,
  type PinBlockFormat
} from "@jinka/codec"
import { mayBecome } from "../../../guard/PinField.ts"
import { crossingsOf } from "../link/Crossings.ts"
import { type Draft, dialectOf } from "../text/Draft.ts"
import { error, type Finding, warning } from "../text/Problem.ts"
import type { MacDocument } from "./GuardDocument.ts"
import { macRulesOf, pinRulesOf } from "./GuardPlan.ts"

/** All findings about the guards of the links. */
export const guardRelations = (draft: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => [
  ...links.flatMap((link) => [...macFindings(link), ...pinFindings(link), ...failureFindings(link)]),
  ...oneSided(links),
  ...crossed(draft, links)
]

const isMapping = ({ raw }: Draft): boolean => typeof raw === "object" && raw !== null && !Array.isArray(raw)

const macFindings = (link: Draft): ReadonlyArray<Finding> => {
  const mac = link.part("mac")
  const dialect = dialectOf(link)?.dialect
  if (dialect === undefined || !isMapping(mac)) return []
  const rules = macRulesOf(mac.raw as Partial<typeof MacDocument.Type>, dialect)
  return [
    ...idle(mac),
    ...fieldFindings(mac, rules, dialect),
    ...textFindings(mac, rules, dialect),
    ...lengthFindings(mac, rules),
    ...(rules.messages.length > 0
      ? []
      : [error(mac.path, `the dialect ${dialect.name} does not say which messages carry a MAC`, "Add `messages`.")])
  ]
}

/** A link that neither looks at MACs nor makes any. */
const idle = (mac: Draft): ReadonlyArray<Finding> =>
  mac.part("receive").text === "none" && mac.part("send").text === "none"
    ? [warning(mac.path, "no MAC is looked at and none is made", "Take `mac` out, or one of the two.")]
    : []

const layoutsOf = ({ encodings, fields, version }: Dialect, des: ReadonlyArray<number>) =>
  des.flatMap((de) => {
    const definition: FieldDefinition | undefined = fields[de]
    return definition === undefined ? [] : [fieldLayout(de, definition, encodings, version)]
  })

const fieldFindings = (mac: Draft, { bytes, field, form }: MacRules, dialect: Dialect): ReadonlyArray<Finding> => {
  const { path } = mac.has("field") ? mac.part("field") : mac
  const layouts = layoutsOf(dialect, field === "last" ? [64, 128] : [field])
  if (layouts.length === 0) {
    const rule = `the dialect ${dialect.name} defines the data element of the MAC (${field === "last" ? "64 or 128" : field})`
    return [error(path, rule, "Name one that it has, or give the dialect the field.", "")]
  }
  const needed = form === "hex" ? 2 * bytes : bytes
  return layouts.flatMap(({ bytes: isBytes, de, format, units }) => {
    if (form === "binary" && !isBytes)
      return [error(path, `a MAC in bytes is in a field of bytes; DE ${de} is ${format}`, "Write `form: hex`.", "")]
    if (needed <= units) return []
    const rule = `${bytes} bytes of MAC, as ${form}, fit DE ${de}, which is ${format}`
    return [error(mac.has("bytes") ? mac.part("bytes").path : path, rule, "Write fewer `bytes`.", "")]
  })
}

const textFindings = (mac: Draft, { fields, text }: MacRules, dialect: Dialect): ReadonlyArray<Finding> => {
  const { path } = mac.has("text") ? mac.part("text") : mac
  const findings: Array<Finding> = []
  if (text !== "message" && fields.length === 0) {
    findings.push(error(path, `the text \`${text}\` needs the data elements that it covers`, "Add `fields`.", ""))
  }
  if (text !== "message" && mac.part("zeroed").truth(false) === true) {
    findings.push(error(mac.part("zeroed").path, "`zeroed` goes with the text `message`", "Take it out.", ""))
  }
  if (text !== "cups") return findings
  const other = layoutsOf(dialect, fields).find(({ encoding }) => encoding !== "ascii" && encoding !== "gbk")
  if (dialect.mti === "ascii" && other === undefined) return findings
  const what = other === undefined ? "its message type" : `DE ${other.de}`
  const rule = `the text \`cups\` is made of characters; the dialect ${dialect.name} has ${what} in another form`
  return [...findings, error(path, rule, "Write `text: message`, as such partners do.", "")]
}

/** Bytes of a whole MAC by cipher. */
const macLength = { des: 8, tdes: 8, aes: 16, sm4: 16 } as const

const lengthFindings = (mac: Draft, { bytes }: MacRules): ReadonlyArray<Finding> => {
  const { text } = mac.part("algorithm")
  if (text === undefined || !Object.hasOwn(macAlgorithms, text)) return []
  const algorithm = macAlgorithms[text as keyof typeof macAlgorithms]
  const findings: Array<Finding> = []
  const most = macLength[algorithm.cipher]
  if (bytes > most) {
    const { path } = mac.has("bytes") ? mac.part("bytes") : mac.part("algorithm")
    findings.push(error(path, `a MAC of ${text} has at most ${most} bytes`, "Write fewer `bytes`.", `${bytes}`))
  }
  if (mac.has("padding") && (algorithm.method === "cmac" || algorithm.method === "fold")) {
    const rule = `${text} has a padding of its own`
    findings.push(error(mac.part("padding").path, rule, "Take `padding` out.", ""))
  }
  return findings
}

const blockLengths: { readonly [format in Exclude<PinBlockFormat, "iso2">]: 8 | 16 } = {
  iso0: 8,
  iso1: 8,
  iso3: 8,
  iso4: 16,
  unionPayWithoutPan: 8
}

const pinFindings = (link: Draft): ReadonlyArray<Finding> => {
  const pin = link.part("pin")
  const dialect = dialectOf(link)?.dialect
  if (dialect === undefined || !isMapping(pin)) return []
  const { path } = pin.has("field") ? pin.part("field") : pin
  const { field } = pinRulesOf(pin.part("field").number, dialect)
  const layout = layoutsOf(dialect, [field])[0]
  if (layout === undefined) {
    const rule = `the dialect ${dialect.name} defines the data element of the PIN block`
    return [
      error(path, rule, "Name it in `field`, or give the dialect `security.pin`.", field === 0 ? "" : `DE ${field}`)
    ]
  }
  const findings = pin.part("mayDropPan").truth(false) === true ? [dropped(pin)] : []
  const { text } = pin.part("format")
  if (text === undefined || !Object.hasOwn(blockLengths, text)) return findings
  const length = blockLengths[text as keyof typeof blockLengths]
  const fits = layout.bytes && (layout.fixed >= 0 ? layout.units === length : layout.units >= length)
  if (fits) return findings
  const rule = `a PIN block of ${text} has ${length} bytes; DE ${field} of ${dialect.name} is ${layout.format}`
  const fix = `Choose another format, or give the dialect \`${field}: b${length}\`.`
  return [...findings, error(pin.part("format").path, rule, fix, "")]
}

const dropped = (pin: Draft): Finding =>
  warning(
    pin.part("mayDropPan").path,
    "PIN blocks lose the card number that they are bound to: ISO 9564 and PCI PIN do not allow it",
    "Take it out, unless this network asks for it."
  )

const failureFindings = (link: Draft): ReadonlyArray<Finding> => {
  const failures = link.part("macFailures")
  if (!isMapping(failures)) return []
  if (!link.has("mac")) return [error(failures.path, "`macFailures` goes with `mac`", "Add `mac`, or take it out.", "")]
  const dialect = dialectOf(link)?.dialect
  const act = failures.part("act")
  if (act.text === "ask" && !link.has("keys")) {
    const rule = "a key is asked for, and this link exchanges none"
    return [warning(act.path, rule, "Give it `keys`, or write alarm, or another.")]
  }
  const hasSignOff = dialect === undefined || dialect.network?.codes.signOff !== undefined
  if (act.text !== "signOff" || hasSignOff) return []
  return [error(act.path, `the dialect ${dialect.name} has no sign-off`, "Write alarm, or another.")]
}

/** A route between two links whose PIN blocks cannot become one another: each request with a PIN there is refused. */
const crossed = (draft: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const isOfDevices = draft.part("security").has("hsm")
  const found = new Map<string, Finding>()
  for (const [origin, target] of crossingsOf(draft, links)) {
    if (!origin.has("pin") || !target.has("pin")) continue
    const [from, to] = [origin.part("pin", "format").text, target.part("pin", "format").text]
    const name = origin.part("name").text ?? ""
    if (
      isFormat(from) &&
      isFormat(to) &&
      !mayBecome(from, to, target.part("pin", "mayDropPan").truth(false) === true)
    ) {
      const rule = `PIN blocks of ${name} (${from}) do not become ${to}, which does not hold the card number: a request with a PIN from there is refused`
      const fix = "Write a format that holds it, or `mayDropPan`, if this network asks for that."
      found.set(`${name} ${to}`, warning(target.part("pin", "format").path, rule, fix))
    }
    const keys = target.part("pin", "keys")
    if (isOfDevices && keys.text === "terminal") {
      const rule = `no device translates PIN blocks to a terminal's key: a request with a PIN from ${name} is refused`
      found.set(`${name} terminal`, warning(keys.path, rule, "Give the partner a zone's key, if PINs go there."))
    }
  }
  return [...found.values()]
}

const isFormat = (text: string | undefined): text is PinBlockFormat =>
  text !== undefined && Object.hasOwn(blockLengths, text)

/** A PIN block goes from zone to zone: between a link with PIN blocks and one without it is refused. */
const oneSided = (links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const without = links.filter((link) => !link.has("pin")).flatMap((link) => link.part("name").text ?? [])
  if (without.length === 0) return []
  return links
    .filter((link) => link.has("pin"))
    .map((link) =>
      warning(
        link.part("pin").path,
        `requests with a PIN between this link and one without \`pin\` (${without.join(", ")}) are refused`,
        "Give those links `pin`, too, if PINs go there."
      )
    )
}
