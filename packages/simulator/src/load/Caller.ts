/**
 * Who sends on one connection of a load, or on the connections of a short mode: it signs on, sends requests, and finds whose
 * answer it is that came.
 *
 * Owns its STANs and what is outstanding, in flat arrays: no allocation for a message. Decides nothing about when something is
 * sent (Generator), and makes no connection (Links).
 */
import { type Codec, isResponse, MessageIndex, responseMti, wholeFrame } from "@jinka/codec"
import { upkeepAnswer } from "../dialogue/Build.ts"
import { told } from "../dialogue/Observed.ts"
import type { Outlet } from "../link/LoadLine.ts"
import { macElements, writeMac } from "../message/MessageMac.ts"
import { isListening, type LoadLinkSettings } from "./LoadLinkSettings.ts"
import type { Measure, Series } from "./Measure.ts"
import { type Draws, fastCodec, type Template } from "./Template.ts"

/** What a caller shares with all others of its link. */
export interface CallerShares {
  /** Those of the run that goes on: a search has several, one after another. */
  measure: Measure
  /** The series by the number of the template on this link. */
  series: ReadonlyArray<Series>
  /** Room for what may be outstanding at once, a power of two. */
  slots: number
  /** What ends from now on does not count. */
  isOver: boolean
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly timeoutMs: number
  readonly templates: ReadonlyArray<Template>
  readonly signOn: Template | undefined
  readonly tell: (text: string) => void
}

/** STANs go from 1 to this and round again (DE 11, n 6). */
const STAN_MAX = 999_999

/** The golden ratio: its multiples modulo 1 are far apart, however many there are. */
const FAR_APART = (Math.sqrt(5) - 1) / 2

/** Milliseconds that a sign-on may go unanswered. */
const SIGN_ON_MS = 5000

/** What is done for a connection that is not there. */
const awaits = ({ mode }: LoadLinkSettings): string =>
  isListening(mode) ? "the far side is waited for" : "it is tried again and again"

/** One sender; see the module header. */
export class Caller {
  private readonly settings: LoadLinkSettings
  private readonly shares: CallerShares
  private readonly codec: Codec
  private readonly index = new MessageIndex()
  private readonly stanElement: number
  private readonly codeElement: number
  /** By STAN modulo the size: the intended instant, -1 where nothing is outstanding; the STAN; the template. */
  private intended = new Float64Array(0)
  private stans = new Int32Array(0)
  private kinds = new Uint16Array(0)
  private sentAt = new Float64Array(0)
  private mask = 0
  private readonly isSync: boolean
  private outlet: Outlet | undefined
  private stan: number
  /** The oldest STAN that may be outstanding. */
  private oldest: number
  private waiting = 0
  /** Whether requests may be sent, as far as signing on goes. */
  private isSignedOn = false
  private signOnStan = -1
  /** When it was asked; -1: it is to be asked. */
  private signOnAt = 0
  private lastTold = ""

  /** `place`: which one of its link it is. Their STANs begin far apart: no two requests of a link have the same key. */
  constructor(settings: LoadLinkSettings, place: number, shares: CallerShares) {
    this.settings = settings
    this.shares = shares
    this.codec = fastCodec(settings.form)
    const { stan, responseCode } = this.codec.layout.roles
    this.stanElement = stan
    this.codeElement = responseCode
    this.isSync = settings.mode.mode === "sync-long" || settings.mode.mode === "sync-short"
    this.stan = this.oldest = 1 + Math.floor(((place * FAR_APART) % 1) * STAN_MAX)
    this.grow()
  }

  /** Whether a request may go out here now. */
  get isReady(): boolean {
    return this.isSignedOn && !(this.isSync && this.waiting > 0) && this.outlet?.isReady === true
  }

  /** Whether it has what it needs to send: a connection or the means to make one, and a sign-on where there is one. */
  get isUp(): boolean {
    return this.outlet !== undefined && this.isSignedOn
  }

