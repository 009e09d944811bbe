/**
 * One HTTP call as a short connection: its body is what the partner sent, FIN behind it, and what is written becomes the answer.
 *
 * So a link of mode sync-short with the frame until-close serves it like any other connection (docs/concepts/doors.md).
 */
import type { Codec } from "@jinka/codec"
import { Effect } from "effect"
import { type HttpCall, problem } from "../../transport/Http.ts"
import type { PartnerIdentity } from "../../transport/Tls.ts"
import { type Connection, ConnectionEnded } from "../../transport/Transport.ts"
import { answerOf } from "./HttpBody.ts"

/** Seconds after which a caller that was turned away may ask again. */
const RETRY_AFTER = 1

const closed = new ConnectionEnded({ how: "fin", cause: "the caller closed the connection before its answer" })

const gone = new ConnectionEnded({ how: "reset", cause: "the caller has gone" })

const heard = new ConnectionEnded({ how: "fin", cause: "the whole call was read" })

/** See the module header. */
export class HttpConnection implements Connection {
  readonly local: string
  readonly remote: string
  readonly identity: PartnerIdentity | undefined
  readonly pull: Connection["pull"]
  private readonly call: HttpCall
  private readonly codec: Codec
  private isRead = false
  private isAnswered = false
  private isOver = false
  private left = 0

  constructor(call: HttpCall, message: Buffer, codec: Codec) {
    this.call = call
    this.codec = codec
    this.local = call.local
    this.remote = call.remote
    this.identity = call.identity
    this.pull = Effect.suspend(() => {
      if (this.isOver) return Effect.fail(new ConnectionEnded({ how: "local", cause: "closed by this side" }))
      if (this.isRead) return Effect.fail(heard)
      this.isRead = true
      return Effect.succeed([message])
    })
  }

  /** The first write is the answer, whole: a frame is never cut, and a call has one. */
  write(bytes: Buffer): Effect.Effect<void, ConnectionEnded> {
    return Effect.callback((resume) => {
      const failed = Effect.suspend(() => Effect.fail(this.call.hasClosed() ? closed : gone))
      if (this.isOver || this.isAnswered) return resume(failed)
      this.isAnswered = true
      this.left = bytes.length
      const answer = answerOf(this.call.type, bytes, this.codec)
      this.call.answer(answer, (isHanded) => {
        // An answer that could not be said in the caller's form was not heard either.
        const isHeard = isHanded && answer.status === 200
        if (isHeard) this.left = 0
        resume(isHeard ? Effect.void : failed)
      })
    })
  }

  unsent(): number {
    return this.left
  }

  /** Nothing more is written. */
  finish(): void {
    this.end()
  }

  close(): void {
    this.end()
  }

  private end(): void {
    if (this.isOver) return
    this.isOver = true
    if (this.isAnswered) {
      // A caller that does not read its answer is given up.
      if (this.left > 0) this.call.abort()
      return
    }
    const says =
      "There is no answer. The outcome is unknown, or an earlier call with this message is still open: repeat it as a repeat, or reverse it."
    this.call.answer(
      this.isRead
        ? problem(504, "NoAnswer", says)
        : problem(503, "Busy", "The link takes no more calls now.", RETRY_AFTER)
    )
  }
}
