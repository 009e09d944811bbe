/**
 * The security module behind a pool of network devices: calls become commands, answers become outcomes.
 *
 * Asynchronous without a promise for each message: flights are used again, answers gather in a list that the owner drains when it
 * is woken. Clear keys and clear PINs are in the devices only.
 */
import type { KeyCheckMethod } from "@jinka/codec"
import { equalMac } from "@jinka/codec"
import { Clock, Effect, type Scope } from "effect"
import type { Transport } from "../../transport/Transport.ts"
import type { KeyHandle } from "../KeyHandle.ts"
import type { ModuleCall } from "../ModuleCall.ts"
import { isModuleError, type ModuleError, moduleError } from "../ModuleError.ts"
import type {
  GeneratedKey,
  GenerateRequest,
  ImportRequest,
  ModuleStatus,
  SecurityModule,
  StoredUnder
} from "../SecurityModule.ts"
import { type Answer, CommandValues, REQUEST_ROOM, writeRequest } from "./CommandText.ts"
import type { DeviceCommand, DeviceFamily, KeyScheme } from "./DeviceFamily.ts"
import { Flight, type Told } from "./Flight.ts"
import * as Plans from "./HsmPlans.ts"
import { HsmPool, type HsmPoolOwner } from "./HsmPool.ts"
import type { HsmSettings } from "./HsmSettings.ts"

/** A call may go out so often, each time with its part of the call's time: the guard gives a quarter of the request's. */
const ATTEMPTS = 2

/** Time of a command of a key's life, in milliseconds. */
const COLD_MS = 10_000

const away = moduleError("ModuleAway", "submit", "no device takes calls")
const macFailed = moduleError("MacFailed", "verifyMac", "the MAC is that of no key of this direction")
const nothingMade = moduleError(
  "RequestWrong",
  "submit",
  "the device's answer holds no MAC or block of the length asked"
)
const incomplete = moduleError("RequestWrong", "submit", "the call is filled in by its methods")

const placeOf = ({ operation, source, target, key }: ModuleCall): string =>
  operation === "translatePin" ? `translatePin ${source?.key.name} to ${target?.key.name}` : `${operation} ${key?.name}`

/** Whether an answer with a MAC holds all of it that the call is about. */
const isWhole = ({ answer }: DeviceCommand, call: ModuleCall, { told }: Answer): boolean =>
  call.operation !== "verifyMac" || answer.length === 0 || Buffer.from(told.mac ?? "", "hex").length >= call.inputLength

/** The security module of devices in the network. Make it with `openHsm`. */
export class HsmModule implements SecurityModule, HsmPoolOwner {
  readonly isSynchronous = false
  readonly pool: HsmPool
  readonly told: HsmPoolOwner["told"]
  private readonly family: DeviceFamily
  /** What names the LMK behind every command of devices that have several. */
  private readonly lmk: string
  private readonly values = new CommandValues()
  private readonly resting: Array<Flight> = []
  private done: Array<ModuleCall> = []
  private drained: Array<ModuleCall> = []
  private wake: () => void = () => undefined

  constructor(settings: HsmSettings, clock: Clock.Clock, told: HsmPoolOwner["told"]) {
    this.family = settings.family
    this.lmk = settings.lmkId === undefined ? "" : `%${settings.lmkId}`
    this.told = told
    this.pool = new HsmPool(settings, this, clock)
  }

  get isUp(): boolean {
    return this.pool.isUp
  }

  submit(call: ModuleCall): boolean {
    if (!this.pool.isUp) {
      call.error = away
      return true
    }
    const flight = this.resting.pop() ?? new Flight()
    const planned = this.plan(flight, call)
    this.values.clear()
    if (planned !== undefined) {
      call.error = planned
      this.rest(flight)
      return true
    }
    flight.call = call
    flight.place = placeOf(call)
    flight.mayRepeat = true
    flight.attemptMs = call.withinMs / ATTEMPTS
    flight.until = this.pool.now() + call.withinMs
    if (this.pool.dispatch(flight)) return false
    call.error = away
    this.rest(flight)
    return true
  }

  drain(each: (call: ModuleCall) => void): void {
    while (this.done.length > 0) {
      const calls = this.done
      this.done = this.drained
      this.drained = calls
      for (const call of calls) each(call)
      calls.length = 0
    }
  }

  onDone(wake: () => void): void {
    this.wake = wake
  }

