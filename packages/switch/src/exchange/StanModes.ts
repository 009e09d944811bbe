/**
 * By which STANs each link's partner knows what was sent to it: ours, or their callers'. The journal says it at each start and
 * with each change, because a request may be older than the settings: whatever takes it back has to name it as it was sent.
 */
import type { Entry } from "../journal/Entry.ts"
import { EntryKind } from "../journal/EntryKind.ts"
import type { Desk } from "./Desk.ts"
import type { Recorder } from "./Recorder.ts"
import { isFarBehind } from "./SaidAgain.ts"

/** How the event begins; behind it the names of the links with STANs of ours. More of them are in events behind the first. */
const first = "STANs of ours:"
const more = "STANs of ours, too:"

/** Names in one event: each has 64 characters at most, and the event 255. */
const NAMES_MAX = 3

/** What is needed of all desks. */
interface Saying {
  readonly present: ReadonlyArray<Pick<Desk, "language" | "name">>
  readonly record: Pick<Recorder, "lasting">
}

/** See the module header. */
export class StanModes {
  private readonly desks: Saying
  /** What the entries that were read say, as of the last of them; `undefined`: nothing yet. */
  private read: Set<string> | undefined
  private said = ""
  private saidBy = 0

  constructor(desks: Saying) {
    this.desks = desks
  }

  /** At the start: an entry of the last run. */
  learn({ code, kind }: Entry): void {
    if (kind !== EntryKind.event) return
    if (code.startsWith(first)) this.read = new Set(namesIn(code, first))
    else if (code.startsWith(more)) for (const name of namesIn(code, more)) this.read?.add(name)
  }

  /** At the start: whether the desk's partner knew what was sent to it by STANs of ours, at the entry that was read last. */
  isOwn({ language, names }: Pick<Desk, "language" | "names">): boolean {
    return this.read === undefined ? language.hasOwnStan : names.some((name) => this.read!.has(name))
  }

  /** Journals how it is from here on, where that is not said yet. */
  say(): void {
    const names = this.desks.present.filter(({ language }) => language.hasOwnStan).map(({ name }) => name)
    const said = names.join(" ")
    if (said === this.said && this.saidBy > 0) return
    this.said = said
    this.saidBy = this.desks.record.lasting([first, ...names.slice(0, NAMES_MAX)].join(" "))
    for (let at = NAMES_MAX; at < names.length; at += NAMES_MAX)
      this.desks.record.lasting([more, ...names.slice(at, at + NAMES_MAX)].join(" "))
  }

  /** The same, once it lies far behind. */
  sayAgain(last: number): void {
    if (!isFarBehind(this.saidBy, last)) return
    this.saidBy = 0
    this.say()
  }
}

const namesIn = (code: string, beginning: string): ReadonlyArray<string> => code.slice(beginning.length + 1).split(" ")
