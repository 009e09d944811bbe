/**
 * A line between the switch and the host that can be pulled out and put in again. What was sent meanwhile is not lost: a cable
 * that is out for a moment takes nothing from a TCP connection, which repeats until somebody gives up.
 */
import { connect, createServer, type Socket } from "node:net"
import { Effect, type Scope } from "effect"

/** The line. */
export class Cable {
  private isOut = false
  private readonly pairs = new Set<readonly [Socket, Socket]>()
  private readonly port: number
  private readonly listener = createServer({ allowHalfOpen: true }, (socket) => this.join(socket))

  private constructor(port: number) {
    this.port = port
  }

  /** Takes connections at `from` and dials `to` for each; closed with the scope. */
  static between = (from: number, to: number): Effect.Effect<Cable, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.callback<Cable>((resume) => {
        const cable = new Cable(to)
        cable.listener.listen(from, "127.0.0.1", () => resume(Effect.succeed(cable)))
      }),
      (cable) => Effect.sync(() => cable.close())
    )

  /** Nothing passes in either direction, and nobody is told. */
  pullOut(): void {
    this.isOut = true
    for (const pair of this.pairs) for (const socket of pair) socket.pause()
  }

  /** Everything passes again. */
  putIn(): void {
    this.isOut = false
    for (const pair of this.pairs) for (const socket of pair) socket.resume()
  }

  private join(near: Socket): void {
    const far = connect({ port: this.port, host: "127.0.0.1", allowHalfOpen: true })
    const pair = [near, far] as const
    this.pairs.add(pair)
    for (const [one, other] of [pair, [far, near] as const]) {
      one.on("data", (chunk) => other.write(chunk))
      one.on("end", () => other.end())
      one.on("error", () => other.destroy())
      one.on("close", () => {
        this.pairs.delete(pair)
        if (!this.isOut) other.destroy()
      })
      if (this.isOut) one.pause()
    }
  }

  private close(): void {
    this.listener.close()
    for (const pair of this.pairs) for (const socket of pair) socket.destroy()
  }
}