  /** What a device wrote is under its LMK, which it changes by itself. */
  storedUnder(text: string): StoredUnder {
    return Plans.isKeyText(this.family, text) ? "now" : "elsewhere"
  }

  status(): ModuleStatus {
    const devices = this.pool.devices.map((device) => device.status())
    const ups = devices.filter(({ state }) => state === "up").length
    return { module: "hsm", state: ups === devices.length ? "up" : ups > 0 ? "degraded" : "away", devices }
  }

  importKey({
    name,
    purpose,
    algorithm,
    key,
    expected,
    isTerminal
  }: ImportRequest): Effect.Effect<KeyHandle, ModuleError> {
    const place = `importKey ${name}`
    switch (key.form) {
      case "own": {
        const handle: KeyHandle = { name, purpose, algorithm, text: key.text, checkValue: "" }
        if (Plans.isUncheckable(this.family, handle)) {
          return expected === undefined
            ? Effect.succeed(handle)
            : Effect.fail(this.has(place, `command for the check value of ${algorithm} keys`))
        }
        return Effect.map(this.valueAt(handle, { method: "zeros", length: 3 }, isTerminal), (value) => ({
          ...handle,
          checkValue: value.toString("hex").toUpperCase()
        })).pipe(Effect.flatMap((taken) => this.confirmed(taken, expected, place, true)))
      }
      case "ecb":
        return Effect.suspend(() => {
          const scheme = Plans.planScheme(this.family, algorithm, key.bytes.length, place)
          if (isModuleError(scheme)) return Effect.fail(scheme)
          const wrong = Plans.planImport(this.family, purpose, key.kek, scheme, key.bytes, this.values)
          if (wrong !== undefined) return Effect.fail(wrong)
          return this.command(this.family.importKey, place, true, ({ code, told }) => ({
            hasParity: code === "00",
            handle: { name, purpose, algorithm, text: told.key!, checkValue: told.checkValue!.slice(0, 6) }
          })).pipe(Effect.tap(({ handle }) => this.asAsked(handle.text, scheme, place)))
        }).pipe(Effect.flatMap(({ handle, hasParity }) => this.confirmed(handle, expected, place, hasParity)))
      case "components":
        return Effect.fail(moduleError("NotSupported", place, "components are entered at the device's own console"))
      default:
        return Effect.fail(
          moduleError(
            "NotSupported",
            place,
            `the device family ${this.family.name} takes keys as ECB or as its own text`
          )
        )
    }
  }

  generateKey(request: GenerateRequest): Effect.Effect<GeneratedKey, ModuleError> {
    const { name, purpose, algorithm, kek, form } = request
    const place = `generateKey ${name}`
    return Effect.suspend(() => {
      const { generateKey } = this.family
      const scheme = Plans.planScheme(this.family, algorithm, request.length ?? (algorithm === "des" ? 8 : 16), place)
      if (isModuleError(scheme)) return Effect.fail(scheme)
      if (generateKey === undefined || form !== "ecb")
        return Effect.fail(this.has(place, "drawing of keys in this form"))
      const wrong = Plans.planOut(this.family, purpose, kek, scheme, undefined, this.values)
      if (wrong !== undefined) return Effect.fail(wrong)
      return this.command(generateKey, place, false, ({ told }) => ({
        key: { name, purpose, algorithm, text: told.key!, checkValue: told.checkValue! },
        wrapped: Buffer.from(told.wrapped!.slice(scheme.wrapped.length), "hex")
      })).pipe(
        Effect.tap(({ key, wrapped }) =>
          wrapped.length === scheme.bytes ? this.asAsked(key.text, scheme, place) : this.strange(scheme, place)
        )
      )
    })
  }

  exportKey(key: KeyHandle, kek: KeyHandle, form: GenerateRequest["form"]): Effect.Effect<Buffer, ModuleError> {
    const place = `exportKey ${key.name}`
    return Effect.suspend(() => {
      const { exportKey } = this.family
      const scheme = Plans.planScheme(this.family, key.algorithm, Plans.bytesOfText(key.text, key.algorithm), place)
      if (isModuleError(scheme)) return Effect.fail(scheme)
      if (exportKey === undefined || form !== "ecb") return Effect.fail(this.has(place, "export of keys in this form"))
      const wrong = Plans.planOut(this.family, key.purpose, kek, scheme, key, this.values)
      if (wrong !== undefined) return Effect.fail(wrong)
      return this.command(exportKey, place, true, ({ told }) =>
        Buffer.from(told.wrapped!.slice(scheme.wrapped.length), "hex")
      )
    })
  }

