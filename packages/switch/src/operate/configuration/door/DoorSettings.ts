/**
 * Doors, TLS and the sides of links: documents as settings. Pure; nothing can fail here.
 */
import type { AdmissionLimits } from "../../../link/door/Admission.ts"
import type { DoorBy, DoorSettings } from "../../../link/door/Door.ts"
import type { HttpDoorSettings } from "../../../link/door/HttpDoor.ts"
import type { ConnectSide, Side } from "../../../link/Settings.ts"
import type { Mark } from "../../../message/Language.ts"
import type { ExpectedIdentity, TlsSettings } from "../../../transport/Tls.ts"
import type { KeepAlive } from "../../../transport/Transport.ts"
import type { LinkDocument } from "../link/LinkDocument.ts"
import type { IdentityDocument, KeepAliveDocument, TlsDocument } from "../link/TlsDocument.ts"
import { durationMs, sizeBytes } from "../text/Units.ts"
import type { DoorDocument, LimitsDocument } from "./DoorDocument.ts"
import type { HttpDocument } from "./HttpDocument.ts"

/** Makes a path of the configuration absolute. */
export type Place = (path: string) => string

/** Whose certificate it has to be, as settings. */
export const identityOf = ({ fingerprints, names }: IdentityDocument): ExpectedIdentity => ({
  fingerprints: fingerprints.map((one) => one.replaceAll(":", "").toLowerCase()),
  names
})

const placed = (path: string | undefined, place: Place) => (path === undefined ? undefined : place(path))

/** TLS as settings. */
export const tlsSettings = (tls: TlsDocument | undefined, place: Place): TlsSettings | undefined =>
  tls === undefined
    ? undefined
    : {
        certificate: placed(tls.certificate, place),
        key: placed(tls.key, place),
        passphraseFile: placed(tls.passphraseFile, place),
        ca: tls.ca.map(place),
        crl: tls.crl.map(place),
        expect: identityOf(tls.partner),
        servername: tls.servername,
        handshakeMs: durationMs(tls.handshakeTimeout)!,
        versionMin: `TLSv${tls.version}`
      }

/** TCP keepalive as settings. */
export const keepAliveSettings = (keepAlive: KeepAliveDocument | undefined): KeepAlive | undefined =>
  keepAlive === undefined
    ? undefined
    : {
        idleMs: durationMs(keepAlive.idle)!,
        intervalMs: durationMs(keepAlive.interval)!,
        count: keepAlive.count
      }

/** New connections of one address in a second where nothing is said: a handshake costs a millisecond of a core. */
const NEW_PER_SECOND = 1000
const NEW_PER_SECOND_TLS = 50

const limitsOf = (limits: LimitsDocument, tls: TlsDocument | undefined): AdmissionLimits => ({
  ...limits,
  newPerSecond: limits.newPerSecond ?? (tls === undefined ? NEW_PER_SECOND : NEW_PER_SECOND_TLS)
})

/** What a listening address is told. */
export const wayOf = (listen: DoorDocument["listen"], place: Place) => ({
  at: { host: listen.host, port: listen.port },
  tls: tlsSettings(listen.tls, place),
  keepAlive: keepAliveSettings(listen.keepAlive),
  from: listen.from,
  limits: limitsOf(listen.limits, listen.tls)
})

/** We connect to the partner. */
export const connectSide = (connect: NonNullable<LinkDocument["connect"]>, place: Place): ConnectSide => ({
  _tag: "connect",
  to: { host: connect.host, port: connect.port },
  timeoutMs: durationMs(connect.timeout)!,
  tls: tlsSettings(connect.tls, place),
  keepAlive: keepAliveSettings(connect.keepAlive)
})

/** Where one connection of a link comes from. `isProbed`: the link asks for echoes, so a first connection can be challenged. */
export const sideOf = (
  { connect, listen, door, institution }: Pick<LinkDocument, "connect" | "listen" | "door" | "institution">,
  isProbed: boolean,
  place: Place
): Side => {
  const usual = isProbed ? "challenge" : "refuse"
  // async-short has both: it dials by its short settings.
  if (connect !== undefined && listen === undefined && door === undefined) return connectSide(connect, place)
  if (listen !== undefined) {
    const { second = usual, challenge } = listen
    return { _tag: "listen", ...wayOf(listen, place), second, challengeMs: durationMs(challenge)! }
  }
  const { name, from, certificate, fieldValue, path, second = usual, challenge } = door!
  return {
    _tag: "door",
    door: name,
    sign: {
      from,
      certificate: certificate === undefined ? undefined : identityOf(certificate),
      value: path ?? fieldValue ?? institution
    },
    second,
    challengeMs: durationMs(challenge)!
  }
}

/** What every message of a link behind a door says, where the door tells its partners by messages. */
export const markOf = (
  { door: place, institution }: Pick<LinkDocument, "door" | "institution">,
  doors: ReadonlyArray<DoorDocument>
): Mark | undefined => {
  const door = doors.find(({ name }) => name === place?.name)
  if (door?.by === "header") return { _tag: "header" }
  return door?.by === "field"
    ? { _tag: "field", field: door.field!, value: place?.fieldValue ?? institution }
    : undefined
}

/** The doors of a document as settings. */
export const doorSettings = (doors: ReadonlyArray<DoorDocument>, place: Place): ReadonlyArray<DoorSettings> =>
  doors.map((door) => ({ ...wayOf(door.listen, place), name: door.name, by: byOf(door) }))

const byOf = ({ by, field = 0, firstMessage }: DoorDocument): DoorBy =>
  by === "header" || by === "field" ? { _tag: by, field, waitMs: durationMs(firstMessage)! } : { _tag: by }

/** The HTTP doors of a document as settings. */
export const httpSettings = (http: ReadonlyArray<HttpDocument>, place: Place): ReadonlyArray<HttpDoorSettings> =>
  http.map(({ name, listen, bodyMax, request, idle }) => ({
    ...wayOf(listen, place),
    name,
    bodyMax: sizeBytes(bodyMax)!,
    requestMs: durationMs(request)!,
    idleMs: durationMs(idle)!
  }))
