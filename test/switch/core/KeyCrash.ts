/**
 * A switch that is killed at a step of a key exchange: what it writes to its disk, sends, hears and asks of its module are
 * steps, counted from the beginning of the exchange. Virtual time; after the kill nothing takes effect any more, and the next
 * life finds what was on the disk.
 */
import { cups, type Message } from "@jinka/codec"
import { Effect, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { KeySettings } from "../../../packages/switch/src/guard/KeySettings.ts"
import type { ModuleCall } from "../../../packages/switch/src/guard/ModuleCall.ts"
import type { SecurityModule } from "../../../packages/switch/src/guard/SecurityModule.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { MemoryStore } from "../../../packages/switch/src/journal/MemoryStore.ts"
import { deviceText, openDevices } from "../../simulation/SimulatedDevices.ts"
import { type LinkAll, linkOf, startBench } from "./Bench.ts"
import { guardOf, keyOf, softwareModule } from "./Guarded.ts"
import { operator } from "./KeyBench.ts"

/** When, beside a step, the switch dies: before it takes effect, after it, or once the disk has it and nobody has heard so. */
export type When = "before" | "after" | "unheard"

/** A step, from 0 on, and when. */
export interface Kill {
  readonly step: number
  readonly when: When
}

/** One life of the switch. */
export class Life {
  /** What has taken effect, or was about to. */
  readonly steps: Array<string> = []
  isOver = false
  /** Steps are counted from the beginning of the exchange. */
  isCounted = false
  private readonly kill: Kill | undefined

  constructor(kill?: Kill) {
    this.kill = kill
  }

  /** Something takes effect, unless the switch is dead, or dies here. `unheard`: the effect that nobody hears of. */
  step(name: string, effect: () => void, unheard: () => void = () => {}): void {
    if (this.isOver) return
    if (!this.isCounted) return effect()
    const when = this.steps.length === this.kill?.step ? this.kill.when : undefined
    this.steps.push(name)
    if (when === "unheard") unheard()
    else if (when !== "before") effect()
    if (when !== undefined) this.isOver = true
  }
}

/** What outlives a switch. */
export class CrashDisk {
  life = new Life()
  isHeld = false
  readonly waiting: Array<() => void> = []
  private survivors = 0
  store = new MemoryStore({
    schedule: (_, run) => {
      const { life } = this
      const write = () =>
        life.step(`writes ${this.next()}`, run, () => {
          this.survivors = 1
        })
      if (this.isHeld) this.waiting.push(write)
      else queueMicrotask(write)
    }
  })

  /** The switch is dead: the next one finds what the disk has. */
  crash(): void {
    this.waiting.length = 0
    this.store = this.store.crash(this.survivors)
    this.survivors = 0
  }

  /** What the next group to be written tells of: keys, a note, or purchases only. */
  private next(): string {
    const { entries } = this.store.copy(1)
    const group = entries.slice(this.store.entries.length)
    const keys = group.filter(({ kind }) => kind === EntryKind.key)
    if (keys.length > 0) return keys.map(({ code }) => code.replace(/ \d+ \(.*?\) (\w+).*/, " $1")).join(", ")
    return group.some(({ kind }) => kind === EntryKind.event) ? "a note" : "purchases"
  }
}

/** A module whose work are steps of the life that uses it. */
class SteppedModule implements SecurityModule {
  private readonly inner: SecurityModule
  private readonly life: Life

  constructor(inner: SecurityModule, life: Life) {
    this.inner = inner
    this.life = life
  }

  get isSynchronous() {
    return this.inner.isSynchronous
  }

  get isUp() {
    return this.inner.isUp
  }

  submit(call: ModuleCall): boolean {
    let isDone = false
    this.life.step(`module: ${call.operation}`, () => {
      isDone = this.inner.submit(call)
    })
    return isDone
  }

  drain(each: (call: ModuleCall) => void): void {
    this.inner.drain((call) => {
      if (!this.life.isOver) each(call)
    })
  }

  onDone(wake: () => void): void {
    this.inner.onDone(wake)
  }

  readonly importKey: SecurityModule["importKey"] = (asked) => this.cold("importKey", this.inner.importKey(asked))
  readonly generateKey: SecurityModule["generateKey"] = (asked) =>
    this.cold("generateKey", this.inner.generateKey(asked))
  readonly exportKey: SecurityModule["exportKey"] = (key, kek, form) =>
    this.cold("exportKey", this.inner.exportKey(key, kek, form))
  readonly checkValue: SecurityModule["checkValue"] = (key, method) => this.inner.checkValue(key, method)
  readonly storedUnder: SecurityModule["storedUnder"] = (text) => this.inner.storedUnder(text)

  status() {
    return this.inner.status()
  }

  private cold<A, E>(name: string, work: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      let isBegun = false
      this.life.step(`module: ${name}`, () => {
        isBegun = true
      })
      return isBegun
        ? Effect.flatMap(work, (made) => (this.life.isOver ? Effect.never : Effect.succeed(made)))
        : Effect.never
    })
  }
}

