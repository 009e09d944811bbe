import * as FastCheck from "fast-check"
import { describe, expect, it } from "vitest"
import * as LinkGroup from "../../../packages/switch/src/link/LinkGroup.ts"

const QUIET = 300_000
const settings = (use: LinkGroup.Use, ...weights: ReadonlyArray<number>): LinkGroup.GroupSettings => ({
  name: "issuers",
  members: weights.map((weight, link) => ({ link, name: `issuer-${link}`, weight })),
  use,
  by: [2],
  failbackMs: QUIET,
  fallTogether: false
})
const roomy: LinkGroup.View = { hasRoom: () => true, outstanding: () => 0 }
const fullBut = (...members: ReadonlyArray<number>): LinkGroup.View => ({
  hasRoom: (member) => members.includes(member),
  outstanding: () => 0
})

/** `2 ready 1000`: member 2 is so at this time; `time 5000`. */
const run = (of: LinkGroup.GroupSettings, ...events: ReadonlyArray<string>): LinkGroup.LinkGroup =>
  events.reduce(
    (group, text) => {
      const [what, as, at] = text.split(" ")
      return what === "time"
        ? LinkGroup.step(of, group, { _tag: "time", at: Number(as) })
        : LinkGroup.step(of, group, {
            _tag: "changed",
            member: Number(what),
            as: as as LinkGroup.Availability,
            at: Number(at)
          })
    },
    LinkGroup.initial(of, 0)
  )

const chosen = (of: LinkGroup.GroupSettings, group: LinkGroup.LinkGroup, view = roomy, turn = 0, key = 0) =>
  new LinkGroup.Chooser(of).choose(group, view, turn, key)

describe("A primary and its backups", () => {
  const pair = settings("primary-backup", 1, 1, 1)

  it.each<readonly [string, ReadonlyArray<string>, number]>([
    ["nobody while nobody is ready", [], -1],
    ["the primary when all are ready, whoever came first", ["1 ready 0", "2 ready 1", "0 ready 2"], 0],
    ["the backup while the primary was never there", ["1 ready 0"], 1],
    ["the first backup when the primary is lost", ["0 ready 0", "1 ready 0", "2 ready 0", "0 away 9"], 1],
    ["the backup when the primary is only suspect", ["0 ready 0", "1 ready 0", "0 suspect 9"], 1],
    [
      "the backup while the primary is back for too short a time",
      ["0 ready 0", "1 ready 0", "0 away 1", "0 ready 10", "time 300009"],
      1
    ],
    ["the primary after the quiet time", ["0 ready 0", "1 ready 0", "0 away 1", "0 ready 10", "time 300010"], 0],
    [
      "the backup when the primary was lost again within the quiet time",
      ["0 ready 0", "1 ready 0", "0 away 1", "0 ready 10", "0 away 200000", "0 ready 200001", "time 300010"],
      1
    ],
    [
      "the primary at once when the backup is lost in the quiet time",
      ["0 ready 0", "1 ready 0", "0 away 1", "0 ready 10", "1 away 20"],
      0
    ],
    [
      "the backup that was first back after all were lost, not the primary behind it",
      ["0 ready 0", "1 ready 0", "0 away 1", "1 away 2", "1 ready 3", "0 ready 4"],
      1
    ]
  ])("use %s", (_, events, member) => {
    expect(chosen(pair, run(pair, ...events))).toBe(member)
  })

  it("spill to the backup what the primary has no room for", () => {
    const group = run(pair, "0 ready 0", "1 ready 0")

    expect(chosen(pair, group, fullBut(1, 2))).toBe(1)
    expect(chosen(pair, group, fullBut(2))).toBe(-1)
  })

  it("say when the primary is used again", () => {
    const group = run(pair, "0 ready 0", "1 ready 0", "0 away 1", "0 ready 10")

    expect(group.members.map((member) => LinkGroup.failbackDue(pair, member))).toEqual([300_010, undefined, undefined])
  })
})

describe("A round robin", () => {
  it("gives every member its share, spread evenly", () => {
    const of = settings("round-robin", 3, 1)
    const group = run(of, "0 ready 0", "1 ready 0")
    const turns = Array.from({ length: 8 }, (_, turn) => chosen(of, group, roomy, turn))

    expect(turns).toEqual([0, 0, 1, 0, 0, 0, 1, 0])
  })

  it("passes over members that are not ready or full", () => {
    const of = settings("round-robin", 1, 1, 1)
    const group = run(of, "0 ready 0", "2 ready 0")

    expect([0, 1, 2, 3].map((turn) => chosen(of, group, roomy, turn))).toEqual([0, 2, 2, 0])
    expect([0, 1, 2].map((turn) => chosen(of, group, fullBut(0, 1), turn))).toEqual([0, 0, 0])
  })
})

describe("The least busy member", () => {
  const busy = (...outstanding: ReadonlyArray<number>): LinkGroup.View => ({
    hasRoom: () => true,
    outstanding: (member) => outstanding[member]!
  })

  it("gets the request, by its weight, and in turn among equals", () => {
    const of = settings("least-outstanding", 1, 1, 2)
    const group = run(of, "0 ready 0", "1 ready 0", "2 ready 0")

    expect(chosen(of, group, busy(5, 4, 20))).toBe(1)
    expect(chosen(of, group, busy(5, 4, 5))).toBe(2)
    expect([0, 1].map((turn) => chosen(of, group, busy(3, 3, 9), turn))).toEqual([0, 1])
  })
})

