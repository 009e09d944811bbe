/** An institution of this example: it connects with or without a certificate, and asks one purchase at a time. */
import { readFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import type { Message } from "@jinka/codec"
import { Console, Effect, type Scope } from "effect"
import { approvalOf, onMessages, purchase, send } from "../shared/Wire.ts"
import type { Issued } from "./Authority.ts"

/** A certificate, and the authority that the switch's own has to come from. */
export interface Papers {
  readonly issued: Issued
  readonly ca: string
}

/** One institution's connection. */
export class Bank {
  private readonly name: string
  private readonly institution: string
  private readonly socket: Socket
  private answered: ((answer: Message | "closed") => void) | undefined
  private isClosed = false

  private constructor(name: string, institution: string, socket: Socket) {
    this.name = name
    this.institution = institution
    this.socket = socket
    onMessages(socket, (message) => {
      if (message.mti === "0820") send(socket, approvalOf(message))
      else this.answered?.(message)
    })
    socket.once("close", () => {
      this.isClosed = true
      this.answered?.("closed")
    })
  }

  /** Connects; closed with the scope. */
  static connect = (
    name: string,
    institution: string,
    port: number,
    papers?: Papers
  ): Effect.Effect<Bank, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.callback<Bank>((resume) => {
        const at = { host: "127.0.0.1", port }
        const socket =
          papers === undefined
            ? connect(at)
            : connectTls({
                ...at,
                cert: readFileSync(papers.issued.certificate),
                key: readFileSync(papers.issued.key),
                ca: readFileSync(papers.ca),
                servername: "switch.example"
              })
        socket.on("error", () => undefined)
        const isUp = papers === undefined ? "connect" : "secureConnect"
        socket.once(isUp, () => resume(Effect.succeed(new Bank(name, institution, socket))))
      }),
      ({ socket }) => Effect.sync(() => socket.destroy())
    )

  /** Sends a purchase and prints what became of it; gives DE 39, or that the connection was closed. */
  buy(stan: number): Effect.Effect<string> {
    const { header, fields } = purchase(stan)
    return Effect.callback<Message | "closed">((resume) => {
      this.answered = (answer) => resume(Effect.succeed(answer))
      if (this.isClosed) return this.answered("closed")
      send(this.socket, {
        mti: "0200",
        header: { ...header, source: this.institution },
        fields: { ...fields, 32: this.institution, 33: this.institution }
      })
    }).pipe(
      Effect.map((answer) => (answer === "closed" ? answer : String(answer.fields[39]))),
      Effect.tap((code) =>
        Console.log(`${this.name}: ${code === "closed" ? "its connection was closed" : `answered ${code}`}`)
      )
    )
  }
}