  checkValue(key: KeyHandle, method: KeyCheckMethod): Effect.Effect<Buffer, ModuleError> {
    return this.valueAt(key, method, false)
  }

  private valueAt(
    key: KeyHandle,
    method: KeyCheckMethod,
    isTerminal: boolean | undefined
  ): Effect.Effect<Buffer, ModuleError> {
    return Effect.suspend(() => {
      const wrong = Plans.planCheck(this.family, key, method, this.values, isTerminal)
      if (wrong !== undefined) return Effect.fail(wrong)
      return this.command(this.family.checkValue, `checkValue ${key.name}`, true, ({ told }) =>
        Buffer.from(told.checkValue!, "hex").subarray(0, method.length)
      )
    })
  }

  /** A device answered. See `HsmPoolOwner`. */
  answered(flight: Flight, answer: Answer): void {
    const { call } = flight
    if (call === undefined) {
      const error = this.errorOf(flight, answer)
      flight.told?.(error === undefined ? answer : undefined, error)
      return this.rest(flight)
    }
    const verdict = answer.code === "00" ? "done" : this.family.errors[answer.code]
    // A MAC that is cut off shows nothing of the partner's.
    if (verdict === "done" && !isWhole(flight.command, call, answer)) return this.over(flight, call, nothingMade)
    const isWrong =
      call.operation === "verifyMac" &&
      (verdict === "macWrong" || (verdict === "done" && !this.isVerified(flight, call, answer)))
    if (isWrong && !flight.isOther && flight.otherLength > 0) {
      flight.isOther = true
      flight.mayRepeat = true
      if (this.pool.dispatch(flight)) return
      return this.over(flight, call, away)
    }
    if (isWrong) return this.over(flight, call, macFailed)
    const error = this.errorOf(flight, answer)
    if (error === undefined) return this.over(flight, call, this.fill(call, flight, answer))
    this.over(flight, call, error)
  }

  /** A flight came to nothing. See `HsmPoolOwner`. */
  failed(flight: Flight, error: ModuleError): void {
    const { call } = flight
    if (call !== undefined) return this.over(flight, call, error)
    flight.told?.(undefined, error)
    this.rest(flight)
  }

  turnDone(): void {
    if (this.done.length > 0) this.wake()
  }

  /** Writes the requests of a call into a flight. */
  private plan(flight: Flight, call: ModuleCall): ModuleError | undefined {
    const { values } = this
    if (call.operation === "translatePin") {
      const command = Plans.planPin(this.family, call, values)
      if (isModuleError(command)) return command
      flight.command = command
      flight.length = this.write(command, flight.room(REQUEST_ROOM, false))
      return undefined
    }
    if (call.key === undefined) return incomplete
    const room = REQUEST_ROOM + call.to - call.from
    if (call.operation === "verifyMac" && call.otherKey !== undefined) {
      const other = Plans.planMac(this.family, call, call.otherKey, values)
      if (isModuleError(other)) return other
      flight.otherLength = this.write(other.command, flight.room(room, true))
    }
    const planned = Plans.planMac(this.family, call, call.key, values)
    if (isModuleError(planned)) return planned
    flight.command = planned.command
    flight.length = this.write(planned.command, flight.room(room, false))
    return undefined
  }

  private write(command: DeviceCommand, out: Buffer): number {
    const end = writeRequest(command, this.values, out, 0)
    return end + out.write(this.lmk, end, "latin1")
  }

  /** Whether the device verified the MAC, or the one that it made is the one that came. */
  private isVerified({ command }: Flight, call: ModuleCall, { told }: Answer): boolean {
    if (command.answer.length === 0) return true
    const made = Buffer.from(told.mac ?? "", "hex").subarray(0, call.inputLength)
    return equalMac(made, call.input.subarray(0, call.inputLength))
  }

  /** Writes what the device made into the call. */
  private fill(call: ModuleCall, flight: Flight, { told }: Answer): ModuleError | undefined {
    if (call.operation === "verifyMac") {
      call.fitted = flight.isOther ? call.otherKey : call.key
      return undefined
    }
    if (call.operation === "makeMac") {
      const made = Buffer.from(told.mac ?? "", "hex")
      return made.copy(call.output, 0, 0, call.outputLength) === call.outputLength ? undefined : nothingMade
    }
    call.outputLength = call.output.write(told.block ?? "", "hex")
    return call.outputLength === 8 ? undefined : nothingMade
  }

