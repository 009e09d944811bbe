/**
 * What the simulated PostgreSQL holds, and what each statement of the switch does to it: the statements are told apart by their
 * text, and one that is not known here fails. Pure; when a statement is looked at and when it is committed, `SimPostgres` knows.
 */
import type { Row } from "../../../packages/switch/src/journal/postgres/PostgresRows.ts"

/** A row of `commit_group`, and the node whose session wrote it. */
export interface StoredGroup {
  readonly first: number
  readonly last: number
  readonly epoch: bigint
  readonly sealed: number
  readonly hash: Buffer
  readonly tag: Buffer
  readonly bytes: Buffer
  readonly node: string
}

interface Owner {
  readonly node: string | null
  readonly beat: bigint
  readonly halted: string | null
}

/** The tables of one schema with the journal of one switch. */
export class Tables {
  journalId: string | undefined
  epoch = 0n
  /** By `first`, in its order. */
  readonly groups: Array<StoredGroup> = []
  private readonly byFirst = new Map<number, StoredGroup>()
  readonly names: Array<Row> = []
  readonly slots = new Map<string, Row>()
  readonly marks: Array<Row> = []
  owner: Owner | undefined

  group(first: number): StoredGroup | undefined {
    return this.byFirst.get(first)
  }

  put(group: StoredGroup): void {
    this.groups.push(group)
    this.byFirst.set(group.first, group)
  }
}

/** What a transaction changes. */
export type Change = (tables: Tables) => void

/** What a statement answers. */
export interface Outcome {
  readonly rows: ReadonlyArray<Row>
  readonly count: number
  readonly change?: Change
}

/** A statement that was understood. */
export interface Work {
  /** What it locks until its commit; left out: it only reads. */
  readonly lock?: string
  /** What it sees when it begins, before it waits for its lock: false ends it with nothing written. */
  readonly fits?: (tables: Tables) => boolean
  /** Looked at with the lock in hand. */
  readonly run: (tables: Tables) => Outcome
}

type Values = ReadonlyArray<unknown>
type Making = (values: Values, node: string) => Work

const ROWS_MAX = 64
const JOURNAL = 1
const PART_ENTRIES = 1_000_000_000

const rowsOf = (rows: ReadonlyArray<Row>): Outcome => ({ rows, count: rows.length })
const written = (change: Change, rows: ReadonlyArray<Row> = []): Outcome => ({ rows, count: 1, change })
const nothing: Outcome = { rows: [], count: 0 }

const reads =
  (run: (tables: Tables, values: Values) => ReadonlyArray<Row>): Making =>
  (values) => ({ run: (tables) => rowsOf(run(tables, values)) })

const writes =
  (lock: string, run: (tables: Tables, values: Values) => Outcome): Making =>
  (values) => ({ lock, run: (tables) => run(tables, values) })

const groupRow = ({ node: _node, ...group }: StoredGroup): Row => ({
  ...group,
  first: BigInt(group.first),
  last: BigInt(group.last)
})

const ofHex = (text: unknown): ReadonlyArray<Row> =>
  (JSON.parse(String(text ?? "[]")) as ReadonlyArray<Row>).map((row) => ({
    ...row,
    tag: Buffer.from(String(row["tag"]), "hex")
  }))

const lastAtMost = (tables: Tables, seq: number, least: number): StoredGroup | undefined =>
  tables.groups.findLast(({ first }) => first <= seq && first >= least && first > 0)