const spread = (of: LinkGroup.GroupSettings, group: LinkGroup.LinkGroup, keys: number, view = roomy) =>
  Array.from({ length: keys }, (_, n) => chosen(of, group, view, 0, Math.imul(n + 1, 0x9e3779b9)))
const shares = (members: ReadonlyArray<number>, count: number) =>
  Array.from({ length: count }, (_, member) => members.filter((one) => one === member).length / members.length)

describe("Sticky members", () => {
  const all = (of: LinkGroup.GroupSettings, ...more: ReadonlyArray<string>) =>
    run(of, ...of.members.map((_, member) => `${member} ready 0`), ...more)

  it("share the keys by their weights", () => {
    const of = settings("sticky", 1, 2, 1)

    shares(spread(of, all(of), 20_000), 3).forEach((share, member) => {
      expect(share).toBeCloseTo([0.25, 0.5, 0.25][member]!, 1.5)
    })
  })

  it("keep their keys when the order in the file changes", () => {
    const of = settings("sticky", 1, 1, 1)
    const turned = { ...of, members: [...of.members].reverse() }

    expect(spread(turned, all(turned), 500).map((member) => 2 - member)).toEqual(spread(of, all(of), 500))
  })

  it("lose only the keys of a member that is lost, and those spread over all others", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 2, max: 8 }),
        FastCheck.nat(),
        FastCheck.boolean(),
        (count, n, isFull) => {
          const of = settings("sticky", ...new Array<number>(count).fill(1))
          const lost = n % count
          const before = spread(of, all(of), 2000)
          const others = of.members.map((_, member) => member).filter((member) => member !== lost)
          const after = isFull
            ? spread(of, all(of), 2000, fullBut(...others))
            : spread(of, all(of, `${lost} away 9`), 2000)
          before.forEach((member, key) => {
            if (member === lost) expect(after[key]).not.toBe(lost)
            else expect(after[key]).toBe(member)
          })
          const moved = after.filter((_, key) => before[key] === lost)
          for (const member of others) expect(moved.filter((one) => one === member).length).toBeGreaterThan(0)
        }
      ),
      { numRuns: 40 }
    )
  })

  it("have their keys back at once after being only suspect, and after the quiet time when they were lost", () => {
    const of = settings("sticky", 1, 1)
    const before = spread(of, all(of), 200)

    expect(spread(of, all(of, "0 suspect 9"), 200)).toEqual(new Array(200).fill(1))
    expect(spread(of, all(of, "0 suspect 9", "0 ready 10"), 200)).toEqual(before)
    expect(spread(of, all(of, "0 away 9", "0 ready 10", "time 300009"), 200)).toEqual(new Array(200).fill(1))
    expect(spread(of, all(of, "0 away 9", "0 ready 10", "time 300010"), 200)).toEqual(before)
  })

  it("use a member without its place rather than refuse", () => {
    const of = settings("sticky", 1, 1)
    const group = all(of, "0 away 9", "0 ready 10")

    expect(chosen(of, group, fullBut(0), 0, 7)).toBe(0)
  })
})

describe("Every group", () => {
  const events = FastCheck.array(
    FastCheck.record({
      member: FastCheck.nat(3),
      as: FastCheck.constantFrom<LinkGroup.Availability>("ready", "suspect", "away"),
      passes: FastCheck.integer({ min: 0, max: QUIET })
    }),
    { maxLength: 40 }
  )

  it("uses a member whenever one is ready with room, and only such a one", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom<LinkGroup.Use>("primary-backup", "round-robin", "least-outstanding", "sticky"),
        events,
        FastCheck.array(FastCheck.nat(3)),
        FastCheck.nat(),
        (use, happened, room, turn) => {
          const of = settings(use, 1, 2, 1, 3)
          let group = LinkGroup.initial(of, 0)
          let at = 0
          for (const { member, as, passes } of happened) {
            at += passes
            group = LinkGroup.step(of, group, { _tag: "time", at })
            group = LinkGroup.step(of, group, { _tag: "changed", member, as, at })
          }
          const member = chosen(of, group, fullBut(...room), turn, turn)
          const may = [0, 1, 2, 3].filter((one) => group.members[one]!.availability === "ready" && room.includes(one))
          expect(member === -1 ? may.length === 0 : may.includes(member)).toBe(true)
          const ready = group.members.filter(({ availability }) => availability === "ready")
          expect(ready.length === 0 || ready.some(({ hasPlace }) => hasPlace)).toBe(true)
        }
      )
    )
  })

  it("falls together once, and not again for what the partner closes by the same rule", () => {
    const of = { ...settings("round-robin", 1, 1), fallTogether: true }
    const fallen = LinkGroup.step(of, LinkGroup.initial(of, 0), { _tag: "fell", at: 1000 })

    expect(LinkGroup.mustFall(of, LinkGroup.initial(of, 0), 1000)).toBe(true)
    expect(LinkGroup.mustFall(of, fallen, 1000 + LinkGroup.FALL_QUIET_MS)).toBe(false)
    expect(LinkGroup.mustFall(of, fallen, 1001 + LinkGroup.FALL_QUIET_MS)).toBe(true)
    expect(LinkGroup.mustFall({ ...of, fallTogether: false }, LinkGroup.initial(of, 0), 0)).toBe(false)
  })
})
