/** A proxy by its file: rules, history, recording, a second host and control put together. Everything ends with the scope. */
import { Clock, Effect, Fiber, type Scope } from "effect"
import type { FileInvalid } from "../file/FileInvalid.ts"
import { type LineFile, makeLineFile, noLineFile } from "../history/LineFile.ts"
import { type FaultProxy, makeFaultProxy, type OneWay } from "../link/FaultProxy.ts"
import type { Endpoint } from "../link/Listener.ts"
import { timepieceOf } from "../partner/Session.ts"
import type { FileFailed, ListenFailed } from "../SimulatorError.ts"
import { noTolerance, readTolerance } from "../traffic/Compare.ts"
import { Shadow } from "../traffic/Shadow.ts"
import { lineOf } from "../traffic/Traffic.ts"
import { FaultRules } from "./FaultRules.ts"
import type { ProxySettings } from "./ProxyFile.ts"
import { serveRules } from "./RuleControl.ts"

/** A running proxy with its rules. */
export interface RunningProxy {
  readonly proxy: FaultProxy
  readonly rules: FaultRules
  /** Where its rules are changed; `undefined` when they are not. */
  readonly control: Endpoint | undefined
  /** Never ends; dies with `FileLost` when a file of its own can be written no further. */
  readonly broken: Effect.Effect<never>
}

/** What looks at every message that passes: the recorder and the second host. */
type Watching = (connection: number, direction: OneWay, message: Buffer) => void

const makeRecorder = ({ form, record }: ProxySettings, wall: () => number) =>
  Effect.gen(function* () {
    if (record === undefined || form === undefined) return undefined
    const file = yield* makeLineFile(record.path)
    const watching: Watching = (connection, direction, message) =>
      file.append(lineOf(form.codec, message, { at: wall(), connection, direction }, record.key))
    return { watching, flush: file.flush }
  })

const makeShadow = ({ form, shadow }: ProxySettings, now: () => number, note: FaultRules["note"]) =>
  Effect.gen(function* () {
    if (shadow === undefined || form === undefined) return undefined
    const tolerance = shadow.tolerance === undefined ? noTolerance : yield* readTolerance(shadow.tolerance)
    const file = yield* makeLineFile(shadow.report)
    const mirror = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new Shadow(
            form,
            { ...shadow, tolerance },
            (line) => file.append(line),
            (why) => note({ did: "shadowDown", connection: 0, says: why })
          )
      ),
      (made) => Effect.sync(() => made.close())
    )
    const watching: Watching = (_connection, direction, message) => mirror.saw(direction, message)
    return { watching, flush: file.flush, tick: () => mirror.tick(now()) }
  })

/** Milliseconds between two writes of the history. */
const FLUSH_MS = 100

/** Starts a proxy. */
export const startProxy = (
  settings: ProxySettings
): Effect.Effect<RunningProxy, FileFailed | FileInvalid | ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const { control, form, history, listen, listenTls, mac, seed, target, targetTls } = settings
    const file: LineFile = history === undefined ? noLineFile : yield* makeLineFile(history)
    const note: FaultRules["note"] = (line) => file.append({ at: clock.currentTimeMillisUnsafe(), ...line })
    const time = timepieceOf(clock)
    const recorder = yield* makeRecorder(settings, time.wall)
    const shadow = yield* makeShadow(settings, time.monotonic, note)
    const saw: Watching = (connection, direction, message) => {
      recorder?.watching(connection, direction, message)
      shadow?.watching(connection, direction, message)
    }
    const rules = new FaultRules({ seed, form, mac, note, saw }, settings.rules)
    const refused = (why: string): void => note({ did: "refused", connection: 0, says: why })
    const tls = { listen: listenTls, target: targetTls, refused }
    const proxy = yield* makeFaultProxy(listen, target, { seed, plan: rules, tls })
    const controlled = control === undefined ? undefined : yield* serveRules(rules, control)
    // Only now: a proxy that could not start must not touch the files of the one that runs.
    const flush = Effect.sync(() => {
      for (const one of [file, recorder, shadow]) one?.flush()
    })
    const flushing = yield* flush.pipe(Effect.andThen(Effect.sleep(FLUSH_MS)), Effect.forever, Effect.forkScoped)
    if (shadow !== undefined) {
      yield* Effect.sync(shadow.tick).pipe(Effect.andThen(Effect.sleep(1)), Effect.forever, Effect.forkScoped)
    }
    return { proxy, rules, control: controlled, broken: Fiber.join(flushing) }
  })
