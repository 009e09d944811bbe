/**
 * A pool of devices: which connection a command goes out on, when it is late, and where it goes then.
 *
 * A command goes to the connection with the least under way. One that changes nothing goes out once more, to another device
 * where there is one, when its device was late, failed or was lost. A device that is late gets no more until it has answered a
 * heartbeat; one that says it cannot work leaves the pool for a while. When no device takes commands, every one ends at once.
 */
import { type Clock, Effect, type Scope } from "effect"
import { Dialer } from "../../link/Dialer.ts"
import { Notices, oneByOne } from "../../link/Notices.ts"
import { monotonicMs } from "../../transport/Monotonic.ts"
import type { Transport } from "../../transport/Transport.ts"
import { type ModuleError, moduleError } from "../ModuleError.ts"
import { Answer } from "./CommandText.ts"
import { Device } from "./Device.ts"
import { DeviceConnection } from "./DeviceConnection.ts"
import type { Flight } from "./Flight.ts"
import { Heartbeat } from "./Heartbeat.ts"
import type { HsmSettings } from "./HsmSettings.ts"

/** Answers in a row that may be late where there is no heartbeat. */
const LATE_MAX = 3

/** How often deadlines are looked at, in milliseconds. */
const TICK_MS = 10
/** A tick that comes later than that, in ms: this process stood still, and what devices answered meanwhile is unread. */
const STOOD_STILL_MS = 100

/** Whom the pool tells. */
export interface HsmPoolOwner {
  /** A device answered a flight with this code: `done`, or what the code means. Called within a turn. */
  readonly answered: (flight: Flight, answer: Answer) => void
  /** A flight is over without an answer that counts. */
  readonly failed: (flight: Flight, error: ModuleError) => void
  /** Everything of one turn has been told. */
  readonly turnDone: () => void
  /** A line for the log. */
  readonly told: (level: "info" | "warning", text: string) => void
}

const away = moduleError("ModuleAway", "submit", "no device takes calls")
const late = moduleError("TooLate", "submit", "no device has answered in time")
const lost = moduleError("ModuleAway", "submit", "the device was lost before it answered, and no other took the call")
const strange = moduleError("RequestWrong", "submit", "the device's answer is not that of the command")

/** The devices of a module. */
export class HsmPool {
  readonly devices: ReadonlyArray<Device>
  private readonly settings: HsmSettings
  private readonly owner: HsmPoolOwner
  private readonly clock: Clock.Clock
  private readonly answer = new Answer()
  private readonly heartbeat: Heartbeat
  private readonly notices = new Notices(oneByOne)
  /** Flights that no connection has room for, in the order of their coming. */
  private waiting: Array<Flight> = []
  private lmkCheckValue: string | undefined
  private tickedAt = 0
  /** Milliseconds for which this process has stood still. */
  private stoodStill = 0
  isUp = false

  constructor(settings: HsmSettings, owner: HsmPoolOwner, clock: Clock.Clock) {
    this.settings = settings
    this.owner = owner
    this.clock = clock
    this.lmkCheckValue = settings.lmkCheckValue
    this.devices = settings.devices.map(({ name, to }) => new Device(name, to, settings.connections))
    this.heartbeat = new Heartbeat(settings)
  }

  /**
   * Monotonic milliseconds, without those for which this process stood still: a device is not late for a pause of ours. All of
   * them would be at once, and the module away.
   */
  now(): number {
    return monotonicMs(this.clock) - this.stoodStill
  }

  /** Sends a flight, or lets it wait for room. False: no device takes any, and nobody is told. */
  dispatch(flight: Flight): boolean {
    if (!this.isUp) return false
    const chosen = this.choose(undefined)
    if (chosen === undefined) this.waiting.push(flight)
    else this.put(chosen, flight)
    return true
  }

  /** Connects every device, beats and looks at deadlines until interrupted. */
  readonly run: Effect.Effect<never, never, Transport | Scope.Scope> = Effect.gen({ self: this }, function* () {
    // A pause may come before the first tick, too: devices are up sooner.
    this.tickedAt = this.now()
    for (const device of this.devices) {
      for (let n = 0; n < this.settings.connections; n++) yield* Effect.forkScoped(this.connected(device, n === 0))
    }
    return yield* Effect.sleep(TICK_MS).pipe(
      Effect.map(() => this.tick()),
      Effect.forever
    )
  })

