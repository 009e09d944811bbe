/**
 * The gate at the entry: a partner's message goes on when its MAC was found right, before anything else looks at it.
 *
 *     read -> check -> right:    admission, or the request that it answers
 *                   -> wrong:    a request is refused, its key not remembered; an answer is nobody's
 *                   -> unproved: a request is refused; an answer is held until the module says, or its time is over
 *
 * With a module in software nothing waits here. With a device in the network each partner's messages wait in a line of their own
 * and go on in the order in which they came: a reversal does not overtake its request. A line that is full stops the reading.
 */
import { isRequest, MessageIndex } from "@jinka/codec"
import { Effect, Latch } from "effect"
import type { Guard, Verdict } from "../../guard/Guard.ts"
import { ModuleCall } from "../../guard/ModuleCall.ts"
import type { Sealing } from "../../guard/Sealing.ts"
import type { SecurityModule } from "../../guard/SecurityModule.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { Refusal } from "../entry/Refusals.ts"

/** Messages of one partner that wait at once before it is not read any more. */
const LINE_MAX = 1024

/** Answers that wait for a module that is away; more are given up at once. */
const HELD_MAX = 4096

/** Slots that are kept for the next message. */
const SPARE_MAX = 4096

/** What a call's `link` says of whose it is. */
export const CHECK = 0

/** What is done with a message that was looked at. */
export interface Checked {
  /** It goes on. */
  readonly pass: (desk: Desk, epoch: number, index: MessageIndex, arrivedAt: number) => void
  /** It asks for something and is refused; nothing of it is remembered. */
  readonly refuse: (desk: Desk, epoch: number, index: MessageIndex, refusal: Refusal) => void
  /** Does all that with a message that has waited, whatever is thrown for it. */
  readonly later: (desk: Desk, epoch: number, index: MessageIndex, act: () => void) => void
  /** It is an answer, and nobody's, as `why` says. */
  readonly unmatched: (desk: Desk, epoch: number, index: MessageIndex, why: string) => void
  /** So many wrong MACs have come in a row. */
  readonly failed: (desk: Desk, epoch: number, inRow: number) => void
}

/** Seals what leaves while its message is looked at: see `Foresight` and `Seals`. */
export interface Ahead {
  readonly look: (desk: Desk, index: MessageIndex) => Sealing | undefined
  readonly offering: (sealing: Sealing | undefined, take: () => void) => void
  readonly drop: (sealing: Sealing) => void
}

/** One message at the gate. */
class Check {
  readonly id: number
  readonly call = new ModuleCall()
  desk: Desk | undefined
  epoch = 0
  arrivedAt = 0
  bytes = Buffer.allocUnsafeSlow(1024)
  length = 0
  verdict: Verdict | undefined
  /** What it leaves as, sealed or on its way to that, and the guard of its desk when that was begun. */
  foreseen: Sealing | undefined
  guard: Guard | undefined
  /** It is an answer that could not be proved before. */
  isHeld = false

  constructor(id: number) {
    this.id = id
    this.call.link = CHECK
    this.call.id = id
  }

  keep(desk: Desk, epoch: number, { buffer, end, start }: MessageIndex, arrivedAt: number): void {
    this.desk = desk
    this.epoch = epoch
    this.arrivedAt = arrivedAt
    this.length = end - start
    if (this.length > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(2 * this.length)
    buffer.copy(this.bytes, 0, start, end)
  }
}

/** The line of one partner. */
class Line {
  readonly waiting: Array<Check> = []
  readonly room = Latch.makeUnsafe(true)
  readonly open: Effect.Effect<void> = Effect.asVoid(this.room.await)
}

/** The checks of one switch. */
export class Checks {
  private readonly desks: Desks
  private readonly module: SecurityModule
  private readonly checked: Checked
  private readonly ahead: Ahead
  private readonly all: Array<Check> = []
  private readonly spare: Array<Check> = []
  /** By the desks' numbers. */
  private readonly lines: Array<Line | undefined> = []
  private held: Array<Check> = []
  private readonly again = new MessageIndex()
  /** Milliseconds that a call may take at most. */
  budgetMs: number

