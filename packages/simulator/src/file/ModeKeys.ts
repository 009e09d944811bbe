/** The keys of the connections of a link: `mode`, `connect`, `listen`, `send`, `receive`, `keep`. The same in every file. */
import type { Endpoint } from "../link/Listener.ts"
import type { Mode, Way } from "../link/ModeLink.ts"
import type { TlsMaterial } from "../link/TlsSide.ts"
import { MapReader } from "./MapReader.ts"
import { tlsWrong } from "./TlsKeys.ts"
import { endpointOf, oneOf, type Yaml, yesNoOf } from "./YamlNodes.ts"

const modes = ["async-duplex", "sync-long", "sync-short", "async-short", "async-simplex"] as const

/** `connect` or `listen` of a map. */
const wayOf = (map: MapReader, tls: TlsMaterial | undefined): Way => {
  const connect = map.get("connect", endpointOf)
  const listen = map.get("listen", endpointOf)
  if (connect === undefined && listen === undefined) map.refuseSlipOf(["connect", "listen"])
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

/** `mode` with the addresses that it has, each on the side that this end takes. Throws `FileInvalid`. */
export const modeKeys = (map: MapReader, tls: TlsMaterial | undefined): Mode => {
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
