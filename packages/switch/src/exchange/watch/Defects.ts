/**
 * What is thrown while one message is handled. It costs that message, or at most its connection, never the other partners: the
 * message is answered 96 where it can be, the place is noted without a word of its content, and the switch goes on. What shows
 * that a table or the journal cannot be trusted is thrown on, and stops the switch (guarantee G9;
 * docs/decisions/0020-what-a-throw-costs.md).
 */
import { Inconsistent } from "../../journal/Inconsistent.ts"
import { Notices, oneByOne } from "../../link/Notices.ts"
import type { Desk } from "../Desk.ts"

/** Where it was thrown: `TypeError at Iso8583.ts:120:14`. An error's own words may hold a message's: they are left out. */
export const placeOf = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return "a value that is no error"
  const frame = /[\w.-]+\.[jt]s:\d+:\d+/.exec(thrown.stack?.split("\n").find((line) => /^\s+at /.test(line)) ?? "")
  return `${thrown.name} at ${frame?.[0] ?? "an unknown place"}`
}

/** What the defects need of all desks. */
export interface Alarmed {
  /** Monotonic milliseconds as of the current turn. */
  readonly now: number
  /** The journal: an entry that was begun is dropped. */
  readonly record: { readonly abandon: () => void }
  /** Notes what somebody has to look at now. */
  readonly alarm: (desk: Desk, epoch: number, text: string) => void
}

/** The defects met since the start. */
export class Defects {
  /** How many messages were given up. */
  count = 0
  private readonly desks: Alarmed
  private readonly notices = new Notices(oneByOne)

  constructor(desks: Alarmed) {
    this.desks = desks
  }

  /** Notes that `what` was given up because of `thrown`. Throws it on when it is `Inconsistent`. */
  met(desk: Desk, epoch: number, what: string, thrown: unknown): void {
    if (thrown instanceof Inconsistent) throw thrown
    const { desks } = this
    this.count++
    desks.record.abandon()
    const text = `${what}: a defect of the switch, please report it (${placeOf(thrown)})`
    const noted = this.notices.add("defect", text, desks.now)
    if (noted !== undefined) desks.alarm(desk, epoch, noted)
  }
}
