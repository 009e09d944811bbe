/**
 * The link of a partner file: mode and addresses (ModeKeys), TLS, times. Owns the words of the times, which
 * docs/reference/partners.md lists.
 */
import { MapReader } from "../file/MapReader.ts"
import { modeKeys } from "../file/ModeKeys.ts"
import { type ReadBytes, tlsOf } from "../file/TlsKeys.ts"
import { durationOf, type Yaml } from "../file/YamlNodes.ts"
import type { LinkPlan } from "./PartnerPlan.ts"

const usual = { idleMs: 30_000, silenceMs: 90_000, redialMs: 200 }

/** Reads a link. Throws `FileInvalid`. */
export const linkOf =
  (read: ReadBytes) =>
  (yaml: Yaml): LinkPlan => {
    const map = new MapReader(yaml, "link")
    const tls = map.get("tls", tlsOf(read))
    const link: LinkPlan = {
      mode: modeKeys(map, tls),
      idleMs: map.get("idle", durationOf) ?? usual.idleMs,
      silenceMs: map.get("silence", durationOf) ?? usual.silenceMs,
      redialMs: map.get("redial", durationOf) ?? usual.redialMs
    }
    map.done()
    return link
  }
