/** Proxy files: where it is, what it reads, and the rules that it begins with. docs/reference/faults.md lists the keys. */
import type { Effect } from "effect"
import { isLoopback } from "../control/LocalHttp.ts"
import type { WireFormat } from "../dialogue/WireFormat.ts"
import type { FileInvalid } from "../file/FileInvalid.ts"
import { dialTlsKey, formKeys, listenTlsKey, macKey } from "../file/FormKeys.ts"
import { mapOf, readFile } from "../file/MapReader.ts"
import {
  anyOf,
  durationOf,
  endpointOf,
  expected,
  filledOf,
  hexOf,
  invalidAt,
  numberOf,
  type Yaml
} from "../file/YamlNodes.ts"
import type { Endpoint } from "../link/Listener.ts"
import type { TlsMaterial } from "../link/TlsSide.ts"
import type { MacSettings } from "../message/MessageMac.ts"
import { type FaultRule, needsMessages } from "./FaultRule.ts"
import { parseRule, RuleInvalid } from "./RuleText.ts"

/** A proxy as a file describes it. */
export interface ProxySettings {
  readonly listen: Endpoint
  readonly target: Endpoint
  /** TLS is ended here and begun again: what passes is read in clear. `undefined`: bytes pass as they are. */
  readonly listenTls: TlsMaterial | undefined
  readonly targetTls: TlsMaterial | undefined
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
  readonly tls: TlsMaterial | undefined
  /** Path of the file that says what may differ. */
  readonly tolerance: string | undefined
  readonly timeoutMs: number
  /** Where the comparison of each pair of answers is written, one JSON object a line. */
  readonly report: string
}

const loopbackOf = (yaml: Yaml): Endpoint => {
  const at = endpointOf(yaml)
  if (isLoopback(at.host)) return at
  throw expected(yaml, "an address of this machine alone, such as 127.0.0.1:7190,")
}

const ruleOf = (yaml: Yaml): FaultRule => {
  try {
    return parseRule(filledOf(yaml))
  } catch (error) {
    if (error instanceof RuleInvalid) throw invalidAt(yaml, `${error.says}: ${error.text}`)
    throw error
  }
}

const cardKeyOf = (yaml: Yaml): Buffer => {
  const bytes = hexOf(yaml)
  if (bytes.length >= 16) return bytes
  throw invalidAt(yaml, `${yaml.key}: at least 32 hex digits are expected: a shorter key can be found by trying`)
}

const recordOf = mapOf("record", (keys) => ({ path: keys.need("to", filledOf), key: keys.get("card key", cardKeyOf) }))

const shadowOf = mapOf(
  "shadow",
  (keys): ProxyShadow => ({
    connect: keys.need("connect", endpointOf),
    tls: dialTlsKey(keys),
    tolerance: keys.get("tolerance", filledOf),
    timeoutMs: keys.get("timeout", durationOf) ?? 30_000,
    report: keys.need("report", filledOf)
  })
)

/** Reads a proxy file. */
export const readProxyFile = (file: string): Effect.Effect<ProxySettings, FileInvalid> =>
  readFile(file, (top) => {
    const form = formKeys(top)
    const rules = top.get("rules", anyOf(ruleOf)) ?? []
    const blind = form === undefined ? rules.find(needsMessages) : undefined
    if (blind !== undefined)
      throw top.wrong("rules", `"${blind.text}" is about messages: say the dialect, "dialect: cups"`)
    const record = top.get("record", recordOf)
    const shadow = top.get("shadow", shadowOf)
    if (form === undefined && (record ?? shadow) !== undefined)
      throw top.wrong(record === undefined ? "shadow" : "record", "it reads messages: say the dialect, `dialect: cups`")
    return {
      record,
      shadow,
      listen: top.need("listen", endpointOf),
      target: top.need("target", endpointOf),
      form,
      listenTls: listenTlsKey(top, "listen tls"),
      targetTls: dialTlsKey(top, "target tls"),
      mac: macKey(top, form),
      seed: top.get("seed", numberOf) ?? 1,
      history: top.get("history", filledOf),
      control: top.get("control", loopbackOf),
      lasts: top.get("lasts", durationOf),
      rules
    }
  })