  constructor(desks: Desks, module: SecurityModule, budgetMs: number, checked: Checked, ahead: Ahead) {
    this.ahead = ahead
    this.desks = desks
    this.module = module
    this.budgetMs = budgetMs
    this.checked = checked
  }

  /** A message of a guarded link: it goes on in this turn where nothing has to be waited for. */
  enter(desk: Desk, guard: Guard, epoch: number, index: MessageIndex, arrivedAt: number): void {
    const line = this.lines[desk.id]
    const isFirst = line === undefined || line.waiting.length === 0
    if (!guard.checks(index)) {
      if (isFirst) return this.checked.pass(desk, epoch, index, arrivedAt)
      return this.wait(this.take(), desk, epoch, index, arrivedAt, "right")
    }
    const check = this.take()
    const verdict = this.ask(check, guard, index)
    if (verdict === undefined) this.foresee(check, desk, guard, index)
    if (verdict === undefined || !isFirst) return this.wait(check, desk, epoch, index, arrivedAt, verdict)
    this.decide(check, desk, guard, epoch, index, arrivedAt, verdict)
  }

  /** The call of check `id` is done: it goes on, and those behind it that only waited for it. */
  done(id: number): void {
    const check = this.all[id]!
    const desk = check.desk!
    check.verdict = desk.guard?.verdict(check.call) ?? "unproved"
    const { waiting, room } = this.lines[desk.id]!
    while (waiting[0]?.verdict !== undefined) this.goOn(waiting.shift()!)
    if (waiting.length < LINE_MAX / 2) room.openUnsafe()
  }

  /** What the link of the desk has to wait for before it is read again; `undefined`: nothing. */
  full({ id }: Desk): Effect.Effect<void> | undefined {
    const line = this.lines[id]
    if (line === undefined || line.waiting.length < LINE_MAX) return undefined
    line.room.closeUnsafe()
    return line.open
  }

  /** Whether a message of the desk waits here. */
  holds(desk: number): boolean {
    return (this.lines[desk]?.waiting.length ?? 0) > 0
  }

  /** Answers that could not be proved: asked again while the module is there, given up when their time is over. */
  tick(now: number): void {
    if (this.held.length === 0) return
    const { held } = this
    this.held = []
    for (const check of held) {
      const { guard, link } = check.desk!
      if (guard === undefined || link.isGone || now - check.arrivedAt >= this.desks.limits.requestTimeoutMs)
        this.giveUp(check)
      else if (this.module.isUp) this.askAgain(check, guard)
      else this.held.push(check)
    }
  }

  private askAgain(check: Check, guard: Guard): void {
    const desk = check.desk!
    desk.language.index(check.bytes, 0, check.length, this.again)
    const verdict = this.ask(check, guard, this.again)
    check.verdict = verdict
    const { waiting } = this.lineOf(desk)
    waiting.push(check)
    if (waiting[0] === check && verdict !== undefined) this.goOn(waiting.shift()!)
  }

  /** Fills in the call and hands it over; `undefined`: it is waited for. */
  private ask({ call }: Check, guard: Guard, index: MessageIndex): Verdict | undefined {
    const verdict = guard.ask(index, call)
    if (verdict !== undefined) return verdict
    call.withinMs = this.budgetMs
    return this.module.submit(call) ? guard.verdict(call) : undefined
  }

  private foresee(check: Check, desk: Desk, guard: Guard, index: MessageIndex): void {
    check.guard = guard
    check.foreseen = this.ahead.look(desk, index)
  }

  private wait(
    check: Check,
    desk: Desk,
    epoch: number,
    index: MessageIndex,
    arrivedAt: number,
    verdict: Verdict | undefined
  ): void {
    check.keep(desk, epoch, index, arrivedAt)
    check.verdict = verdict
    this.lineOf(desk).waiting.push(check)
  }

