/**
 * One connection of a load as a caller: it signs on, sends requests, and finds whose answer it is that came.
 *
 * Owns the STANs of the connection and what is outstanding, in flat arrays: no allocation for a message. Decides nothing about
 * when something is sent (Generator).
 */
import { type Codec, isResponse, MessageIndex, responseMti, wholeFrame } from "@jinka/codec"
import { echoAnswer } from "../dialogue/Build.ts"
import { told } from "../dialogue/Observed.ts"
import { LoadLink } from "../link/LoadLink.ts"
import type { LoadLinkSettings } from "./LoadFile.ts"
import type { Measure, Series } from "./Measure.ts"
import { type Draws, fastCodec, type Template } from "./Template.ts"

/** What a caller shares with all others of its run. */
export interface CallerShares {
  readonly measure: Measure
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly timeoutMs: number
  /** The series by the number of the template on this link. */
  readonly series: ReadonlyArray<Series>
  readonly templates: ReadonlyArray<Template>
  readonly tell: (text: string) => void
}

/** STANs go from 1 to this and round again (DE 11, n 6). */
const STAN_MAX = 999_999

/** Milliseconds that a sign-on may go unanswered. */
const SIGN_ON_MS = 5000

/** One connection. */
export class Caller {
  private readonly settings: LoadLinkSettings
  private readonly shares: CallerShares
  private readonly codec: Codec
  private readonly link: LoadLink
  private readonly signOn: Template | undefined
  private readonly index = new MessageIndex()
  private readonly stanElement: number
  private readonly codeElement: number
  /** By STAN modulo the size: the intended instant, -1 where nothing is outstanding; the STAN; the template. */
  private readonly intended: Float64Array
  private readonly stans: Int32Array
  private readonly kinds: Uint16Array
  private readonly sentAt: Float64Array
  private readonly mask: number
  private readonly isSync: boolean
  private readonly isShort: boolean
  private stan: number
  /** The oldest STAN that may be outstanding. */
  private oldest: number
  private waiting = 0
  private isSignedOn = false
  private signOnStan = -1
  private signOnAt = 0
  private lastSent = 0
  private lastTold = ""

  /** `place`: which connection of its link it is. Their STANs begin far apart: no two requests of a link have the same key. */
  constructor(
    settings: LoadLinkSettings,
    place: number,
    signOn: Template | undefined,
    size: number,
    shares: CallerShares
  ) {
    this.settings = settings
    this.shares = shares
    this.signOn = signOn
    this.codec = fastCodec(settings.form)
    const { stan, responseCode } = this.codec.layout.roles
    this.stanElement = stan
    this.codeElement = responseCode
    this.intended = new Float64Array(size).fill(-1)
    this.sentAt = new Float64Array(size)
    this.stans = new Int32Array(size)
    this.kinds = new Uint16Array(size)
    this.mask = size - 1
    this.isSync = settings.mode !== "async-duplex"
    this.isShort = this.isSignedOn = settings.mode === "sync-short"
    this.stan = this.oldest = 1 + Math.floor((place * STAN_MAX) / settings.connections)
    this.link = new LoadLink({ ...settings, isShort: this.isShort }, settings.form.frame, {
      up: () => this.up(),
      down: (reason) => this.down(reason),
      message: (buffer, start, end) => this.message(buffer, start, end)
    })
  }

  /** Whether a request may go out here now. */
  get isReady(): boolean {
    return this.isSignedOn && !(this.isSync && this.waiting > 0) && this.link.isReady
  }

  /** Whether it has signed on, or needs not to. */
  get isUp(): boolean {
    return this.isSignedOn
  }

  get outstanding(): number {
    return this.waiting
  }

  /** Sends a request; false when no number is free. */
  send(template: number, draws: Draws, intendedAt: number, now: number): boolean {
    const slot = this.stan & this.mask
    if (this.intended[slot]! >= 0) return false
    this.write(this.shares.templates[template]!, draws)
    this.intended[slot] = intendedAt
    this.sentAt[slot] = now
    this.stans[slot] = this.stan
    this.kinds[slot] = template
    this.waiting++
    this.advance()
    this.shares.measure.wasSent(this.shares.series[template]!, intendedAt, now)
    return true
  }

