/**
 * The network management of one connection: our sign-on with its attempts, probes, what an operator asks for, and the answers
 * to what the partner asks.
 *
 * It owns the requests of ours that have no answer yet and the clocks of the sign-on. It writes through the session and has no
 * fiber of its own: the session's keeper asks `due` and calls `tick`.
 */
import {
  isMessageError,
  isResponse,
  isSuccess,
  type Message,
  type MessageIndex,
  mtiText,
  responseClass
} from "@jinka/codec"
import type { Language } from "../message/Language.ts"
import * as NetworkManagement from "../message/NetworkManagement.ts"
import { type Asked, AskedList, askedOf } from "./Asked.ts"
import { LinkEnded } from "./LinkEnded.ts"
import type { SessionEvents } from "./LinkEvents.ts"
import type * as LinkState from "./LinkState.ts"
import type { PartnerClock } from "./PartnerClock.ts"
import type { LinkSettings } from "./Settings.ts"
import type { Lies } from "./TurnedAway.ts"

/** Classes of response codes after which a sign-on is worth another attempt: retry, timeout, malfunction. */
const temporary = new Set(["R", "T", "X"])

/** What it needs of the link. */
export interface ManagementOwner {
  readonly settings: LinkSettings
  /** An operator has signed us off: a new connection does not sign on by itself. */
  readonly isHeldOff: boolean
  /** STAN for the next request. */
  readonly nextStan: () => number
  readonly change: (event: LinkState.Event) => void
  readonly events: Pick<SessionEvents, "cutsOver" | "exchangesKeys" | "passes">
  readonly language: Language
  readonly partnerClock: PartnerClock
  readonly lies: Lies
  readonly noted: (text: string) => void
  /** The same for what somebody should look at. */
  readonly warned: (text: string) => void
  /** The same for a message of the partner: a flood of them is not noted one by one. `isWrong`: somebody should look at it. */
  readonly managed: (text: string, isWrong: boolean, now: number) => void
}

/** What it needs of its session. */
export interface ManagementSession {
  readonly now: () => number
  readonly wallMs: () => number
  readonly put: (message: Buffer, isUrgent: boolean) => void
  /** Writes what was put, also when nothing else leaves in this turn. */
  readonly flush: () => void
  readonly fail: (ended: LinkEnded) => void
  /** Calls `tick` at this monotonic time at the latest. */
  readonly wake: (at: number) => void
  /** A sign-on came or was given. */
  readonly signedOn: () => void
  /** An echo of ours was answered with success; how, in words. */
  readonly proved: (words: string) => void
}

const isCutover = (what: NetworkManagement.Meaning | undefined): boolean =>
  what === "cutoverStart" || what === "cutoverEnd"

/** What the partner asked for, and whether somebody should know: it was not done, or takes the link out of use. */
const told = (what: NetworkManagement.Meaning | undefined): { readonly words: string; readonly isWrong: boolean } =>
  isCutover(what)
    ? { words: `${what} (not taken on this link: its business day stays)`, isWrong: true }
    : { words: what ?? "unknown network management code", isWrong: what === "signOff" }

/** The network management of one session. */
export class Management {
  private readonly link: ManagementOwner
  private readonly session: ManagementSession
  private readonly openedAt: number
  private readonly asked: AskedList
  /** Monotonic milliseconds of the last echo of ours; 0: none was sent. */
  echoAt = 0
  /** What came in place of the answer to a request of ours since the last one was sent, in words; empty: nothing. */
  private instead = ""
  /** Answers of the partner on this connection that belong to no request of ours. */
  unmatched = 0
  /** Sign-ons of ours on this connection. */
  attempts = 0
  /** Monotonic milliseconds of the running attempt's end, or of the next attempt; 0: none. */
  private answerDue = 0
  private attemptDue = 0
  /** The partner's sign-on is waited for. */
  private isExpecting = false

  constructor(link: ManagementOwner, session: ManagementSession, openedAt: number) {
    this.link = link
    this.session = session
    this.openedAt = openedAt
    this.asked = new AskedList(link.settings.codec)
  }

  /** The same as {@link instead}, as the end of a sentence: `: an answer came, but DE 11 is 000007, not 000005`; or empty. */
  get cameInstead(): string {
    return this.instead === "" ? "" : `: ${this.instead}`
  }

