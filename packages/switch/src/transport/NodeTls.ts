/**
 * TLS handshakes over sockets that are connected already (`node:tls`), on both sides.
 *
 * OpenSSL proves keys and chains; who is let in is judged in `Tls`. A handshake that came to nothing never leaves this file as
 * a socket.
 */
import { hash, type X509Certificate } from "node:crypto"
import { isIP, type Socket } from "node:net"
import { connect, createServer, type TLSSocket } from "node:tls"
import { Clock, Effect } from "effect"
import { Credentials, CredentialsWrong } from "./Credentials.ts"
import {
  asksForCertificate,
  handshakeRefused,
  identityOf,
  judge,
  type PartnerIdentity,
  type Shown,
  TlsRefused,
  type TlsSettings
} from "./Tls.ts"

/** A socket to read and write, the one below it that can be reset, and who is at the other end. */
export interface Secured {
  readonly socket: Socket
  readonly raw: Socket
  readonly identity: PartnerIdentity | undefined
}

const digest = (bytes: Buffer): string => hash("sha256", bytes, "hex")

const shownBy = (socket: TLSSocket): Shown => {
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate()
  const verdict = socket.authorized ? undefined : String(socket.authorizationError)
  return { certificate, verdict, identity: certificate === undefined ? undefined : identityOf(certificate, digest) }
}

/** The material in use, or why there is none. */
const materialOf = Effect.fnUntraced(function* (settings: TlsSettings) {
  const material = (yield* Credentials).of(settings)
  return material instanceof CredentialsWrong ? yield* material : material
})

/** Makes the dialling side's handshake over a socket; destroys it when nothing comes of it. */
export type Dialler = (raw: Socket) => Effect.Effect<Secured, TlsRefused>

/** The dialling side of handshakes with `host`, a name or an address. Fails when our own files are wrong. */
export const dialler = Effect.fnUntraced(function* (
  host: string,
  settings: TlsSettings
): Effect.fn.Return<Dialler, TlsRefused, Credentials> {
  const clock = yield* Clock.Clock
  const { context } = yield* Effect.mapError(
    materialOf(settings),
    ({ message }) => new TlsRefused({ reason: "CredentialsWrong", cause: message })
  )
  const name = settings.servername ?? host
  const handshake = (raw: Socket) =>
    Effect.callback<Secured, TlsRefused>((resume) => {
      const socket = connect({
        socket: raw,
        secureContext: context,
        ...(isIP(name) > 0 ? {} : { servername: name }),
        // Judged below, with a reason: Node's own refusal would know nothing of fingerprints.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined
      })
      const fail = (why: TlsRefused) => {
        raw.destroy()
        resume(Effect.fail(why))
      }
      const broken = (error: NodeJS.ErrnoException) => fail(handshakeRefused(error.code ?? "unknown"))
      const closed = () => fail(handshakeRefused("ECONNRESET"))
      socket.once("error", broken)
      socket.once("close", closed)
      // An error that comes after the judgement has nobody to tell.
      socket.on("error", () => undefined)
      socket.once("secureConnect", () => {
        socket.off("error", broken)
        socket.off("close", closed)
        const shown = shownBy(socket)
        const why = judge(shown, settings, clock.currentTimeMillisUnsafe(), host)
        if (why !== undefined) return fail(why)
        resume(Effect.succeed({ socket, raw, identity: shown.identity }))
      })
      return Effect.sync(() => raw.destroy())
    })
  return (raw) =>
    Effect.timeoutOrElse(handshake(raw), {
      duration: settings.handshakeMs,
      orElse: () => Effect.fail(handshakeRefused("ERR_TLS_HANDSHAKE_TIMEOUT"))
    })
})

/** The accepting side of handshakes. */
export interface Greeter {
  /** Takes a new socket; exactly one of `secured` and `refused` is called for it. */
  readonly greet: (raw: Socket, secured: (secured: Secured) => void, refused: (why: TlsRefused) => void) => void
}

/** One socket whose handshake is under way. */
interface Guest {
  readonly raw: Socket
  readonly secured: (secured: Secured) => void
  readonly refused: (why: TlsRefused) => void
}

/** Reads the material once, so that a wrong file is told before anything is listened on. */
export const greeter = Effect.fnUntraced(function* (
  settings: TlsSettings
): Effect.fn.Return<Greeter, CredentialsWrong, Credentials> {
  const credentials = yield* Credentials
  const clock = yield* Clock.Clock
  let current = yield* materialOf(settings)
  const guests = new Map<string, Guest>()
  // All four: a host with several addresses may see one address and port of a partner at two of them.
  const keyOf = ({ localAddress, localPort, remoteAddress, remotePort }: Socket) =>
    `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
  const leave = (socket: Socket): Guest | undefined => {
    const key = keyOf(socket)
    const guest = guests.get(key)
    guests.delete(key)
    return guest
  }
  const listenerThat = (asks: boolean) => {
    const server = createServer({
      ...current.options,
      requestCert: asks,
      // Judged below, with a reason.
      rejectUnauthorized: false,
      handshakeTimeout: settings.handshakeMs
    })
    server.on("secureConnection", (socket) => {
      const guest = leave(socket)
      socket.on("error", () => undefined)
      if (guest === undefined) return void socket.destroy()
      const shown = shownBy(socket)
      const why = judge(shown, settings, clock.currentTimeMillisUnsafe())
      if (why === undefined) {
        socket.allowHalfOpen = true
        return guest.secured({ socket, raw: guest.raw, identity: shown.identity })
      }
      guest.raw.resetAndDestroy()
      guest.refused(why)
    })
    server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      const guest = leave(socket)
      if (guest === undefined) return
      guest.raw.destroy()
      guest.refused(handshakeRefused(error.code ?? "unknown"))
    })
    return server
  }
  let asks = asksForCertificate(settings)
  let server = listenerThat(asks)
  return {
    greet: (raw, secured, refused) => {
      const newest = credentials.of(settings)
      if (newest !== current && !(newest instanceof CredentialsWrong)) {
        server.setSecureContext(newest.options)
        current = newest
      }
      // The links behind a door may name the first certificate, or none any more, after a reload.
      if (asks !== asksForCertificate(settings)) {
        asks = !asks
        server = listenerThat(asks)
      }
      // Who hangs up in the handshake has nothing more to hear.
      raw.allowHalfOpen = false
      const key = keyOf(raw)
      guests.set(key, { raw, secured, refused })
      raw.once("close", () => {
        if (guests.get(key)?.raw !== raw) return
        guests.delete(key)
        refused(handshakeRefused("ECONNRESET"))
      })
      server.emit("connection", raw)
    }
  }
})