/** Which switch is tried. */
export interface CrashPlan {
  readonly link: Partial<LinkAll>
  readonly keys: KeySettings
  /** The key-encryption key, and working keys that both sides have at the beginning, by names of the vectors. */
  readonly kek: string
  readonly first: Readonly<Partial<Record<"mac" | "pin", string>>>
  readonly module: "software" | "devices"
}

const moduleOf = ({ module }: CrashPlan, life: Life) =>
  module === "software"
    ? Effect.succeed(new SteppedModule(softwareModule(), life))
    : Effect.gen(function* () {
        const device = { answersIn: [1, 1], off: [], silent: [], fails: 0, wellFrom: 0 } as const
        const opened = yield* openDevices([device], 0)
        yield* TestClock.adjust(10)
        return new SteppedModule(opened.module, life)
      })

/** The partner's link is 0; 1 is an issuer's, without keys. */
export const liveOnce = Effect.fnUntraced(function* (plan: CrashPlan, disk: CrashDisk, life: Life) {
  disk.life = life
  const scope = yield* Scope.make()
  const module = yield* Scope.provide(moduleOf(plan, life), scope)
  const partner: LinkAll = { ...linkOf("partner", 4802), ...plan.link, keys: plan.keys }
  const limits = { requestTimeoutMs: 10_000, recentKeys: 1024, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 }
  const started = yield* Scope.provide(
    startBench([partner, linkOf("issuer", 103)], disk as never, { limits }, module),
    scope
  )
  const { keyOperations, keys } = started.running
  const bring = (purpose: "kek" | "mac" | "pin", name: string) => {
    const cipher = name.startsWith("aes") ? "aes" : "tdes"
    const side = plan.keys.giver === "us" ? "send" : "receive"
    const direction = purpose === "kek" || plan.keys.exchange.covers === "both" ? "both" : side
    const what = { link: "partner", purpose, direction, algorithm: cipher, checkValue: "", person: "Li" } as const
    const brought =
      plan.module === "devices"
        ? { component: undefined, text: deviceText(purpose, keyOf(name)) }
        : { component: { number: 1, of: 1, bytes: keyOf(name) }, text: undefined }
    return Effect.gen(function* () {
      yield* Effect.forkChild(keyOperations.import({ ...what, ...brought }, operator))
      yield* TestClock.adjust(5)
      yield* commit
    })
  }
  // Quicker than the bench's: what is begun in one turn is on the disk in a few.
  const commit = Effect.gen(function* () {
    for (let round = 0; round < 3; round++) {
      for (let turn = 0; turn < 3; turn++) yield* Effect.yieldNow
      while (disk.waiting.length > 0) disk.waiting.shift()!()
    }
    for (let turn = 0; turn < 3; turn++) yield* Effect.yieldNow
  })
  if (keys.at(0, "kek", "receive")?.current === undefined) {
    yield* bring("kek", plan.kek)
    for (const [purpose, name] of Object.entries(plan.first)) yield* bring(purpose as "mac" | "pin", name)
  }
  /** A partner's connection; what the switch writes to it are steps. */
  const connect = (link: 0 | 1): Connected => {
    const wire = started.dial(link)
    const write = wire.write.bind(wire)
    const heard: Array<Message> = []
    wire.write = (bytes) =>
      Effect.suspend(() => {
        let isOut = false
        const said = wire.messagesIn(bytes)
        life.step(`says ${said.map(nameOf).join(", ")}`, () => {
          isOut = true
          heard.push(...said)
        })
        return isOut ? write(bytes) : Effect.never
      })
    return {
      heard: () => heard.splice(0),
      say: (message) => life.step(`hears ${nameOf(message)}`, () => wire.say(message))
    }
  }
  return { ...started, commit, connect, life }
})

/** A message by its type and its response code. */
const nameOf = ({ fields, mti }: Message): string => (fields[39] === undefined ? mti : `${mti} ${fields[39]}`)

/** A partner's side of a connection. */
export interface Connected {
  /** What the switch has said since the last call. */
  readonly heard: () => ReadonlyArray<Message>
  readonly say: (message: Message) => void
}

/** CUPS with a MAC in both directions. */
export const guardedCups: Partial<LinkAll> = { dialect: cups, guard: guardOf({}, undefined, { after: 3, act: "ask" }) }
