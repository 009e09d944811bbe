/**
 * A listening address: lets connections in, finds out whose each one is, and gives it to that partner's link.
 *
 * One address for many institutions, told apart by their address, their certificate, the source in their messages' header or a
 * data element of their first message. A link with an address of its own has a door of its own. It owns a connection only until
 * the link has it. Everything that it keeps is bounded by its limits, and what it says of strangers is rate-limited
 * (docs/decisions/0014-doors.md).
 */
import { type Codec, type FrameFormat, type MessageIndex, type PlacedPart, partBytes, partValue } from "@jinka/codec"
import { Effect, type Scope } from "effect"
import { asksForCertificate, type ExpectedIdentity, isExpected, type TlsSettings } from "../../transport/Tls.ts"
import {
  type Connection,
  type Endpoint,
  type KeepAlive,
  type ListenFailed,
  type Listening,
  type ListenOptions,
  Transport
} from "../../transport/Transport.ts"
import { type AddressList, addressList } from "./Addresses.ts"
import type { AdmissionLimits } from "./Admission.ts"
import { readFirstMessage } from "./FirstMessage.ts"
import { type DoorStatus, Gate } from "./Gate.ts"

/** How an address is listened on. */
export interface DoorWay {
  readonly at: Endpoint
  readonly tls?: TlsSettings | undefined
  readonly keepAlive?: KeepAlive | undefined
  /** Addresses and networks that may connect; empty: every address. Looked at before TLS begins. */
  readonly from: ReadonlyArray<string>
  readonly limits: AdmissionLimits
}

/** Partners told apart by what their first message says. */
export interface ByFirstMessage {
  /** `header`: the source in the message's header. `field`: the data element of number `field`. */
  readonly _tag: "header" | "field"
  readonly field: number
  /** From the connection (TLS done) to the end of its first message, milliseconds. */
  readonly waitMs: number
}

/** What tells partners apart. */
export type DoorBy = { readonly _tag: "address" | "certificate" } | ByFirstMessage

/** A door that many links share, as the configuration says it. */
export interface DoorSettings extends DoorWay {
  readonly name: string
  readonly by: DoorBy
}

/** What a partner is known by at a door. */
export interface DoorSign {
  /** Addresses and networks; empty: any. */
  readonly from: ReadonlyArray<string>
  /** Certificate; `undefined`: any that the door's TLS lets in. */
  readonly certificate: ExpectedIdentity | undefined
  /** Source in the header, or value of the data element. */
  readonly value: string
}

/** How a link's partner speaks. */
export interface Language {
  readonly frame: FrameFormat
  readonly codec: Codec
}

/** One link behind a door. */
export interface DoorMember extends DoorSign {
  readonly name: string
  /** Its frame and messages, which a door that reads first messages needs; behind it all links share them. */
  readonly language: Language | undefined
  /** Takes the connection over. */
  readonly offer: (connection: Connection) => void
}

type Member = DoorMember & { readonly addresses: AddressList }

/** The address that a connection comes from, without its port. */
export const addressOfRemote = (remote: string): string => remote.slice(0, remote.lastIndexOf(":"))

/** The allow-list before TLS: the door's own, otherwise all that its links name, as long as each of them names some. */
export const allowedAt = (from: ReadonlyArray<string>, members: ReadonlyArray<Pick<DoorSign, "from">>): AddressList =>
  addressList(
    from.length > 0 || members.some((member) => member.from.length === 0) ? from : members.flatMap(({ from }) => from)
  )

/** Without an authority the fingerprints of the links are what a door's TLS trusts: of those that are there at a handshake. */
export const trusting = (
  tls: TlsSettings | undefined,
  members: () => ReadonlyArray<Pick<DoorSign, "certificate">>
): TlsSettings | undefined => {
  if (tls === undefined || tls.ca.length > 0 || tls.expect.fingerprints.length > 0) return tls
  const { names } = tls.expect
  return {
    ...tls,
    expect: {
      names,
      get fingerprints() {
        return members().flatMap(({ certificate }) => certificate?.fingerprints ?? [])
      }
    }
  }
}