  /** The connection has just been opened. */
  opened(): void {
    const { signOn } = this.link.settings
    const isOurs = signOn.send && !this.link.isHeldOff
    const ours = signOn.required === false ? "optional" : "missing"
    this.link.change({
      _tag: "opened",
      ours: isOurs ? ours : "none",
      partners: signOn.expect ? "missing" : "none"
    })
    this.isExpecting = signOn.expect
    if (isOurs) this.attempt()
  }

  /** Both sign-ons are there: their clocks stop. */
  satisfied(): void {
    this.isExpecting = false
  }

  /** When `tick` has something to do; infinite when nothing is waited for. */
  get due(): number {
    const { timeoutMs } = this.link.settings.signOn
    let due = Number.POSITIVE_INFINITY
    if (this.answerDue > 0) due = this.answerDue
    if (this.attemptDue > 0) due = Math.min(due, this.attemptDue)
    if (this.isExpecting) due = Math.min(due, this.openedAt + timeoutMs)
    return due
  }

  /** Does what is due. */
  tick(now: number): void {
    const { timeoutMs } = this.link.settings.signOn
    if (this.attemptDue > 0 && now >= this.attemptDue) this.attempt()
    if (this.answerDue > 0 && now >= this.answerDue) {
      this.again(`no answer to our sign-on in ${timeoutMs} ms`, () =>
        this.session.fail(
          new LinkEnded({
            reason: "SignOnTimeout",
            why: `${this.tried("no answer to our sign-on")}${this.cameInstead}`
          })
        )
      )
    }
    if (this.isExpecting && now >= this.openedAt + timeoutMs) {
      const why = `the partner did not sign on within ${timeoutMs} ms`
      this.session.fail(new LinkEnded({ reason: "SignOnTimeout", why }))
    }
  }

  /** Writes a request of ours. `told` hears of the answer, if one comes. */
  ask(what: NetworkManagement.Meaning, told?: Asked["told"]): void {
    const { settings } = this.link
    const stan = this.link.nextStan()
    const request: Message = NetworkManagement.request(settings, what, stan, this.session.wallMs())
    const message = settings.codec.encode(request)
    if (isMessageError(message)) {
      throw new Error(`${settings.name}: the dialect cannot encode its own ${what}: ${message._tag}`)
    }
    this.sent(what, request, told)
    if (what === "echo") this.echoAt = this.session.now()
    // A sign-off is the last word: what is to be said before it leaves before it.
    this.session.put(message, what !== "signOff")
  }

  /** Remembers a request of ours that leaves now: its answer is waited for. */
  sent(what: NetworkManagement.Meaning, request: Message, told?: Asked["told"]): void {
    this.asked.add(askedOf(this.link.settings.dialect, what, request, this.session.now(), told))
    this.instead = ""
  }

  /** A network management message of the partner. False: it passes through the switch, and nothing was done with it. */
  received(index: MessageIndex): boolean {
    const isAnswer = isResponse(index.mti) || index.rejectCode !== 0
    const wrong = this.link.language.misnamed(index)
    if (wrong !== undefined) {
      this.link.lies.add(index.mti, wrong, this.session.now())
      // An answer in another's name is none.
      if (!isAnswer) this.reply(index, this.link.settings.dialect.refusal.identity)
    } else if (isAnswer) return this.answered(index)
    else if (this.link.events.passes(index)) return false
    else if (!this.link.events.exchangesKeys(index) && !this.link.events.cutsOver(index)) this.requested(index)
    return true
  }

  private attempt(): void {
    const { signOn } = this.link.settings
    this.attempts++
    this.attemptDue = 0
    this.answerDue = this.session.now() + signOn.timeoutMs
    this.ask("signOn")
  }

  /** The attempt came to nothing: another one after a pause, or `end` when they are used up and the link needs a sign-on. */
  private again(why: string, end: () => void): void {
    const { required, retries } = this.link.settings.signOn
    this.answerDue = 0
    if (this.attempts < (retries?.attempts ?? 1)) {
      this.attemptDue = this.session.now() + retries!.pauseMs
      this.session.wake(this.attemptDue)
      return this.link.warned(`${why}, attempt ${this.attempts}: again in ${retries!.pauseMs} ms`)
    }
    if (required === false) return this.link.warned(`${why}: used without, it is not required`)
    end()
  }

  private tried(what: string): string {
    return this.attempts > 1
      ? `${what}, ${this.attempts} attempts`
      : `${what} in ${this.link.settings.signOn.timeoutMs} ms`
  }

