/** Proxy files: where it is, what it reads, and the rules that it begins with. docs/reference/faults.md lists the keys. */
import type { Effect } from "effect"
import type { WireFormat } from "../dialogue/WireFormat.ts"
import { formKeys, macKey } from "../file/FormKeys.ts"
import {
  duration,
  endpoint,
  type FileInvalid,
  hexBytes,
  invalidAt,
  list,
  readFile,
  section,
  text,
  type Value,
  whole
} from "../file/Section.ts"
import type { Endpoint } from "../link/Listener.ts"
import type { MacSettings } from "../message/MessageMac.ts"
import { type FaultRule, needsMessages } from "./FaultRule.ts"
import { parseRule, RuleInvalid } from "./RuleText.ts"

/** A proxy as a file describes it. */
export interface ProxySettings {
  readonly listen: Endpoint
  readonly target: Endpoint
  /** Without it the proxy reads no messages. */
  readonly form: WireFormat | undefined
  readonly mac: MacSettings | undefined
  readonly seed: number
  /** Where faults are written, one JSON object a line. */
  readonly history: string | undefined
  /** Where rules are changed over HTTP while it runs: a loopback address. */
  readonly control: Endpoint | undefined
  /** How long it runs, milliseconds; `undefined`: until a signal. */
  readonly lasts: number | undefined
  readonly rules: ReadonlyArray<FaultRule>
  /** Where every message is recorded, and the key by which its card becomes another. */
  readonly record: { readonly path: string; readonly key: Buffer | undefined } | undefined
  readonly shadow: ProxyShadow | undefined
}

/** A second host that is asked the same. */
export interface ProxyShadow {
  readonly connect: Endpoint
  /** Path of the file that says what may differ. */
  readonly tolerance: string | undefined
  readonly timeoutMs: number
  /** Where the comparison of each pair of answers is written, one JSON object a line. */
  readonly report: string
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host)

const loopback = (value: Value, key: string): Endpoint => {
  const at = endpoint(value, key)
  if (isLoopback(at.host)) return at
  throw invalidAt(value, `${key}: an address of this machine alone is expected, 127.0.0.1:7190`)
}

const rule = (value: Value, key: string): FaultRule => {
  try {
    return parseRule(text(value, key))
  } catch (error) {
    if (error instanceof RuleInvalid) throw invalidAt(value, error.message)
    throw error
  }
}

const cardKey = (value: Value, key: string): Buffer => {
  const bytes = hexBytes(value, key)
  if (bytes.length >= 16) return bytes
  throw invalidAt(value, `${key}: at least 32 hex digits are expected: a shorter key can be found by trying`)
}

const recordSection = section((keys) => ({ path: keys.need("to", text), key: keys.get("card key", cardKey) }))

const shadowSection = section(
  (keys): ProxyShadow => ({
    connect: keys.need("connect", endpoint),
    tolerance: keys.get("tolerance", text),
    timeoutMs: keys.get("timeout", duration) ?? 30_000,
    report: keys.need("report", text)
  })
)

/** Reads a proxy file. */
export const readProxyFile = (file: string): Effect.Effect<ProxySettings, FileInvalid> =>
  readFile(file, (top) => {
    const form = formKeys(top)
    const rules = top.get("rules", list(rule)) ?? []
    const blind = form === undefined ? rules.find(needsMessages) : undefined
    if (blind !== undefined)
      throw top.wrong("rules", `"${blind.text}" is about messages: say the dialect, "dialect: cups"`)
    const record = top.get("record", recordSection)
    const shadow = top.get("shadow", shadowSection)
    if (form === undefined && (record ?? shadow) !== undefined)
      throw top.wrong(record === undefined ? "shadow" : "record", "it reads messages: say the dialect, `dialect: cups`")
    return {
      record,
      shadow,
      listen: top.need("listen", endpoint),
      target: top.need("target", endpoint),
      form,
      mac: macKey(top),
      seed: top.get("seed", whole()) ?? 1,
      history: top.get("history", text),
      control: top.get("control", loopback),
      lasts: top.get("lasts", duration),
      rules
    }
  })