/** A listening address that admits connections, and gives each to the link that it belongs to. */
export class Door {
  private settings: DoorSettings
  private members: ReadonlyArray<Member> = []
  private readonly gate: Gate
  /** Connections whose first message is waited for. */
  private readonly waiting = new Set<Connection>()
  /** Where it really listens. */
  at: Endpoint
  private fork: (effect: Effect.Effect<void>) => void = () => {}

  /** `note` takes a line for the operator, `told`: see `Gate`. Nobody is let in before `serve`. */
  constructor(settings: DoorSettings, note: (text: string) => void, told?: (why: string) => void) {
    this.settings = settings
    this.gate = new Gate(settings.limits, note, told)
    this.at = settings.at
  }

  /** Its name. */
  get name(): string {
    return this.settings.name
  }

  /** The links behind it from now on. */
  serve(members: ReadonlyArray<DoorMember>): void {
    this.members = members.map((member) => ({ ...member, addresses: addressList(member.from) }))
    this.gate.admission.allowed = allowedAt(this.settings.from, members)
  }

  /** Other settings for those who come from now on; whoever is in stays. */
  change(settings: DoorSettings): void {
    this.settings = settings
    this.gate.admission.limits = settings.limits
  }

  /** Its life: what it begins ends with the scope. */
  readonly live: Effect.Effect<void, never, Scope.Scope> = Effect.gen({ self: this }, function* () {
    const fork = Effect.runForkWith(yield* Effect.context<never>())
    const scope = yield* Effect.scope
    this.fork = (effect) => void fork(Effect.forkIn(effect, scope))
    yield* this.gate.ready
    yield* Effect.addFinalizer(() => Effect.sync(() => this.close()))
  })

  /** How the listener is told to take connections under these settings. */
  how({ keepAlive, tls }: DoorSettings): ListenOptions {
    const { admit, refused } = this.gate
    return { tls: trusting(tls, () => this.members), keepAlive, admit, refused }
  }

  /** Listens for as long as the scope lives. */
  open(settings: DoorSettings): Effect.Effect<Listening, ListenFailed, Transport | Scope.Scope> {
    return Effect.flatMap(Transport, ({ listen }) =>
      listen(settings.at, (connection) => this.accept(connection), this.how(settings))
    )
  }

  /** Everything an operator asks of a door. */
  status(): DoorStatus {
    return this.gate.status(this.settings.name, this.at)
  }

  private get tls(): TlsSettings | undefined {
    return trusting(this.settings.tls, () => this.members)
  }

  /** A connection is whole. */
  private accept(connection: Connection): void {
    const { by } = this.settings
    const { tls } = this
    // Whatever the transport did with its options: nobody comes in who is not allowed or was not asked for a certificate.
    const isProved = tls === undefined || !asksForCertificate(tls) || connection.identity !== undefined
    if (!isProved || !this.gate.admission.allowed.has(addressOfRemote(connection.remote))) {
      this.gate.admission.decided()
      return this.turnAway(connection, isProved ? "PeerNotAllowed" : "NoCertificate", "the transport let it in")
    }
    const language = this.members[0]?.language
    if (!asksFirst(by) || language === undefined) return this.settle(connection)
    this.waiting.add(connection)
    this.fork(this.first(connection, by, language))
  }

  private first(connection: Connection, by: ByFirstMessage, language: Language): Effect.Effect<void> {
    return readFirstMessage(connection, language.frame, language.codec).pipe(
      Effect.timeoutOrElse({ duration: by.waitMs, orElse: () => Effect.succeed("late" as const) }),
      Effect.matchEffect({
        onFailure: (wrong) =>
          Effect.sync(() => {
            this.gate.admission.decided()
            if (wrong._tag === "FirstMessageWrong") this.turnAway(connection, wrong.reason, wrong.why)
            else this.turnAway(connection, "FirstMessageMissing", "it ended before its first message")
          }),
        onSuccess: (opened) =>
          Effect.sync(() => {
            if (opened !== "late") return this.settle(opened.connection, signIn(opened.index, by, language.codec))
            this.gate.admission.decided()
            this.turnAway(connection, "FirstMessageMissing", `no whole message came within ${by.waitMs} ms`)
          })
      }),
      Effect.ensuring(Effect.sync(() => this.waiting.delete(connection)))
    )
  }

