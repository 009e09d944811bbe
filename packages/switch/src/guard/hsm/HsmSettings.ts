/** What a pool of devices is told by the configuration: plain values, all times in milliseconds. */
import type { Limits } from "../../link/Backoff.ts"
import type { TlsSettings } from "../../transport/Tls.ts"
import type { Endpoint, KeepAlive } from "../../transport/Transport.ts"
import type { DeviceFamily } from "./DeviceFamily.ts"

/** Devices of one family that hold the same LMK. */
export interface HsmSettings {
  readonly family: DeviceFamily
  readonly devices: ReadonlyArray<{ readonly name: string; readonly to: Endpoint }>
  /** Connections to each device. */
  readonly connections: number
  /** Characters of the message header. */
  readonly headerLength: number
  readonly tls?: TlsSettings | undefined
  readonly keepAlive?: KeepAlive | undefined
  readonly connectTimeoutMs: number
  readonly reconnect: Limits
  /** Pause between two heartbeats of a connection, and how long one may take before the connection is given up. */
  readonly heartbeatMs: number
  readonly heartbeatTimeoutMs: number
  /** Two digits that name the LMK in devices that have several. */
  readonly lmkId?: string | undefined
  /** The check value of the LMK, 16 hexadecimal digits; left out: that of the device which answers first. */
  readonly lmkCheckValue?: string | undefined
}