  private requested(index: MessageIndex): void {
    const { link, session } = this
    const now = session.now()
    if (link.partnerClock.isDue(now)) link.partnerClock.heard(now, link.language.sinceSent(index, session.wallMs()))
    const what = NetworkManagement.meaning(this.link.settings.dialect, index)
    if (what === "signOn") this.link.change({ _tag: "signedOn", side: "partners" })
    if (what === "signOff") this.link.change({ _tag: "signedOff" })
    const code = this.codeFor(what)
    this.reply(index, code)
    const { words, isWrong } = told(what)
    this.managed(`${words} from the partner, answered ${code}`, isWrong)
    this.session.signedOn()
  }

  private reply(index: MessageIndex, code: string): void {
    this.session.put(NetworkManagement.answer(this.link.settings.codec, index, code), true)
    this.session.flush()
  }

  /**
   * What is understood and done is accepted. A new key is not taken where the link exchanges none, nor a cut-over where it
   * refuses them.
   */
  private codeFor(what: NetworkManagement.Meaning | undefined): string {
    const { codec, dialect } = this.link.settings
    if (what === undefined) return dialect.refusal.formatError
    if (isCutover(what)) return dialect.refusal.cutOver
    return what === "keyReset" || what === "keyResetRequest"
      ? dialect.refusal.malfunction
      : codec.layout.answers.accepted
  }

  private answered(index: MessageIndex): boolean {
    const found = this.asked.take(index)
    if (found._tag === "of") this.took(index, found.asked)
    else if (this.link.events.passes(index)) return false
    else this.noteUnmatched(index, found.nearest, found.why)
    return true
  }

  private took(index: MessageIndex, { what, at, told }: Asked): void {
    const { codec, dialect } = this.link.settings
    const { answers, roles } = codec.layout
    const code = index.rejectCode === 0 ? index.text(roles.responseCode) : ""
    const isAccepted = code === answers.accepted
    const isProof = isAccepted || isSuccess(dialect, code)
    const answer = answerWords(index, code)
    const said = `${what} of ours ${answer}`
    if (!isProof) this.instead = `it was ${answer}`
    // Every second connection of the partner makes us ask the first one for a sign of life.
    if (what === "echo") this.managed(isProof ? said : `${said}: that proves nothing`, !isProof)
    else this.link.noted(said)
    if (what === "signOn") this.signOnAnswered(code, isAccepted, answer, told !== undefined)
    else if (what === "signOff") {
      if (isAccepted) this.link.change({ _tag: "tookBack" })
    } else if (told === undefined && isProof) this.session.proved(answer)
    told?.({ code, isAccepted, ms: this.session.now() - at }, index)
  }

  /** An answer that belongs to no request of ours: it changes nothing, and its number may be all that is wrong with it. */
  private noteUnmatched(index: MessageIndex, nearest: Asked | undefined, why: string): void {
    this.unmatched++
    const answer = `an answer ${mtiText(index.mti)} of the partner`
    if (nearest === undefined) return this.managed(`${answer} to nothing that we asked`, true)
    this.instead = `an answer came that belongs to no request of ours, ${why}`
    this.managed(`${answer} belongs to no request of ours; of our ${nearest.what}: ${why}`, true)
  }

  private managed(text: string, isWrong: boolean): void {
    this.link.managed(text, isWrong, this.session.now())
  }

  private signOnAnswered(code: string, isAccepted: boolean, answer: string, isOperators: boolean): void {
    if (isAccepted) {
      this.answerDue = this.attemptDue = 0
      this.link.change({ _tag: "signedOn", side: "ours" })
      return this.session.signedOn()
    }
    // What an operator asked for changes nothing when it is refused: the link's own sign-on has its own attempts.
    if (isOperators) return
    const why = `our sign-on was ${answer}`
    const refused = () => this.session.fail(new LinkEnded({ reason: "SignOnRefused", why }))
    if (temporary.has(responseClass(this.link.settings.dialect, code))) return this.again(why, refused)
    this.attempts = Number.POSITIVE_INFINITY
    this.again(why, refused)
  }
}

/** `answered 96`; what is no answer says so: without DE 39, or our own message sent back by the centre. */
const answerWords = (index: MessageIndex, code: string): string => {
  if (index.rejectCode !== 0) return `rejected by the centre with reject code ${index.rejectCode}`
  return code === "" ? "answered without DE 39" : `answered ${code}`
}
