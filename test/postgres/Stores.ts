/** What the tests of a journal in PostgreSQL share: a place in a real server, and the journal of a switch there. */
import { Effect, Layer } from "effect"
import { Journal } from "../../packages/switch/src/journal/Journal.ts"
import type { JournalError } from "../../packages/switch/src/journal/JournalError.ts"
import { readPostgresUrl } from "../../packages/switch/src/journal/postgres/PostgresAddress.ts"
import type { PostgresPlace } from "../../packages/switch/src/journal/postgres/PostgresConnection.ts"
import { layerPostgres, type PostgresStoreOptions } from "../../packages/switch/src/journal/postgres/PostgresStore.ts"
import { testKey } from "../switch/journal/Journals.ts"

/** The place that a URL means, for a switch of this name. */
export const placeOf = (url: string, name = "demo", node = "n1", schema = "jinka"): PostgresPlace => {
  const address = readPostgresUrl(url)
  if ("rule" in address) throw new Error(address.rule)
  return { address, tls: undefined, schema, name, node }
}

/** The journal of a place, as a layer; a new one at each use. */
export const layerAt = (place: PostgresPlace, directory: string, options: Partial<PostgresStoreOptions> = {}) =>
  Journal.layer.pipe(Layer.provide(layerPostgres({ place, directory, key: testKey, ...options })))

/** Takes the journal of a place over, runs `use` with it, then closes it. */
export const withJournalAt = <A, E>(
  place: PostgresPlace,
  directory: string,
  use: (journal: Journal["Service"]) => Effect.Effect<A, E>,
  options: Partial<PostgresStoreOptions> = {}
): Effect.Effect<A, E | JournalError> =>
  Effect.provide(Effect.flatMap(Journal, use), layerAt(place, directory, options))

/** The error with which a journal refuses to open. */
export const refusalAt = (place: PostgresPlace, directory: string, options: Partial<PostgresStoreOptions> = {}) =>
  Effect.flip(withJournalAt(place, directory, () => Effect.void, options)) as Effect.Effect<JournalError, void>
