import { describe, expect, it } from "vitest"
import { type CommitGroup, GROUP_HEADER_LENGTH, groupAt } from "../../../packages/switch/src/journal/CommitGroup.ts"
import { entryAt, entryLength, readU64 } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind, noCounts } from "../../../packages/switch/src/journal/EntryKind.ts"
import { JournalWriter } from "../../../packages/switch/src/journal/JournalWriter.ts"
import { messageOf, write } from "./Journals.ts"

/**
 * A writer whose groups gather in `groups` until the test gives them back; `spans` keeps the first and last seq of
 * each.
 */
const writerOf = (groupSize = 4096, groupsUnderWayMax = 2, earlyEntries = Number.POSITIVE_INFINITY) => {
  const groups: Array<CommitGroup> = []
  const spans: Array<ReadonlyArray<number>> = []
  const take = (group: CommitGroup): void => {
    groups.push(group)
    spans.push([group.first, group.last])
  }
  const writer = new JournalWriter(take, 0, noCounts(), { groupSize, groupsUnderWayMax, earlyEntries })
  const commitAll = () => {
    for (let group = groups.shift(); group !== undefined; group = groups.shift()) writer.committed(group)
  }
  return { writer, groups, spans, commitAll }
}

/** Seqs of the entries in a group's memory. */
const entriesIn = (buffer: Buffer, length: number): ReadonlyArray<number> => {
  const seqs: Array<number> = []
  const end = GROUP_HEADER_LENGTH + length
  for (let at = GROUP_HEADER_LENGTH; at < end; at += entryLength(buffer, at))
    seqs.push(readU64(buffer, at + entryAt.seq))
  return seqs
}

