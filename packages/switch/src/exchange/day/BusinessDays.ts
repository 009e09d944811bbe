/**
 * The business days of the partners: what their cut-over messages and the settlement dates of their answers say.
 *
 * A partner's message moves the day of its own link and of no other. Each change is in the journal before it is answered for
 * (guarantee G1), and from there come the totals of a day (`operate/totals`). Nothing of a transaction waits for a cut-over.
 */
import type { MessageIndex } from "@jinka/codec"
import { Effect } from "effect"
import { answer as managementAnswer, meaning } from "../../message/NetworkManagement.ts"
import { dateOf, settlementDigits } from "../../message/SettlementDate.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { WayOut } from "../gate/WayOut.ts"
import { isFarBehind } from "../SaidAgain.ts"
import {
  answered,
  type BusinessDay,
  type BusinessDaySettings,
  begun,
  byHand,
  type DayAct,
  dayText,
  ended,
  isMoved,
  LinkDay,
  type Moved
} from "./BusinessDay.ts"

/** The business days of one switch. */
export class BusinessDays {
  private readonly desks: Desks
  private readonly wayOut: WayOut

  constructor(desks: Desks, wayOut: WayOut) {
    this.desks = desks
    this.wayOut = wayOut
  }

  /** The link at the desk keeps its day like this from now on. What was known of it stays. */
  put(desk: Desk, settings: BusinessDaySettings | undefined): void {
    const day = settings === undefined ? undefined : new LinkDay(settings)
    if (day !== undefined && desk.day !== undefined) {
      const { movedBy, now, saidBy } = desk.day
      Object.assign(day, { movedBy, now, saidBy })
    }
    desk.day = day
  }

  /** A network management request of the partner. False: it is no cut-over, or none that is taken here. */
  received(desk: Desk, index: MessageIndex): boolean {
    const { day, link } = desk
    const { codec, dialect, name } = link.settings
    const what = meaning(dialect, index)
    // A short connection is gone before its answer could be on disk: it has no management of its own.
    if (day === undefined || day.settings.cutOver === "refuse" || link.short !== undefined) return false
    if (what !== "cutoverStart" && what !== "cutoverEnd") return false
    const { epoch } = link
    const moved = this.moved(desk, what, settlementDigits(codec.layout, index))
    const code = "wrong" in moved ? dialect.refusal.formatError : codec.layout.answers.accepted
    // The answer goes back on the connection that asked, or nowhere: the network asks again.
    const reply = managementAnswer(codec, index, code)
    const send = () => {
      if (link.epoch === epoch && link.session?.canWrite === true) this.wayOut.send(desk, epoch, reply)
    }
    if ("wrong" in moved) {
      const text = `${what} from the partner, answered ${code}: ${moved.wrong}`
      this.desks.note(desk, epoch, text, "warning")
      send()
    } else {
      const seq = this.take(desk, day, moved.day)
      this.desks.after(desk, seq, send)
      this.desks.note(desk, epoch, `${what} from the partner, answered ${code}: ${words(name, moved.day)}`, "info")
    }
    this.desks.flush()
    return true
  }

  /** An answer of the desk's partner was taken: its settlement date may be later than is known. */
  settled(desk: Desk, index: MessageIndex): void {
    const { day, link } = desk
    if (day === undefined) return
    const { codec, name } = link.settings
    const digits = settlementDigits(codec.layout, index)
    if (digits === "" || digits === day.lastDigits) return
    day.lastDigits = digits
    const date = dateOf(digits, this.desks.wallMs)
    if (date === undefined) return
    const moved = answered(day.now, date)
    if ("wrong" in moved)
      return this.desks.note(desk, link.epoch, `an answer was settled, and ${moved.wrong}`, "warning")
    if (moved.day === day.now) return
    const severity = day.now.date === "" ? "info" : "warning"
    this.take(desk, day, moved.day)
    this.desks.note(desk, link.epoch, `${words(name, moved.day)}, as the settlement date of an answer says`, severity)
  }

  /**
   * An operator moves the day of a link that keeps one; `who` says so in the journal. Gives the day as it is then, once it is on
   * disk, or why it cannot be.
   */
  byHand(desk: Desk, day: LinkDay, act: DayAct, to: string, who: string): Effect.Effect<Moved> {
    return Effect.callback<Moved>((resume) => {
      const { name } = desk.link.settings
      const today = new Date(this.desks.wallMs + desk.link.settings.utcOffsetMs).toISOString().slice(0, 10)
      const moved = byHand(day.now, act, to, today)
      if ("wrong" in moved) return resume(Effect.succeed(moved))
      const text = `${words(name, moved.day)}. Before: ${dayText(day.now)}`
      const seq = this.take(desk, day, moved.day)
      this.desks.acted(desk, `${who}: ${text}`)
      this.desks.after(undefined, seq, () => resume(Effect.succeed(moved)))
    })
  }

  /** What the last run knew of the link's day: entry `seq` says it, and which one moved it, where it was another (`since`). */
  learn({ day }: Desk, seq: number, now: BusinessDay, since: number | undefined): void {
    if (day === undefined) return
    if (since !== undefined || isMoved(day.now, now)) day.movedBy = since ?? seq
    day.now = now
    day.saidBy = seq
  }

  /** Says again what was said long ago. */
  sayAgain(last: number): void {
    for (const desk of this.desks.present) {
      const { day } = desk
      if (day === undefined || day.saidBy === 0 || !isFarBehind(day.saidBy, last)) continue
      day.saidBy = this.desks.record.day(desk, dayText(day.now, day.movedBy))
    }
  }

  private moved(desk: Desk, what: "cutoverStart" | "cutoverEnd", digits: string): Moved {
    const { codec, dialect } = desk.link.settings
    const { now } = desk.day!
    const date = digits === "" ? "" : dateOf(digits, this.desks.wallMs)
    if (date === undefined) return { wrong: `DE ${codec.layout.roles.settlementDate} is no date` }
    if (what === "cutoverEnd") return ended(now, date)
    if (date === "") return { wrong: `DE ${codec.layout.roles.settlementDate}, the new date, is missing` }
    return begun(now, date, dialect.network?.codes.cutoverEnd !== undefined)
  }

  /** Writes a change, and follows it; gives the entry that the answer waits for. */
  private take(desk: Desk, day: LinkDay, now: BusinessDay): number {
    if (now === day.now) return day.saidBy
    const hasMoved = isMoved(day.now, now)
    day.now = now
    day.saidBy = this.desks.record.day(desk, dayText(now, hasMoved ? undefined : day.movedBy))
    if (hasMoved) day.movedBy = day.saidBy
    return day.saidBy
  }
}

const words = (link: string, { date, next }: BusinessDay): string =>
  next === "" ? `business day of ${link} is ${date}` : `business day of ${link} closes, and ${next} comes`
