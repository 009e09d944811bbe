/**
 * Devices of a security module in the network, in virtual time: the switch's own pool of connections talks to the simulator's
 * device behind a wire that is slow, silent, failing, cut or not there, as the seed says. The keys are under the published test
 * LMK.
 */
import { type FrameFormat, Framer } from "@jinka/codec"
import { Clock, Effect, Random } from "effect"
import { DeviceCrypt } from "../../packages/simulator/src/hsm/DeviceCrypt.ts"
import { keyText, withParity } from "../../packages/simulator/src/hsm/TestLmk.ts"
import { TextCommands } from "../../packages/simulator/src/hsm/TextCommands.ts"
import { deviceFamilies } from "../../packages/switch/src/guard/hsm/Families.ts"
import { openHsm } from "../../packages/switch/src/guard/hsm/HsmModule.ts"
import {
  ConnectFailed,
  type Connection,
  ConnectionEnded,
  type Endpoint,
  Transport
} from "../../packages/switch/src/transport/Transport.ts"

/** One device. Times are milliseconds from the beginning of the run. */
export interface DeviceOptions {
  /** Shortest and longest time of a command. */
  readonly answersIn: readonly [number, number]
  /** It is off: connections are reset, and none comes about. */
  readonly off: ReadonlyArray<readonly [number, number]>
  /** It takes commands and answers none. */
  readonly silent: ReadonlyArray<readonly [number, number]>
  /** Chance that a command ends with an internal failure (41) while anything goes wrong at all, until `wellFrom`. */
  readonly fails: number
  readonly wellFrom: number
}

/** Characters of the message header. */
const HEADER = 4

const lengthFrame: FrameFormat = { kind: "length", encoding: "binary", bytes: 2, lengthMax: 65_535, idle: "none" }

const isWithin = (windows: DeviceOptions["off"], now: number): boolean =>
  windows.some(([from, to]) => now >= from && now < to)

/** What a device is given of the world: milliseconds since the run began, chance, and fibers of the life that uses it. */
interface DeviceWorld {
  /** Devices go wrong only when the partners' first keys were brought: a partner's own would be refused without them. */
  mayGoWrong: boolean
  readonly now: () => number
  readonly chance: () => number
  readonly fork: (effect: Effect.Effect<void>) => void
}

/** A connection to a device; the device is at its other end. */
class Wire implements Connection {
  readonly local = "switch:1"
  readonly remote: string
  private readonly framer = new Framer(lengthFrame)
  private readonly chunks: Array<Buffer> = []
  private readonly command: (body: Buffer, answer: (frame: Buffer) => void) => void
  private ended: ConnectionEnded | undefined
  private wake: () => void = () => {}

  constructor(remote: string, command: Wire["command"]) {
    this.remote = remote
    this.command = command
  }

  readonly pull: Connection["pull"] = Effect.callback((resume) => {
    const look = () => {
      if (this.chunks.length === 0 && this.ended === undefined) return
      // Whoever pulls goes on at once, and may be here again before this returns.
      this.wake = () => {}
      resume(this.chunks.length > 0 ? Effect.succeed(this.chunks.splice(0)) : Effect.fail(this.ended!))
    }
    this.wake = look
    look()
  })

  write(bytes: Buffer): Effect.Effect<void, ConnectionEnded> {
    return Effect.suspend(() => {
      if (this.ended !== undefined) return Effect.fail(this.ended)
      this.framer.push(Buffer.from(bytes), {
        frame: (buffer, start, end) =>
          this.command(Buffer.from(buffer.subarray(start, end)), (frame) => this.heard(frame)),
        idle: () => undefined
      })
      return Effect.void
    })
  }

  unsent(): number {
    return 0
  }

  close(): void {
    this.end("local")
  }

  end(how: ConnectionEnded["how"]): void {
    if (this.ended !== undefined) return
    this.ended = new ConnectionEnded({ how, cause: "the simulated device" })
    this.wake()
  }