  private goOn(check: Check): void {
    const { arrivedAt, bytes, epoch, length, verdict } = check
    const desk = check.desk!
    const { again } = this
    desk.language.index(bytes, 0, length, again)
    this.checked.later(desk, epoch, again, () =>
      this.decide(check, desk, desk.guard, epoch, again, arrivedAt, verdict ?? "unproved")
    )
  }

  private decide(
    check: Check,
    desk: Desk,
    guard: Guard | undefined,
    epoch: number,
    index: MessageIndex,
    arrivedAt: number,
    verdict: Verdict
  ): void {
    const isAnswer = index.rejectCode !== 0 || !isRequest(index.mti)
    const inRow = check.isHeld && verdict === "unproved" ? 0 : (guard?.count(verdict, check.call) ?? 0)
    if (verdict === "unproved" && isAnswer) return this.hold(check, desk, epoch, index, arrivedAt)
    try {
      this.act(check, desk, epoch, index, arrivedAt, verdict, isAnswer, inRow)
    } finally {
      this.give(check)
    }
  }

  private act(
    check: Check,
    desk: Desk,
    epoch: number,
    index: MessageIndex,
    arrivedAt: number,
    verdict: Verdict,
    isAnswer: boolean,
    inRow: number
  ): void {
    const { checked } = this
    if (inRow > 0) checked.failed(desk, epoch, inRow)
    if (verdict === "right") return this.pass(check, desk, epoch, index, arrivedAt)
    if (isAnswer) return checked.unmatched(desk, epoch, index, `MAC ${verdict}`)
    checked.refuse(desk, epoch, index, verdict === "unproved" ? refusalOf(check.call) : "macFailed")
  }

  private pass(check: Check, desk: Desk, epoch: number, index: MessageIndex, arrivedAt: number): void {
    const { foreseen, guard } = check
    if (foreseen === undefined || guard !== desk.guard) return this.checked.pass(desk, epoch, index, arrivedAt)
    check.foreseen = undefined
    this.ahead.offering(foreseen, () => this.checked.pass(desk, epoch, index, arrivedAt))
  }

  private hold(check: Check, desk: Desk, epoch: number, index: MessageIndex, arrivedAt: number): void {
    if (index.buffer !== check.bytes) check.keep(desk, epoch, index, arrivedAt)
    check.call.clear()
    this.forget(check)
    check.isHeld = true
    if (this.held.length < HELD_MAX) this.held.push(check)
    else this.giveUp(check)
  }

  private giveUp(check: Check): void {
    const { epoch } = check
    const desk = check.desk!
    desk.language.index(check.bytes, 0, check.length, this.again)
    this.checked.later(desk, epoch, this.again, () => this.checked.unmatched(desk, epoch, this.again, "MAC unproved"))
    this.give(check)
  }

  private lineOf({ id }: Desk): Line {
    const known = this.lines[id]
    if (known !== undefined) return known
    const made = new Line()
    this.lines[id] = made
    return made
  }

  private take(): Check {
    const spare = this.spare.pop()
    if (spare !== undefined) return spare
    const made = new Check(this.all.length)
    this.all.push(made)
    return made
  }

  /** What was in it is overwritten: a request has its PIN block in it. */
  private give(check: Check): void {
    this.forget(check)
    check.call.clear()
    check.bytes.fill(0, 0, check.length)
    check.length = 0
    check.desk = undefined
    check.verdict = undefined
    check.isHeld = false
    if (this.spare.length < SPARE_MAX) this.spare.push(check)
  }

  /** Nobody takes what was sealed ahead. */
  private forget(check: Check): void {
    const { foreseen } = check
    check.foreseen = check.guard = undefined
    if (foreseen !== undefined) this.ahead.drop(foreseen)
  }
}

/** What a partner hears of a message that could not be held against its MAC. */
const refusalOf = ({ error }: ModuleCall): Refusal => {
  // Without a call there is no key.
  if (error === undefined || error._tag === "KeyUnusable") return "keyFailed"
  return error._tag === "ModuleAway" || error._tag === "TooLate" ? "issuerDown" : "malfunction"
}