describe("the journal's writer", () => {
  it("gives an idle store something to do before the turn is over, and a busy one nothing", () => {
    const { writer, spans } = writerOf(4096, 2, 3)

    for (let n = 0; n < 9; n++) write(writer)

    expect(spans).toEqual([[1, 3]])

    writer.flush()
    expect(spans).toEqual([
      [1, 3],
      [4, 9]
    ])
  })

  it("does not part what has to be durable together", () => {
    const { writer, spans } = writerOf(4096, 2, 3)

    writer.beginTogether()
    for (let n = 0; n < 6; n++) write(writer)
    writer.endTogether()
    writer.flush()

    expect(spans).toEqual([[1, 6]])
  })

  it("numbers entries without gaps and says what is not on disk yet", () => {
    const { writer, groups } = writerOf()

    expect([write(writer), write(writer), writer.note("up")]).toEqual([1, 2, 3])
    expect(writer.pendingEntries).toBe(3)

    writer.flush()
    expect(writer.pendingEntries).toBe(3)

    writer.committed(groups[0]!)

    expect([writer.pendingEntries, writer.pendingBytes, writer.committedSeq, writer.next]).toEqual([0, 0, 3, 4])
  })

  it("hands over what gathered meanwhile, as one group, when a group is durable", () => {
    const { writer, groups, spans } = writerOf(4096, 1)
    const committed: Array<number> = []
    writer.onCommitted = (last) => committed.push(last)

    write(writer)
    writer.flush()
    write(writer)
    writer.flush()
    write(writer)

    expect(groups.length).toBe(1)

    writer.committed(groups[0]!)
    expect(spans).toEqual([
      [1, 1],
      [2, 3]
    ])

    writer.committed(groups[1]!)

    expect(committed).toEqual([1, 3])
  })

  it("never hands an entry over twice when several groups fill up at once", () => {
    for (const underWay of [1, 2, 3]) {
      const { writer, groups, commitAll } = writerOf(1024, underWay)
      const seen: Array<readonly [number, number]> = []
      const writeMany = () => {
        for (let n = 0; n < 50; n++) write(writer, { message: messageOf(n, 200) })
      }

      writeMany()
      writer.flush()
      while (groups.length > 0) {
        const group = groups.shift()!
        seen.push([group.first, group.last])
        writer.committed(group)
      }
      commitAll()

      let next = 1
      for (const [first, last] of seen) {
        expect(first).toBe(next)
        next = last + 1
      }
      expect(next).toBe(51)
    }
  })

  it("keeps entries together in one group even when they outgrow its memory", () => {
    const { writer, groups } = writerOf(1024)
    write(writer, { message: messageOf(1, 700) })

    writer.beginTogether()
    for (let n = 0; n < 10; n++) write(writer, { message: messageOf(n, 500) })

    expect(() => writer.flush()).toThrow(/beginTogether/)

    writer.endTogether()
    writer.flush()

    expect(groups.some(({ first, last }) => first <= 2 && last === 11)).toBe(true)
  })

  it("keeps groups at their size in a turn of many things that go together, and parts none of these", () => {
    const { writer, groups, spans, commitAll } = writerOf(4096)

    for (let n = 0; n < 100; n++) {
      writer.beginTogether()
      for (let more = 0; more < 3; more++) write(writer, { message: messageOf(3 * n + more, 100 + 7 * n) })
      writer.endTogether()
    }
    writer.flush()
    const sizes: Array<number> = []
    while (groups.length > 0) {
      for (const { buffer, first, last, length } of groups) {
        sizes.push(buffer.length)
        const read = entriesIn(buffer, length)
        expect(read).toEqual(Array.from({ length: last - first + 1 }, (_, n) => first + n))
      }
      commitAll()
    }

    expect(writer.committedSeq).toBe(300)
    expect(spans.length).toBeGreaterThan(20)
    expect(sizes.every((size) => size === 4096)).toBe(true)
    expect(spans.every(([first, last]) => first! % 3 === 1 && last! % 3 === 0)).toBe(true)
  })

  it("does not send a group while entries are being kept together", () => {
    const { writer, groups, spans } = writerOf(4096, 1)
    write(writer)
    writer.flush()

    writer.beginTogether()
    write(writer)
    writer.committed(groups[0]!)
    write(writer)
    writer.endTogether()
    writer.flush()

    expect(spans).toEqual([
      [1, 1],
      [2, 3]
    ])
  })

  it("takes an entry that is larger than a group's memory", () => {
    const { writer, groups, commitAll } = writerOf(1024)

    write(writer, { message: messageOf(1, 100_000) })
    write(writer, { message: messageOf(2, 10) })
    writer.flush()

    expect(groups[0]!.length).toBeGreaterThan(100_000)

    commitAll()
    commitAll()
    expect(writer.committedSeq).toBe(2)
  })

  it("lets recovery start at the oldest open exchange, but never behind the group itself", () => {
    const { writer, groups } = writerOf()
    const floorOf = () => readU64(groups.at(-1)!.buffer, groupAt.floor)

    write(writer)
    writer.flush()

    expect(floorOf()).toBe(1)

    writer.committed(groups[0]!)
    write(writer)
    writer.floor = 1
    writer.flush()

    expect(floorOf()).toBe(1)

    writer.committed(groups[1]!)
    write(writer)
    writer.floor = 99
    writer.flush()

    expect(floorOf()).toBe(3)
  })

  it("refuses to be misused instead of writing a broken entry", () => {
    const { writer } = writerOf()

    expect(() => writer.end(0, 0)).toThrow(/without begin/)

    writer.begin(EntryKind.accepted, "", 10)
    expect(() => writer.begin(EntryKind.accepted, "", 10)).toThrow(/has ended/)
    expect(() => writer.flush()).toThrow(/inside an entry/)
    expect(() => writer.end(8, 3)).toThrow(/longer/)
    expect(writer.end(8, 2)).toBe(1)
    expect(() => writer.endTogether()).toThrow(/without beginTogether/)
  })

  it("sends nothing more after it was stopped", () => {
    const { writer, groups } = writerOf()

    writer.stop()
    write(writer)
    writer.flush()

    expect(groups).toEqual([])
    expect(writer.pendingEntries).toBe(1)
  })

  it("allocates nothing per entry", () => {
    const { writer, groups } = writerOf(256 * 1024)
    const message = messageOf(1, 330)
    const writeGroup = () => {
      for (let n = 0; n < 500; n++) {
        const at = writer.begin(EntryKind.answered, "00", 400)
        writer.of(1)
        writer.on(1, 1)
        message.copy(writer.buffer, at)
        writer.end(330, 0)
      }
      writer.flush()
      while (groups.length > 0) writer.committed(groups.shift()!)
    }
    for (let n = 0; n < 100; n++) writeGroup()

    let least = Number.POSITIVE_INFINITY
    for (let round = 0; round < 10; round++) {
      const before = process.memoryUsage().heapUsed
      for (let n = 0; n < 10; n++) writeGroup()
      const grown = process.memoryUsage().heapUsed - before
      if (grown >= 0) least = Math.min(least, grown)
    }

    // 5,000 entries: one small object each would be 80 kB or more. The group bookkeeping and the measuring are a few
    // kB.
    expect(least).toBeLessThan(40_000)
  })
})
