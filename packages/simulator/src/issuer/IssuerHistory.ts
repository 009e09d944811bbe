/**
 * The issuer's lines in its history.
 *
 * Owns what is written for each event and that nothing but a masked card number is. Decides nothing.
 */
import { maskPan } from "../chance/Cards.ts"
import type { History, HistoryLine } from "../history/History.ts"
import { firstMti, messageKey, type PartnerMessage, textOf } from "../message/PartnerMessage.ts"
import { isApproved, kindOf, originalKey, remainsIn, shownOriginal } from "../message/Transaction.ts"
import type { Connection, Timepiece } from "../partner/Session.ts"
import type { Reaction } from "./Behaviour.ts"

/** What was decided about a message. */
export interface Decision {
  /** DE 15 of the answer; left out, or "": there is none. */
  readonly day?: string
  /** Rule of the ledger, or why the ledger was not asked. */
  readonly rule: string
  /** DE 39; undefined: ignored. */
  readonly code: string | undefined
  /** DE 37 of the transaction that a reversal found, for reversals that do not carry it. */
  readonly rrn?: string | undefined
}

/** Writes lines for an issuer. */
export class IssuerHistory {
  private readonly history: History
  private readonly time: Timepiece

  constructor(history: History, time: Timepiece) {
    this.history = history
    this.time = time
  }

  link(what: "linkUp" | "linkDown" | "signedOn" | "signedOff", connection: Connection, reason?: string): void {
    this.note({ op: "info", what, epoch: connection.epoch, ...(reason === undefined ? {} : { reason }) })
  }

  doubled(connection: Connection, message: PartnerMessage): void {
    this.note({ op: "info", what: "doubled", epoch: connection.epoch, ...facts(message) })
  }

  unmatched(connection: Connection, message: PartnerMessage): void {
    this.note({ op: "info", what: "unmatched", epoch: connection.epoch, mti: message.mti, rrn: textOf(message, 37) })
  }

  received(
    connection: Connection,
    message: PartnerMessage,
    arrival: number,
    decision: Decision,
    reaction: Reaction
  ): void {
    const { rule, code, day = "", rrn } = decision
    const about = facts(message)
    this.note({
      op: rule === "posted" || rule === "undone" ? "ok" : code === undefined || isApproved(code) ? "info" : "fail",
      what: "received",
      epoch: connection.epoch,
      ...about,
      ...(about.rrn === "" && rrn !== undefined ? { rrn } : {}),
      attempt: arrival,
      rule,
      answer: reaction.answer,
      ...(code === undefined ? {} : { code }),
      ...(day === "" ? {} : { day })
    })
  }

  /** A delayed answer was sent, or its connection had fallen. */
  delivered(connection: Connection, answer: PartnerMessage, isSent: boolean): void {
    this.note({
      op: "info",
      what: isSent ? "answered" : "answerLost",
      epoch: connection.epoch,
      mti: answer.mti,
      key: messageKey(answer),
      rrn: textOf(answer, 37),
      code: textOf(answer, 39)
    })
  }

  private note(line: Omit<HistoryLine, "at">): void {
    this.history.append({ at: this.time.wall(), ...line })
  }
}

/** What a line says about a message. */
const facts = (message: PartnerMessage): Partial<HistoryLine> => {
  const kind = kindOf(firstMti(message.mti), textOf(message, 3))
  const f90 = textOf(message, 90)
  const remains = message.mti[1] === "4" ? remainsIn(textOf(message, 95)) : 0
  return {
    mti: message.mti,
    key: messageKey(message),
    rrn: textOf(message, 37),
    amount: Number(textOf(message, 4)),
    pan: maskPan(textOf(message, 2)),
    ...(kind === undefined ? {} : { kind }),
    ...(f90 === "" ? {} : { original: shownOriginal(originalKey(f90), messageKey(message)) }),
    ...(remains === 0 ? {} : { remains })
  }
}
