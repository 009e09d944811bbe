/**
 * Network management as a member speaks it: 0820 sign-on, sign-off, echo, cut-over; 0800 key reset from the centre.
 *
 * Owns building and answering these messages, and the state of one sign-on. Keys sent in a key reset are not kept: the
 * partners make no MAC.
 */
import {
  answerHeader,
  answerMti,
  type Fields,
  notRejected,
  type PartnerMessage,
  pickFields,
  requestHeader,
  textOf
} from "../message/PartnerMessage.ts"
import type { Numbering } from "./Numbering.ts"
import type { Connection, Timepiece } from "./Session.ts"

/** DE 70. */
export const managementCode = { signOn: "001", signOff: "002", cutOverStart: "201", cutOverEnd: "202", echo: "301" }

/** Who we are and whom we speak to. */
export interface Identity {
  /** Our institution: header source and DE 33, up to 11 digits. */
  readonly institution: string
  /** Header destination: the centre. */
  readonly centre: string
}

/** A management request of our own (DE 7, 11, 33, 70). */
export const managementRequest = (identity: Identity, numbering: Numbering, at: number, code: string): PartnerMessage =>
  ({
    header: requestHeader(identity.institution, identity.centre),
    mti: "0820",
    fields: { 7: numbering.transmitted(at), 11: numbering.nextStan(), 33: identity.institution, 70: code },
    reject: notRejected
  }) satisfies PartnerMessage

/** Answer to a management request of the other side, always accepted; undefined when the MTI is no such request. */
export const managementAnswer = (message: PartnerMessage): PartnerMessage | undefined => {
  if (message.mti !== "0820" && message.mti !== "0800") return undefined
  const echoed: Fields = pickFields(message.fields, [7, 11, 15, 33, 53, 70, 100])
  return {
    header: answerHeader(message.header),
    mti: answerMti(message.mti),
    fields: { ...echoed, 39: "00" },
    reject: notRejected
  }
}

/** What a sign-on tells its owner. */
export type SignOnEvent = "signedOn" | "signedOff" | "refused" | "unanswered"

/** State of our own sign-on over one connection. */
export class SignOn {
  private readonly identity: Identity
  private readonly numbering: Numbering
  private readonly time: Timepiece
  /** Milliseconds to wait for 0830. */
  private readonly timeout: number
  private asked: { readonly stan: string; readonly code: string; readonly at: number } | undefined
  private on: Connection | undefined

  constructor(identity: Identity, numbering: Numbering, time: Timepiece, timeout: number) {
    this.identity = identity
    this.numbering = numbering
    this.time = time
    this.timeout = timeout
  }

  /** The connection that is signed on. */
  get connection(): Connection | undefined {
    return this.on
  }

  /** Asks to sign on. */
  open(connection: Connection): void {
    this.ask(connection, managementCode.signOn)
  }

  /** Asks to sign off; from now on nothing else is sent. */
  close(): void {
    if (this.on !== undefined) this.ask(this.on, managementCode.signOff)
    this.on = undefined
  }

  /** The connection fell. */
  lost(connection: Connection): void {
    this.asked = undefined
    if (this.on?.epoch === connection.epoch) this.on = undefined
  }

  /** Takes an 0830; undefined when it answers nothing of ours (an echo, a late one). */
  answered(connection: Connection, message: PartnerMessage): SignOnEvent | undefined {
    const asked = this.asked
    if (asked === undefined || textOf(message, 11) !== asked.stan || textOf(message, 70) !== asked.code)
      return undefined
    this.asked = undefined
    if (textOf(message, 39) !== "00") return "refused"
    if (asked.code === managementCode.signOff) return "signedOff"
    this.on = connection
    return "signedOn"
  }

  /** "unanswered" once when the answer is overdue. */
  overdue(): SignOnEvent | undefined {
    if (this.asked === undefined || this.time.monotonic() - this.asked.at < this.timeout) return undefined
    this.asked = undefined
    return "unanswered"
  }

  private ask(connection: Connection, code: string): void {
    const request = managementRequest(this.identity, this.numbering, this.time.wall(), code)
    this.asked = { stan: textOf(request, 11), code, at: this.time.monotonic() }
    connection.send(request)
  }
}
