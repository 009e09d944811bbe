/**
 * The guards of one switch: which link has one, the module that serves them, and what is done when a partner's MACs go wrong.
 *
 * All that a security module is for hangs on it: `Checks` at the entry, `Seals` at the exit, the exchange of keys. Without a
 * module there is no `Guards`, and nothing of a message's way changes.
 */
import { isRequest, type MessageIndex, mtiClass } from "@jinka/codec"
import { Deferred, Effect } from "effect"
import { Guard } from "../../guard/Guard.ts"
import type { GuardSettings } from "../../guard/GuardSettings.ts"
import type { ModuleCall } from "../../guard/ModuleCall.ts"
import type { SharedModule } from "../../guard/SharedModule.ts"
import type { Desk } from "../Desk.ts"
import type { Desks, Limits } from "../Desks.ts"
import type { Dispatch } from "../Dispatch.ts"
import type { Refusals } from "../entry/Refusals.ts"
import { KeyExchanges } from "../keys/KeyExchanges.ts"
import type { Requests } from "../request/Requests.ts"
import type { Containment } from "../watch/Containment.ts"
import { type Ahead, CHECK, type Checked, Checks } from "./Checks.ts"
import { Foresight } from "./Foresight.ts"
import type { Seals } from "./Seals.ts"

/** Longest that a call may take, in milliseconds; of a request's time it may take a quarter. */
const BUDGET_MAX_MS = 1000

/** How long a call to the module may take, of a request that may take so long. */
export const budgetOf = ({ requestTimeoutMs }: Limits): number => Math.min(BUDGET_MAX_MS, requestTimeoutMs / 4)

/** Network management that carries a MAC, which was right: now it is the link's, unless it passes through. */
const isManaged = ({ guard, link }: Desk, epoch: number, index: MessageIndex): boolean =>
  guard?.checks(index) === true &&
  mtiClass(index.mti).startsWith("networkManagement") &&
  link.managesItself(epoch, index)

/** The guards; see above. */
export class Guards {
  readonly checks: Checks
  private readonly seals: Seals
  private readonly desks: Desks
  /** The exchange of keys. */
  readonly keys: KeyExchanges
  private readonly module: SharedModule
  private readonly requests: Requests
  private readonly broken: Deferred.Deferred<never>

  constructor(
    desks: Desks,
    seals: Seals,
    refusals: Refusals,
    requests: Requests,
    dispatch: Dispatch,
    containment: Containment,
    broken: Deferred.Deferred<never>
  ) {
    const { module } = seals
    this.desks = desks
    this.seals = seals
    this.module = module
    this.keys = new KeyExchanges(desks, module, broken)
    this.requests = requests
    this.broken = broken
    const foresight = new Foresight(desks, seals)
    const ahead: Ahead = {
      look: (desk, index) => foresight.look(desk, index),
      offering: (sealing, take) => seals.offering(sealing, take),
      drop: (sealing) => seals.drop(sealing)
    }
    const checked: Checked = {
      pass: (desk, epoch, index, arrivedAt) => {
        const inRow = this.heard(desk, index)
        if (inRow > 0) this.failed(desk, epoch, inRow, "MACs of ours were wrong for the partner")
        if (!isManaged(desk, epoch, index)) dispatch.pass(desk, epoch, index, arrivedAt)
      },
      failed: (desk, epoch, inRow) => this.failed(desk, epoch, inRow, "MACs of the partner were wrong"),
      refuse: (desk, epoch, index, refusal) => refusals.unproved(desk, epoch, index, refusal),
      unmatched: (desk, epoch, index, why) => requests.unproved(desk, epoch, index, why),
      later: (desk, epoch, index, act) => containment.later(desk, epoch, index, act)
    }
    this.checks = new Checks(desks, module, budgetOf(desks.limits), checked, ahead)
    // At once, and not with the next tick: a partner's first request may come right behind the answer that took its first key.
    desks.keys.onChange(({ link }) => {
      const desk = desks.all[link]
      if (desk?.guard !== undefined) this.look(desk)
    })
    module.onDone(this.wake)
  }

  /** Whether a message of the desk's partner, or an answer to it, waits for the security module. */
  holds(desk: number): boolean {
    return this.checks.holds(desk) || this.seals.holds(desk)
  }

  /** The link at the desk has this guard from now on, or none. */
  put(desk: Desk, settings: GuardSettings | undefined): void {
    const { codec } = desk.link.settings
    desk.guard = settings === undefined ? undefined : new Guard(desk.id, codec, settings, this.desks.keys)
    this.look(desk)
  }

  /** One tick of the deadline fiber: whether the links can be guarded, and what waits for that. */
  tick(now: number): void {
    for (const desk of this.desks.all) if (desk.guard !== undefined) this.look(desk)
    this.checks.tick(now)
  }

  /** A link that cannot be guarded takes no new requests. */
  private look({ guard, link }: Desk): void {
    const lacks = guard === undefined ? "" : !this.module.isUp ? "module" : guard.hasKeys ? "" : "key"
    if (link.lacks !== lacks) link.change({ _tag: "guard", lacks })
  }

  /** Calls are done: who waits for them goes on. */
  private readonly wake = (): void => {
    const { broken, desks } = this
    if (Deferred.isDoneUnsafe(broken)) return
    try {
      desks.tick()
      this.module.drain(this.done)
      desks.flush()
    } catch (defect) {
      Deferred.doneUnsafe(broken, Effect.die(defect))
    }
  }

  private readonly done = ({ id, link }: ModuleCall): void => {
    if (link === CHECK) this.checks.done(id)
    else this.seals.done(id, this.requests)
  }

  /** An answer of the partner that was right: it may say that our own MAC was wrong. */
  private heard({ guard, language }: Desk, index: MessageIndex): number {
    if (guard === undefined || index.rejectCode !== 0 || isRequest(index.mti)) return 0
    return guard.answered(language.code(index) === language.refusal.macFailed)
  }

  /** `inRow` wrong MACs of the partner have come in a row, or so many of ours were wrong for it. */
  private failed(desk: Desk, epoch: number, inRow: number, what: string): void {
    const { act, after } = desk.guard!.settings.failures
    // Once; in a flood again at a hundred times as many, and so on.
    if (act === "nothing" || (inRow !== after && inRow % (100 * after) !== 0)) return
    this.desks.alarm(desk, epoch, `${inRow} ${what} in a row: ${doing[act]}`)
    if (act === "ask") this.keys.askAll(desk, { says: "MACs went wrong" })
    if (act === "signOff") this.signOff(desk)
  }

  private signOff({ link }: Desk): void {
    if (link.settings.dialect.network?.codes.signOff === undefined || link.isHeldOff) return
    link.session?.ask("signOff")
    link.change({ _tag: "heldOff", on: true })
  }

  /** Network management of ours: with its MAC, where the link's rule has one for it. */
  leaving(desk: Desk, guard: Guard, message: Buffer, put: (message: Buffer) => void): void {
    const { seals } = this
    if (!seals.seals(guard, message)) return put(message)
    const write = (out: Buffer) => message.copy(out)
    seals.rare(guard, message.length, write, (sealing) => {
      if (sealing.refusal === undefined) put(Buffer.from(sealing.bytes.subarray(0, sealing.length)))
      else desk.link.warned("network management of ours was not sent: it has no MAC")
      seals.give(sealing)
    })
  }
}

const doing = {
  alarm: "compare the check values of the keys with the partner",
  ask: "a new key is asked for",
  signOff: "we sign off"
} as const
