/**
 * A second host that is asked what the first one is asked, and never heard: its answers are compared and go no further.
 *
 * Owns the mirror connection and the pairs of answers. The partner hears the first host alone, whatever becomes of this one: a
 * mirror that is slow or gone costs its requests a comparison and nothing else.
 */
import { isResponse, MessageIndex, mtiText, shownField, wholeFrame } from "@jinka/codec"
import type { WireFormat } from "../dialogue/WireFormat.ts"
import type { Endpoint } from "../link/Listener.ts"
import { LoadLink } from "../link/LoadLink.ts"
import type { TlsMaterial } from "../link/TlsSide.ts"
import { type AnswerDifference, compareAnswers, type Tolerance } from "./Compare.ts"
import { pairKey } from "./Traffic.ts"
import { Waiting } from "./Waiting.ts"

/** How to shadow. */
export interface ShadowSettings {
  readonly connect: Endpoint
  readonly tls?: TlsMaterial | undefined
  readonly tolerance: Tolerance
  /** Milliseconds that either answer is waited for. */
  readonly timeoutMs: number
}

/** What became of one mirrored request. */
export interface ShadowLine {
  readonly mti: string
  readonly stan: string
  readonly rrn: string
  /** `liveOnly`: the second host did not answer in time; `shadowOnly`: the first did not. */
  readonly outcome: "same" | "differs" | "liveOnly" | "shadowOnly" | "neither" | "notMirrored"
  readonly differences: ReadonlyArray<AnswerDifference>
  /** Milliseconds to each answer; -1 without one. */
  readonly liveMs: number
  readonly shadowMs: number
}

interface Mirrored {
  readonly key: string
  readonly facts: Pick<ShadowLine, "mti" | "stan" | "rrn">
  readonly at: number
  live: { readonly bytes: Buffer; readonly ms: number } | undefined
  shadow: { readonly bytes: Buffer; readonly ms: number } | undefined
}

/** Most requests that wait for their answers; more are not mirrored, and said so. */
const WAITING_MAX = 100_000

/** Mirrors the messages of a proxy; see the module header. */
export class Shadow {
  private readonly form: WireFormat
  private readonly settings: ShadowSettings
  private readonly onEnd: (line: ShadowLine) => void
  private readonly link: LoadLink
  private readonly waiting = new Waiting<Mirrored>()
  private now = 0

  constructor(
    form: WireFormat,
    settings: ShadowSettings,
    onEnd: (line: ShadowLine) => void,
    onDown: (why: string) => void = () => undefined
  ) {
    let lastWhy = ""

    this.form = form
    this.settings = settings
    this.onEnd = onEnd
    this.link = new LoadLink(settings, form.frame, {
      up: () => {
        lastWhy = ""
      },
      down: (why) => {
        // It is dialled again and again: a reason is told once.
        if (why !== lastWhy) onDown(why)
        lastWhy = why
      },
      message: (buffer, start, end) => this.shadowAnswer(Buffer.from(buffer.subarray(start, end)))
    })
  }

  /** A message went towards the first host, or came from it. */
  saw(direction: "toTarget" | "fromTarget", bytes: Buffer): void {
    const index = this.read(bytes)
    if (index === undefined) return
    if (direction === "toTarget" && !isResponse(index.mti)) this.mirror(bytes, index)
    if (direction === "fromTarget" && isResponse(index.mti)) {
      const one = this.waiting.find(pairKey(this.form.codec, index), ({ live }) => live === undefined)
      if (one === undefined) return
      one.live = { bytes: Buffer.from(bytes), ms: this.now - one.at }
      this.settle(one)
    }
  }

  tick(now: number): void {
    this.now = now
    this.link.tick(now)
    for (const one of this.waiting.values()) {
      if (now - one.at < this.settings.timeoutMs) break
      this.waiting.remove(one)
      this.end(one)
    }
    this.link.flush()
  }

  close(): void {
    for (const one of this.waiting.values()) this.end(one)
    this.link.close()
  }

  private read(bytes: Buffer): MessageIndex | undefined {
    const index = new MessageIndex()
    return this.form.codec.index(bytes, 0, bytes.length, index) === undefined ? index : undefined
  }

  private mirror(bytes: Buffer, index: MessageIndex): void {
    const { layout } = this.form.codec
    const { rrn, stan } = layout.roles
    const facts = {
      mti: mtiText(index.mti),
      stan: shownField(layout, index, stan),
      rrn: shownField(layout, index, rrn)
    }
    if (!this.link.isReady || this.waiting.size >= WAITING_MAX) {
      return this.onEnd({ ...facts, outcome: "notMirrored", differences: [], liveMs: -1, shadowMs: -1 })
    }
    const frame = wholeFrame(this.form.frame, bytes)
    const { at, out } = this.link.room(frame.length)
    frame.copy(out, at)
    this.link.wrote(frame.length)
    const key = pairKey(this.form.codec, index)
    this.waiting.add({ key, facts, at: this.now, live: undefined, shadow: undefined })
  }

  private shadowAnswer(bytes: Buffer): void {
    const index = this.read(bytes)
    if (index === undefined || !isResponse(index.mti)) return
    const one = this.waiting.find(pairKey(this.form.codec, index), ({ shadow }) => shadow === undefined)
    if (one === undefined) return
    one.shadow = { bytes, ms: this.now - one.at }
    this.settle(one)
  }

  private settle(one: Mirrored): void {
    if (one.live === undefined || one.shadow === undefined) return
    this.waiting.remove(one)
    this.end(one)
  }

  private end({ facts, live, shadow }: Mirrored): void {
    const times = { liveMs: live?.ms ?? -1, shadowMs: shadow?.ms ?? -1 }
    if (live === undefined || shadow === undefined) {
      const outcome = live !== undefined ? "liveOnly" : shadow !== undefined ? "shadowOnly" : "neither"
      return this.onEnd({ ...facts, ...times, outcome, differences: [] })
    }
    const differences = compareAnswers(this.form.codec, live.bytes, shadow.bytes, this.settings.tolerance)
    this.onEnd({ ...facts, ...times, outcome: differences.length === 0 ? "same" : "differs", differences })
  }
}
