/** A small acquirer of the examples: it dials the switch, asks one request at a time and prints the answer. */
import { connect, type Socket } from "node:net"
import type { Message } from "@jinka/codec"
import { Console, Effect, type Scope } from "effect"
import { approvalOf, onMessages, purchase, send } from "./Wire.ts"

/** Its connection. */
export class Acquirer {
  private readonly socket: Socket
  private stan = 0
  private answered: ((answer: Message) => void) | undefined

  private constructor(socket: Socket) {
    this.socket = socket
    onMessages(socket, (message) => {
      if (message.mti === "0820") send(socket, approvalOf(message))
      else this.answered?.(message)
    })
  }

  /** Dials the switch; closed with the scope. */
  static dial = (port: number): Effect.Effect<Acquirer, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.callback<Acquirer>((resume) => {
        const socket = connect(port, "127.0.0.1", () => resume(Effect.succeed(new Acquirer(socket))))
      }),
      ({ socket }) => Effect.sync(() => socket.destroy())
    )

  /** Sends a purchase and prints what became of it; gives DE 39. */
  readonly buy: Effect.Effect<string> = Effect.callback<Message>((resume) => {
    this.answered = (answer) => resume(Effect.succeed(answer))
    send(this.socket, purchase(++this.stan))
  }).pipe(
    Effect.map((answer) => String(answer.fields[39])),
    Effect.tap((code) => Console.log(`acquirer: purchase ${this.stan} answered ${code}`))
  )
}
