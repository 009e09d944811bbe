/**
 * One partner during a dialogue: what came and was not looked at yet, and waiting for more with a deadline.
 *
 * Owns the partner's inbox. Knows no expectations about the contents of messages.
 */
import { explainFrame, idleFrame } from "@jinka/codec"
import { Effect } from "effect"
import { framed } from "./Build.ts"
import type { Corruption, Partner } from "./Dialogue.ts"
import { type Observed, told } from "./Observed.ts"
import type { Line, Mark } from "./Transcript.ts"
import { type Happening, Wire } from "./Wire.ts"
import type { WireFormat } from "./WireFormat.ts"

/** Why a step failed, in sentences; `mark` points at the message and the places. */
export interface StepFailed {
  readonly _tag: "StepFailed"
  readonly says: ReadonlyArray<string>
  readonly mark: Mark | undefined
}

/** A failed step. */
export const stepFailed = (says: string | ReadonlyArray<string>, mark?: Mark): StepFailed => ({
  _tag: "StepFailed",
  says: typeof says === "string" ? [says] : says,
  mark
})

/** Monotonic times between which something has to come. */
export interface Bounds {
  readonly from: number
  readonly to: number
}

type Garbage = Happening & { readonly _tag: "garbage" }
type Ended = Happening & { readonly _tag: "ended" }
type Idle = Happening & { readonly _tag: "idle" }
type News = { readonly _tag: "message"; readonly at: number; readonly message: Observed } | Garbage | Ended

/** A message that leaves as it was built, at once. */
export const uncorrupted: Corruption = {
  damage: {},
  bitsOn: [],
  append: "",
  length: undefined,
  cutAt: undefined,
  splitAt: [],
  pauseMs: 0,
  slowlyMs: undefined
}

/** A partner at work. */
export class Stage {
  readonly name: string
  readonly wire: Wire
  readonly form: WireFormat
  private readonly now: () => number
  private readonly lines: Array<Line>
  private readonly answer: (message: Observed) => Buffer | undefined
  private news: Array<News> = []
  private readonly idles: Array<Idle> = []
  private waiting: (() => void) | undefined
  private isWriting = false
  private readonly asides: Array<Buffer> = []

  /** `answer` gives the answer to messages that the partner answers by itself. */
  constructor(
    name: string,
    { form, tls }: Pick<Partner, "form" | "tls">,
    now: () => number,
    lines: Array<Line>,
    answer: (message: Observed) => Buffer | undefined
  ) {
    this.name = name
    this.form = form
    this.now = now
    this.lines = lines
    this.answer = answer
    this.wire = new Wire(form, tls, now, (happening) => this.happened(happening))
  }

  /** The first thing that came and that no step has looked at; an end alone is nothing to complain about. */
  unread(): StepFailed | undefined {
    const first = this.news.find(({ _tag }) => _tag !== "ended")
    return first === undefined ? undefined : this.unexpected(first)
  }

  /** Before a new connection: everything of the old one has to have been looked at. */
  renewed(): Effect.Effect<void, StepFailed> {
    return Effect.suspend(() => {
      const unread = this.unread()
      if (unread !== undefined) return Effect.fail(unread)
      this.news = []
      this.idles.length = 0
      return Effect.void
    })
  }

  /** Writes the pieces of a frame with the pauses between them. */
  write(pieces: ReadonlyArray<Buffer>, { pauseMs, slowlyMs }: Corruption): Effect.Effect<void, StepFailed> {
    if (!this.wire.isOpen) return Effect.fail(stepFailed(`${this.name} has no connection to send on`))
    this.isWriting = true
    return Effect.forEach(
      pieces,
      (piece, place) => {
        const written = Effect.sync(() => this.wire.write(piece))
        return place === 0 ? written : Effect.andThen(Effect.sleep(slowlyMs ?? pauseMs), written)
      },
      { discard: true }
    ).pipe(Effect.ensuring(Effect.sync(() => this.written())))
  }

  /** What was to be said aside while a message was on its way in pieces is said now. */
  private written(): void {
    this.isWriting = false
    for (const bytes of this.asides.splice(0)) this.aside(bytes)
  }

  /** Sends an idle frame. */
  sendIdle(): Effect.Effect<void, StepFailed> {
    const frame = idleFrame(this.form.frame)
    if (frame === undefined) return Effect.fail(stepFailed("the frame of this dialect has no idle frame"))
    if (!this.wire.isOpen) return Effect.fail(stepFailed(`${this.name} has no connection to send on`))
    return Effect.sync(() => {
      this.lines.push({ _tag: "sentBytes", at: this.now(), partner: this.name, wire: frame })
      this.wire.write(frame)
    })
  }

  /** The next message. */
  message(bounds: Bounds): Effect.Effect<Observed, StepFailed> {
    return this.next(bounds, "a message").pipe(
      Effect.flatMap((news) =>
        news._tag === "message" ? Effect.succeed(news.message) : Effect.fail(this.unexpected(news))
      )
    )
  }