  private heard(frame: Buffer): void {
    if (this.ended !== undefined) return
    this.chunks.push(frame)
    this.wake()
  }
}

/** A device as one life of the switch meets it. */
class SimulatedDevice {
  private readonly options: DeviceOptions
  private readonly world: DeviceWorld
  private readonly commands: TextCommands
  private readonly wires = new Set<Wire>()

  constructor(options: DeviceOptions, world: DeviceWorld) {
    this.options = options
    this.world = world
    const draw = (length: number) => Uint8Array.from({ length }, () => Math.floor(256 * world.chance()))
    this.commands = new TextCommands(new DeviceCrypt(draw), draw)
    for (const [from] of options.off)
      if (from > world.now())
        world.fork(
          Effect.delay(
            Effect.sync(() => this.cut()),
            from - world.now()
          )
        )
  }

  readonly connect = (to: Endpoint): Effect.Effect<Connection, ConnectFailed> =>
    Effect.suspend(() => {
      if (this.world.mayGoWrong && isWithin(this.options.off, this.world.now()))
        return Effect.fail(new ConnectFailed({ reason: "Refused", cause: "the simulated device is off" }))
      const wire = new Wire(`${to.host}:${to.port}`, (body, answer) => this.take(body, answer))
      this.wires.add(wire)
      return Effect.as(Effect.sleep(1), wire)
    })

  private cut(): void {
    if (!this.world.mayGoWrong) return
    for (const wire of this.wires) wire.end("reset")
    this.wires.clear()
  }

  private take(body: Buffer, answer: (frame: Buffer) => void): void {
    const { answersIn, fails, silent, wellFrom } = this.options
    const { chance, mayGoWrong, now } = this.world
    if (mayGoWrong && isWithin(silent, now())) return
    const header = body.toString("latin1", 0, HEADER)
    const request = body.toString("latin1", HEADER)
    const isFailing = mayGoWrong && !request.startsWith("NC") && now() < wellFrom && chance() < fails
    const said = isFailing
      ? `${request[0]}${String.fromCharCode(request.charCodeAt(1) + 1)}41`
      : this.commands.answer(request)
    const text = Buffer.from(header + said, "latin1")
    const frame = Buffer.alloc(2 + text.length)
    frame.writeUInt16BE(text.length, 0)
    text.copy(frame, 2)
    const [least, most] = answersIn
    const ms = least + (most - least) * chance()
    this.world.fork(
      Effect.delay(
        Effect.sync(() => answer(frame)),
        ms
      )
    )
  }
}

/** The module of the switch, over these devices; its log goes where the switch's does. */
export const openDevices = Effect.fnUntraced(function* (devices: ReadonlyArray<DeviceOptions>, startsAt: number) {
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const world: DeviceWorld = {
    mayGoWrong: false,
    now: () => clock.currentTimeMillisUnsafe() - startsAt,
    chance: () => random.nextDoubleUnsafe(),
    fork: (effect) => void fork(effect)
  }
  const all = devices.map((options) => new SimulatedDevice(options, world))
  const wires = Transport.of({
    connect: (to) => all[to.port - 1]!.connect(to),
    listen: () => Effect.die(new Error("nobody calls a device's switch"))
  })
  const module = yield* Effect.provideService(
    openHsm({
      family: deviceFamilies.payshield,
      devices: all.map((_, at) => ({ name: `device ${at + 1}`, to: { host: "devices", port: at + 1 } })),
      connections: 2,
      headerLength: HEADER,
      connectTimeoutMs: 2000,
      reconnect: { minMs: 200, maxMs: 2000 },
      heartbeatMs: 2000,
      heartbeatTimeoutMs: 2000
    }),
    Transport,
    wires
  )
  const goWrong = () => {
    world.mayGoWrong = true
  }
  return { module, goWrong }
})

const types = { kek: "000", mac: "008", pin: "001" } as const

/** A key as such a device would print it. */
export const deviceText = (purpose: keyof typeof types, key: Uint8Array): string =>
  keyText(types[purpose], "U", withParity(key))