  /** Gives the connection to its link, or turns it away. */
  private settle(connection: Connection, said?: string): void {
    this.gate.admission.decided()
    const { by, name } = this.settings
    const found = this.members.filter(
      (member) => this.isOf(connection, member) && (said === undefined || said === signOf(member, by))
    )
    if (found.length === 1) {
      this.gate.admitted++
      return found[0]!.offer(connection)
    }
    const owners = found.length === 0 ? "none of the links" : "more than one of the links"
    this.turnAway(connection, "IdentityUnknown", `by its ${signs[by._tag]} it belongs to ${owners} at ${name}`)
  }

  private isOf(connection: Connection, { addresses, certificate }: Member): boolean {
    if (!addresses.has(addressOfRemote(connection.remote))) return false
    if (certificate === undefined) return true
    return connection.identity !== undefined && isExpected(connection.identity, certificate)
  }

  private turnAway(connection: Connection, reason: string, why: string): void {
    connection.close("reset")
    this.gate.refuse(reason, `a connection from ${connection.remote} was closed: ${why}`)
  }

  /** Ends what no link owns. */
  private close(): void {
    for (const connection of this.waiting) connection.close("reset")
  }
}

const asksFirst = (by: DoorBy): by is ByFirstMessage => by._tag === "header" || by._tag === "field"

const signs: Readonly<Record<DoorBy["_tag"], string>> = {
  address: "address",
  certificate: "certificate",
  header: "header's source",
  field: "first message"
}

/** The header part that says who sends a message. */
const sourceOf = (codec: Codec | undefined): PlacedPart | undefined => {
  const header = codec?.layout.header
  return header?.source ?? header?.byName["source"]
}

/** What the member's value looks like where its partner says it: packed digits of a header have zeros in front. */
const signOf = ({ value, language }: DoorMember, { _tag }: DoorBy): string => {
  const source = sourceOf(language?.codec)
  const bytes = _tag === "header" && source !== undefined ? partBytes(source, value) : undefined
  return bytes === undefined || source === undefined ? value : partValue({ ...source, offset: 0 }, bytes, 0).trim()
}

/** What a first message says of its sender. Codes are left-justified: filling is no part of them. */
const signIn = (index: MessageIndex, { _tag, field }: ByFirstMessage, codec: Codec): string => {
  if (_tag === "field") return index.text(field).trim()
  const source = sourceOf(codec)
  return source === undefined ? "" : partValue(source, index.buffer, index.start).trim()
}

/** What a link with an address of its own admits: one partner, which may be in a hurry to come back. */
export const ownLimits: AdmissionLimits = { connections: 4096, perSource: 4096, newPerSecond: 1000, pending: 1024 }

/** Whoever takes the connections of a link's own address: any that is let in is its partner's. */
export interface Taker {
  readonly offer: (connection: Connection) => void
}

/** Who hears of connections that were not let in at a link's own address. */
export interface Warned {
  readonly warned: (text: string) => void
  readonly turnedAway: (why: string) => void
}

/** Listens on a link's own address for as long as the scope lives: a door with one link behind it. */
export const listenOn = (
  side: Omit<DoorWay, "limits"> & { readonly limits?: AdmissionLimits },
  taker: Taker,
  owner: Warned
): Effect.Effect<void, ListenFailed, Transport | Scope.Scope> => {
  const name = `${side.at.host}:${side.at.port}`
  const settings: DoorSettings = { ...side, limits: side.limits ?? ownLimits, name, by: { _tag: "address" } }
  const door = new Door(
    settings,
    (text) => owner.warned(text),
    (why) => owner.turnedAway(why)
  )
  const offer = (connection: Connection) => taker.offer(connection)
  door.serve([{ name, from: [], certificate: undefined, value: "", language: undefined, offer }])
  return Effect.asVoid(Effect.andThen(door.live, door.open(settings)))
}
