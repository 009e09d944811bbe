/** Both ends of connections over real sockets, for the tests of the transport and of doors. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit, Layer, Scope } from "effect"
import type { Issued } from "../../../examples/08-many-institutions/Authority.ts"
import * as Credentials from "../../../packages/switch/src/transport/Credentials.ts"
import * as NodeTransport from "../../../packages/switch/src/transport/NodeTransport.ts"
import type { TlsRefused, TlsSettings } from "../../../packages/switch/src/transport/Tls.ts"
import { type Connection, type ListenOptions, Transport } from "../../../packages/switch/src/transport/Transport.ts"

/** The real network, with the credentials at hand. */
export const network = Layer.provideMerge(NodeTransport.layerWith, Credentials.layer)

/** TLS settings with nothing said but what is given. */
export const tls = (own: Issued | undefined, more: Partial<TlsSettings> = {}): TlsSettings => ({
  certificate: own?.certificate,
  key: own?.key,
  passphraseFile: undefined,
  ca: [],
  crl: [],
  expect: { fingerprints: [], names: [] },
  servername: undefined,
  handshakeMs: 2000,
  versionMin: "TLSv1.2",
  ...more
})

/** A folder that is removed by `cleanUp`. */
export const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), "jinka-tls-"))
  folders.push(made)
  return made
}

const folders: Array<string> = []

/** Removes the folders. */
export const cleanUp = (): void => {
  for (const one of folders.splice(0)) rmSync(one, { recursive: true, force: true })
}

/** A listening address in a test's hand. */
export interface Host {
  readonly port: number
  /** The next connection that came in whole. */
  readonly accepted: () => Promise<Connection>
  /** The next handshake that came to nothing. */
  readonly refused: () => Promise<TlsRefused>
  /** Reads every certificate again. */
  readonly reload: () => Promise<ReadonlyArray<Credentials.Reloaded>>
  readonly close: () => Promise<void>
}

/** Events and who waits for them. */
class Line<A> {
  private readonly came: Array<A> = []
  private readonly waiting: Array<(one: A) => void> = []

  push(one: A): void {
    const waiting = this.waiting.shift()
    if (waiting === undefined) this.came.push(one)
    else waiting(one)
  }

  next(): Promise<A> {
    const one = this.came.shift()
    return one === undefined ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve(one)
  }
}

/** Listens on a free port. */
export const host = async (options: ListenOptions, at = "127.0.0.1"): Promise<Host> => {
  const accepted = new Line<Connection>()
  const refused = new Line<TlsRefused>()
  const scope = Effect.runSync(Scope.make())
  const context = await Effect.runPromise(Layer.buildWithScope(network, scope))
  const { endpoint } = await Effect.runPromise(
    Effect.gen(function* () {
      const transport = yield* Transport
      return yield* transport.listen({ host: at, port: 0 }, (connection) => accepted.push(connection), {
        refused: (_, why) => refused.push(why),
        ...options
      })
    }).pipe(Scope.provide(scope), Effect.provideContext(context))
  )
  return {
    port: endpoint.port,
    accepted: () => accepted.next(),
    refused: () => refused.next(),
    reload: () =>
      Effect.runPromise(
        Effect.flatMap(Credentials.Credentials, ({ reload }) => reload).pipe(Effect.provideContext(context))
      ),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

/** Dials; a failure is returned. */
export const dial = (port: number, settings?: TlsSettings, at = "127.0.0.1") =>
  Effect.runPromise(
    Effect.flatMap(Transport, ({ connect }) => connect({ host: at, port }, { tls: settings })).pipe(
      Effect.catchTag("ConnectFailed", (failed) => Effect.succeed(failed)),
      Effect.provide(network)
    )
  )

/** The next bytes as text, one character each. */
export const heard = (connection: Connection): Promise<string> =>
  Effect.runPromise(Effect.map(connection.pull, (chunks) => Buffer.concat(chunks).toString("latin1")))

/** How the connection ended. */
export const ended = (connection: Connection) => Effect.runPromise(Effect.flip(connection.pull))

/** Writes a text. */
export const say = (connection: Connection, text: string) => Effect.runPromise(connection.write(Buffer.from(text)))
