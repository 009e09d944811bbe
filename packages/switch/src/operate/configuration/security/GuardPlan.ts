/** The guard of a link, made of its document and its dialect: what the one leaves out the other says. Pure. */
import { type Dialect, type MacAlgorithm, type MacRules, macAlgorithms, type PinRules } from "@jinka/codec"
import type { GuardSettings, MacSettings, PinSettings } from "../../../guard/GuardSettings.ts"
import type { LinkDocument } from "../link/LinkDocument.ts"

type MacDocument = NonNullable<LinkDocument["mac"]>

/** The algorithm with the padding that was asked for. */
export const macAlgorithmOf = ({ algorithm, padding }: Pick<MacDocument, "algorithm" | "padding">): MacAlgorithm => {
  const named: MacAlgorithm = macAlgorithms[algorithm]
  if (padding === undefined || named.method === "cmac" || named.method === "fold") return named
  const { cipher, method } = named
  return { cipher, method, padding }
}

/** What a link's messages do with MACs: as it says itself, otherwise as its dialect does, otherwise as the standard. */
export const macRulesOf = (mac: Partial<MacDocument>, { security }: Dialect): MacRules => ({
  field: mac.field ?? security?.mac?.field ?? "last",
  messages: mac.messages?.map(Number) ?? security?.mac?.messages ?? [],
  text: mac.text ?? security?.mac?.text ?? "message",
  fields: mac.fields ?? security?.mac?.fields ?? [],
  form: mac.form ?? security?.mac?.form ?? "binary",
  bytes: mac.bytes ?? security?.mac?.bytes ?? 8
})

/** The same of PIN blocks; 0: nobody says where they are. */
export const pinRulesOf = (field: number | undefined, { security }: Dialect): PinRules => ({
  ...security?.pin,
  field: field ?? security?.pin?.field ?? 0
})

const macSettings = (mac: MacDocument, dialect: Dialect): MacSettings => ({
  ...macRulesOf(mac, dialect),
  receive: mac.receive,
  send: mac.send,
  algorithm: macAlgorithmOf(mac),
  isZeroed: mac.zeroed,
  isHexText: mac.hexText
})

const pinSettings = (pin: NonNullable<LinkDocument["pin"]>, dialect: Dialect): PinSettings => ({
  ...pinRulesOf(pin.field, dialect),
  format: pin.format,
  keys: pin.keys,
  mayDropPan: pin.mayDropPan
})

/** The guard of a link; `undefined`: it has neither MACs nor PIN blocks of its own. */
export const guardSettings = ({ mac, macFailures, pin }: LinkDocument, dialect: Dialect): GuardSettings | undefined =>
  mac === undefined && pin === undefined
    ? undefined
    : {
        mac: mac === undefined ? undefined : macSettings(mac, dialect),
        pin: pin === undefined ? undefined : pinSettings(pin, dialect),
        failures: macFailures
      }
