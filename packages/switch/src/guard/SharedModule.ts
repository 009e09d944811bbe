/**
 * A security module that serves the way of messages and, besides, rare calls that somebody waits for: the MACs of key messages.
 *
 * A module gives its calls back to one owner. This one sorts them: a rare call resumes who waits for it, every other one goes
 * on to the owner. Nothing is added to the way of a message.
 */
import { equalMac, type MacAlgorithm } from "@jinka/codec"
import { Effect } from "effect"
import type { KeyHandle } from "./KeyHandle.ts"
import { ModuleCall } from "./ModuleCall.ts"
import type { ModuleError } from "./ModuleError.ts"
import type { ModuleStatus, SecurityModule } from "./SecurityModule.ts"

/** How long a rare call may take, in milliseconds. */
const RARE_MS = 5000

/** The module as both use it. */
export class SharedModule implements SecurityModule {
  private readonly inner: SecurityModule
  private readonly rare = new Map<ModuleCall, () => void>()
  private owner: (() => void) | undefined

  constructor(inner: SecurityModule) {
    this.inner = inner
    inner.onDone(() => {
      if (this.owner === undefined) this.drain(() => {})
      else this.owner()
    })
  }

  get isSynchronous(): boolean {
    return this.inner.isSynchronous
  }

  get isUp(): boolean {
    return this.inner.isUp
  }

  submit(call: ModuleCall): boolean {
    return this.inner.submit(call)
  }

  drain(each: (call: ModuleCall) => void): void {
    this.inner.drain((call) => {
      const resume = this.rare.get(call)
      if (resume === undefined) return each(call)
      this.rare.delete(call)
      resume()
    })
  }

  onDone(wake: () => void): void {
    this.owner = wake
  }

  readonly importKey: SecurityModule["importKey"] = (request) => this.inner.importKey(request)
  readonly generateKey: SecurityModule["generateKey"] = (request) => this.inner.generateKey(request)
  readonly exportKey: SecurityModule["exportKey"] = (key, kek, form) => this.inner.exportKey(key, kek, form)
  readonly storedUnder: SecurityModule["storedUnder"] = (text) => this.inner.storedUnder(text)
  readonly checkValue: SecurityModule["checkValue"] = (key, method) => this.inner.checkValue(key, method)

  status(): ModuleStatus {
    return this.inner.status()
  }

  /** The left `length` bytes of the MAC of `text` under `key`. */
  macOf(algorithm: MacAlgorithm, key: KeyHandle, text: Buffer, length: number): Effect.Effect<Buffer, ModuleError> {
    return Effect.callback<Buffer, ModuleError>((resume) => {
      const call = new ModuleCall()
      call.withinMs = RARE_MS
      call.makeMac(algorithm, key, text, 0, text.length, length)
      const done = () => {
        const made =
          call.error === undefined
            ? Effect.succeed(Buffer.from(call.output.subarray(0, length)))
            : Effect.fail(call.error)
        call.clear()
        resume(made)
      }
      this.rare.set(call, done)
      if (!this.inner.submit(call)) return
      this.rare.delete(call)
      done()
    })
  }

  /** Whether `mac` is that of `text` under `key`. */
  proves(algorithm: MacAlgorithm, key: KeyHandle, text: Buffer, mac: Buffer): Effect.Effect<boolean, ModuleError> {
    return Effect.map(this.macOf(algorithm, key, text, mac.length), (made) => equalMac(made, mac))
  }
}