  /** Whether it has a connection. */
  get isAttached(): boolean {
    return this.outlet !== undefined
  }

  get outstanding(): number {
    return this.waiting
  }

  /** It sends on this from now on. */
  attach(outlet: Outlet): void {
    this.outlet = outlet
    this.signOnStan = -1
    this.isSignedOn = this.shares.signOn === undefined && !this.settings.isSignOnExpected
    // The next tick asks, with the draws of its moment.
    this.signOnAt = this.shares.signOn === undefined ? 0 : -1
  }

  /** It has no connection any more: what waits for an answer is lost. */
  detach(reason: string): void {
    this.outlet = undefined
    this.isSignedOn = false
    this.signOnStan = -1
    this.signOnAt = 0
    this.tell(`${this.settings.name}: no connection (${reason}); ${awaits(this.settings)}`)
    for (let slot = 0; this.waiting > 0 && slot <= this.mask; slot++) if (this.intended[slot]! >= 0) this.lose(slot)
    this.oldest = this.stan
  }

  /** A message did not leave, or its connection ended before the answer. */
  lost(stan: number, reason: string): void {
    const slot = stan & this.mask
    if (stan < 0 || !(this.intended[slot]! >= 0) || this.stans[slot] !== stan) return
    this.tell(`${this.settings.name}: a connection ended before its answer (${reason})`)
    this.lose(slot)
  }

  /** Sends a request. `triedAt` is later than it was due when the generator was late. False when no number is free. */
  send(template: number, draws: Draws, intendedAt: number, triedAt: number, now: number): boolean {
    const { stan } = this
    const slot = stan & this.mask
    if (this.intended[slot]! >= 0) return false
    this.intended[slot] = intendedAt
    this.sentAt[slot] = now
    this.stans[slot] = stan
    this.kinds[slot] = template
    this.waiting++
    this.write(this.shares.templates[template]!, draws)
    this.advance()
    this.shares.measure.wasSent(this.shares.series[template]!, intendedAt, triedAt)
    return true
  }

  /** Once a tick: gives up, keeps the link warm, signs on, and lets out what was written. */
  tick(now: number, draws: Draws): void {
    this.giveUp(now)
    if (this.outlet === undefined) return
    if (this.signOnAt < 0) this.askSignOn(draws, now)
    if (this.signOnStan >= 0 && now - this.signOnAt > SIGN_ON_MS) {
      this.tell(`${this.settings.name}: sign-on is not answered in ${SIGN_ON_MS} ms; it is asked again`)
      this.askSignOn(draws, now)
    }
    this.outlet.tick(now)
    this.outlet?.flush()
  }

  /** Makes room for more that is outstanding, when nothing is. */
  grow(): void {
    const { slots } = this.shares
    if (slots <= this.intended.length || this.waiting > 0) return
    this.intended = new Float64Array(slots).fill(-1)
    this.sentAt = new Float64Array(slots)
    this.stans = new Int32Array(slots)
    this.kinds = new Uint16Array(slots)
    this.mask = slots - 1
  }