  /** One connection of a device, again and again. */
  private connected(device: Device, isTold: boolean): Effect.Effect<never, never, Transport> {
    const { settings } = this
    const dialer = new Dialer(
      {
        settings,
        connectFailed: (_at, why) => {
          if (device.connections.length === 0) device.why = why
        },
        warned: (text) => {
          if (isTold) this.owner.told("warning", `security module, device ${device.name}: ${text}`)
        }
      },
      {
        _tag: "connect",
        to: device.to,
        timeoutMs: settings.connectTimeoutMs,
        tls: settings.tls,
        keepAlive: settings.keepAlive
      }
    )
    const owner = {
      family: settings.family,
      headerLength: settings.headerLength,
      now: () => this.now(),
      answered: (flight: Flight, body: Buffer, from: number, to: number) =>
        this.answered(flight, device, body, from, to),
      turnDone: () => this.turnDone()
    }
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        const opened = yield* dialer.next
        const at = this.now()
        const connection = new DeviceConnection(owner, opened)
        device.connections.push(connection)
        if (settings.family.heartbeat === undefined) this.proved(connection)
        else this.heartbeat.send(connection, at)
        const why = yield* connection.run.pipe(Effect.ensuring(Effect.sync(() => this.ended(device, connection))))
        if (device.connections.length === 0) device.why = `the connection ended: ${why}`
        dialer.ended(this.now() - at)
      }
    })
  }

  private ended(device: Device, connection: DeviceConnection): void {
    device.connections.splice(device.connections.indexOf(connection), 1)
    if (device.connections.length === 0) device.isSuspect = false
    this.look()
    connection.drop((flight) => {
      if (this.heartbeat.over(flight) !== undefined) return
      flight.lastError = lost
      this.again(flight)
    })
    this.turnDone()
  }

  /** The connection has shown that a device of the family is behind it. */
  private proved(connection: DeviceConnection): void {
    connection.isProved = true
    this.look()
  }

  /** Which connection a flight goes to; `not`: another device than this one. */
  private choose(not: object | undefined): { device: Device; connection: DeviceConnection } | undefined {
    let best: { device: Device; connection: DeviceConnection } | undefined
    for (const device of this.devices) {
      if (device === not || !device.isUp) continue
      const connection = device.freest()
      if (connection === undefined) continue
      if (best === undefined || connection.outstanding < best.connection.outstanding) best = { device, connection }
    }
    return best
  }

  private put({ device, connection }: { device: Device; connection: DeviceConnection }, flight: Flight): void {
    flight.device = device
    flight.attemptUntil = Math.min(flight.until, this.now() + flight.attemptMs)
    connection.send(flight)
  }

  /** A flight's attempt came to nothing: once more on another device, as soon as there is room, or its end. */
  private again(flight: Flight): void {
    const isOtherUp = this.isOtherUp(flight)
    // What the device lost with its connection may come back to it on another one.
    const isPossible = isOtherUp || (flight.lastError === lost && this.isUp)
    if (flight.mayRepeat && isPossible && this.now() < flight.until) {
      flight.mayRepeat = false
      if (!isOtherUp) flight.device = undefined
      this.waiting.push(flight)
      return
    }
    this.owner.failed(flight, flight.lastError ?? lost)
  }

  private answered(flight: Flight, device: Device, body: Buffer, from: number, to: number): void {
    const { answer, settings } = this
    const now = this.now()
    const isRead = answer.read(settings.family, flight.command, body, from, to)
    if (this.heartbeat.isOne(flight)) return this.beaten(flight, device, isRead)
    if (!isRead) {
      flight.lastError = strange
      return this.again(flight)
    }
    device.answered(now - flight.sentAt)
    const verdict = answer.code === "00" ? "done" : settings.family.errors[answer.code]
    if (verdict === "out" && flight.call !== undefined) {
      device.takeOut(`it answers ${answer.code}: it cannot work (LMK, state or licence)`, now)
      this.look()
    }
    if ((verdict === "out" && flight.call !== undefined) || verdict === "again") {
      flight.lastError = moduleError("ModuleAway", flight.place, "the device cannot work at the moment", answer.code)
      return this.again(flight)
    }
    this.owner.answered(flight, answer)
  }

  /** A heartbeat has come back. */
  private beaten(flight: Flight, device: Device, isRead: boolean): void {
    const { code, told } = this.answer
    const connection = this.heartbeat.over(flight)
    if (connection === undefined) return
    if (!isRead || code !== "00") {
      device.why = isRead ? `it answers its heartbeat with ${code}` : "its heartbeat was answered with something else"
      return connection.close()
    }
    device.lmkCheckValue = told.lmkCheckValue
    device.firmware = told.firmware
    this.lmkCheckValue ??= told.lmkCheckValue
    device.isForeign = told.lmkCheckValue !== this.lmkCheckValue
    if (device.isForeign) device.why = "its LMK is not the one of the other devices: their keys cannot be used there"
    device.isSuspect = false
    this.proved(connection)
  }

  /** All that time brings about. */
  private tick(): void {
    const pause = this.now() - this.tickedAt - TICK_MS
    if (pause > STOOD_STILL_MS) this.stoodStill += pause
    const now = this.now()
    this.tickedAt = now
    for (const device of this.devices) {
      if (device.outUntil > 0 && now >= device.outUntil) device.outUntil = 0
      for (const connection of [...device.connections]) {
        const isOwed = connection.expire(now, (flight) => this.expired(flight, device, connection))
        if (isOwed || this.heartbeat.isOverdue(connection, now)) {
          device.why = isOwed ? "it owed an answer for too long" : "its heartbeat was not answered"
          connection.close()
        } else this.heartbeat.beat(connection, device, now)
      }
    }
    this.look()
    this.expireWaiting(now)
    this.turnDone()
  }

  private expired(flight: Flight, device: Device, connection: DeviceConnection): void {
    flight.lastError = late
    if (this.settings.family.heartbeat === undefined) {
      // A late answer could not be told from the next one; and nothing but answers shows that the device works.
      connection.close()
      if (++device.lateInRow >= LATE_MAX) device.takeOut(`${LATE_MAX} answers in a row were late`, this.now())
    } else if (!device.isSuspect) {
      device.isSuspect = true
      device.why = "it was late, and has not answered its heartbeat since"
    }
    this.look()
    this.again(flight)
  }

  private expireWaiting(now: number): void {
    if (this.waiting.length === 0) return
    const over = this.waiting.filter(({ until }) => now >= until || !this.isUp)
    if (over.length === 0) return
    this.waiting = this.waiting.filter((flight) => !over.includes(flight))
    for (const flight of over) this.owner.failed(flight, this.isUp ? late : away)
  }

  private turnDone(): void {
    this.sendWaiting()
    this.owner.turnDone()
  }

  /** Sends what waits, in order, as long as there is room for it. */
  private sendWaiting(): void {
    if (this.waiting.length === 0) return
    const all = this.waiting
    this.waiting = []
    let isFull = false
    for (const flight of all) {
      const chosen = isFull ? undefined : this.choose(flight.device)
      if (chosen !== undefined) this.put(chosen, flight)
      else if (flight.device !== undefined && !this.isOtherUp(flight))
        this.owner.failed(flight, flight.lastError ?? lost)
      else {
        // One that has been at a device waits for another one; the others wait for any.
        isFull ||= flight.device === undefined
        this.waiting.push(flight)
      }
    }
  }

  private isOtherUp(flight: Flight): boolean {
    return this.devices.some((device) => device.isUp && device !== flight.device)
  }

  /** Whether any device takes calls, and a line in the log when that changes, for the module and for each device. */
  private look(): void {
    for (const device of this.devices) {
      const { state } = device
      if (state === device.toldState) continue
      device.toldState = state
      const text = `security module, device ${device.name}: ${state === "up" ? "up" : `${state}, ${device.why}`}`
      const noted = this.notices.add(device.name, text, this.now())
      if (noted !== undefined) this.owner.told(state === "up" ? "info" : "warning", noted)
    }
    const isUp = this.devices.some((device) => device.isUp)
    if (isUp === this.isUp) return
    this.isUp = isUp
    this.owner.told(
      isUp ? "info" : "warning",
      isUp
        ? "security module: up"
        : `security module: away, no device takes calls; ${this.devices.map(({ name, why }) => `${name}: ${why}`).join("; ")}`
    )
  }
}
