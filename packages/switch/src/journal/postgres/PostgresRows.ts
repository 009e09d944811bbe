/**
 * The statements of a journal in PostgreSQL, and its rows as the journal's code has them. Pure.
 *
 * Groups are written into their part by name and read through the whole table; see `PostgresSchema.ts`. PostgreSQL's `bigint` is
 * a `bigint` here until it is checked: a seq is a number in the journal.
 */
import type { BeginningRow } from "../Beginning.ts"
import { type GroupRow, type MarkRow, type NameRow, STEP_GROUPS_MAX } from "../GroupRows.ts"
import type { SealedGroup } from "../GroupSeal.ts"
import type { StoredKeyRow } from "../KeySlots.ts"

/** One journal among those of a schema. */
export interface JournalNumber {
  readonly schema: string
  /** Its number in the tables. */
  readonly id: number
  /** Entries of one part. */
  readonly partEntries: number
}

/** A row as the driver gives it. */
export type Row = { readonly [column: string]: unknown }

/** The group that another one is chained to. */
export interface Before {
  readonly first: number
  readonly hash: Buffer
}

/** Bytes that one reading gives at most; it always takes a whole group. */
const READ_BYTES = 1_048_576

/** The number of the part that holds a group beginning at `first`. */
export const partOf = ({ partEntries }: JournalNumber, first: number): number => Math.floor(first / partEntries)

const partTable = (journal: JournalNumber, first: number): string =>
  `${journal.schema}.group_${journal.id}_${partOf(journal, first)}`

const columns = "first, last, epoch, sealed, hash, tag, bytes"

/**
 * Commits one group in one round trip, or nothing: 0 rows say that somebody else owns the journal, or has lost a part of it.
 *
 * The group before is there with the hash that this one is chained to (rows never change, so no lock is needed), and the primary
 * key lets nobody else follow it. The epoch keeps an old owner from winning that race again and again.
 */
const insertGroup = (journal: JournalNumber, first: number, before: number): string =>
  `INSERT INTO ${partTable(journal, first)} (journal, ${columns})
SELECT $1::int4, $2::int8, $3::int8, $4::int8, $5::int4, $6::bytea, $7::bytea, $8::bytea
FROM ${partTable(journal, before)}
WHERE journal = $1 AND first = $9::int8 AND last = $2 - 1 AND hash = $10::bytea
  AND (SELECT epoch FROM ${journal.schema}.journal WHERE id = $1) = $4`

let made = { schema: "", parts: "", text: "" }

/** The same as the last time, for as long as groups go into the same part: the driver knows a statement by its text. */
const insertText = (journal: JournalNumber, first: number, before: number): string => {
  const parts = `${journal.id} ${partOf(journal, first)} ${partOf(journal, before)}`
  if (made.parts !== parts || made.schema !== journal.schema) {
    made = { schema: journal.schema, parts, text: insertGroup(journal, first, before) }
  }
  return made.text
}

/** The same with rows of other tables that belong to the group: all of them or none. */
const insertMore = (journal: JournalNumber, first: number, before: number): string =>
  `WITH written AS (${insertGroup(journal, first, before)} RETURNING journal),
named AS (INSERT INTO ${journal.schema}.name SELECT w.journal, n.id, n.name, n.dialect, decode(n.tag, 'hex')
  FROM written w, jsonb_to_recordset($11::jsonb) AS n (id int, name text, dialect text, tag text)),
keyed AS (INSERT INTO ${journal.schema}.key_slot SELECT w.journal, k.link, k.slot, k.changes, k.seq, k.keys, decode(k.tag, 'hex')
  FROM written w, jsonb_to_recordset($12::jsonb) AS k (link text, slot text, changes int8, seq int8, keys text, tag text)
  ON CONFLICT (journal, link, slot) DO UPDATE SET changes = excluded.changes, seq = excluded.seq, keys = excluded.keys,
  tag = excluded.tag),
marked AS (INSERT INTO ${journal.schema}.mark SELECT w.journal, m.seq, m.counts, decode(m.tag, 'hex')
  FROM written w, jsonb_to_recordset($13::jsonb) AS m (seq int8, counts text, tag text))
SELECT journal FROM written`

/** A group on its way: its row, the rows that belong to it, and what it is chained to. */
export interface OutgoingGroup extends Omit<SealedGroup, "keys"> {
  readonly keys: ReadonlyArray<StoredKeyRow>
  readonly before: Before
}

const inHex = <A extends { readonly tag: Buffer }>(rows: ReadonlyArray<A>): string =>
  JSON.stringify(rows.map((row) => ({ ...row, tag: row.tag.toString("hex") })))

/** The statement that commits a group as the owner of `epoch`, and its values. */
export const commitStatement = (
  journal: JournalNumber,
  epoch: bigint,
  group: OutgoingGroup
): { readonly text: string; readonly values: ReadonlyArray<unknown> } => {
  const { first, last, sealed, hash, tag, bytes, before, names, keys, mark } = group
  const values = [journal.id, BigInt(first), BigInt(last), epoch, sealed, hash, tag, bytes]
  const behind = [BigInt(before.first), before.hash]
  if (names.length === 0 && keys.length === 0 && mark === undefined) {
    return { text: insertText(journal, first, before.first), values: [...values, ...behind] }
  }
  const marks = mark === undefined ? [] : [mark]
  const more = [inHex(names), inHex(keys), inHex(marks)]
  return { text: insertMore(journal, first, before.first), values: [...values, ...behind, ...more] }
}

