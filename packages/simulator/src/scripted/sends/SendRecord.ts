/** Lines of a partner's history about what it sends by itself: an acquirer's lines, which the checker reads. */
import { maskPan } from "../../chance/Cards.ts"
import type { History, HistoryLine, What } from "../../history/History.ts"
import type { Timepiece } from "../../partner/Session.ts"
import type { Sent } from "./SendMessages.ts"

/** How a request of ours ends. */
export type End = "approved" | "declined" | "failed" | "timedOut" | "linkLost"

const opOf: { readonly [E in End]: HistoryLine["op"] } = {
  approved: "ok",
  declined: "fail",
  failed: "fail",
  timedOut: "info",
  linkLost: "info"
}

/** A reversal or advice that is said until it is acknowledged. */
export interface Repeating {
  readonly purpose: "reversal" | "advice"
  readonly key: string
  readonly request: Sent
  readonly attempts: number
}

/** Writes these lines. */
export class SendRecord {
  private readonly history: History
  private readonly time: Timepiece

  constructor(history: History, time: Timepiece) {
    this.history = history
    this.time = time
  }

  sent(sent: Sent, epoch: number): void {
    this.note({ op: "invoke", what: "sent", epoch, ...factsOf(sent) })
  }

  notSent(sent: Sent, reason: string): void {
    this.note({ op: "fail", what: "notSent", epoch: 0, ...factsOf(sent), reason })
  }

  /** `said`: what its answer says, where there is one. */
  ended(sent: Sent, what: End, epoch: number, said: Pick<HistoryLine, "code" | "day" | "approved">): void {
    this.note({ op: opOf[what], what, epoch, ...factsOf(sent), ...said })
  }

  attempt(repeating: Repeating, mti: string): void {
    const { attempts, purpose } = repeating
    this.note({ op: "invoke", what: purpose, epoch: 0, ...repeatedFacts(repeating), mti, attempt: attempts })
  }

  repeatEnded(repeating: Repeating, what: "acknowledged" | "refused" | "unacknowledged", code = ""): void {
    const op = what === "acknowledged" ? "ok" : what === "refused" ? "fail" : "info"
    this.note({ op, what, epoch: 0, ...repeatedFacts(repeating), ...(code === "" ? {} : { code }) })
  }

  strange(
    what: What & ("late" | "duplicateAnswer" | "mismatch"),
    sent: Sent,
    epoch: number,
    code: string,
    reason: string
  ): void {
    this.note({ op: "info", what, epoch, ...factsOf(sent), code, reason })
  }

  private note(line: Omit<HistoryLine, "at">): void {
    this.history.append({ at: this.time.wall(), ...line })
  }
}

const factsOf = ({ amount, card, key, kind, message, original, rrn }: Sent): Partial<HistoryLine> => ({
  ...{ kind, mti: message.mti, key, rrn, amount, pan: maskPan(card) },
  ...(original === undefined ? {} : { original })
})

/** A reversal carries the RRN and amount of its original, its own key, and the original's key. */
const repeatedFacts = ({ attempts, key, purpose, request }: Repeating): Partial<HistoryLine> => {
  const facts = factsOf(request)
  if (purpose === "advice") return facts
  return { ...facts, mti: `${request.message.mti[0]}420`, key, original: request.key, attempt: attempts }
}
