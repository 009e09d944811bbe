/**
 * An HTTP listening address: each POST to a link's path becomes a short connection of that link.
 *
 * Admission, limits and TLS are those of every door. What HTTP callers expect is said with HTTP's own codes: 400, 403, 404, 405,
 * 413, 415, 503 with Retry-After, 504. Whatever the switch itself answers is a message with its response code, and 200.
 */
import { Effect, type Scope } from "effect"
import { type HttpCall, type HttpLimits, problem } from "../../transport/Http.ts"
import { isExpected, type TlsRefused } from "../../transport/Tls.ts"
import {
  type Connection,
  type Endpoint,
  ListenFailed,
  type Listening,
  type ListenOptions,
  Transport
} from "../../transport/Transport.ts"
import { markWaited, waitedMs } from "../../transport/Waited.ts"
import { addressList } from "./Addresses.ts"
import { addressOfRemote, allowedAt, type DoorSign, type DoorWay, type Language, trusting } from "./Door.ts"
import { type DoorStatus, Gate } from "./Gate.ts"
import { messageOf } from "./HttpBody.ts"
import { HttpConnection } from "./HttpConnection.ts"

/** An HTTP door, as the configuration says it. */
export interface HttpDoorSettings extends DoorWay, HttpLimits {
  readonly name: string
}

/** One link behind it; `value` is its path. */
export interface HttpMember extends DoorSign {
  readonly language: Language
  readonly offer: (connection: Connection) => void
}

/** An HTTP door. */
export class HttpDoor {
  private settings: HttpDoorSettings
  private readonly gate: Gate
  private members: ReadonlyMap<string, HttpMember & { readonly isFrom: (address: string) => boolean }> = new Map()
  /** Where it really listens. */
  at: Endpoint

  /** `note` takes a line for the operator. Nobody is let in before `serve`. */
  constructor(settings: HttpDoorSettings, note: (text: string) => void) {
    this.settings = settings
    this.gate = new Gate(settings.limits, note)
    this.at = settings.at
  }

  /** Its name. */
  get name(): string {
    return this.settings.name
  }

  /** The links behind it from now on. */
  serve(members: ReadonlyArray<HttpMember>): void {
    this.members = new Map(members.map((one) => [one.value, { ...one, isFrom: addressList(one.from).has }]))
    this.gate.admission.allowed = allowedAt(this.settings.from, members)
  }

  /** Other settings for those who come from now on; whoever is in stays. */
  change(settings: HttpDoorSettings): void {
    this.settings = settings
    this.gate.admission.limits = settings.limits
  }

  /** Its life. */
  readonly live: Effect.Effect<void> = Effect.suspend(() => this.gate.ready)

  /** How the listener is told to take connections under these settings. */
  how({ bodyMax, idleMs, keepAlive, requestMs, tls }: HttpDoorSettings): ListenOptions & HttpLimits {
    // A caller is in as soon as it is admitted: its requests have deadlines of their own.
    const admit = (address: string, isCrowded: boolean) => {
      const release = this.gate.admit(address, isCrowded)
      if (release !== undefined) this.gate.admission.decided()
      return release
    }
    const refused = (address: string, { reason, cause }: TlsRefused) =>
      this.gate.refuse(reason, `a handshake with ${address} came to nothing: ${cause}`)
    const trusted = trusting(tls, () => [...this.members.values()])
    return { tls: trusted, keepAlive, bodyMax, requestMs, idleMs, admit, refused }
  }

  /** Listens for as long as the scope lives. */
  open(
    settings: HttpDoorSettings
  ): Effect.Effect<Listening<ListenOptions & HttpLimits>, ListenFailed, Transport | Scope.Scope> {
    return Effect.flatMap(Transport, ({ listenHttp }) =>
      listenHttp === undefined
        ? Effect.fail(new ListenFailed({ ...settings.at, cause: "this transport has no HTTP" }))
        : listenHttp(settings.at, (call) => this.take(call), this.how(settings))
    )
  }

  /** Everything an operator asks of a door. */
  status(): DoorStatus {
    return this.gate.status(this.settings.name, this.at)
  }

  private take(call: HttpCall): void {
    const member = this.members.get(call.path)
    if (member === undefined) {
      this.gate.refuse("PathUnknown", `a call from ${call.remote} was answered 404`)
      return call.answer(problem(404, "PathUnknown", "No link has this path."))
    }
    const { certificate, isFrom, language } = member
    const isKnown = certificate === undefined || (call.identity !== undefined && isExpected(call.identity, certificate))
    if (!isKnown || !isFrom(addressOfRemote(call.remote))) {
      this.gate.refuse("IdentityUnknown", `a call from ${call.remote} was answered 403`)
      return call.answer(problem(403, "IdentityUnknown", "This path belongs to another partner."))
    }
    const { frame, codec } = language
    const lengthMax = frame.kind === "fixed" ? frame.bytes : frame.lengthMax
    const message = messageOf(call.type, call.body, codec, lengthMax)
    if (!Buffer.isBuffer(message)) {
      this.gate.refuse("BodyRefused", `a call from ${call.remote} was answered ${message.status}`)
      return call.answer(message)
    }
    this.gate.admitted++
    markWaited(message, waitedMs(call.body))
    member.offer(new HttpConnection(call, message, codec))
  }
}
