/**
 * One HTTP call as a short connection: its body is what the partner sent, FIN behind it, and what is written becomes the answer.
 *
 * So a link of mode sync-short with the frame until-close serves it like any other connection (docs/concepts/links.md).
 */
import type { Codec } from "@jinka/codec"
import { Effect } from "effect"
import { type HttpCall, problem } from "../../transport/Http.ts"
import type { PartnerIdentity } from "../../transport/Tls.ts"
import { type Connection, ConnectionEnded } from "../../transport/Transport.ts"
import { answerOf } from "./HttpBody.ts"

/** Seconds after which a caller that was turned away may ask again. */
const RETRY_AFTER = 1

const heard = new ConnectionEnded({ how: "fin", cause: "the whole call was read" })

/** See the module header. */
export class HttpConnection implements Connection {
  readonly local: string
  readonly remote: string
  readonly identity: PartnerIdentity | undefined
  readonly pull: Connection["pull"]
  private readonly call: HttpCall
  private readonly codec: Codec
  private readonly written: Array<Buffer> = []
  private isRead = false
  private isOver = false

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

  write(bytes: Buffer): Effect.Effect<void, ConnectionEnded> {
    return Effect.suspend(() => {
      if (this.isOver || !this.call.isOpen()) {
        return Effect.fail(new ConnectionEnded({ how: "reset", cause: "the caller has gone" }))
      }
      this.written.push(Buffer.from(bytes))
      return Effect.void
    })
  }

  unsent(): number {
    return 0
  }

  /** Nothing more is written: the answer leaves. */
  finish(): void {
    this.end()
  }

  close(): void {
    this.end()
  }

  private end(): void {
    if (this.isOver) return
    this.isOver = true
    this.call.answer(
      this.written.length > 0
        ? answerOf(this.call.type, Buffer.concat(this.written), this.codec)
        : this.isRead
          ? problem(
              504,
              "NoAnswer",
              "No answer came in time. The outcome is unknown: repeat it as a repeat, or reverse it."
            )
          : problem(503, "Busy", "The link takes no more calls now.", RETRY_AFTER)
    )
  }
}
