/** Proxy files: where it is, what it reads, and the rules that it begins with. docs/reference/faults.md lists the keys. */
import type { Effect } from "effect"
import type { WireFormat } from "../dialogue/WireFormat.ts"
import { formKeys, macKey } from "../file/FormKeys.ts"
import {
  duration,
  endpoint,
  type FileInvalid,
  invalidAt,
  list,
  readFile,
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

/** Reads a proxy file. */
export const readProxyFile = (file: string): Effect.Effect<ProxySettings, FileInvalid> =>
  readFile(file, (top) => {
    const form = formKeys(top)
    const rules = top.get("rules", list(rule)) ?? []
    const blind = form === undefined ? rules.find(needsMessages) : undefined
    if (blind !== undefined)
      throw top.wrong("rules", `"${blind.text}" is about messages: say the dialect, "dialect: cups"`)
    return {
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
