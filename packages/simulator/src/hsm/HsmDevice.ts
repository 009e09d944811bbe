/**
 * A device on a TCP port: frames, delay, errors by chance, and the ways in which a device is away. What it computes is in
 * `TextCommands` and `BinaryCommands`.
 */
import { type FrameFormat, Framer } from "@jinka/codec"
import { Clock, Effect, type Scope } from "effect"
import type { Chance } from "../chance/Chance.ts"
import { type Endpoint, endpointOf, listen } from "../link/Listener.ts"
import { timepieceOf } from "../partner/Session.ts"
import type { ListenFailed } from "../SimulatorError.ts"
import { BinaryCommands } from "./BinaryCommands.ts"
import { DeviceCrypt } from "./DeviceCrypt.ts"
import { type DrawKey, TextCommands } from "./TextCommands.ts"

/** A listening port, and a connection of one that came. */
type Listening = Effect.Success<ReturnType<typeof listen>>
type Socket = Parameters<Parameters<typeof listen>[1]>[0]

const lengthFrame: FrameFormat = { kind: "length", encoding: "binary", bytes: 2, lengthMax: 65_535, idle: "none" }

/** The families that the device speaks. */
export type HsmFamily = "payshield" | "racal" | "sjl05"

/** What a device is told. */
export interface HsmDeviceSettings {
  readonly listen: Endpoint
  readonly family: HsmFamily
  /** Characters of the message header that it gives back. */
  readonly headerLength: number
  /** Milliseconds from a command to its answer. */
  readonly delayMs: number
  /** Commands of one connection are answered one after the other, each with its own delay. */
  readonly isInOrder: boolean
  /** Share of commands in percent that end with `errorCode` instead; heartbeats (NC) are spared. */
  readonly errorPercent: number
  readonly errorCode: string
  /** Connections beyond these are closed at once; 0: no limit. */
  readonly connectionsMax: number
  readonly chance: Chance
  /** Draws the bytes of new keys, where a test says which; left out: by `chance`. */
  readonly draw?: DrawKey
}

/** A running device. Commands take effect at once. */
export interface HsmDevice {
  readonly endpoint: Endpoint
  readonly counts: () => {
    readonly connections: number
    readonly commands: number
    readonly errors: number
    readonly refused: number
  }
  /** Changes the delay, the share of errors, or whether it answers at all. */
  readonly set: (change: Partial<{ delayMs: number; errorPercent: number; errorCode: string; isMute: boolean }>) => void
  /** Resets every connection. */
  readonly cut: () => void
  /** Resets every connection and listens no more: a device that is switched off. */
  readonly off: Effect.Effect<void>
  /** Listens again. */
  readonly on: Effect.Effect<void>
  /** Off and, after a time, on. */
  readonly restart: (milliseconds: number) => Effect.Effect<void>
}

/** A connection of a caller. */
interface Caller {
  readonly socket: Socket
  readonly framer: Framer
  rest: Buffer
  /** When the answer before the next one goes out. */
  busyUntil: number
}

/** An answer that waits for its time. */
interface Due {
  readonly at: number
  readonly caller: Caller
  readonly bytes: Buffer
}

/** Starts a device; it ends with the scope. */
export const startHsmDevice = (settings: HsmDeviceSettings): Effect.Effect<HsmDevice, ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const device = new Device(settings, timepieceOf(yield* Clock.Clock).monotonic)
    const open = (at: Endpoint) => listen(at, (socket) => device.accept(socket))
    let listening: Listening = yield* open(settings.listen)
    const endpoint = endpointOf(listening, settings.listen.host)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        listening.close()
        device.cut()
      })
    )
    yield* Effect.sync(() => device.pump()).pipe(
      Effect.andThen(Effect.sleep("1 millis")),
      Effect.forever,
      Effect.forkScoped
    )
    const off = Effect.sync(() => {
      listening.close()
      device.cut()
    })
    const on = Effect.map(Effect.orDie(Effect.suspend(() => open(endpoint))), (again) => {
      listening = again
    })
    return {
      endpoint,
      off,
      on,
      counts: () => device.counts(),
      set: (change) => Object.assign(device.now, change),
      cut: () => device.cut(),
      restart: (milliseconds) => off.pipe(Effect.andThen(Effect.sleep(milliseconds)), Effect.andThen(on))
    }
  })

