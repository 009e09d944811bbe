/**
 * The business days of one line: its partner begins and ends a cut-over every so often, and asks again until each is answered.
 * What was answered for, the switch knows from then on, whatever becomes of it.
 */
import { type CupsMessage, newMessage } from "./Cups.ts"
import type { Host } from "./Host.ts"
import { type Stans, timesAt } from "./Numbers.ts"

/** Milliseconds after which a message that was not answered is said again, with a STAN of its own. */
const AGAIN = 3000
const DAY = 86_400_000

/** A day's date as DE 15 has it: MMDD. */
const digitsOf = (at: number): string => new Date(at).toISOString().slice(5, 10).replace("-", "")

/** Where a line is: on this day, and what it has begun and not heard the end of. */
export interface DaysKnown {
  /** Answered for; "" before the first. */
  readonly date: string
  /** Said, and not answered for. */
  readonly next: string
}

/** A connection that a message can leave on. */
interface Way {
  readonly send: (message: CupsMessage) => void
}

/** See above. */
export class DayKeeper {
  private readonly host: Host
  private readonly ends: { readonly institution: string; readonly centre: string }
  private readonly stans: Stans
  private readonly session: () => Way | undefined
  private readonly refused: (code: string) => void
  private readonly first: number
  private days = 0
  private said: "201" | "202" | undefined
  private readonly asked = new Set<string>()
  isSettled = false

  constructor(
    host: Host,
    ends: { readonly institution: string; readonly centre: string },
    stans: Stans,
    session: () => Way | undefined,
    refused: (code: string) => void
  ) {
    this.host = host
    this.ends = ends
    this.stans = stans
    this.session = session
    this.refused = refused
    this.first = host.now
  }

  /** What both sides must have at the end. */
  get known(): DaysKnown {
    const date = (days: number): string => digitsOf(this.first + days * DAY)
    return { date: this.days === 0 ? "" : date(this.days), next: this.said === undefined ? "" : date(this.days + 1) }
  }

  start(everyMs: number): void {
    this.host.after(this.said === undefined ? everyMs : AGAIN, () => {
      if (this.said !== undefined || !this.isSettled) this.say(this.said ?? "201")
      this.start(everyMs)
    })
  }

  answered({ fields }: CupsMessage): void {
    const { 11: stan = "", 39: code = "", 70: what } = fields
    if (what !== this.said || !this.asked.has(stan)) return
    if (code === "30") return this.refused(code)
    if (code !== "00") return
    this.asked.clear()
    if (this.said === "201") return this.say("202")
    this.days++
    this.said = undefined
  }

  private say(what: "201" | "202"): void {
    const session = this.session()
    if (session === undefined && this.said === undefined) return
    this.said = what
    if (session === undefined) return
    const stan = this.stans.next()
    this.asked.add(stan)
    const { centre, institution } = this.ends
    session.send(
      newMessage(
        "0820",
        { source: institution, destination: centre },
        {
          7: timesAt(this.host.now).transmission,
          11: stan,
          15: digitsOf(this.first + (this.days + 1) * DAY),
          33: institution,
          70: what,
          100: centre
        }
      )
    )
  }
}
