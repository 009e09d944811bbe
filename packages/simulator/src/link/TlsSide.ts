/**
 * TLS over a partner's connections, on both sides. Owns the handshakes. Who the far side is, its certificate says: with `ca` it
 * has to come from there, and on the dialling side to have the name. Files are read by whoever makes the material.
 */
import { connect as connectTcp, isIP, type Socket } from "node:net"
import { connect, createServer, type TLSSocket } from "node:tls"
import type { Endpoint } from "./Listener.ts"

/** A socket that is up: of a TLS connection also the TCP socket below, which alone can be reset. */
export interface OpenSocket {
  readonly socket: Socket
  readonly raw: Socket
}

/** Certificates and keys in PEM. */
export interface TlsMaterial {
  /** Ours; a listening side needs them, a dialling side where the far side asks for them. */
  readonly certificate: Buffer | undefined
  readonly key: Buffer | undefined
  /** Authorities of the far side's certificate. A listening side with authorities asks for a certificate. */
  readonly ca: ReadonlyArray<Buffer>
  /** Name that the far side's certificate has to have, when it is dialled; left out: the host of the address. */
  readonly name: string | undefined
}

const ours = ({ ca, certificate, key }: TlsMaterial) => ({
  ...(certificate === undefined ? {} : { cert: certificate }),
  ...(key === undefined ? {} : { key }),
  ...(ca.length === 0 ? {} : { ca: [...ca] })
})

/** A socket on its way to an address: TLS where there is material for it. */
export interface DialledSocket extends OpenSocket {
  /** The event of `socket` that says that it is up. */
  readonly isUpAt: "connect" | "secureConnect"
}

/** Dials. `failed` hears every error, also one of the TCP socket below TLS. */
export const dialSocket = (
  { host, port }: Endpoint,
  tls: TlsMaterial | undefined,
  options: { readonly allowHalfOpen: boolean },
  failed: (error: NodeJS.ErrnoException) => void
): DialledSocket => {
  const raw = connectTcp({ host, port, noDelay: true, ...options })
  raw.on("error", failed)
  if (tls === undefined) return { socket: raw, raw, isUpAt: "connect" }
  const socket = dialTls(raw, host, tls)
  socket.on("error", failed)
  return { socket, raw, isUpAt: "secureConnect" }
}

/** What a server does with new sockets: gives them out as they are, or when their TLS is up. */
export const takeSocket = (
  tls: TlsMaterial | undefined,
  accept: (open: OpenSocket) => void,
  refused: (why: string) => void
): ((raw: Socket) => void) =>
  tls === undefined ? (raw) => accept({ socket: raw, raw }) : acceptTls(tls, accept, refused)

/** The TLS side of a socket that dials `host`; `secureConnect` says that it is up, an error that it is not. */
const dialTls = (raw: Socket, host: string, material: TlsMaterial): TLSSocket => {
  const name = material.name ?? host
  return connect({
    socket: raw,
    ...ours(material),
    // Also the name that the certificate is held to.
    host: name,
    ...(isIP(name) > 0 ? {} : { servername: name })
  })
}

const keyOf = ({ localPort, remoteAddress, remotePort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localPort}`

/** Takes new sockets, makes their handshakes and gives out those that came about; `refused` is told of the others. */
const acceptTls = (
  material: TlsMaterial,
  accept: (open: OpenSocket) => void,
  refused: (why: string) => void
): ((raw: Socket) => void) => {
  const waiting = new Map<string, Socket>()
  const asks = material.ca.length > 0
  // It never listens: sockets are handed to it, so that the TCP socket below TLS stays at hand for a reset.
  const server = createServer({ ...ours(material), requestCert: asks, rejectUnauthorized: asks })
  server.on("secureConnection", (socket) => {
    const raw = waiting.get(keyOf(socket))
    if (raw === undefined) return socket.destroy()
    waiting.delete(keyOf(raw))
    accept({ socket, raw })
  })
  server.on("tlsClientError", (error: NodeJS.ErrnoException) => refused(error.code ?? error.message))
  return (raw) => {
    const key = keyOf(raw)
    waiting.set(key, raw)
    raw.on("error", () => undefined)
    raw.once("close", () => waiting.delete(key))
    server.emit("connection", raw)
  }
}
