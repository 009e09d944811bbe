/**
 * The network management of one connection: our sign-on with its attempts, probes, what an operator asks for, and the answers
 * to what the partner asks.
 *
 * It owns the requests of ours that have no answer yet and the clocks of the sign-on. It writes through the session and has no
 * fiber of its own: the session's keeper asks `due` and calls `tick`.
 */
import { isMessageError, isResponse, type Message, type MessageIndex, responseClass } from "@jinka/codec"
import { accepted } from "./Codes.ts"
import { LinkEnded } from "./Ended.ts"
import type * as LinkState from "./LinkState.ts"
import * as NetworkManagement from "./NetworkManagement.ts"
import type { LinkSettings } from "./Settings.ts"

/** Requests of ours without an answer that are remembered; the oldest is forgotten first. */
const ASKED_MAX = 8

/** Classes of response codes after which a sign-on is worth another attempt: retry, timeout, malfunction. */
const temporary = new Set(["R", "T", "X"])

/** The answer to a request that an operator asked for. */
export interface Answered {
  /** DE 39. */
  readonly code: string
  readonly isAccepted: boolean
  /** Milliseconds from the request's writing to its answer. */
  readonly ms: number
}

/** What it needs of the link. */
export interface ManagementOwner {
  readonly settings: LinkSettings
  /** An operator has signed us off: a new connection does not sign on by itself. */
  readonly isSignedOff: boolean
  /** STAN for the next request. */
  readonly nextStan: () => number
  readonly change: (event: LinkState.Event) => void
  readonly noted: (text: string) => void
  /** The same for what somebody should look at. */
  readonly warned: (text: string) => void
  /** The same for a message of the partner: a flood of them is not noted one by one. */
  readonly managed: (text: string) => void
}

/** What it needs of its session. */
export interface ManagementSession {
  readonly now: () => number
  readonly wallMs: () => number
  readonly put: (message: Buffer, isUrgent: boolean) => void
  /** Writes the answer to a request of the partner. */
  readonly reply: (index: MessageIndex, code: string) => void
  readonly fail: (ended: LinkEnded) => void
  /** Calls `tick` at this monotonic time at the latest. */
  readonly wake: (at: number) => void
  /** A sign-on came or was given. */
  readonly signedOn: () => void
  /** An echo of ours was answered. */
  readonly proved: () => void
}

interface Asked {
  readonly stan: number
  readonly what: NetworkManagement.Meaning
  readonly at: number
  readonly told: ((answer: Answered) => void) | undefined
}

/** The network management of one session. */
export class Management {
  private readonly link: ManagementOwner
  private readonly session: ManagementSession
  private readonly openedAt: number
  private asked: Array<Asked> = []
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
  }

  /** The connection has just been opened. */
  opened(): void {
    const { signOn } = this.link.settings
    const isOurs = signOn.send && !this.link.isSignedOff
    const ours = signOn.required === false ? "optional" : "missing"
    this.link.change({
      _tag: "opened",
      ours: this.link.isSignedOff ? "off" : isOurs ? ours : "none",
      partners: signOn.expect ? "missing" : "none"
    })
    this.isExpecting = signOn.expect
    if (isOurs) this.attempt()
  }

  /** Both sign-ons are there: their clocks stop. */
  settled(): void {
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
        this.session.fail(new LinkEnded({ reason: "SignOnTimeout", why: this.tried("no answer to our sign-on") }))
      )
    }
    if (this.isExpecting && now >= this.openedAt + timeoutMs) {
      const why = `the partner did not sign on within ${timeoutMs} ms`
      this.session.fail(new LinkEnded({ reason: "SignOnTimeout", why }))
    }
  }

  /** Writes a request of ours. `told` hears of the answer, if one comes. */
  ask(what: NetworkManagement.Meaning, told?: (answer: Answered) => void): void {
    const { settings } = this.link
    const stan = this.link.nextStan()
    const request: Message = NetworkManagement.request(settings, what, stan, this.session.wallMs())
    const message = settings.codec.encode(request)
    if (isMessageError(message)) {
      throw new Error(`${settings.name}: the dialect cannot encode its own ${what}: ${message._tag}`)
    }
    this.asked.push({ stan, what, at: this.session.now(), told })
    if (this.asked.length > ASKED_MAX) this.asked.shift()
    // A sign-off is the last word: what is to be said before it leaves before it.
    this.session.put(message, what !== "signOff")
  }

  /** A network management message of the partner. */
  received(index: MessageIndex): void {
    if (isResponse(index.mti) || index.rejectCode !== 0) this.answered(index)
    else this.requested(index)
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
    const what = NetworkManagement.meaning(this.link.settings, index)
    if (what === "signOn") this.link.change({ _tag: "signedOn", side: "partners" })
    if (what === "signOff") this.link.change({ _tag: "signedOff", side: "partners" })
    const code = this.codeFor(what)
    this.session.reply(index, code)
    this.link.managed(`${what ?? "unknown network management code"} from the partner, answered ${code}`)
    this.session.signedOn()
  }

  /** What is understood and done is accepted. A new key is not taken: there is nothing here that would use it. */
  private codeFor(what: NetworkManagement.Meaning | undefined): string {
    const { dialect } = this.link.settings
    if (what === undefined) return dialect.refusal.formatError
    return what === "keyReset" || what === "keyResetRequest" ? dialect.refusal.malfunction : accepted(dialect)
  }

  private answered(index: MessageIndex): void {
    const at = index.has(11) ? this.asked.findIndex(({ stan }) => stan === index.number(11)) : -1
    const asked = this.asked[at]
    if (asked === undefined) return
    this.asked.splice(at, 1)
    const { dialect } = this.link.settings
    const code = index.text(39)
    const isAccepted = code === accepted(dialect)
    const said = `${asked.what} of ours answered ${code}`
    // Every second connection of the partner makes us ask the first one for a sign of life.
    if (asked.what === "echo") this.link.managed(said)
    else this.link.noted(said)
    if (asked.what === "signOn") this.signOnAnswered(code, isAccepted, asked.told !== undefined)
    else if (asked.what === "signOff") {
      if (isAccepted) this.link.change({ _tag: "heldOff" })
    } else if (asked.told === undefined) this.session.proved()
    asked.told?.({ code, isAccepted, ms: this.session.now() - asked.at })
  }

  private signOnAnswered(code: string, isAccepted: boolean, isOperators: boolean): void {
    if (isAccepted) {
      this.answerDue = this.attemptDue = 0
      this.link.change({ _tag: "signedOn", side: "ours" })
      return this.session.signedOn()
    }
    // What an operator asked for changes nothing when it is refused: the link's own sign-on has its own attempts.
    if (isOperators) return
    const why = `our sign-on was answered ${code}`
    const refused = () => this.session.fail(new LinkEnded({ reason: "SignOnRefused", why }))
    if (temporary.has(responseClass(this.link.settings.dialect, code))) return this.again(why, refused)
    this.attempts = Number.POSITIVE_INFINITY
    this.again(why, refused)
  }
}
