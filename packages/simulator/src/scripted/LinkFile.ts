/**
 * The link of a partner file: mode, addresses on either side, TLS, times. Owns their words, which docs/reference/partners.md
 * lists.
 */
import { MapReader } from "../file/MapReader.ts"
import { type ReadBytes, tlsOf, tlsWrong } from "../file/TlsKeys.ts"
import { durationOf, endpointOf, oneOf, type Yaml, yesNoOf } from "../file/YamlNodes.ts"
import type { Endpoint } from "../link/Listener.ts"
import type { Mode, Way } from "../link/ModeLink.ts"
import type { TlsMaterial } from "../link/TlsSide.ts"
import type { LinkPlan } from "./PartnerPlan.ts"

const modes = ["async-duplex", "sync-long", "sync-short", "async-short", "async-simplex"] as const

/** `connect` or `listen` of a map. */
const wayOf = (map: MapReader, tls: TlsMaterial | undefined): Way => {
  const connect = map.get("connect", endpointOf)
  const listen = map.get("listen", endpointOf)
  if ((connect === undefined) === (listen === undefined)) {
    throw map.wrong("connect", "give `connect` or `listen`, the one that this side does")
  }
  return way(map, connect === undefined ? "listen" : "dial", (connect ?? listen)!, tls)
}

const way = (map: MapReader, role: Way["role"], endpoint: Endpoint, tls: TlsMaterial | undefined): Way => {
  if (role === "dial" && endpoint.port === 0) throw map.wrong("connect", "port 0 cannot be dialled")
  if (tls === undefined) return { role, endpoint }
  const wrong = tlsWrong(role, tls)
  if (wrong !== undefined) throw map.wrong("tls", wrong)
  return { role, endpoint, tls }
}

const legOf =
  (tls: TlsMaterial | undefined) =>
  (yaml: Yaml): Way => {
    const map = new MapReader(yaml, "a leg")
    const leg = wayOf(map, tls)
    map.done()
    return leg
  }

const modeOf = (map: MapReader, tls: TlsMaterial | undefined): Mode => {
  const mode = map.get("mode", oneOf(modes)) ?? "async-duplex"
  switch (mode) {
    case "async-duplex":
    case "sync-long":
      return { mode, way: wayOf(map, tls) }
    case "sync-short":
      return { mode, keep: map.get("keep", yesNoOf) ?? false, way: wayOf(map, tls) }
    case "async-short":
      return {
        mode,
        connect: way(map, "dial", map.need("connect", endpointOf), tls),
        listen: way(map, "listen", map.need("listen", endpointOf), tls)
      }
    case "async-simplex":
      return { mode, send: map.need("send", legOf(tls)), receive: map.need("receive", legOf(tls)) }
  }
}

const usual = { idleMs: 30_000, silenceMs: 90_000, redialMs: 200 }

/** Reads a link. Throws `FileInvalid`. */
export const linkOf =
  (read: ReadBytes) =>
  (yaml: Yaml): LinkPlan => {
    const map = new MapReader(yaml, "link")
    const tls = map.get("tls", tlsOf(read))
    const link: LinkPlan = {
      mode: modeOf(map, tls),
      idleMs: map.get("idle", durationOf) ?? usual.idleMs,
      silenceMs: map.get("silence", durationOf) ?? usual.silenceMs,
      redialMs: map.get("redial", durationOf) ?? usual.redialMs
    }
    map.done()
    return link
  }
