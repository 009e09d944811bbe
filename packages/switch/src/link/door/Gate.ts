/**
 * What every listening address shares: it admits by `Admission`, counts, and notes strangers at a bounded rate.
 */
import { Clock, Effect } from "effect"
import { monotonicMs } from "../../transport/Monotonic.ts"
import type { TlsRefused } from "../../transport/Tls.ts"
import type { Endpoint } from "../../transport/Transport.ts"
import { counted, Notices } from "../Notices.ts"
import type { AddressList } from "./Addresses.ts"
import { Admission, type AdmissionLimits } from "./Admission.ts"

/** What an operator sees of a door. */
export interface DoorStatus {
  readonly name: string
  readonly at: Endpoint
  /** Connections that are in, and of them those that no link owns yet. */
  readonly open: number
  readonly pending: number
  /** Given to a link, and turned away by reason, since the start. */
  readonly admitted: number
  readonly refused: { readonly [reason: string]: number }
}

/** Lets in nobody: a door before it serves anybody. */
const nobody: AddressList = { has: () => false }

/** The counts of one listening address. */
export class Gate {
  readonly admission: Admission
  /** Connections or calls that a link got. */
  admitted = 0
  private readonly turnedAway = new Notices(counted)
  private readonly note: (text: string) => void
  private readonly told: (why: string) => void
  private now: () => number = () => 0

  /** `told` hears of everyone who is turned away, `note` takes what goes into journal and log. */
  constructor(limits: AdmissionLimits, note: (text: string) => void, told: (why: string) => void = () => {}) {
    this.admission = new Admission(limits, nobody)
    this.note = note
    this.told = told
  }

  /** Takes its clock; before anybody is admitted. */
  readonly ready: Effect.Effect<void> = Effect.map(Clock.Clock, (clock) => {
    this.now = () => monotonicMs(clock)
  })

  /** See `ListenOptions.admit`. */
  readonly admit = (address: string, isCrowded: boolean): (() => void) | undefined => {
    if (isCrowded) {
      this.refuse(
        "HandlesFull",
        `a connection from ${address} was closed, the process has no more open files for partners`
      )
      return undefined
    }
    const refusal = this.admission.arrive(address, this.now())
    if (refusal === undefined) return () => this.admission.gone(address)
    this.refuse(refusal, `a connection from ${address} was closed`)
    return undefined
  }

  /** See `ListenOptions.refused`. */
  readonly refused = (address: string, { reason, cause }: TlsRefused): void => {
    this.admission.decided()
    this.refuse(reason, `a handshake with ${address} came to nothing: ${cause}`)
  }

  /** Counts one that was turned away, and notes it if it is time. */
  refuse(reason: string, why: string): void {
    this.told(`${reason}: ${why}`)
    const noted = this.turnedAway.add(reason, `${reason}: ${why}`, this.now())
    if (noted !== undefined) this.note(noted)
  }

  /** Everything an operator asks. */
  status(name: string, at: Endpoint): DoorStatus {
    const { open, pending } = this.admission
    return { name, at, open, pending, admitted: this.admitted, refused: this.turnedAway.counts }
  }
}
