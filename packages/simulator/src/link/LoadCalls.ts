/**
 * The connections of a load in a short mode: one is dialled for each message that is written.
 *
 * Owns dialling and ending them. In sync-short a connection stays until its answer came or is not waited for; in async-short it
 * is closed behind the message. What a message is and which answer belongs to it is its owner's.
 */
import type { FrameFormat } from "@jinka/codec"
import type { Dials } from "./Dials.ts"
import { type Outlet, type Room, readMessages, Slab } from "./LoadLine.ts"
import type { PartnerEnd } from "./Sockets.ts"

/** What the connections tell their owner. */
export interface CallsOwner {
  readonly message: (buffer: Buffer, start: number, end: number) => void
  /** The message of this number did not leave, or (sync-short) its connection ended. */
  readonly lost: (stan: number, reason: string) => void
}

/** How the connections of a short mode are used. */
export interface CallsSettings {
  readonly frame: FrameFormat
  /** The answer comes on the same connection (sync-short). */
  readonly awaitsAnswer: boolean
  /** How many there may be at once. */
  readonly most: number
}

/** Reasons that are this machine's: it has no port, file or memory for one more connection. */
const ownReasons = new Set(["EADDRNOTAVAIL", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"])

/** Whether a connection did not come about because this machine had no room for it. */
export const isOwnLimit = (reason: string): boolean => ownReasons.has(reason)

/** Connections for a message each; see the module header. */
export class LoadCalls implements Outlet {
  /** How many came about. */
  made = 0
  /** Why the last one did not come about; "" before that. */
  failed = ""
  private readonly dials: Dials
  private readonly settings: CallsSettings
  private readonly owner: CallsOwner
  private readonly slab = new Slab()
  private readonly open = new Set<PartnerEnd>()
  private under = 0
  /** Counts the times that everything was hung up: what is being dialled then is for nobody. */
  private hungUp = 0

  constructor(dials: Dials, settings: CallsSettings, owner: CallsOwner) {
    this.dials = dials
    this.settings = settings
    this.owner = owner
  }

  get isReady(): boolean {
    return this.under < this.settings.most
  }

  room(bytes: number): Room {
    return this.slab.room(bytes)
  }

  wrote(bytes: number, stan = -1): void {
    this.slab.wrote(bytes)
    const piece = this.slab.take()!
    const { hungUp } = this
    this.under++
    this.dials((opened) => {
      if (typeof opened !== "string") return this.carry(opened, piece, stan, hungUp !== this.hungUp)
      this.under--
      this.failed = opened
      this.owner.lost(stan, opened)
    })
  }

  /** Nothing gathers: each message left with its connection. */
  flush(): void {}

  tick(): void {}

  hangUp(): void {
    this.hungUp++
    for (const { socket } of this.open) socket.destroySoon()
  }

  private carry(end: PartnerEnd, piece: Buffer, stan: number, isTooLate: boolean): void {
    const { awaitsAnswer, frame } = this.settings
    const { socket } = end
    let reason = "closed by the far side"
    this.made++
    this.open.add(end)
    readMessages(end, frame, this.owner.message, (why) => {
      reason = why
      socket.destroy()
    })
    socket.on("end", () => socket.destroySoon())
    socket.on("error", (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message
    })
    socket.on("close", () => {
      this.open.delete(end)
      this.under--
      if (awaitsAnswer) this.owner.lost(stan, reason)
    })
    if (isTooLate) return socket.destroySoon()
    socket.write(piece)
    if (!awaitsAnswer) socket.destroySoon()
    else if (frame.kind === "until-close") socket.end()
  }
}