/** The device behind the port. */
class Device {
  /** What may change while it runs. */
  readonly now: { delayMs: number; errorPercent: number; errorCode: string; isMute: boolean }
  private readonly settings: HsmDeviceSettings
  private readonly clock: () => number
  private readonly text: TextCommands
  private readonly binary: BinaryCommands
  private readonly callers = new Set<Caller>()
  private due: Array<Due> = []
  private commands = 0
  private errors = 0
  private refused = 0

  constructor(settings: HsmDeviceSettings, clock: () => number) {
    const { delayMs, errorPercent, errorCode, chance } = settings
    this.settings = settings
    this.clock = clock
    this.now = { delayMs, errorPercent, errorCode, isMute: false }
    const draw: DrawKey = settings.draw ?? ((length) => Uint8Array.from({ length }, () => chance.below(256)))
    const crypt = new DeviceCrypt(draw)
    this.text = new TextCommands(crypt, draw)
    this.binary = new BinaryCommands(crypt)
  }

  counts() {
    const { commands, errors, refused } = this
    return { connections: this.callers.size, commands, errors, refused }
  }

  accept(socket: Socket): void {
    const { connectionsMax, family } = this.settings
    socket.on("error", () => undefined)
    if (connectionsMax > 0 && this.callers.size >= connectionsMax) {
      this.refused++
      socket.destroy()
      return
    }
    socket.setNoDelay(true)
    const caller: Caller = { socket, framer: new Framer(lengthFrame), rest: Buffer.alloc(0), busyUntil: 0 }
    this.callers.add(caller)
    socket.on("close", () => this.callers.delete(caller))
    socket.on("data", (chunk: Buffer) => (family === "sjl05" ? this.bare(caller, chunk) : this.framed(caller, chunk)))
  }

  /** Sends every answer whose time has come, one write for each caller. */
  pump(): void {
    const now = this.clock()
    const ready = this.due.filter(({ at }) => at <= now)
    if (ready.length === 0) return
    this.due = this.due.filter(({ at }) => at > now)
    const together = new Map<Caller, Array<Buffer>>()
    for (const { caller, bytes } of ready) {
      const gathered = together.get(caller)
      if (gathered === undefined) together.set(caller, [bytes])
      else gathered.push(bytes)
    }
    for (const [{ socket }, gathered] of together) if (!socket.destroyed) socket.write(Buffer.concat(gathered))
  }

  cut(): void {
    this.due = []
    for (const { socket } of this.callers) socket.resetAndDestroy()
  }

  private framed(caller: Caller, chunk: Buffer): void {
    const { headerLength } = this.settings
    const wrong = caller.framer.push(chunk, {
      frame: (buffer, start, end) => {
        const header = buffer.toString("latin1", start, start + headerLength)
        const request = buffer.toString("latin1", start + headerLength, end)
        const answer = this.failing(request) ?? this.text.answer(request)
        const body = Buffer.from(header + answer, "latin1")
        const frame = Buffer.alloc(2 + body.length)
        frame.writeUInt16BE(body.length, 0)
        body.copy(frame, 2)
        this.answer(caller, frame)
      },
      idle: () => undefined
    })
    if (wrong !== undefined) caller.socket.resetAndDestroy()
  }

  private bare(caller: Caller, chunk: Buffer): void {
    caller.rest = Buffer.concat([caller.rest, chunk])
    for (;;) {
      const made = this.binary.answer(caller.rest)
      if (made === undefined) return
      caller.rest = caller.rest.subarray(made.length)
      const isFailing = this.isFailing()
      this.answer(caller, isFailing ? Buffer.from(`45${this.now.errorCode}`, "hex") : made.answer)
    }
  }

  private isFailing(): boolean {
    return this.now.errorPercent > 0 && this.settings.chance.percent(this.now.errorPercent)
  }

  /** The answer of a command that is to fail. */
  private failing(request: string): string | undefined {
    if (request.startsWith("NC") || !this.isFailing()) return undefined
    this.errors++
    return request[0]! + String.fromCharCode(request.charCodeAt(1) + 1) + this.now.errorCode
  }

  private answer(caller: Caller, bytes: Buffer): void {
    this.commands++
    if (this.now.isMute) return
    const now = this.clock()
    const at = (this.settings.isInOrder ? Math.max(now, caller.busyUntil) : now) + this.now.delayMs
    caller.busyUntil = at
    if (this.now.delayMs === 0 && this.due.length === 0) caller.socket.write(bytes)
    else this.due.push({ at, caller, bytes })
  }
}