  /** A message came for it. */
  message(buffer: Buffer, start: number, end: number): void {
    const { index } = this
    const { measure } = this.shares
    if (this.codec.index(buffer, start, end, index) !== undefined) {
      measure.unmatched++
      return this.tell(`${this.settings.name}: a message that the dialect cannot read came`)
    }
    if (!isResponse(index.mti)) return this.asked(buffer, start, end)
    const stan = index.number(this.stanElement)
    if (stan === this.signOnStan && index.mti === responseMti(this.shares.signOn?.mti ?? 0)) return this.signedOn()
    const slot = stan & this.mask
    if (!(this.intended[slot]! >= 0) || this.stans[slot] !== stan) return this.unmatched(stan)
    const kind = this.kinds[slot]!
    if (index.mti !== responseMti(this.shares.templates[kind]!.mti)) return this.unmatched(-1)
    const series = this.shares.series[kind]!
    measure.wasAnswered(series, this.intended[slot]!, this.shares.now())
    this.free(slot)
    const code = index.text(this.codeElement)
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1)
    if (this.isSync) this.outlet?.hangUp()
  }

  private write(template: Template, draws: Draws): void {
    draws.stan = this.stan
    const { at, out } = this.outlet!.room(template.roomMax)
    this.outlet!.wrote(template.write(draws, out, at), this.stan)
  }

  private advance(): void {
    this.stan = this.stan >= STAN_MAX ? 1 : this.stan + 1
  }

  private askSignOn(draws: Draws, now: number): void {
    this.signOnStan = this.stan
    this.signOnAt = now
    this.write(this.shares.signOn!, draws)
    this.advance()
    this.oldest = this.waiting === 0 ? this.stan : this.oldest
  }

  private lose(slot: number): void {
    const { measure, series, timeoutMs } = this.shares
    measure.wasLost(series[this.kinds[slot]!]!, this.intended[slot]!, timeoutMs)
    this.free(slot)
  }

  private free(slot: number): void {
    this.intended[slot] = -1
    this.waiting--
  }

  /** Ends what waits for longer than the timeout: STANs are given in the order of sending. */
  private giveUp(now: number): void {
    const { measure, series, timeoutMs } = this.shares
    while (this.oldest !== this.stan) {
      const slot = this.oldest & this.mask
      if (this.intended[slot]! >= 0 && this.stans[slot] === this.oldest) {
        if (now - this.sentAt[slot]! < timeoutMs) return
        // What waited for a connection has had the timeout from its sending on.
        const waited = Math.max(timeoutMs, now - this.intended[slot]!)
        measure.wasTimedOut(series[this.kinds[slot]!]!, this.intended[slot]!, waited)
        this.free(slot)
        if (this.isSync) this.outlet?.hangUp()
      }
      this.oldest = this.oldest >= STAN_MAX ? 1 : this.oldest + 1
    }
  }

  /** An answer that nothing waits for: late when its number was in use, otherwise nobody's. */
  private unmatched(stan: number): void {
    const { measure } = this.shares
    if (stan > 0 && this.stans[stan & this.mask] === stan) measure.late++
    else measure.unmatched++
  }

  private signedOn(): void {
    this.signOnStan = -1
    this.signOnAt = 0
    const code = this.index.text(this.codeElement)
    const { accepted, approved } = this.codec.layout.answers
    if (code !== accepted && code !== approved)
      return this.tell(`${this.settings.name}: sign-on is refused with ${code}: nothing is sent on this connection`)
    this.isSignedOn = true
    this.tell(`${this.settings.name}: signed on`)
  }

  /** The system under test asks something: its sign-on, its echo and its cut-over are answered, anything else is only counted. */
  private asked(buffer: Buffer, start: number, end: number): void {
    const { form, isSignOnExpected, mac } = this.settings
    const message = told(form, Buffer.from(buffer.subarray(start, end)), 0)
    const answered = upkeepAnswer(form, message, mac === undefined ? [] : macElements)
    if (answered === undefined || this.outlet === undefined) {
      this.shares.measure.unexpected++
      return
    }
    if (isSignOnExpected && answered.meaning === "signOn") {
      this.isSignedOn = true
      this.tell(`${this.settings.name}: the far side signed on`)
    }
    if (isSignOnExpected && answered.meaning === "signOff") this.isSignedOn = false
    const bytes = answered.answer
    if (mac !== undefined && this.codec.index(bytes, 0, bytes.length, this.index) === undefined)
      writeMac(form, this.index, mac)
    const frame = wholeFrame(form.frame, bytes)
    const { at, out } = this.outlet.room(frame.length)
    frame.copy(out, at)
    this.outlet.wrote(frame.length)
  }

  private tell(text: string): void {
    if (text === this.lastTold) return
    this.lastTold = text
    this.shares.tell(text)
  }
}
