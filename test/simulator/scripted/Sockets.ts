/** Scripted partners on real sockets, and the far side of their links on bare ones. */
import { connect, createServer, type Server, type Socket } from "node:net"
import { type Codec, Framer, isMessageError, type Message, wholeFrame } from "@jinka/codec"
import { Effect, Exit, Scope } from "effect"
import type { HistoryLine } from "../../../packages/simulator/src/history/History.ts"
import type { PartnerPlan } from "../../../packages/simulator/src/scripted/PartnerPlan.ts"
import { type Partners, startPartners } from "../../../packages/simulator/src/scripted/Partners.ts"
import { isOver } from "../../Pace.ts"
import { encoded } from "./Bench.ts"

const scopes: Array<Scope.Closeable> = []
const open: Array<Socket | Server> = []

/** Ends everything that a file's tests have started. */
export const cleanUp = async (): Promise<void> => {
  for (const one of open.splice(0)) {
    if ("destroy" in one) one.destroy()
    else one.close()
  }
  for (const scope of scopes.splice(0)) await Effect.runPromise(Scope.close(scope, Exit.void))
}

/** Partners that run, with what they have told. */
export interface Started {
  readonly partners: Partners
  readonly lines: ReadonlyArray<HistoryLine & { readonly partner: string }>
  readonly troubles: ReadonlyArray<string>
  readonly port: (name?: string, place?: number) => number
  readonly apply: (plans: ReadonlyArray<PartnerPlan>) => ReturnType<typeof applied>
}

const applied = (partners: Partners, plans: ReadonlyArray<PartnerPlan>) => Effect.runPromise(partners.apply(plans))

/** Starts partners and ticks them until the end of the file. */
export const start = async (plans: ReadonlyArray<PartnerPlan>): Promise<Started> => {
  const scope = await Effect.runPromise(Scope.make())
  scopes.push(scope)
  const lines: Array<HistoryLine & { readonly partner: string }> = []
  const troubles: Array<string> = []
  const telling = {
    onLine: (partner: string, line: HistoryLine) => void lines.push({ partner, ...line }),
    onTrouble: (text: string) => void troubles.push(text)
  }
  const partners = await Effect.runPromise(startPartners(plans, telling).pipe(Scope.provide(scope)))
  await Effect.runPromise(Effect.forkIn(partners.broken, scope))
  const named = (name: string | undefined) =>
    partners.all().find((one) => name === undefined || one.plan().name === name)!
  return {
    partners,
    lines,
    troubles,
    port: (name, place = 0) => named(name).link().endpoints[place]!.port,
    apply: (next) => applied(partners, next)
  }
}

/** Waits until something is so. */
export const until = async (what: string, isSo: () => boolean, ms = 5000): Promise<void> => {
  const began = performance.now()
  while (!isSo()) {
    if (isOver(began, ms)) throw new Error(`it did not come to this: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** One connection of the far side. */
export class Line {
  readonly messages: Array<Message> = []
  end = ""
  readonly socket: Socket
  private readonly plan: PartnerPlan

  constructor(socket: Socket, plan: PartnerPlan) {
    this.socket = socket
    this.plan = plan
    open.push(socket)
    const framer = new Framer(plan.form.frame)
    const sink = {
      frame: (buffer: Buffer, from: number, to: number) => {
        const message = plan.form.codec.decode(Buffer.from(buffer.subarray(from, to)))
        if (!isMessageError(message)) this.messages.push(message)
      },
      idle: () => undefined
    }
    socket.on("data", (chunk: Buffer) => framer.push(chunk, sink))
    socket.on("end", () => {
      framer.end(sink)
      this.end ||= "FIN"
    })
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.end ||= error.code === "ECONNRESET" ? "RST" : String(error.code)
    })
    socket.on("close", () => {
      this.end ||= "closed"
    })
  }

  get codec(): Codec {
    return this.plan.form.codec
  }

  say(...messages: ReadonlyArray<Message>): void {
    const { frame } = this.plan.form
    this.socket.write(Buffer.concat(messages.map((message) => wholeFrame(frame, encoded(this.codec, message)))))
  }

  async heard(count: number): Promise<ReadonlyArray<Message>> {
    await until(`${count} messages, ${this.messages.length} came`, () => this.messages.length >= count)
    return this.messages
  }

  async ended(): Promise<string> {
    await until("the end of the connection", () => this.end !== "")
    return this.end
  }
}

/** Connects to a partner. */
export const dialled = async (port: number, plan: PartnerPlan): Promise<Line> => {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true })
  const line = new Line(socket, plan)
  await new Promise((resolve, reject) => {
    socket.once("connect", resolve)
    socket.once("error", reject)
  })
  return line
}

/** Listens for a partner; connections in the order in which they came. */
export const listening = async (plan: () => PartnerPlan) => {
  const lines: Array<Line> = []
  const server = createServer({ allowHalfOpen: true }, (socket) => void lines.push(new Line(socket, plan())))
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as { port: number }
  return {
    port,
    lines,
    line: async (n: number): Promise<Line> => {
      await until(`connection ${n}, ${lines.length} came`, () => lines.length >= n)
      return lines[n - 1]!
    }
  }
}
