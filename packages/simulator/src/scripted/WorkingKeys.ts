/**
 * The keys that a partner works with: those of its file, and those that were exchanged since. The one before is good on what
 * comes for the window of its exchange; one that was given and not answered for is proved by the first message under it.
 */
import type { MacKey } from "@jinka/codec"
import { type DialogueKey, type DialogueKeys, keyLike, pinIn, provedBy } from "../dialogue/Keys.ts"
import type { Observed } from "../dialogue/Observed.ts"
import type { ExchangedKind, PartnerPlan } from "./PartnerPlan.ts"

/** A purpose's keys besides the one in use. */
interface Beside {
  previous: DialogueKey | undefined
  /** Monotonic milliseconds. */
  previousUntil: number
  offered: DialogueKey | undefined
}

const nothing = (): Beside => ({ previous: undefined, previousUntil: 0, offered: undefined })

/** See above. */
export class WorkingKeys {
  private plan: PartnerPlan
  private keys: Map<string, DialogueKey>
  private readonly beside: { readonly [K in ExchangedKind]: Beside } = { mac: nothing(), pin: nothing() }

  constructor(plan: PartnerPlan) {
    this.plan = plan
    this.keys = new Map(plan.keys)
  }

  /** The keys in use, by the names of the file. */
  get all(): DialogueKeys {
    return this.keys
  }

  /** Another plan. A key that the file has as before stays as it was exchanged; another one is the file's from now on. */
  replan(plan: PartnerPlan): void {
    const before = this.plan
    const kept = [...plan.keys].map(([name, key]): readonly [string, DialogueKey] => {
      const isSame = before.keys.get(name)?.bytes.equals(key.bytes) === true
      return [name, (isSame ? this.keys.get(name) : undefined) ?? key]
    })
    this.plan = plan
    this.keys = new Map(kept)
  }

  /** The key in use for a purpose; `undefined`: the partner has none. */
  current(kind: ExchangedKind): DialogueKey | undefined {
    const name = this.nameOf(kind)
    return name === undefined ? undefined : this.keys.get(name)
  }

  /** Another key for a purpose, as these bytes make it; a text says why they make none. */
  made(kind: ExchangedKind, bytes: Buffer): DialogueKey | string {
    const current = this.current(kind)
    return current === undefined ? `the partner has no key for ${kind}` : keyLike(current, bytes)
  }

  /** Uses a key from now on; the one before is good on what comes for `windowMs`. */
  use(kind: ExchangedKind, key: DialogueKey, windowMs: number, now: number): void {
    const beside = this.beside[kind]
    beside.offered = undefined
    beside.previous = this.current(kind)
    beside.previousUntil = now + windowMs
    this.keys.set(this.nameOf(kind)!, key)
  }

  /** A key that was given and is not answered for; `undefined`: there is none. */
  offered(kind: ExchangedKind): DialogueKey | undefined {
    return this.beside[kind].offered
  }

  /** Given, or, with `undefined`, refused. */
  offer(kind: ExchangedKind, key: DialogueKey | undefined): void {
    this.beside[kind].offered = key
  }

  /** Whether the message's MAC is missing, or of none of the keys that are good now. */
  isMacWrong(message: Observed, now: number): boolean {
    return this.fits("mac", now, ({ key }) => provedBy(message, key as MacKey) === true) === undefined
  }

  /** What {@link pinIn} says with the first key that opens the block, or with the one in use. */
  pinIn(message: Observed, card: string, now: number): ReturnType<typeof pinIn> {
    const opened = (key: DialogueKey) => pinIn(new Map([["pin", key]]), "pin", message, card)
    const key = this.fits("pin", now, (one) => opened(one)?.isReadable !== false)
    return opened(key ?? this.current("pin")!)
  }

  /** The first key that fits; one that was offered is in use from then on. */
  private fits(kind: ExchangedKind, now: number, isIt: (key: DialogueKey) => boolean): DialogueKey | undefined {
    const current = this.current(kind)
    if (current !== undefined && isIt(current)) return current
    const { offered, previous, previousUntil } = this.beside[kind]
    if (offered !== undefined && isIt(offered)) {
      this.use(kind, offered, (this.plan.keyPlan?.exchange.window ?? 0) * 1000, now)
      return offered
    }
    return previous !== undefined && now < previousUntil && isIt(previous) ? previous : undefined
  }

  private nameOf(kind: ExchangedKind): string | undefined {
    return kind === "mac" ? this.plan.macKey : this.plan.pinKey
  }
}