  /** What a device's error code means for whom the command was. */
  private errorOf({ place, command }: Flight, { code }: Answer): ModuleError | undefined {
    if (code === "00" || code === command.warning) return undefined
    switch (this.family.errors[code]) {
      case "key":
        return moduleError("KeyUnusable", place, "the device cannot use a key of the command", code)
      case "format":
        return moduleError("FormatRefused", place, "PIN block, account or format is not as the command says", code)
      case "out":
        return moduleError(
          "NotSupported",
          place,
          "the device does not do this in its present state, or with its licence",
          code
        )
      case "macWrong":
        return moduleError("KeyUnusable", place, "the device says that a value is wrong", code)
      default:
        return moduleError("RequestWrong", place, "the device does not understand the command", code)
    }
  }

  private over(flight: Flight, call: ModuleCall, error: ModuleError | undefined): void {
    call.error = error
    this.done.push(call)
    this.rest(flight)
  }

  private rest(flight: Flight): void {
    flight.clear()
    this.resting.push(flight)
  }

  /** A key of the device must be one of the cipher and length that was asked for. */
  private asAsked(text: string, scheme: KeyScheme, place: string): Effect.Effect<void, ModuleError> {
    const isIt =
      Plans.isKeyText(this.family, text) &&
      (text.startsWith("S") || Plans.bytesOfText(text, scheme.cipher) === scheme.bytes)
    return isIt ? Effect.void : this.strange(scheme, place)
  }

  private strange({ bytes, cipher }: KeyScheme, place: string): Effect.Effect<never, ModuleError> {
    const rule = `the device's answer holds no ${cipher} key of ${bytes} bytes`
    return Effect.fail(moduleError("RequestWrong", place, rule))
  }

  private has(place: string, what: string): ModuleError {
    return moduleError("NotSupported", place, `the device family ${this.family.name} has no ${what}`)
  }

  /** A key is taken only when its check value is the one that came with it, or else its parity is right. */
  private confirmed(
    handle: KeyHandle,
    expected: ImportRequest["expected"],
    place: string,
    hasParity: boolean
  ): Effect.Effect<KeyHandle, ModuleError> {
    if (expected === undefined) {
      return hasParity
        ? Effect.succeed(handle)
        : Effect.fail(
            moduleError("KeyRefused", place, "the key has no odd parity, and no check value shows that it is right")
          )
    }
    if (expected.method !== "zeros") return Effect.fail(this.has(place, "check values of a CMAC"))
    const length = Math.min(3, expected.value.length)
    const own = Buffer.from(handle.checkValue, "hex").subarray(0, length)
    return equalMac(own, Buffer.from(expected.value.subarray(0, length)))
      ? Effect.succeed(handle)
      : Effect.fail(moduleError("KeyRefused", place, "the check value is not the one that came with the key"))
  }

  /** Sends a command of a key's life, whose values are filled in, and reads its answer. */
  private command<A>(
    command: DeviceCommand,
    place: string,
    mayRepeat: boolean,
    read: (answer: Answer) => A
  ): Effect.Effect<A, ModuleError> {
    const flight = this.resting.pop() ?? new Flight()
    flight.command = command
    flight.length = this.write(command, flight.room(REQUEST_ROOM, false))
    this.values.clear()
    return Effect.callback<A, ModuleError>((resume) => {
      flight.place = place
      flight.mayRepeat = mayRepeat
      flight.attemptMs = COLD_MS / ATTEMPTS
      flight.until = this.pool.now() + COLD_MS
      const told: Told = (answer, error) =>
        resume(answer === undefined ? Effect.fail(error ?? away) : Effect.succeed(read(answer)))
      flight.told = told
      if (!this.pool.dispatch(flight)) this.failed(flight, away)
    })
  }
}

/** Opens a module: its devices are connected, and connected again, until the scope ends. */
export const openHsm = Effect.fnUntraced(function* (
  settings: HsmSettings
): Effect.fn.Return<HsmModule, never, Transport | Scope.Scope> {
  const clock = yield* Clock.Clock
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const module = new HsmModule(settings, clock, (level, text) => {
    run(level === "info" ? Effect.logInfo(text) : Effect.logWarning(text))
  })
  yield* Effect.forkScoped(module.pool.run)
  return module
})
