/**
 * The table of owners in the PostgreSQL that has the journals: one row a switch, and one for each node that stands by. Pure SQL
 * over one connection; what a node makes of it is `Claim`.
 *
 * A look is a write as well: where PostgreSQL cannot commit (its standby is gone, its disk is full) no look is answered, and
 * nobody takes over from an owner that cannot commit either.
 */
import { Effect } from "effect"
import type { JournalError } from "../../journal/JournalError.ts"
import {
  connect,
  type PostgresConnection,
  type PostgresPlace,
  type PostgresUse
} from "../../journal/postgres/PostgresConnection.ts"
import type { Row } from "../../journal/postgres/PostgresRows.ts"
import type { Beat, ConnectOwners, OwnerTable, Seen } from "./Claim.ts"

const statements = (schema: string) => ({
  look: `WITH here AS (
  INSERT INTO ${schema}.standby (journal, node) SELECT id, $2 FROM ${schema}.journal WHERE switch = $1
  ON CONFLICT (journal, node) DO UPDATE SET seen = now()
) SELECT o.node, o.beat::text AS beat, o.halted FROM ${schema}.journal j JOIN ${schema}.owner o ON o.journal = j.id WHERE j.switch = $1`,
  take: `INSERT INTO ${schema}.owner (journal, node) SELECT id, $2 FROM ${schema}.journal WHERE switch = $1
ON CONFLICT (journal) DO UPDATE SET node = $2, beat = owner.beat + 1, since = now(), beaten = now()
WHERE owner.node IS NOT DISTINCT FROM $3 AND owner.beat::text = $4 AND owner.halted IS NULL`,
  first: `INSERT INTO ${schema}.owner (journal, node) SELECT id, $2 FROM ${schema}.journal WHERE switch = $1 ON CONFLICT DO NOTHING`,
  journal: `SELECT 1 AS here FROM ${schema}.journal WHERE switch = $1`,
  leave: `DELETE FROM ${schema}.standby WHERE node = $2 AND journal = (SELECT id FROM ${schema}.journal WHERE switch = $1)`,
  beat: `INSERT INTO ${schema}.owner (journal, node) SELECT id, $2 FROM ${schema}.journal WHERE switch = $1
ON CONFLICT (journal) DO UPDATE SET beat = owner.beat + 1, beaten = now() WHERE owner.node = $2
RETURNING beat::text AS beat`,
  owner: `SELECT o.node, o.beat::text AS beat FROM ${schema}.journal j JOIN ${schema}.owner o ON o.journal = j.id WHERE j.switch = $1`,
  last: `SELECT g.last::text AS last FROM ${schema}.commit_group g
WHERE g.journal = (SELECT id FROM ${schema}.journal WHERE switch = $1) ORDER BY g.first DESC LIMIT 1`,
  handOver: `UPDATE ${schema}.owner SET node = NULL, beat = beat + 1
WHERE node = $2 AND journal = (SELECT id FROM ${schema}.journal WHERE switch = $1)`,
  halt: `UPDATE ${schema}.owner SET halted = $2 WHERE journal = (SELECT id FROM ${schema}.journal WHERE switch = $1)`,
  release: `UPDATE ${schema}.owner SET halted = NULL
WHERE halted IS NOT NULL AND journal = (SELECT id FROM ${schema}.journal WHERE switch = $1)`,
  standbys: `SELECT s.node FROM ${schema}.standby s JOIN ${schema}.journal j ON j.id = s.journal
WHERE j.switch = $1 AND s.node <> $2 AND s.seen > now() - make_interval(secs => $3) ORDER BY s.node`,
  all: `SELECT j.switch, j.epoch::text AS epoch, o.node, o.halted, extract(epoch FROM now() - o.since)::float8 AS since,
  extract(epoch FROM now() - o.beaten)::float8 AS silent,
  (SELECT json_agg(json_build_object('node', s.node, 'silent', extract(epoch FROM now() - s.seen)) ORDER BY s.node)::text
   FROM ${schema}.standby s WHERE s.journal = j.id AND s.node IS DISTINCT FROM o.node) AS standbys
FROM ${schema}.journal j LEFT JOIN ${schema}.owner o ON o.journal = j.id ORDER BY j.switch`
})

