/**
 * An institution with two sockets, as the CUPS centre is often joined to one: on the one that the switch dials it only receives,
 * on the one that it dials itself it only sends. When either ends it closes both and makes its own anew.
 */
import { connect, createServer, type Socket } from "node:net"
import { Effect, type Scope } from "effect"
import { approvalOf, onMessages, send } from "../shared/Wire.ts"

/** How long it waits before it dials again, in milliseconds. */
const PAUSE_MS = 200

/** Its two sockets. */
export class SimplexPartner {
  private receiving: Socket | undefined
  private sending: Socket | undefined
  private isAway = false
  private readonly sendPort: number
  private readonly listener = createServer((socket) => this.accepted(socket))

  private constructor(sendPort: number) {
    this.sendPort = sendPort
  }

  /** Takes the switch's connection at `receivePort` and dials the switch at `sendPort`; closed with the scope. */
  static start = (receivePort: number, sendPort: number): Effect.Effect<SimplexPartner, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const partner = new SimplexPartner(sendPort)
        partner.listener.listen(receivePort, "127.0.0.1")
        partner.dial()
        return partner
      }),
      (partner) => Effect.sync(() => partner.close())
    )

  /** Breaks the socket that it receives on, the switch's sending leg, and stays away until `comeBack`: time to look. */
  breakReceiving(): void {
    this.isAway = true
    this.receiving?.resetAndDestroy()
  }

  /** Dials again. */
  comeBack(): void {
    this.isAway = false
    this.dial()
  }

  private accepted(socket: Socket): void {
    this.receiving = socket
    onMessages(socket, (message) => {
      if (this.sending !== undefined) send(this.sending, approvalOf(message))
    })
    this.fallsWith(socket)
  }

  private dial(): void {
    if (this.isAway || this.sending !== undefined) return
    this.sending = connect(this.sendPort, "127.0.0.1")
    this.fallsWith(this.sending)
  }

  /** The group rule: when one socket ends, the other is closed too. */
  private fallsWith(socket: Socket): void {
    socket.on("error", () => undefined)
    socket.on("end", () => socket.destroy())
    socket.on("close", () => {
      if (socket !== this.receiving && socket !== this.sending) return
      this.receiving?.destroy()
      this.sending?.destroy()
      this.receiving = this.sending = undefined
      setTimeout(() => this.dial(), PAUSE_MS)
    })
  }

  private close(): void {
    this.isAway = true
    this.listener.close()
    this.receiving?.destroy()
    this.sending?.destroy()
  }
}