  /** The end of the connection. */
  closed(how: "FIN" | "RST" | "any", bounds: Bounds): Effect.Effect<void, StepFailed> {
    return this.next(bounds, "the end of the connection").pipe(
      Effect.flatMap((news) => {
        if (news._tag !== "ended") return Effect.fail(this.unexpected(news))
        if (how === "any" || how === news.how) return Effect.void
        return Effect.fail(stepFailed(`the connection was to be closed by ${how}, and was by ${news.how}`))
      })
    )
  }

  /** An idle frame, sent since the last one that was looked at. */
  idle(bounds: Bounds): Effect.Effect<void, StepFailed> {
    return this.until(bounds, () => this.idles.length > 0, "an idle frame").pipe(
      Effect.flatMap(() => this.inTime(this.idles.shift()!.at, bounds, "the idle frame"))
    )
  }

  /** No message and no end for a time. Idle frames are nothing. */
  nothing(forMs: number): Effect.Effect<void, StepFailed> {
    const to = this.now() + forMs
    return this.wait(to, () => this.news.length > 0).pipe(
      Effect.flatMap((came) => (came ? Effect.fail(this.unexpected(this.news.shift()!)) : Effect.void))
    )
  }

  private next(bounds: Bounds, what: string): Effect.Effect<News, StepFailed> {
    return this.until(bounds, () => this.news.length > 0, what).pipe(
      Effect.flatMap(() => {
        const news = this.news.shift()!
        return Effect.as(this.inTime(news.at, bounds, what, news), news)
      })
    )
  }

  private inTime(at: number, bounds: Bounds, what: string, news?: News): Effect.Effect<void, StepFailed> {
    const mark: Mark | undefined =
      news?._tag === "message" ? { message: news.message, ids: [], beside: undefined } : undefined
    if (at < bounds.from) {
      return Effect.fail(stepFailed(`${what} came ${(bounds.from - at).toFixed(0)} ms too early`, mark))
    }
    if (at > bounds.to) return Effect.fail(stepFailed(`${what} came ${(at - bounds.to).toFixed(0)} ms too late`, mark))
    return Effect.void
  }

  private until(bounds: Bounds, isThere: () => boolean, what: string): Effect.Effect<void, StepFailed> {
    const waited = Math.max(0, bounds.to - this.now()).toFixed(0)
    return this.wait(bounds.to, isThere).pipe(
      Effect.flatMap((came) => {
        if (came) return Effect.void
        const reason = this.wire.isOpen ? "" : " (there is no connection)"
        return Effect.fail(stepFailed(`${what} was expected, and did not come in ${waited} ms${reason}`))
      })
    )
  }

  /** Waits for something until a monotonic time; whether it came. */
  private wait(to: number, isThere: () => boolean): Effect.Effect<boolean> {
    return Effect.callback<boolean>((resume) => {
      if (isThere()) return resume(Effect.succeed(true))
      this.waiting = () => {
        if (isThere()) resume(Effect.succeed(true))
      }
      return Effect.sync(() => {
        this.waiting = undefined
      })
    }).pipe(
      Effect.timeoutOrElse({ duration: Math.max(1, to - this.now()), orElse: () => Effect.sync(isThere) }),
      Effect.ensuring(
        Effect.sync(() => {
          this.waiting = undefined
        })
      )
    )
  }

  private unexpected(news: News): StepFailed {
    if (news._tag === "ended") {
      return stepFailed(`the connection was closed (${news.how}) and that was not expected`)
    }
    if (news._tag === "garbage") return stepFailed(`bytes came that are no frame: ${explainFrame(news.error)}`)
    return stepFailed("a message came that was not expected", { message: news.message, ids: [], beside: undefined })
  }

  private happened(happening: Happening): void {
    const { at } = happening
    if (happening._tag === "message") {
      const message = told(this.form, happening.bytes, at)
      this.lines.push({ _tag: "received", at, partner: this.name, message })
      const answer = this.answer(message)
      if (answer !== undefined) return this.aside(answer)
      this.news.push({ _tag: "message", at, message })
    } else {
      this.lines.push({ _tag: "happened", at, partner: this.name, happening })
      // The far side may take its time to close the old connection: its end says nothing about the new one.
      if (happening._tag === "opened") this.news = this.news.filter(({ _tag }) => _tag !== "ended")
      if (happening._tag === "idle") this.idles.push(happening)
      if (happening._tag === "garbage" || (happening._tag === "ended" && happening.how !== "local")) {
        this.news.push(happening)
      }
    }
    this.waiting?.()
  }

  /** An answer that no step speaks of; never in the middle of a message. */
  private aside(bytes: Buffer): void {
    if (this.isWriting) {
      this.asides.push(bytes)
      return
    }
    const at = this.now()
    const wire = framed(this.form, bytes, uncorrupted)
    this.lines.push({ _tag: "sent", at, partner: this.name, message: told(this.form, bytes, at), wire })
    this.wire.write(wire)
  }
}
