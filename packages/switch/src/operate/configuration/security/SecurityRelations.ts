/** Whether what links say of their keys fits their dialects, and the security module that the switch has. Pure. */
import {
  type Cipher,
  type KeyExchange,
  type KeyKind,
  macAlgorithms,
  type PinBlockFormat,
  pinFormats
} from "@jinka/codec"
import { isPinCipher, macCipherOf } from "../../../guard/KeyFits.ts"
import { exactlyOne } from "../text/Choice.ts"
import { type Draft, dialectOf } from "../text/Draft.ts"
import { error, type Finding, warning } from "../text/Problem.ts"
import { hsmRelations } from "./HsmRelations.ts"
import { exchangeOf } from "./SecurityPlan.ts"

/** All findings about the security module and the keys of the links. */
export const securityRelations = (draft: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => [
  ...moduleFindings(draft),
  ...(draft.has("security")
    ? [
        ...exactlyOne(draft.part("security"), "hsm", "software", "a security module"),
        ...hsmRelations(draft.part("security", "hsm"), links)
      ]
    : []),
  ...links.flatMap((link) => [...needsModule(draft, link), ...exchangeFindings(link)])
]

const moduleFindings = (draft: Draft): ReadonlyArray<Finding> => {
  if (!draft.has("security")) return []
  const software = draft.part("security", "software")
  const { raw } = software
  if (typeof raw !== "object" || raw === null) return []
  const key = software.part("storageKey")
  const same =
    key.part("env").text !== undefined && key.part("env").text === draft.part("journal", "key", "env").text
      ? [error(key.part("env").path, "keys are stored under another key than the journal's", "Name another variable.")]
      : []
  const warned = draft
    .part("links")
    .entries.filter((link) => link.has("pin"))
    .slice(0, 1)
    .map((link) =>
      warning(
        link.part("pin").path,
        "PINs are translated in software: in clear in this process, which PCI PIN does not allow in production",
        "Use a hardware security module there."
      )
    )
  const tests =
    software.part("allowTestKeys").truth(false) === true
      ? [
          warning(
            software.part("allowTestKeys").path,
            "weak and published keys are taken",
            "Take it out in production."
          )
        ]
      : []
  const keys = [key, ...software.part("previousStorageKeys").entries]
  return [
    ...keys.flatMap((one) => exactlyOne(one, "env", "file", "a reference to a key")),
    ...same,
    ...warned,
    ...tests
  ]
}

const needsModule = (draft: Draft, link: Draft): ReadonlyArray<Finding> => {
  if (draft.has("security")) return []
  return ["mac", "pin", "keys"]
    .filter((name) => link.has(name))
    .slice(0, 1)
    .map((name) =>
      error(link.part(name).path, `\`${name}\` needs a security module`, "Add `security` to the switch.", "")
    )
}

/** Keys that are asked for, or given, and that the link's MACs or PIN blocks cannot use: they would be refused. */
const mismatches = (link: Draft, keys: Draft, { algorithm, parts }: KeyExchange): ReadonlyArray<Finding> => {
  const asked = keys.part("algorithm").text ?? "tdes"
  const cipherFor = (kind: KeyKind) => {
    const fixed = parts.find((part) => part.kind === kind && parts.every((one) => one.algorithm !== undefined))
    return (fixed?.algorithm ?? (typeof algorithm === "string" ? algorithm : asked)) as Cipher
  }
  const { path } = keys.has("algorithm") ? keys.part("algorithm") : keys
  const findings: Array<Finding> = []
  const name = link.part("mac", "algorithm").text
  const format = link.part("pin", "format").text
  const mac = Object.entries(macAlgorithms).find(([one]) => one === name)?.[1]
  const comes = (kind: KeyKind) => !keys.has("kinds") || keys.part("kinds").entries.some(({ text }) => text === kind)
  if (comes("mac") && mac !== undefined && macCipherOf(mac) !== cipherFor("mac")) {
    const rule = `keys for MACs come as ${cipherFor("mac")}, and ${name} takes ${macCipherOf(mac)}: they are refused`
    findings.push(warning(path, rule, `Write \`algorithm: ${macCipherOf(mac)}\`, or another MAC.`))
  }
  if (
    comes("pin") &&
    pinFormats.some((one) => one === format) &&
    !isPinCipher(format as PinBlockFormat, cipherFor("pin"))
  ) {
    const rule = `keys for PIN blocks come as ${cipherFor("pin")}, and ${format} is not made under such: they are refused`
    findings.push(warning(path, rule, "Write another `algorithm`, or another format."))
  }
  return findings
}

const exchangeFindings = (link: Draft): ReadonlyArray<Finding> => {
  const keys = link.part("keys")
  if (typeof keys.raw !== "object" || keys.raw === null) return []
  const findings: Array<Finding> = []
  const mode = link.part("mode").text ?? "async-duplex"
  if (mode === "sync-short" || mode === "async-short") {
    findings.push(
      error(keys.path, `keys are exchanged on a long connection, not on ${mode}`, "Import them by hand.", "")
    )
  }
  if (!link.has("mac") && !link.has("pin") && !keys.has("kinds")) {
    findings.push(error(keys.path, "keys are exchanged for something", "Add `mac` or `pin`, or name the `kinds`.", ""))
  }
  const dialect = dialectOf(link)?.dialect
  if (dialect === undefined) return findings
  const named = keys.part("exchange")
  const exchange = exchangeOf(dialect, named.text)
  const names = (dialect.keyExchange ?? []).map(({ name }) => name)
  if (exchange === undefined) {
    const rule =
      names.length === 0
        ? `the dialect ${dialect.name} has no exchange of keys`
        : `the dialect ${dialect.name} has the exchanges ${names.join(", ")}`
    const fix = names.length === 0 ? "Give it one (`keyExchange`), or take `keys` out." : "Name one of them."
    return [...findings, error((named.text === undefined ? keys : named).path, rule, fix)]
  }
  findings.push(...mismatches(link, keys, exchange))
  const asks = ["every", "at", "messages"].filter((name) => keys.has(name))
  if (keys.part("giver").text !== "us" && exchange.ask === undefined && asks.length > 0) {
    const rule = `the exchange ${exchange.name} has no message that asks for a key`
    findings.push(error(keys.part(asks[0]!).path, rule, "Take it out: the partner decides when.", ""))
  }
  return findings
}
