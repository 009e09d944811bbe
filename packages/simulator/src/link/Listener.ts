/** Listening on a TCP port as an effect. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { Effect } from "effect"
import { ListenFailed, reasonOf } from "../SimulatorError.ts"

/** An address to dial or to listen on. Port 0 takes any free port when listening. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** `host:port`, as people write it. */
export const endpointText = ({ host, port }: Endpoint): string => `${host}:${port}`

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
