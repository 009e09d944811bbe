/**
 * Two connections of a simulated partner used as one: it sends on one and receives on the other, each dialled or accepted.
 *
 * It shares nothing with the switch's legs but the transport seam, and is simpler: whatever comes anew ends the pair in use.
 */
import type { Endpoint } from "../../../packages/switch/src/transport/Transport.ts"
import type { Event } from "../world/EventHeap.ts"
import type { Host, Wire } from "./Host.ts"

/** One of the two, seen from the partner. */
export interface Half {
  readonly role: "dials" | "listens"
  /** Where to dial, or where to listen. */
  readonly endpoint: Endpoint
}

/** Both. The partner sends on `out` and receives on `into`. */
export interface PairOptions {
  readonly out: Half
  readonly into: Half
}

/** How long one may wait for the other, milliseconds. */
const ALONE_MAX = 20_000

const joined = (out: Wire, into: Wire): Wire => ({
  hear: (got, ended) => {
    into.hear(got, ended)
    // The end of the silent direction is an end, too.
    out.hear(() => {}, ended)
  },
  send: (bytes) => out.send(bytes),
  close: (how) => {
    out.close(how)
    into.close(how)
  }
})

/** What a pair needs of its line. */
interface PairOwner {
  readonly host: Host
  /** What it waits between attempts to dial, milliseconds; drawn anew each time. */
  readonly pause: () => number
  /** A pair is there: `ended` is called when the conversation on it is over. Returns what gives it up. */
  readonly converse: (wire: Wire, ended: () => void) => () => void
}

/** Keeps both for ever. */
export class PairKeeper {
  private readonly owner: PairOwner
  private readonly halves: readonly [Waiting, Waiting]
  private giveUp: (() => void) | undefined

  constructor({ out, into }: PairOptions, owner: PairOwner) {
    this.owner = owner
    const put = () => this.cameAnew()
    const isInUse = () => this.giveUp !== undefined
    this.halves = [new Waiting(out, owner, isInUse, put), new Waiting(into, owner, isInUse, put)]
  }

  start(): void {
    for (const half of this.halves) half.start()
  }

  private cameAnew(): void {
    const [out, into] = this.halves
    this.giveUp?.()
    if (this.giveUp !== undefined || !out.isThere || !into.isThere) return
    const wire = joined(out.take(), into.take())
    let isOver = false
    const ended = () => {
      if (isOver) return
      isOver = true
      this.giveUp = undefined
      for (const half of this.halves) half.dial()
      this.cameAnew()
    }
    const giveUp = this.owner.converse(wire, ended)
    // What was there may have ended while it waited.
    if (!isOver) this.giveUp = giveUp
  }
}

/** One half: its newest connection, until the other one is there, too. */
class Waiting {
  private readonly half: Half
  private readonly owner: PairOwner
  private readonly isInUse: () => boolean
  private readonly onPut: () => void
  private wire: Wire | undefined
  private alone: Event | undefined
  private isBusy = false

  constructor(half: Half, owner: PairOwner, isInUse: () => boolean, onPut: () => void) {
    this.half = half
    this.owner = owner
    this.isInUse = isInUse
    this.onPut = onPut
  }

  get isThere(): boolean {
    return this.wire !== undefined
  }

  start(): void {
    if (this.half.role === "dials") this.dial()
    else this.owner.host.listen(this.half.endpoint, (wire) => this.put(wire))
  }

  /** Dials as long as there is no connection, where it is this half's to dial. */
  dial(): void {
    if (this.half.role !== "dials" || this.isBusy || this.isThere || this.isInUse()) return
    this.isBusy = true
    this.owner.host.dial(this.half.endpoint, (wire) => {
      if (wire !== undefined) this.put(wire)
      this.owner.host.after(this.owner.pause(), () => {
        this.isBusy = false
        this.dial()
      })
    })
  }

  private put(wire: Wire): void {
    this.drop()
    this.wire = wire
    this.alone = this.owner.host.after(ALONE_MAX, () => {
      this.drop()
      this.dial()
    })
    this.onPut()
  }

  private drop(): void {
    this.wire?.close("reset")
    this.forget()
  }

  private forget(): void {
    this.wire = undefined
    if (this.alone !== undefined) this.alone.cancelled = true
  }

  take(): Wire {
    const wire = this.wire!
    this.forget()
    return wire
  }
}
