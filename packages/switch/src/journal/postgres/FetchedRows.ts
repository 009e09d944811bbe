/**
 * The rows of a journal in PostgreSQL, for code that asks for them synchronously: what is asked for and not here yet breaks the
 * question off, is fetched, and the question starts again (`PostgresQuestions`). Groups never change, so what is here stays true.
 */
import type { BeginningRow } from "../Beginning.ts"
import type { GroupRow, GroupRows, MarkRow, NameRow } from "../GroupRows.ts"
import type { StoredKeyRow } from "../KeySlots.ts"

/** What a question asked for that is not here. */
export type Wanted =
  | { readonly what: "from"; readonly first: number }
  | { readonly what: "upTo"; readonly seq: number }
  | { readonly what: "mark"; readonly seq: number }
  | { readonly what: "beginning" }
  | { readonly what: "names" }
  | { readonly what: "slots" }

/** Breaks a question off. */
export class Missing extends Error {
  readonly wanted: Wanted

  constructor(wanted: Wanted) {
    super(`${wanted.what} is not fetched yet`)
    this.wanted = wanted
  }
}

/** Bytes of groups that are kept from one question to the next. */
const KEPT_BYTES = 4 * 1024 * 1024

/** See the module header. */
export class FetchedRows implements GroupRows {
  readonly place: string
  /** By `first`, in its order. */
  private groups: Array<GroupRow> = []
  private bytes = 0
  private readonly windows = new Map<number, ReadonlyArray<GroupRow>>()
  private readonly found = new Map<number, GroupRow | undefined>()
  private readonly marks = new Map<number, MarkRow | undefined>()
  private begins: { readonly row: BeginningRow | undefined } | undefined
  private names = new Map<number, NameRow & { readonly id: number }>()
  private slots: Map<string, StoredKeyRow> | undefined
  private areNamesFresh = false

  constructor(place: string) {
    this.place = place
  }

  /** Forgets what may have changed since, and groups beyond what is worth keeping: before each question. */
  renew(): void {
    this.windows.clear()
    this.found.clear()
    this.marks.clear()
    this.slots = undefined
    this.begins = undefined
    this.areNamesFresh = false
    if (this.bytes < KEPT_BYTES) return
    this.groups = []
    this.bytes = 0
  }

  from(first: number): ReadonlyArray<GroupRow> {
    return this.windows.get(first) ?? this.miss({ what: "from", first })
  }

  upTo(seq: number): GroupRow | undefined {
    const at = this.placeOf(seq)
    const near = this.groups[at]
    if (near !== undefined && near.last >= seq) return near
    return this.found.has(seq) ? this.found.get(seq) : this.miss({ what: "upTo", seq })
  }

  mark(seq: number): MarkRow | undefined {
    return this.marks.has(seq) ? this.marks.get(seq) : this.miss({ what: "mark", seq })
  }

  beginning(): BeginningRow | undefined {
    return (this.begins ?? this.miss({ what: "beginning" })).row
  }

  name(id: number): NameRow | undefined {
    const known = this.names.get(id)
    return known !== undefined || this.areNamesFresh ? known : this.miss({ what: "names" })
  }

  slot(link: string, slot: string): StoredKeyRow | undefined {
    return (this.slots ?? this.miss({ what: "slots" })).get(`${link}\n${slot}`)
  }

  /** All names that are known, by number. */
  get knownNames(): Iterable<NameRow & { readonly id: number }> {
    return this.names.values()
  }

  /** Groups behind `first`, without a gap: what was asked for with `from`. */
  putWindow(first: number, rows: ReadonlyArray<GroupRow>): void {
    this.windows.set(first, rows)
    for (const row of rows) this.put(row)
  }

  /** What was asked for with `upTo`. */
  putFound(seq: number, row: GroupRow | undefined): void {
    this.found.set(seq, row)
    if (row !== undefined) this.put(row)
  }

  putMark(seq: number, row: MarkRow | undefined): void {
    this.marks.set(seq, row)
  }

  putBeginning(row: BeginningRow | undefined): void {
    this.begins = { row }
  }

  putNames(rows: ReadonlyArray<NameRow & { readonly id: number }>): void {
    this.names = new Map(rows.map((row) => [row.id, row]))
    this.areNamesFresh = true
  }

  /** A name that was written just now. */
  putName(row: NameRow & { readonly id: number }): void {
    this.names.set(row.id, row)
  }

  putSlots(rows: ReadonlyArray<StoredKeyRow>): void {
    this.slots = new Map(rows.map((row) => [`${row.link}\n${row.slot}`, row]))
  }

  /** Keeps a group, unless there is enough already: it can be fetched. */
  put(row: GroupRow): void {
    const at = this.placeOf(row.first)
    if (this.groups[at]?.first === row.first) return
    this.groups.splice(at + 1, 0, row)
    this.bytes += row.bytes.length
  }

  /** Keeps a group that was committed just now, while there is room: the index asks for it soon. Its bytes are copied. */
  keep(row: GroupRow): void {
    if (this.bytes < KEPT_BYTES) this.put({ ...row, bytes: Buffer.from(row.bytes) })
  }

  /** Whether the group of this entry is here. */
  has(seq: number): boolean {
    const near = this.groups[this.placeOf(seq)]
    return near !== undefined && near.last >= seq
  }

  /** Where the last group is that begins at `seq` or before; -1: nowhere. */
  private placeOf(seq: number): number {
    let [low, high] = [0, this.groups.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.groups[middle]!.first <= seq) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  private miss(wanted: Wanted): never {
    throw new Missing(wanted)
  }
}
