/**
 * The first message of a connection, read before anybody owns the connection: a door asks it who the partner is.
 *
 * What was read is handed on in front of what still comes, so the link sees every byte once and in order. What is kept is
 * bounded: one frame of the link's limit, and `IDLE_BYTES_MAX` bytes of idle frames before it.
 */
import { type Codec, type FrameFormat, Framer, type FrameSink, MessageIndex } from "@jinka/codec"
import { Data, Effect } from "effect"
import type { PartnerIdentity } from "../../transport/Tls.ts"
import type { Connection, ConnectionEnded } from "../../transport/Transport.ts"

/** Bytes of idle frames that may come before the first message. */
const IDLE_BYTES_MAX = 1024

/** There is no first message to tell a partner by. */
export class FirstMessageWrong extends Data.TaggedError("FirstMessageWrong")<{
  readonly reason: "FirstMessageUnreadable" | "FirstMessageMissing"
  /** What was seen; no field values. */
  readonly why: string
}> {}

/** A connection and what was read of it already. */
export interface Opened {
  /** To be used instead of the connection that was given in: it begins with the bytes that were read. */
  readonly connection: Connection
  readonly index: MessageIndex
}

/** Most bytes that are read for one message. */
const bytesMax = (frame: FrameFormat): number =>
  (frame.kind === "fixed" ? frame.bytes : frame.lengthMax) + 64 + IDLE_BYTES_MAX

/** Reads until there is one whole message. Who calls it sets the deadline, and closes the connection when it fails. */
export const readFirstMessage = (
  connection: Connection,
  frame: FrameFormat,
  codec: Codec
): Effect.Effect<Opened, FirstMessageWrong | ConnectionEnded> =>
  Effect.suspend(() => {
    const framer = new Framer(frame)
    const index = new MessageIndex()
    const chunks: Array<Buffer> = []
    let bytes = 0
    let found: Opened | FirstMessageWrong | undefined
    const sink: FrameSink = {
      frame: (buffer, start, end) => {
        if (found !== undefined) return
        const wrong = codec.index(buffer, start, end, index)
        if (wrong === undefined) found = { connection: new Resumed(connection, chunks), index }
        else found = unreadable(`its first message cannot be read: ${wrong._tag}`)
      },
      idle: () => {}
    }
    return connection.pull.pipe(
      Effect.flatMap((pulled): Effect.Effect<Opened | undefined, FirstMessageWrong> => {
        for (const chunk of pulled) {
          chunks.push(chunk)
          bytes += chunk.length
          const wrong = found === undefined ? framer.push(chunk, sink) : undefined
          if (wrong !== undefined) found = unreadable(`its first bytes are no frame: ${wrong._tag}`)
        }
        if (found === undefined && bytes > bytesMax(frame)) found = unreadable(`${bytes} bytes came without a message`)
        return found instanceof FirstMessageWrong ? Effect.fail(found) : Effect.succeed(found)
      }),
      Effect.repeat({ until: (opened) => opened !== undefined }),
      Effect.map((opened) => opened!)
    )
  })

const unreadable = (why: string): FirstMessageWrong => new FirstMessageWrong({ reason: "FirstMessageUnreadable", why })

/** A connection whose first chunks were read by somebody else. */
class Resumed implements Connection {
  readonly local: string
  readonly remote: string
  readonly identity: PartnerIdentity | undefined
  readonly pull: Connection["pull"]
  readonly finish?: () => void
  readonly probe: Connection["probe"]
  private readonly connection: Connection
  private first: ReadonlyArray<Buffer> | undefined

  constructor(connection: Connection, first: ReadonlyArray<Buffer>) {
    this.connection = connection
    this.local = connection.local
    this.remote = connection.remote
    this.identity = connection.identity
    this.first = first
    if (connection.finish !== undefined) this.finish = () => connection.finish!()
    this.probe = connection.probe
    this.pull = Effect.suspend(() => {
      const chunks = this.first
      this.first = undefined
      return chunks === undefined ? connection.pull : Effect.succeed(chunks)
    })
  }

  write(bytes: Buffer): Effect.Effect<void, ConnectionEnded> {
    return this.connection.write(bytes)
  }

  unsent(): number {
    return this.connection.unsent()
  }

  close(how: "fin" | "reset"): void {
    this.connection.close(how)
  }
}