  /** Once a tick: dials, gives up, keeps the link warm, and lets out what was written. */
  tick(now: number, draws: Draws): void {
    this.link.tick(now)
    this.giveUp(now)
    if (this.isShort && this.waiting === 0) this.link.hangUp()
    if (this.signOnStan < 0 && this.signOnAt < 0 && this.signOn !== undefined) this.askSignOn(draws, now)
    if (this.signOnStan >= 0 && now - this.signOnAt > SIGN_ON_MS) {
      this.signOnAt = now
      this.tell(`${this.settings.name}: sign-on is not answered in ${SIGN_ON_MS} ms; it is asked again`)
      this.askSignOn(draws, now)
    }
    if (now - this.lastSent >= this.settings.idleMs) {
      this.lastSent = now
      this.link.sendIdle()
    }
    this.link.flush()
  }

  close(): void {
    this.link.close()
  }

  private write(template: Template, draws: Draws): void {
    draws.stan = this.stan
    const { at, out } = this.link.room(template.roomMax)
    this.link.wrote(template.write(draws, out, at))
    this.lastSent = this.shares.now()
  }

  private advance(): void {
    this.stan = this.stan >= STAN_MAX ? 1 : this.stan + 1
  }

  private askSignOn(draws: Draws, now: number): void {
    this.signOnStan = this.stan
    this.signOnAt = now
    this.write(this.signOn!, draws)
    this.advance()
    this.oldest = this.waiting === 0 ? this.stan : this.oldest
  }

  private up(): void {
    if (this.isShort) return
    if (this.signOn === undefined) {
      this.isSignedOn = true
      this.tell(`${this.settings.name}: connected`)
    } else {
      this.signOnStan = -1
      // The next tick asks, with the draws of its moment.
      this.signOnAt = -1
    }
  }

  private down(reason: string): void {
    this.isSignedOn = this.isShort
    this.signOnStan = -1
    this.signOnAt = 0
    if (!this.isShort) this.tell(`${this.settings.name}: no connection (${reason}); it is tried again and again`)
    else if (this.waiting > 0) this.tell(`${this.settings.name}: a connection ended before its answer (${reason})`)
    const { measure, series, timeoutMs } = this.shares
    for (let slot = 0; this.waiting > 0 && slot <= this.mask; slot++) {
      if (this.intended[slot]! < 0) continue
      measure.wasLost(series[this.kinds[slot]!]!, this.intended[slot]!, timeoutMs)
      this.free(slot)
    }
    this.oldest = this.stan
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
        measure.wasTimedOut(series[this.kinds[slot]!]!, this.intended[slot]!, timeoutMs)
        this.free(slot)
      }
      this.oldest = this.oldest >= STAN_MAX ? 1 : this.oldest + 1
    }
  }

  private message(buffer: Buffer, start: number, end: number): void {
    const { index } = this
    const { measure } = this.shares
    if (this.codec.index(buffer, start, end, index) !== undefined) {
      measure.unmatched++
      return this.tell(`${this.settings.name}: a message that the dialect cannot read came`)
    }
    if (!isResponse(index.mti)) return this.asked(buffer, start, end)
    const stan = index.number(this.stanElement)
    if (stan === this.signOnStan && index.mti === responseMti(this.signOn?.mti ?? 0)) return this.signedOn()
    const slot = stan & this.mask
    if (!(this.intended[slot]! >= 0) || this.stans[slot] !== stan) return this.unmatched(stan)
    const kind = this.kinds[slot]!
    if (index.mti !== responseMti(this.shares.templates[kind]!.mti)) return this.unmatched(-1)
    const series = this.shares.series[kind]!
    measure.wasAnswered(series, this.intended[slot]!, this.shares.now())
    this.free(slot)
    const code = index.text(this.codeElement)
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1)
  }

  /** An answer that nothing waits for: late when its number was in use, else nobody's. */
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

  /** The system under test asks something: an echo is answered, anything else is only counted. */
  private asked(buffer: Buffer, start: number, end: number): void {
    const { form } = this.settings
    const answer = echoAnswer(form, told(form, Buffer.from(buffer.subarray(start, end)), 0))
    if (answer === undefined) {
      this.shares.measure.unexpected++
      return
    }
    const frame = wholeFrame(form.frame, answer)
    const { at, out } = this.link.room(frame.length)
    frame.copy(out, at)
    this.link.wrote(frame.length)
  }

  private tell(text: string): void {
    if (text === this.lastTold) return
    this.lastTold = text
    this.shares.tell(text)
  }
}
