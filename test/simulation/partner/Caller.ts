/**
 * A partner that calls the switch over HTTP: a POST for each message, on connections that it keeps or makes anew, one call after
 * the other or several before the first answer (pipelining). It may leave before its answer.
 */
import type { Endpoint } from "../../../packages/switch/src/transport/Transport.ts"
import type { Event } from "../world/EventHeap.ts"
import { type HttpMessage, HttpReader, httpText } from "../world/HttpText.ts"
import type { Host, Wire } from "./Host.ts"

/** How a partner calls. */
export interface CallerOptions {
  readonly endpoint: Endpoint
  readonly path: string
  /** `anew`: a connection for each call. `kept`: for one call after the other. `pipelined`: for as many as there are. */
  readonly connections: "anew" | "kept" | "pipelined"
  /** An answer that has not come after so long never comes, milliseconds. */
  readonly silenceMax: number
}

/** What it does with what comes. */
export interface CallerOwner {
  /** The body of an answer with status 200. */
  readonly got: (body: Buffer) => void
  readonly unreadable: (error: unknown) => void
}

/** A call on its way: leaves it, and the connection that it is on, before the answer. */
export type Leave = (how: "fin" | "reset") => void

export class Caller {
  readonly options: CallerOptions
  readonly host: Host
  readonly owner: CallerOwner
  private readonly open = new Set<Calls>()

  constructor(host: Host, options: CallerOptions, owner: CallerOwner) {
    this.host = host
    this.options = options
    this.owner = owner
  }

  /** Posts a body. */
  call(body: Buffer): Leave {
    const { connections } = this.options
    const known = [...this.open].find((calls) => connections === "pipelined" || calls.isFree)
    const calls = known ?? new Calls(this, () => void this.open.delete(calls))
    if (connections !== "anew") this.open.add(calls)
    calls.post(body)
    return (how) => calls.end(how)
  }
}

/** One connection, and the calls on it that have no answer. */
class Calls {
  private readonly caller: Caller
  private readonly ended: () => void
  private readonly reader = new HttpReader()
  private readonly unsent: Array<Buffer> = []
  private readonly silences: Array<Event> = []
  private wire: Wire | undefined
  private isOver = false

  constructor(caller: Caller, ended: () => void) {
    this.caller = caller
    this.ended = ended
    caller.host.dial(caller.options.endpoint, (wire) => this.dialled(wire))
  }

  /** No call waits for its answer. */
  get isFree(): boolean {
    return this.silences.length === 0
  }

  post(body: Buffer): void {
    const { connections, path, silenceMax } = this.caller.options
    this.silences.push(
      this.caller.host.after(silenceMax, () => {
        this.caller.host.leave()
        this.end("reset")
      })
    )
    const headers = {
      host: "switch",
      "content-type": "application/octet-stream",
      ...(connections === "anew" ? { connection: "close" } : {})
    }
    const bytes = httpText(`POST ${path} HTTP/1.1`, headers, body)
    if (this.wire === undefined) this.unsent.push(bytes)
    else this.wire.send(bytes)
  }

  end(how: "fin" | "reset"): void {
    if (this.isOver) return
    this.isOver = true
    for (const silence of this.silences) silence.cancelled = true
    this.wire?.close(how)
    this.ended()
  }

  private dialled(wire: Wire | undefined): void {
    if (wire === undefined) return this.end("reset")
    if (this.isOver) return wire.close("reset")
    this.wire = wire
    for (const bytes of this.unsent) wire.send(bytes)
    wire.hear(
      (chunks) => this.receive(chunks),
      () => this.lost()
    )
  }

  private lost(): void {
    if (!this.isFree) this.caller.host.leave()
    this.end("fin")
  }

  private receive(chunks: ReadonlyArray<Buffer>): void {
    try {
      for (const chunk of chunks) for (const answer of this.reader.read(chunk)) this.take(answer)
    } catch (error) {
      this.caller.owner.unreadable(error)
      this.end("reset")
    }
  }

  private take({ body, first, headers }: HttpMessage): void {
    const silence = this.silences.shift()
    if (silence !== undefined) silence.cancelled = true
    if (first.split(" ")[1] === "200") this.caller.owner.got(body)
    if (headers.get("connection") === "close") this.end("fin")
  }
}
