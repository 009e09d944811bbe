/** The devices of `security.hsm` as settings. Pure. */
import { deviceFamilies } from "../../../guard/hsm/Families.ts"
import type { HsmSettings } from "../../../guard/hsm/HsmSettings.ts"
import { keepAliveSettings, type Place, tlsSettings } from "../door/DoorSettings.ts"
import { durationMs } from "../text/Units.ts"
import type { HsmDocument } from "./HsmDocument.ts"

/** The settings of a pool of devices. */
export const hsmSettings = (hsm: HsmDocument, place: Place): HsmSettings => {
  const family = deviceFamilies[hsm.family]
  return {
    family,
    devices: hsm.devices.map(({ name, host, port }) => ({ name, to: { host, port: port ?? family.port } })),
    connections: hsm.connections,
    headerLength: family.frame === "bare" ? 0 : (hsm.header ?? family.headerLength),
    lmkId: hsm.lmkId,
    lmkCheckValue: hsm.lmkCheckValue,
    tls: tlsSettings(hsm.tls, place),
    keepAlive: keepAliveSettings(hsm.keepAlive),
    connectTimeoutMs: durationMs(hsm.connectTimeout)!,
    reconnect: { minMs: durationMs(hsm.reconnect.min)!, maxMs: durationMs(hsm.reconnect.max)! },
    heartbeatMs: durationMs(hsm.heartbeat)!,
    heartbeatTimeoutMs: durationMs(hsm.heartbeatTimeout)!
  }
}
