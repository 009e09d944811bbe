/** A TCP proxy on this machine that resets or swallows on command: the network between a switch and PostgreSQL, to break. */
import { connect, createServer, type Server, type Socket } from "node:net"

/** See the header. */
export class Breakable {
  private readonly pairs = new Set<readonly [Socket, Socket]>()
  private readonly proxy: Server
  private isHole = false

  private constructor(target: number) {
    this.proxy = createServer((near) => {
      const far = connect({ host: "127.0.0.1", port: target })
      const pair = [near, far] as const
      this.pairs.add(pair)
      const pass = (from: Socket, to: Socket) => {
        from.setNoDelay(true)
        from.on("data", (bytes) => {
          if (!this.isHole) to.write(bytes)
        })
        from.on("error", () => undefined)
        from.on("close", () => {
          this.pairs.delete(pair)
          if (!this.isHole) to.destroy()
        })
      }
      pass(near, far)
      pass(far, near)
    })
  }

  /** Begins one in front of a port. */
  static begin(target: number): Promise<Breakable> {
    const made = new Breakable(target)
    return new Promise((resolve) => made.proxy.listen(0, "127.0.0.1", () => resolve(made)))
  }

  get port(): number {
    const address = this.proxy.address()
    return typeof address === "object" && address !== null ? address.port : 0
  }

  /** Resets every connection. */
  cut(): void {
    for (const sockets of this.pairs) for (const socket of sockets) socket.resetAndDestroy()
  }

  /** Swallows everything from now on, without a word to either side; new connections hang as well. */
  hole(isHole: boolean): void {
    this.isHole = isHole
  }

  close(): void {
    this.cut()
    this.proxy.close()
  }
}