/** A commit: looked at when it begins, as PostgreSQL's snapshot is, and alone at its place. */
const insertGroup: Making = (values, node) => {
  const [, firstOf, lastOf, epochOf, sealed, hash, tag, bytes, before, beforeHash, names, keys, marks] = values
  const [first, last, epoch] = [Number(firstOf), Number(lastOf), epochOf as bigint]
  const buffers = [hash, tag, bytes].map((one) => Buffer.from(one as Uint8Array))
  const group = { first, last, epoch, sealed: Number(sealed), hash: buffers[0]!, tag: buffers[1]!, bytes: buffers[2]! }
  return {
    lock: `group ${first}`,
    fits: (tables) => {
      const known = tables.group(Number(before))
      return tables.epoch === epoch && known?.last === first - 1 && known.hash.equals(beforeHash as Buffer)
    },
    run: (tables) =>
      tables.group(first) !== undefined
        ? nothing
        : written((now) => {
            now.put({ ...group, node })
            now.names.push(...ofHex(names))
            for (const row of ofHex(keys)) now.slots.set(`${row["link"]}\n${row["slot"]}`, row)
            now.marks.push(...ofHex(marks))
          })
  }
}

const genesis: Making = (values, node) => {
  const [, epoch, hash, tag] = values
  const group = { first: 0, last: 0, epoch: epoch as bigint, sealed: 0, bytes: Buffer.alloc(0), node }
  return {
    lock: "group 0",
    run: (tables) =>
      tables.group(0) === undefined
        ? written((now) => now.put({ ...group, hash: hash as Buffer, tag: tag as Buffer }))
        : nothing
  }
}

const look: Making = (_values, node) => ({
  lock: `standby ${node}`,
  run: ({ journalId, owner }) =>
    written(() => {}, journalId === undefined || owner === undefined ? [] : [{ ...owner, beat: String(owner.beat) }])
})

const take = writes("owner", (tables, [, node, seenNode, seenBeat]) => {
  const { owner } = tables
  const isAsSeen = owner?.node === seenNode && String(owner?.beat) === seenBeat && owner?.halted === null
  if (tables.journalId === undefined || (owner !== undefined && !isAsSeen)) return nothing
  const beat = (owner?.beat ?? -1n) + 1n
  return written((now) => {
    now.owner = { node: String(node), beat, halted: null }
  })
})

const beat = writes("owner", (tables, [, node]) => {
  const { owner } = tables
  if (tables.journalId === undefined || (owner !== undefined && owner.node !== node)) return nothing
  const next = { node: String(node), beat: (owner?.beat ?? -1n) + 1n, halted: owner?.halted ?? null }
  return written(
    (now) => {
      now.owner = next
    },
    [{ beat: String(next.beat) }]
  )
})

/** Nobody has had the switch yet: the first one makes the row. */
const first = writes("owner", (tables, [, node]) =>
  tables.journalId === undefined || tables.owner !== undefined
    ? nothing
    : written((now) => {
        now.owner = { node: String(node), beat: 0n, halted: null }
      })
)

const halt = writes("owner", (tables, [, why]) => {
  const { owner } = tables
  return owner === undefined
    ? nothing
    : written((now) => {
        now.owner = { ...owner, halted: String(why) }
      })
})

const ofOwner = (change: (owner: Owner, values: Values) => Owner): Making =>
  writes("owner", (tables, values) => {
    const { owner } = tables
    if (owner === undefined || owner.node !== values[1]) return nothing
    const next = change(owner, values)
    return written((now) => {
      now.owner = next
    })
  })

