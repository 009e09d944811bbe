/** An institution with several hosts: it takes the switch's connection on each of its ports and approves everything. */
import { createServer, type Server, type Socket } from "node:net"
import { Console, Effect, type Scope } from "effect"
import { approvalOf, onMessages, send } from "../shared/Wire.ts"

/** One of its hosts. */
class Host {
  private socket: Socket | undefined
  private listening: Server | undefined
  private readonly name: string
  private readonly port: number
  private readonly told: (text: string) => void

  constructor(name: string, port: number, told: (text: string) => void) {
    this.name = name
    this.port = port
    this.told = told
  }

  start(): void {
    this.listening = createServer((socket) => {
      this.socket = socket
      socket.on("error", () => undefined)
      onMessages(socket, (message) => {
        if (message.mti !== "0820") this.told(`${this.name}: ${message.mti} STAN ${String(message.fields[11])}`)
        send(socket, approvalOf(message))
      })
    }).listen(this.port, "127.0.0.1")
  }

  /** Gone, with its connection. */
  stop(): void {
    this.listening?.close()
    this.listening = undefined
    this.socket?.resetAndDestroy()
  }
}

/** All hosts of it. */
export class Issuer {
  private readonly hosts: ReadonlyMap<string, Host>

  private constructor(ports: Readonly<Record<string, number>>, told: (text: string) => void) {
    this.hosts = new Map(Object.entries(ports).map(([name, port]) => [name, new Host(name, port, told)]))
  }

  /** Starts all hosts, by name and port; stopped with the scope. */
  static start = (ports: Readonly<Record<string, number>>): Effect.Effect<Issuer, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.gen(function* () {
        const run = Effect.runForkWith(yield* Effect.context<never>())
        const issuer = new Issuer(ports, (text) => void run(Console.log(text)))
        for (const host of issuer.hosts.values()) host.start()
        return issuer
      }),
      ({ hosts }) =>
        Effect.sync(() => {
          for (const host of hosts.values()) host.stop()
        })
    )

  /** Kills one host. */
  kill(name: string): void {
    this.hosts.get(name)!.stop()
  }

  /** Brings it back. */
  revive(name: string): void {
    this.hosts.get(name)!.start()
  }
}
