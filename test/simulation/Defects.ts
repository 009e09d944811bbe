/**
 * Deliberate defects, thirteen of the switch and five of a fleet, one line each: the world has to find every one of them
 * within ten thousand seeds (`npm run canary`). A simulation that finds none of these finds nothing.
 *
 * Kept as a text and what takes its place, so that they move with the code around them; `Defects.test.ts` says which of them has
 * to be mended when its line has changed.
 */

import type { Wishes } from "./Options.ts"

/** One defect. */
export interface Defect {
  readonly name: string
  /** The guarantee that it breaks (docs/concepts/guarantees.md). */
  readonly breaks: string
  /** Of the world that has to find it; left out: `switch`. */
  readonly mode?: "fleet"
  /** What the world is asked for besides, where few of its runs come to the place; left out: nothing. */
  readonly wishes?: Wishes
  /** From the root of the repository. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly put: string
}

/** No fault of a fleet but the loss at the end, and the hand-over before it. */
const nothingElse: Wishes["weights"] = {
  ...{ kill: 0, freeze: 0, cutFromStore: 0, cutFromPartners: 0, resetStore: 0, swallowStore: 0, handOver: 0 },
  ...{ nodeClock: 0, storeCrash: 0, failOver: 0, standbyGone: 0, slowStore: 0, loss: 0 }
}

const exchange = (name: string): string => `packages/switch/src/exchange/${name}.ts`

const owner = (name: string): string => `packages/switch/src/operate/owner/${name}.ts`
const postgres = (name: string): string => `packages/switch/src/journal/postgres/${name}.ts`

/** All of them. */
export const defects: ReadonlyArray<Defect> = [
  {
    name: "an answer leaves before it is on disk",
    breaks: "G1",
    file: exchange("request/Requests"),
    find: "desks.commits.deliver(desks.partnerOf(origin), seq, holder.id, slot.id)",
    put: "this.deliver(holder.id, slot.id)"
  },
  {
    name: "what waits for an entry of the journal is done one entry too early",
    breaks: "G1",
    file: exchange("turns/Commits"),
    find: "queue.first <= this.lastSeq)",
    put: "queue.first <= this.lastSeq + 1)"
  },
  {
    name: "a request that timed out is not reversed",
    breaks: "G4",
    file: exchange("request/Requests"),
    find: '      commits.after(this.desks.partnerOf(origin), seq, () => this.refuseOrigin(target, slot, noAnswer))\n      this.reverse(origin, target, slot, "noAnswer")',
    put: '      commits.after(this.desks.partnerOf(origin), seq, () => this.refuseOrigin(target, slot, noAnswer))\n      if (reason !== "timeout") this.reverse(origin, target, slot, "noAnswer")'
  },
  {
    name: "a stored message is given up after two attempts",
    breaks: "G2",
    file: exchange("delivery/StoreAndForward"),
    find: 'if (stored.attempts >= this.settings.attemptsMax) this.finish({ row, stored }, "abandoned", code)',
    put: 'if (stored.attempts >= 2) this.finish({ row, stored }, "abandoned", code)'
  },
  {
    name: "one request in a hundred is written twice",
    breaks: "G4",
    file: exchange("request/Requests"),
    find: "    slot.sentAt = session.outbox.promise()\n",
    put: "    slot.sentAt = session.outbox.promise()\n    if (slot.exchange % 97 === 0) this.messages.write(target, session, slot)\n"
  },
  {
    name: "a repeat does not say that it is one",
    breaks: "G5",
    file: exchange("delivery/Forwarding"),
    find: "session.end(at, language.resend(index, again, session.outbox.buffer, at))",
    put: "session.end(at, language.resend(index, again && stored.attempts > 3, session.outbox.buffer, at))"
  },
  {
    name: "one answer in ninety is delivered twice",
    breaks: "G3",
    file: exchange("request/Requests"),
    find: "    if (!this.sendAnswer(slot, slot)) slot.settle(false)",
    put: "    if (slot.exchange % 89 === 0) this.sendAnswer(slot)\n    if (!this.sendAnswer(slot, slot)) slot.settle(false)"
  },
  {
    name: "a restart forgets what it had sent and not heard of",
    breaks: "G2",
    file: exchange("Recovery"),
    find: "      if (this.end(entry)) reversed++\n",
    put: "      if (entry.seq % 3 !== 0 && this.end(entry)) reversed++\n"
  },
  {
    name: "a repeated request is taken for a new one",
    breaks: "G4",
    file: exchange("entry/RequestAdmission"),
    find: "    if (known !== undefined) return this.refusals.repeated(origin, epoch, index, known)",
    put: "    if (known !== undefined && known.outcome !== Outcome.timedOut) return this.refusals.repeated(origin, epoch, index, known)"
  },
  {
    name: "a partner may speak in another's name",
    breaks: "G6",
    file: exchange("Exchanges"),
    find: "    if (wrong !== undefined) return this.refusals.impostor(desk, epoch, index, wrong)",
    put: "    if (wrong !== undefined && index.mti !== 200) return this.refusals.impostor(desk, epoch, index, wrong)"
  },
  {
    name: "an approval that nobody heard is kept",
    breaks: "G4",
    file: exchange("request/Requests"),
    find: "      if (!target.language.isSuccess(slot.endCode)) return\n",
    put: "      if (slot.endCode !== '') return\n"
  },
  {
    name: "a repeat is given an approval that is being taken back",
    breaks: "G4",
    wishes: { calls: 1, acquirer: { repeats: 0.5, leaves: 0.5 } },
    file: exchange("Desks"),
    find: "    if (slot !== undefined) slot.copies++\n    return slot\n",
    put: "    return slot === undefined ? undefined : { settle: () => {} }\n"
  },
  {
    name: "a cut-over is answered before it is on disk",
    breaks: "G1",
    file: exchange("day/BusinessDays"),
    find: "      this.desks.after(desk, seq, send)\n",
    put: "      if (seq > 0) send()\n"
  },
  {
    name: "an owner that wakes sends what it had in hand",
    breaks: "fleet",
    mode: "fleet",
    file: owner("Claim"),
    find: "return now - this.provenAt < this.takeoverAfterMs",
    put: "return this.provenAt <= now || this.takeoverAfterMs > 0"
  },
  {
    name: "a standby takes over after half of the time",
    breaks: "fleet",
    mode: "fleet",
    file: owner("Claim"),
    find: "return now - this.since >= patienceMs",
    put: "return now - this.since >= patienceMs / 2"
  },
  {
    name: "what is seen after a lost connection counts before anything behind it is acknowledged",
    breaks: "fleet",
    mode: "fleet",
    file: postgres("PostgresCommits"),
    find: "      if (rest.length === 0) yield* this.inTime(connection.query(this.sql.barrier))",
    put: "      void this.sql.barrier"
  },
  {
    name: "a hand-over gives away what is gone",
    breaks: "fleet",
    mode: "fleet",
    // Little traffic: an owner that has something to commit sees the loss by itself.
    wishes: {
      losses: 1,
      weights: nothingElse,
      acquirers: 1,
      days: 0,
      chaos: 15_000,
      acquirer: { pause: [1500, 6000] }
    },
    file: owner("Claim"),
    find: "if (!isForgotten) yield* table.handOver",
    put: "yield* table.handOver"
  },
  {
    name: "nobody says that what was acknowledged is gone",
    breaks: "fleet",
    mode: "fleet",
    file: owner("Claim"),
    find: 'new Set(["Truncated", "Corrupt", "Gone"])',
    put: 'new Set(["Corrupt", "Gone"])'
  }
]
