/**
 * What waits to be delivered and what is in doubt, from the journal alone: for a node that does not run the switch. The same list
 * as the running switch gives (`Pending`), but for one thing: whether a message that was sent is under way or rests only that
 * one knows.
 */
import { MessageIndex, mtiText } from "@jinka/codec"
import { Effect } from "effect"
import { Doubts } from "../exchange/delivery/Doubts.ts"
import type { Entry } from "../journal/Entry.ts"
import { EntryKind } from "../journal/EntryKind.ts"
import type { JournalError } from "../journal/JournalError.ts"
import type { JournalReader } from "../journal/JournalReader.ts"
import {
  inDoubtMessage,
  isAsked,
  type PendingAsked,
  type PendingList,
  type PendingMessage,
  TOLD_MAX
} from "../Pending.ts"
import type { Dialects } from "./trace/Dialects.ts"

type Waiting = { -readonly [Key in keyof PendingMessage]: PendingMessage[Key] } & { readonly mtiNumber: number }

/** Reads what has not ended, as a start of the switch would. */
export const pendingIn = (
  journal: JournalReader,
  dialects: Dialects,
  asked: PendingAsked
): Effect.Effect<PendingList, JournalError> =>
  Effect.clockWith((clock) => {
    const read = new PendingRead(journal, dialects)
    return Effect.map(
      journal.scan(journal.recovered.floor, (entry) => {
        read.take(entry)
        return true
      }),
      () => read.list(asked, clock.currentTimeMillisUnsafe())
    )
  })

class PendingRead {
  private readonly links: ReadonlyMap<number, { readonly name: string; readonly dialect: string }>
  private readonly dialects: Dialects
  private readonly waiting = new Map<number, Waiting>()
  private readonly doubts = new Doubts()
  private readonly index = new MessageIndex()

  constructor({ recovered }: Pick<JournalReader, "recovered">, dialects: Dialects) {
    this.links = new Map(recovered.names.map(({ dialect, id, name }) => [id, { name, dialect }]))
    this.dialects = dialects
  }

  take(entry: Entry): void {
    const { code, exchange, kind } = entry
    const one = this.waiting.get(exchange)
    switch (kind) {
      case EntryKind.queued:
        this.waiting.set(entry.seq, this.queued(entry))
        return
      case EntryKind.sent:
        if (one !== undefined)
          Object.assign(one, { attempts: Number(code), state: one.state === "held" ? "held" : "sent" })
        return
      case EntryKind.held:
        if (one !== undefined) one.state = "held"
        return
      case EntryKind.released:
        if (one !== undefined) one.state = one.attempts === 0 ? "waiting" : "sent"
        return
      case EntryKind.acknowledged:
        this.waiting.delete(exchange)
        this.doubts.close(exchange)
        return
      case EntryKind.abandoned:
      case EntryKind.declined:
        return this.doubted(entry, kind === EntryKind.abandoned ? "abandoned" : "declined", one)
      default:
        return this.doubts.read(entry, this.links.get(entry.link)?.name ?? "")
    }
  }

  list(asked: PendingAsked, nowMs: number): PendingList {
    const ofLink = ({ link }: { readonly link: string }) => (asked.link ?? link) === link
    const inDoubt = this.doubts.all.filter(ofLink).map(inDoubtMessage)
    const waiting = [...this.waiting.values()].filter(ofLink).map(({ mtiNumber: _, ...one }) => one)
    const told = [inDoubt, waiting].flatMap((all) => all.filter((one) => isAsked(one, asked, nowMs)).slice(0, TOLD_MAX))
    return { messages: told, inDoubt: inDoubt.length, waiting: waiting.length }
  }

  private queued({ about, at, link, message, seq }: Entry): Waiting {
    const { dialect = "", name = "" } = this.links.get(link) ?? {}
    const codec = this.dialects.codec(dialect)
    const { index } = this
    const isRead = codec !== undefined && codec.index(message, 0, message.length, index) === undefined
    return {
      exchange: seq,
      about,
      link: name,
      mti: isRead ? mtiText(index.mti) : "",
      mtiNumber: isRead ? index.mti : 0,
      stan: isRead ? index.text(codec.layout.roles.stan) : "",
      state: "waiting",
      code: "",
      attempts: 0,
      at
    }
  }

  private doubted({ at, code, exchange }: Entry, end: "abandoned" | "declined", one: Waiting | undefined): void {
    this.waiting.delete(exchange)
    // One that began before what is read here is said again in an entry of its own.
    if (one === undefined) return
    const { about, link, mtiNumber: mti, stan } = one
    this.doubts.add({ exchange, about, end, code, link, mti, stan, at })
  }
}