/** Connects to the table of owners, as the node that the place names. */
export const connectOwners = (place: PostgresPlace): ConnectOwners =>
  Effect.map(connect(place, "write"), (connection) => tableOf(connection, place))

const tableOf = ({ query, write }: PostgresConnection, { name, node, schema }: PostgresPlace): OwnerTable => {
  const sql = statements(schema)
  const rows = (text: string) => query(text, name, node)
  return {
    look: Effect.map(rows(sql.look), ([row]) => (row === undefined ? undefined : (row as unknown as Seen))),
    take: (seen) =>
      seen === undefined
        ? Effect.flatMap(write(sql.first, [name, node]), (count) =>
            // Whose journal is not there yet is nobody's: the store makes it, and of two nodes one.
            count === 1 ? Effect.succeed(true) : Effect.map(query(sql.journal, name), (found) => found.length === 0)
          )
        : Effect.flatMap(write(sql.take, [name, node, seen.node, seen.beat]), (count) =>
            count === 1 ? Effect.as(rows(sql.leave), true) : Effect.succeed(false)
          ),
    beat: Effect.flatMap(
      rows(sql.beat),
      ([counted]): Effect.Effect<Beat | undefined, JournalError> =>
        counted === undefined
          ? Effect.map(query(sql.owner, name), ([row]) => row && beatOf(false, row["node"] as string | null, row))
          : Effect.succeed(beatOf(true, node, counted))
    ),
    lastEntry: Effect.map(query(sql.last, name), ([row]) => Number(row?.["last"] ?? 0)),
    handOver: Effect.asVoid(rows(sql.handOver)),
    halt: (why) => Effect.asVoid(query(sql.halt, name, why))
  }
}

const beatOf = (isCounted: boolean, node: string | null, row: Row): Beat => ({
  isCounted,
  node,
  beat: BigInt(String(row["beat"]))
})

/** Nodes that stand by for the switch of the place, besides its own, and have looked within `withinMs`. */
export const standbysOf = (
  place: PostgresPlace,
  withinMs: number
): Effect.Effect<ReadonlyArray<string>, JournalError> =>
  Effect.scoped(
    Effect.flatMap(connect(place, "write"), ({ query }) =>
      Effect.map(query(statements(place.schema).standbys, place.name, place.node, withinMs / 1000), (all) =>
        all.map(({ node }) => String(node))
      )
    )
  )

/** Lets nodes take the switch of the place over again, which its owner has stopped for good. False: it was not. */
export const releaseSwitch = (place: PostgresPlace): Effect.Effect<boolean, JournalError> =>
  Effect.scoped(
    Effect.flatMap(connect(place, "write"), ({ write }) =>
      Effect.map(write(statements(place.schema).release, [place.name]), (count) => count > 0)
    )
  )

/** One switch of a PostgreSQL, and its nodes. Seconds by PostgreSQL's own clock. */
export interface OwnerRow {
  readonly switch: string
  readonly epoch: number
  /** `null`: nobody has it. */
  readonly node: string | null
  /** How long it has had it, and how long ago its last beat was. */
  readonly since: number | null
  readonly silent: number | null
  /** Why nobody takes it over until a person has decided; `null`: anybody may. */
  readonly halted: string | null
  readonly standbys: ReadonlyArray<{ readonly node: string; readonly silent: number }>
}

/** All switches that keep their journals there; with `read` also as a standby of PostgreSQL has them. */
export const ownersOf = (
  place: PostgresPlace,
  use: PostgresUse = "read"
): Effect.Effect<ReadonlyArray<OwnerRow>, JournalError> =>
  Effect.scoped(
    Effect.flatMap(connect(place, use), ({ query }) =>
      Effect.map(query(statements(place.schema).all), (all) =>
        all.map(
          (row) =>
            ({ ...row, epoch: Number(row["epoch"]), standbys: JSON.parse(String(row["standbys"] ?? "[]")) }) as OwnerRow
        )
      )
    )
  )
