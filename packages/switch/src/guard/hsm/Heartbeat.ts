/**
 * The heartbeats of the connections: a command that changes nothing and says which LMK is behind. One at a time on a connection;
 * it goes out when it is due, at once on a new connection and often to a device that was late.
 */
import { CommandValues, REQUEST_ROOM, writeRequest } from "./CommandText.ts"
import type { DeviceConnection } from "./DeviceConnection.ts"
import { Flight } from "./Flight.ts"
import type { HsmSettings } from "./HsmSettings.ts"

/** Pause between two heartbeats to a device that was late, in milliseconds. */
const SUSPECT_MS = 500

const values = new CommandValues()

/** The heartbeats of a pool. */
export class Heartbeat {
  private readonly settings: Pick<HsmSettings, "family" | "heartbeatMs" | "heartbeatTimeoutMs">
  private readonly under = new Map<Flight, DeviceConnection>()
  private readonly last = new WeakMap<DeviceConnection, number>()

  constructor(settings: Pick<HsmSettings, "family" | "heartbeatMs" | "heartbeatTimeoutMs">) {
    this.settings = settings
  }

  /** Whether a flight is a heartbeat. */
  isOne(flight: Flight): boolean {
    return this.under.has(flight)
  }

  /** Sends one, when there is room and the family has any. */
  send(connection: DeviceConnection, now: number): void {
    const { heartbeat } = this.settings.family
    if (heartbeat === undefined || !connection.hasRoom) return
    const flight = new Flight()
    flight.command = heartbeat
    flight.length = writeRequest(heartbeat, values, flight.room(REQUEST_ROOM, false), 0)
    flight.attemptUntil = flight.until = Number.POSITIVE_INFINITY
    this.under.set(flight, connection)
    this.last.set(connection, now)
    connection.heartbeatAt = now
    connection.send(flight)
  }

  /** Sends one when it is due. */
  beat(connection: DeviceConnection, { isSuspect }: { readonly isSuspect: boolean }, now: number): void {
    if (connection.heartbeatAt > 0) return
    const pause = isSuspect ? SUSPECT_MS : this.settings.heartbeatMs
    if (now - (this.last.get(connection) ?? 0) >= pause) this.send(connection, now)
  }

  /** One has not been answered in time. */
  isOverdue({ heartbeatAt }: DeviceConnection, now: number): boolean {
    return heartbeatAt > 0 && now - heartbeatAt >= this.settings.heartbeatTimeoutMs
  }

  /** One is back, or lost: the connection it was for. */
  over(flight: Flight): DeviceConnection | undefined {
    const connection = this.under.get(flight)
    this.under.delete(flight)
    if (connection !== undefined) connection.heartbeatAt = 0
    return connection
  }
}
