/** The two partners of the example: a centre that dials us and gives keys, and an issuer that we dial and give keys to. */
import { createServer, connect as dial, type Socket } from "node:net"
import { answerHeader, cups46, cupsManagementMacFields, type Message } from "@jinka/codec"
import { Effect, Option, type Scope } from "effect"
import { approvalOf, onMessages, purchase, send } from "../shared/Wire.ts"
import { Zone } from "./Zone.ts"

/** The answer to a key message: its fields without the key, DE 39, and a MAC of the new key. */
const taken = (message: Message, zone: Zone): Message => {
  const { 48: _key, 96: _code, 128: _mac, ...fields } = message.fields
  const answer = { header: answerHeader(cups46, message.header ?? {}), mti: "0810", fields: { ...fields, 39: "00" } }
  return zone.sealed(answer, cupsManagementMacFields)
}

/** The issuer: approves what has a right MAC, refuses the rest with A0, and takes the keys that it is given. */
export class Issuer {
  readonly zone: Zone
  /** Messages with a right and with a wrong MAC, and keys taken. */
  readonly seen = { right: 0, wrong: 0, keys: 0 }

  private constructor(master: Buffer) {
    this.zone = new Zone(master)
  }

  /** Listens until the scope closes. */
  static listen = (port: number, master: Buffer): Effect.Effect<Issuer, never, Scope.Scope> =>
    Effect.map(
      Effect.acquireRelease(
        Effect.callback<{ readonly issuer: Issuer; readonly close: () => void }>((resume) => {
          const issuer = new Issuer(master)
          const sockets = new Set<Socket>()
          const listener = createServer((socket) => {
            sockets.add(socket)
            socket.on("error", () => undefined)
            onMessages(socket, (message) => issuer.heard(socket, message))
          })
          const close = () => {
            for (const socket of sockets) socket.destroy()
            listener.close()
          }
          listener.listen(port, "127.0.0.1", () => resume(Effect.succeed({ issuer, close })))
        }),
        ({ close }) => Effect.sync(close)
      ),
      ({ issuer }) => issuer
    )

  private heard(socket: Socket, message: Message): void {
    if (message.mti === "0800") {
      this.zone.use(this.zone.keyIn(message))
      this.seen.keys++
      return send(socket, taken(message, this.zone))
    }
    if (message.mti === "0820") return send(socket, approvalOf(message))
    const isRight = this.zone.proves(message)
    if (isRight) this.seen.right++
    else this.seen.wrong++
    const { 128: _mac, ...fields } = approvalOf(message).fields
    send(socket, this.zone.sealed({ ...approvalOf(message), fields: { ...fields, 39: isRight ? "00" : "A0" } }))
  }
}

/** The centre: sends purchases with MACs of its zone, and gives keys. */
export class Centre {
  readonly zone: Zone
  private readonly socket: Socket
  private readonly waiting = new Map<string, (answer: Message) => void>()
  private stan = 0
  /** The key that it gives next, because it was asked for one. */
  next: Buffer | undefined

  private constructor(socket: Socket, master: Buffer) {
    this.socket = socket
    this.zone = new Zone(master)
    onMessages(socket, (message) => {
      if (message.mti === "0820") send(socket, approvalOf(message))
      else this.waiting.get(`${message.mti} ${String(message.fields[11])}`)?.(message)
    })
  }

  /** Dials the switch; closed with the scope. */
  static dial = (port: number, master: Buffer): Effect.Effect<Centre, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.callback<Centre>((resume) => {
        const socket = dial(port, "127.0.0.1", () => resume(Effect.succeed(new Centre(socket, master))))
      }),
      ({ socket }) => Effect.sync(() => socket.destroy())
    )

  private asked(message: Message, mti: string): Effect.Effect<Message> {
    return Effect.callback<Message>((resume) => {
      const key = `${mti} ${String(message.fields[11])}`
      this.waiting.set(key, (answer) => {
        this.waiting.delete(key)
        resume(Effect.succeed(answer))
      })
      send(this.socket, message)
    })
  }

  /** A purchase; gives DE 39 and whether the answer's MAC is right. `corrupt` changes it after its MAC was made. */
  buy(corrupt: (message: Message) => Message = (message) => message): Effect.Effect<readonly [string, boolean]> {
    return Effect.suspend(() => {
      const message = corrupt(this.zone.sealed(purchase(++this.stan)))
      return Effect.map(
        this.asked(message, "0210"),
        (answer) => [String(answer.fields[39]), this.zone.proves(answer)] as const
      )
    })
  }

  /**
   * A purchase as a terminal makes it: made anew when no answer has come within 10 seconds, or 91 has (no device took its MAC in
   * time, as on a machine that is busy with something else). Gives what came of the last of five.
   */
  get bought(): Effect.Effect<readonly [string, boolean]> {
    return Effect.timeoutOption(this.buy(), "10 seconds").pipe(
      Effect.map(Option.getOrElse(() => ["no answer", true] as const)),
      Effect.repeat({ times: 4, while: ([code]) => code === "91" || code === "no answer" })
    )
  }

  /** Gives the switch a MAC key, and uses it once it was taken; gives DE 39. */
  give(key: Buffer): Effect.Effect<string> {
    return Effect.suspend(() => {
      const stan = String(900_000 + ++this.stan).padStart(6, "0")
      return Effect.map(this.asked(this.zone.delivery(key, stan), "0810"), (answer) => {
        const code = String(answer.fields[39])
        if (code === "00") this.zone.use(key)
        return code
      })
    })
  }
}