/** All other statements of one schema. `$1` is the journal's number where nothing else is said. */
export const statementsOf = (schema: string) => ({
  /** `$1`: name of the switch. */
  journal: `SELECT id, journal_id, part_entries, epoch FROM ${schema}.journal WHERE switch = $1`,
  /**
   * `$1`: name of the switch; `$2`: identity of its new journal; `$3`: the node that begins it, which has the switch by that: no
   * other one that tried beats for it, or hands it over at its end.
   */
  begin: `WITH begun AS (
  INSERT INTO ${schema}.journal (switch, journal_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id
) INSERT INTO ${schema}.owner (journal, node) SELECT id, $3 FROM begun`,
  claim: `UPDATE ${schema}.journal SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch`,
  epoch: `SELECT epoch FROM ${schema}.journal WHERE id = $1`,
  part: `SELECT 1 AS done FROM (SELECT ${schema}.make_part($1::int4, $2::int8)) AS made`,
  /** The row that begins the chain. */
  genesis: `INSERT INTO ${schema}.commit_group (journal, ${columns}) VALUES ($1::int4, 0, 0, $2::int8, 0, $3::bytea, $4::bytea, '')
ON CONFLICT DO NOTHING`,
  last: `SELECT ${columns} FROM ${schema}.commit_group WHERE journal = $1 ORDER BY first DESC LIMIT 1`,
  /** Groups from `$2` on, as many as one reading takes. */
  from: `SELECT ${columns} FROM (
  SELECT ${columns}, sum(octet_length(bytes)) OVER (ORDER BY first) - octet_length(bytes) AS before FROM (
    SELECT ${columns} FROM ${schema}.commit_group WHERE journal = $1 AND first >= $2 AND first > 0 ORDER BY first LIMIT ${STEP_GROUPS_MAX}
  ) AS g
) AS c WHERE before < ${READ_BYTES} ORDER BY first`,
  /** The last group that begins at `$2` or before, and not before `$3`. */
  upTo: `SELECT ${columns} FROM ${schema}.commit_group WHERE journal = $1 AND first <= $2 AND first >= $3 AND first > 0
ORDER BY first DESC LIMIT 1`,
  /** Rows of groups in doubt: those that begin at `$2` or behind it. */
  doubtful: `SELECT first, last, epoch, hash FROM ${schema}.commit_group WHERE journal = $1 AND first >= $2 ORDER BY first LIMIT 16`,
  /** A commit of its own that changes nothing: when it is acknowledged, so is all before it, on every standby that counts. */
  barrier: "SELECT pg_logical_emit_message(true, 'jinka', '')::text AS at",
  mark: `SELECT seq, counts, tag FROM ${schema}.mark WHERE journal = $1 AND seq >= $2 ORDER BY seq LIMIT 1`,
  markBefore: `SELECT max(seq) AS seq FROM ${schema}.mark WHERE journal = $1 AND seq < $2`,
  beginning: `SELECT seq, hash, counts, tag FROM ${schema}.beginning WHERE journal = $1`,
  drop: `SELECT ${schema}.drop_parts($1::int4, $2::int8, $3::int8, $4::bytea, $5, $6::bytea) AS parts`,
  /** Room of all parts, in bytes. */
  room: `SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0)::int8 AS bytes FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
WHERE inhparent = '${schema}.commit_group'::regclass AND c.relname ~ ('^group_' || $1::int4 || '_')`,
  names: `SELECT id, name, dialect, tag FROM ${schema}.name WHERE journal = $1 ORDER BY id`,
  slots: `SELECT link, slot, changes, seq, keys, tag FROM ${schema}.key_slot WHERE journal = $1 ORDER BY link, slot`,
  retagBeginning: `UPDATE ${schema}.beginning SET tag = $2 WHERE journal = $1`,
  retagName: `UPDATE ${schema}.name SET tag = $3 WHERE journal = $1 AND id = $2`,
  retagSlot: `UPDATE ${schema}.key_slot SET tag = $4 WHERE journal = $1 AND link = $2 AND slot = $3`,
  newMark: `INSERT INTO ${schema}.mark (journal, seq, counts, tag) SELECT $1::int4, $2::int8, $3, $4::bytea
WHERE (SELECT epoch FROM ${schema}.journal WHERE id = $1) = $5::int8 ON CONFLICT DO NOTHING`
})

const numberOf = (value: unknown): number => Number(value)

const bufferOf = (value: unknown): Buffer =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : (value as Buffer)

/** A group's row, and the epoch of the owner that wrote it. Whether it is sound, `CommitGroupReader` says. */
export const groupRow = (row: Row): GroupRow & { readonly epoch: bigint } => ({
  first: numberOf(row["first"]),
  last: numberOf(row["last"]),
  epoch: row["epoch"] as bigint,
  sealed: numberOf(row["sealed"]),
  hash: bufferOf(row["hash"]),
  tag: bufferOf(row["tag"]),
  bytes: bufferOf(row["bytes"])
})

/** A mark's row. */
export const markRow = (row: Row): MarkRow => ({
  seq: numberOf(row["seq"]),
  counts: row["counts"] as string,
  tag: bufferOf(row["tag"])
})

/** The row that says where the journal begins. */
export const beginningRow = (row: Row): BeginningRow => ({
  seq: numberOf(row["seq"]),
  hash: bufferOf(row["hash"]),
  counts: row["counts"] as string,
  part: 0,
  tag: bufferOf(row["tag"])
})

/** A name's row. */
export const nameRow = (row: Row): NameRow & { readonly id: number } => ({
  id: numberOf(row["id"]),
  name: row["name"] as string,
  dialect: row["dialect"] as string,
  tag: bufferOf(row["tag"])
})

/** A row of the table of keys. */
export const slotRow = (row: Row): StoredKeyRow => ({
  link: row["link"] as string,
  slot: row["slot"] as string,
  changes: numberOf(row["changes"]),
  seq: numberOf(row["seq"]),
  keys: row["keys"] as string,
  tag: bufferOf(row["tag"])
})