/** All statements that a running fleet sends, by what only their text has. */
const statements: ReadonlyArray<readonly [RegExp, Making]> = [
  [/^SELECT 1 AS here$/, reads(() => [{ here: 1 }])],
  [/INSERT INTO \w+\.group_/, insertGroup],
  [/^WITH here AS/, look],
  [/^INSERT INTO \w+\.owner.*since = now\(\)/s, take],
  [/^INSERT INTO \w+\.owner.*ON CONFLICT DO NOTHING/s, first],
  [/^INSERT INTO \w+\.owner/, beat],
  [/^DELETE FROM \w+\.standby/, reads(() => [])],
  [
    /^SELECT o\.node,/,
    reads(({ owner }) => (owner === undefined ? [] : [{ node: owner.node, beat: String(owner.beat) }]))
  ],
  [/^SELECT g\.last/, reads(({ groups }) => groups.slice(-1).map(({ last }) => ({ last: String(last) })))],
  [/owner SET node = NULL/, ofOwner((owner) => ({ ...owner, node: null, beat: owner.beat + 1n }))],
  [/owner SET halted = \$2/, halt],
  [/^SELECT 1 AS here FROM \w+\.journal/, reads(({ journalId }) => (journalId === undefined ? [] : [{ here: 1 }]))],
  [
    /^SELECT id, journal_id/,
    reads(({ epoch, journalId }) =>
      journalId === undefined ? [] : [{ id: JOURNAL, journal_id: journalId, part_entries: PART_ENTRIES, epoch }]
    )
  ],
  [
    /^WITH begun AS/,
    writes("journal", (tables, [, id, node]) =>
      tables.journalId !== undefined
        ? nothing
        : written((now) => {
            now.journalId = String(id)
            now.owner = { node: String(node), beat: 0n, halted: null }
          })
    )
  ],
  [
    /journal SET epoch = epoch \+ 1/,
    writes("journal", (tables) => {
      const epoch = tables.epoch + 1n
      return written(
        (now) => {
          now.epoch = epoch
        },
        [{ epoch }]
      )
    })
  ],
  [/^SELECT epoch FROM/, reads(({ epoch }) => [{ epoch }])],
  [/make_part/, reads(() => [{ done: 1 }])],
  [/^INSERT INTO \w+\.commit_group/, genesis],
  [/ORDER BY first LIMIT 16$/, reads(({ groups }, [, from]) => behind(groups, Number(from), 16))],
  [/^SELECT first, .*ORDER BY first DESC LIMIT 1$/s, reads(lastGroup)],
  [/^SELECT first, .* FROM \(/s, reads(({ groups }, [, from]) => behind(groups, Math.max(1, Number(from)), ROWS_MAX))],
  [/pg_logical_emit_message/, writes("barrier", () => written(() => {}, [{ at: "0" }]))],
  [/seq >= \$2 ORDER BY seq/, reads(({ marks }, [, seq]) => marks.filter((row) => isFrom(row, seq)).slice(0, 1))],
  [
    /^SELECT max\(seq\)/,
    reads(({ marks }, [, seq]) => [{ seq: marks.findLast((row) => !isFrom(row, seq))?.["seq"] ?? null }])
  ],
  [/FROM \w+\.beginning/, reads(() => [])],
  [/FROM \w+\.name WHERE/, reads(({ names }) => names)],
  [/FROM \w+\.key_slot WHERE/, reads(({ slots }) => [...slots.values()])],
  [
    /^INSERT INTO \w+\.mark/,
    writes("mark", (tables, [, seq, counts, tag, epoch]) =>
      tables.epoch !== epoch || tables.marks.some((row) => row["seq"] === Number(seq))
        ? nothing
        : written((now) => void now.marks.push({ seq: Number(seq), counts, tag }))
    )
  ]
]

const isFrom = (row: Row, seq: unknown): boolean => Number(row["seq"]) >= Number(seq)

/** Groups that begin at `from` or behind it, found from the end: nobody asks far back often. */
function behind(groups: ReadonlyArray<StoredGroup>, from: number, most: number): ReadonlyArray<Row> {
  let [low, high] = [0, groups.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (groups[middle]!.first < from) low = middle + 1
    else high = middle
  }
  return groups.slice(low, low + most).map(groupRow)
}

/** The last group of all, or the last one that begins at `$2` or before. */
function lastGroup(tables: Tables, [, seq, least]: Values): ReadonlyArray<Row> {
  const found = seq === undefined ? tables.groups.at(-1) : lastAtMost(tables, Number(seq), Number(least))
  return found === undefined ? [] : [groupRow(found)]
}

/** What a statement of a node does. Throws for one that is not known here. */
export const workOf = (text: string, values: Values, node: string): Work => {
  const making = statements.find(([pattern]) => pattern.test(text))?.[1]
  if (making === undefined) throw new Error(`the simulated PostgreSQL does not know: ${text.slice(0, 120)}`)
  return making(values, node)
}
