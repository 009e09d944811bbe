/** Listening on a TCP port as an effect. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { Effect } from "effect"
import { ListenFailed, reasonOf } from "../SimulatorError.ts"

/** An address to dial or to listen on. Port 0 takes any free port when listening. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** `host:port`, as people write it; the numbers of an IPv6 address have brackets. */
export const endpointText = ({ host, port }: Endpoint): string => `${host.includes(":") ? `[${host}]` : host}:${port}`

const PORT_MAX = 65_535

/** The address of a `host:port`; `undefined` for anything else. */
export const endpointOfText = (text: string): Endpoint | undefined => {
  const found = /^(?:\[([^[\]\s]+)\]|([^[\]\s]+)):(\d{1,5})$/.exec(text)
  if (found === null || Number(found[3]) > PORT_MAX) return undefined
  return { host: found[1] ?? found[2]!, port: Number(found[3]) }
}

/** Listens and gives every connection to `accept`. The caller closes the server. */
export const listen = (
  endpoint: Endpoint,
  accept: (socket: Socket) => void,
  options: { readonly allowHalfOpen: boolean } = { allowHalfOpen: false }
): Effect.Effect<Server, ListenFailed> =>
  Effect.callback<Server, ListenFailed>((resume) => {
    const server = createServer(options, accept)
    server.once("error", (error) =>
      resume(Effect.fail(new ListenFailed({ address: endpointText(endpoint), reason: reasonOf(error) })))
    )
    server.listen(endpoint.port, endpoint.host, () => resume(Effect.succeed(server)))
  })

/** The address that a server really has. */
export const endpointOf = (server: Server, host: string): Endpoint => ({
  host,
  port: (server.address() as AddressInfo).port
})
