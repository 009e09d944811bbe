/**
 * HTTP over the simulated network, where `transport/NodeHttp.ts` is HTTP over sockets: the switch's own HTTP doors run on it.
 *
 * What it owes the switch is what `HttpCall` promises: whole bodies, answers in the order of their requests (pipelining), the
 * last answer before a close said as such, waits with an end, and `told` with whether the kernel has taken the whole answer. A
 * caller that has sent FIN or RST is gone. It has no chunked bodies, and no limits of headers: the tests of real sockets look at
 * those.
 */
import { Clock, Effect } from "effect"
import type { HttpAnswer, HttpCall, HttpLimits } from "../../../packages/switch/src/transport/Http.ts"
import { monotonicMs } from "../../../packages/switch/src/transport/Monotonic.ts"
import type { Connection, Transport } from "../../../packages/switch/src/transport/Transport.ts"
import { type HttpMessage, HttpReader, httpText } from "./HttpText.ts"

type Listen = Transport["Service"]["listen"]
type ListenHttp = NonNullable<Transport["Service"]["listenHttp"]>

/** What became of the answer to a request, as the world sees it. */
export type Answered = (request: Buffer, status: number, isHanded: boolean) => void

/** How often overdue callers are looked for, milliseconds; as on real sockets. */
const LOOK_EVERY_MS = 250

/** HTTP for a transport. */
export const httpOver =
  (listen: Listen, answered: Answered): ListenHttp =>
  (at, take, limits) =>
    Effect.gen(function* () {
      const run = Effect.runForkWith(yield* Effect.context<never>())
      const clock = yield* Clock.Clock
      const callers = new Set<Caller>()
      yield* Effect.addFinalizer(() => Effect.sync(() => callers.forEach((caller) => caller.end())))
      const look = Effect.sync(() => callers.forEach((caller) => caller.look()))
      yield* look.pipe(Effect.andThen(Effect.sleep(LOOK_EVERY_MS)), Effect.forever, Effect.forkScoped)
      const field = { take, limits, answered, now: () => monotonicMs(clock) }
      return yield* listen(at, (connection) => {
        const caller = new Caller(connection, field, (effect) => void run(effect))
        callers.add(caller)
        run(
          Effect.ensuring(
            caller.life,
            Effect.sync(() => callers.delete(caller))
          )
        )
      })
    })

interface Field {
  readonly take: (call: HttpCall) => void
  readonly limits: HttpLimits
  readonly answered: Answered
  readonly now: () => number
}

/** A request that waits for its answer, or for the answers before its own. */
interface Waiting {
  readonly request: HttpMessage
  answer: { readonly status: number; readonly bytes: Buffer; readonly told: (isHanded: boolean) => void } | undefined
}

/** One connection of a caller. */
class Caller {
  /** Reads requests until the caller is gone. */
  readonly life: Effect.Effect<void>
  private readonly connection: Connection
  private readonly field: Field
  private readonly fork: (effect: Effect.Effect<void>) => void
  private readonly reader = new HttpReader()
  private readonly waiting: Array<Waiting> = []
  private due: number
  private isWriting = false
  private isGone = false

  constructor(connection: Connection, field: Field, fork: Caller["fork"]) {
    this.connection = connection
    this.field = field
    this.fork = fork
    this.due = field.now() + field.limits.requestMs
    this.life = Effect.forever(
      Effect.map(connection.pull, (chunks) => {
        for (const chunk of chunks) for (const request of this.reader.read(chunk)) this.begin(request)
      })
    ).pipe(
      Effect.ignore,
      Effect.map(() => this.left())
    )
  }

  /** Its next request is overdue. */
  look(): void {
    if (this.field.now() >= this.due) this.connection.close("reset")
  }

  /** The listener is closed. */
  end(): void {
    this.connection.close("fin")
  }

  private begin(request: HttpMessage): void {
    const waiting: Waiting = { request, answer: undefined }
    this.waiting.push(waiting)
    this.due = Number.POSITIVE_INFINITY
    this.field.take({
      path: request.first.split(" ")[1]!,
      type: request.headers.get("content-type") ?? "",
      body: request.body,
      local: this.connection.local,
      remote: this.connection.remote,
      identity: undefined,
      answer: (answer, told = () => undefined) => this.answer(waiting, answer, told),
      hasClosed: () => false,
      abort: () => this.connection.close("reset")
    })
  }

  private answer(waiting: Waiting, { body, status, type, retryAfter }: HttpAnswer, told: (is: boolean) => void): void {
    if (waiting.answer !== undefined) return
    const isLast = isLastOf(waiting.request)
    const headers = {
      "content-type": type,
      ...(isLast ? { connection: "close" } : {}),
      ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) })
    }
    waiting.answer = { status, bytes: httpText(`HTTP/1.1 ${status} -`, headers, Buffer.from(body)), told }
    if (this.isGone) this.tell(waiting, false)
    else this.writeNext()
  }

  private writeNext(): void {
    const [next] = this.waiting
    if (this.isWriting || this.isGone || next?.answer === undefined) return
    this.isWriting = true
    this.fork(
      Effect.match(this.connection.write(next.answer.bytes), {
        onSuccess: () => this.written(next, true),
        onFailure: () => this.written(next, false)
      })
    )
  }

  private written(waiting: Waiting, isHanded: boolean): void {
    this.isWriting = false
    this.waiting.shift()
    if (this.waiting.length === 0) this.due = this.field.now() + this.field.limits.idleMs
    this.tell(waiting, isHanded)
    if (isLastOf(waiting.request)) this.connection.close("fin")
    else this.writeNext()
  }

  /** FIN, RST, or an end of ours: whatever is not written is heard by nobody. */
  private left(): void {
    this.isGone = true
    this.due = Number.POSITIVE_INFINITY
    for (const waiting of this.waiting.slice(this.isWriting ? 1 : 0)) {
      if (waiting.answer !== undefined) this.tell(waiting, false)
    }
    this.connection.close("fin")
  }

  private tell({ answer, request }: Waiting, isHanded: boolean): void {
    this.field.answered(request.body, answer!.status, isHanded)
    answer!.told(isHanded)
  }
}

const isLastOf = ({ headers }: HttpMessage): boolean => headers.get("connection") === "close"
