/** Why a connection ended: every reason by the path that makes it, with a sentence that is true there, and who did it. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { advice, type LinkEnded } from "../../../packages/switch/src/link/LinkEnded.ts"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { answerTo, type LinkAll, makeDisk, purchase, startBench, type Wire } from "./Bench.ts"
import { acquirer, issuer } from "./Pair.ts"

type Reason = LinkEnded["reason"]

const fin = new ConnectionEnded({ how: "fin", cause: "the partner closed the connection" })
const broken = (cause: string) => new ConnectionEnded({ how: "reset", cause })

type Started = Effect.Success<ReturnType<typeof startBench>>

/** What is done to a link that is up; its partner's wire. */
type Play = (started: Started, wire: Wire) => Effect.Effect<unknown, unknown>

interface Case {
  readonly reason: Reason
  readonly when: string
  /** What the link has besides the usual; it is the issuer's. */
  readonly link?: Partial<LinkAll>
  readonly play: Play
  readonly why: RegExp
  readonly by: string
}

const pass = (ms: number) => TestClock.adjust(ms)
const ends =
  (ended: ConnectionEnded): Play =>
  (_, wire) =>
    Effect.sync(() => wire.end(ended))
const later =
  (ms: number): Play =>
  () =>
    pass(ms)

const signsOn: LinkAll["signOn"] = { send: true, expect: false, timeoutMs: 1000 }
const echoing = { intervalMs: 1000, probe: true, proofs: 0 }
const short: NonNullable<LinkAll["short"]> = {
  dial: undefined,
  keep: true,
  firstMessageMs: 300,
  idleMs: 2000,
  connectionsMax: 5
}

/** A purchase goes out on the link. */
const asked: Play = (started) =>
  Effect.gen(function* () {
    started.dial(0).say(purchase())
    yield* started.commit
  })

const cases: ReadonlyArray<Case> = [
  {
    reason: "PeerClosed",
    when: "the partner sends FIN",
    play: ends(fin),
    why: /^the partner closed the connection$/,
    by: "partner, FIN"
  },
  {
    reason: "PeerReset",
    when: "the partner sends RST",
    play: ends(broken("ECONNRESET")),
    why: /^ECONNRESET$/,
    by: "partner, RST"
  },
  {
    reason: "PeerReset",
    when: "the network gives up",
    play: ends(broken("ETIMEDOUT")),
    why: /^ETIMEDOUT$/,
    by: "network, the network gave up"
  },
  {
    reason: "PeerSilent",
    when: "nothing comes, and no echo can be sent",
    link: { watchdog: { ...echoing, probe: false } },
    play: later(3300),
    why: /^nothing was received for (2[89]|3[0-2])\d\d ms$/,
    by: "us, silence"
  },
  {
    reason: "PeerSilent",
    when: "nothing comes, not even an answer to an echo",
    link: { watchdog: echoing },
    play: later(3300),
    why: /^nothing was received for (2[89]|3[0-2])\d\d ms, not even an answer to our echo$/,
    by: "us, silence"
  },
  {
    reason: "EchoUnanswered",
    when: "bytes come and the echo is not answered",
    link: { watchdog: echoing },
    play: ({ commit }, wire) =>
      Effect.gen(function* () {
        yield* pass(1200)
        wire.raw(Buffer.from("0000"))
        yield* commit
        yield* pass(3300)
      }),
    why: /^our echo was not answered in \d{4} ms, though other bytes came$/,
    by: "us, echo not answered"
  },
  {
    reason: "FrameError",
    when: "a length is no number",
    play: (_, wire) => Effect.sync(() => wire.raw(Buffer.from("GET / HTTP"))),
    why: /length|digits|HTTP/,
    by: "us, frame error"
  },
  {
    reason: "FrameError",
    when: "a frame that is sent by delimiter is too long: nothing is said of a length header",
    link: { frame: { kind: "delimiter", delimiter: "0D0A", idle: "none", lengthMax: 20 } },
    play: (_, wire) => Effect.sync(() => wire.raw(Buffer.alloc(200, 0x41))),
    why: /^(?!.*length header).+$/,
    by: "us, frame error"
  },
  {
    reason: "FrameTimeout",
    when: "a frame is begun and not finished",
    play: ({ commit }, wire) =>
      Effect.gen(function* () {
        wire.raw(Buffer.from("0100half"))
        yield* commit
        yield* pass(5100)
      }),
    why: /^a frame was open for 5000 ms$/,
    by: "us, frame deadline"
  },
  {
    reason: "SlowPeer",
    when: "a write makes no progress",
    play: (started, wire) =>
      Effect.gen(function* () {
        wire.takes = false
        yield* asked(started, wire)
        yield* pass(5100)
      }),
    why: /^a write made no progress for 5000 ms$/,
    by: "us, unsent bytes"
  },
  {
    reason: "SlowPeer",
    when: "more is unsent than is allowed",
    link: { unsentMax: 10 },
    play: (started, wire) =>
      Effect.gen(function* () {
        wire.takes = false
        const a = started.dial(0)
        for (const stan of ["000001", "000002"]) {
          a.say(purchase({ 11: stan }))
          yield* started.commit
        }
      }),
    why: /^more than 10 bytes are unsent$/,
    by: "us, unsent bytes"
  },
  {
    reason: "SignOnRefused",
    when: "our sign-on is refused for good",
    link: { signOn: signsOn },
    play: (_, wire) => Effect.sync(() => wire.say(answerTo(wire.heard()[0]!, "0830", { 39: "58" }))),
    why: /^our sign-on was answered 58$/,
    by: "us, sign-on refused"
  },
  {
    reason: "SignOnRefused",
    when: "our sign-on is answered without a code",
    link: { signOn: signsOn },
    play: (_, wire) => Effect.sync(() => wire.say({ ...wire.heard()[0]!, mti: "0830" })),
    why: /^our sign-on was answered without DE 39$/,
    by: "us, sign-on refused"
  },
  {
    reason: "SignOnTimeout",
    when: "our sign-on is not answered",
    link: { signOn: signsOn },
    play: later(1100),
    why: /^no answer to our sign-on in 1000 ms$/,
    by: "us, no sign-on in time"
  },
  {
    reason: "SignOnTimeout",
    when: "our sign-on is answered under another number",
    link: { signOn: signsOn },
    play: ({ commit }, wire) =>
      Effect.gen(function* () {
        wire.say(answerTo(wire.heard()[0]!, "0830", { 11: "777777" }))
        yield* commit
        yield* pass(1100)
      }),
    why: /^no answer to our sign-on in 1000 ms: an answer came that belongs to no request of ours, DE 11 is 777777, not/,
    by: "us, no sign-on in time"
  },
  {
    reason: "SignOnTimeout",
    when: "the partner does not sign on",
    link: { signOn: { send: false, expect: true, timeoutMs: 1000 } },
    play: later(1100),
    why: /^the partner did not sign on within 1000 ms$/,
    by: "us, no sign-on in time"
  },
  {
    reason: "Replaced",
    when: "a second connection comes and takes its place",
    play: ({ dial }) => Effect.sync(() => dial(1)),
    why: /^a second connection came from 127\.0\.0\.1:2$/,
    by: "partner, second connection"
  },
  {
    reason: "Replaced",
    when: "a second connection comes and the first gives no sign of life",
    link: {
      side: { _tag: "listen", at: { host: "bench", port: 103 }, from: [], second: "challenge", challengeMs: 500 },
      watchdog: { ...echoing, intervalMs: 3_600_000 }
    },
    play: ({ dial }) =>
      Effect.andThen(
        Effect.sync(() => dial(1)),
        pass(600)
      ),
    why: /^a second connection came from 127\.0\.0\.1:2, and the first one gave no sign of life$/,
    by: "partner, second connection"
  },
  {
    reason: "AnswerOverdue",
    when: "no answer comes where one request at a time is under way",
    link: { mode: "sync-long", window: 1 },
    play: (started, wire) => Effect.andThen(asked(started, wire), pass(1200)),
    why: /^no answer came in time$/,
    by: "us, no answer in time"
  },
  {
    reason: "IdleTimeout",
    when: "a short connection brings nothing",
    link: { mode: "sync-short", short, watchdog: { intervalMs: 0, probe: false, proofs: 0 } },
    play: later(400),
    why: /^no whole message came within 300 ms$/,
    by: "us, idle"
  },
  {
    reason: "IdleTimeout",
    when: "a short connection that is kept brings nothing more",
    link: { mode: "sync-short", short, watchdog: { intervalMs: 0, probe: false, proofs: 0 } },
    play: ({ commit }, wire) =>
      Effect.gen(function* () {
        wire.say(purchase({ 2: "5100000000000006" }))
        yield* commit
        yield* pass(2200)
      }),
    why: /^nothing came for 2000 ms$/,
    by: "us, idle"
  },
  {
    reason: "Operator",
    when: "an operator cuts it",
    play: ({ running }) => running.operations.act("issuer", "cut", { user: "ann" }, 100),
    why: /^cut by ann$/,
    by: "operator, command"
  },
  {
    reason: "Operator",
    when: "an operator drains it",
    play: ({ running }) =>
      Effect.andThen(Effect.forkChild(running.operations.act("issuer", "drain", { user: "ann" }, 100)), pass(3000)),
    why: /^drained by ann$/,
    by: "operator, command"
  },
  {
    reason: "Stopping",
    when: "the switch stops",
    play: ({ running }) => Effect.andThen(Effect.forkChild(running.drain(100)), pass(3000)),
    why: /^the switch is stopping$/,
    by: "us, stop"
  },
  {
    reason: "WrongLeg",
    when: "bytes come on the leg that only sends",
    link: {
      side: {
        _tag: "legs",
        send: { _tag: "listen", at: { host: "bench", port: 103 }, from: [], second: "replace" },
        receive: { _tag: "listen", at: { host: "bench", port: 113 }, from: [], second: "replace" },
        timeoutMs: 1000,
        collectMs: 0
      }
    },
    play: ({ dialLeg, commit }) =>
      Effect.gen(function* () {
        const send = dialLeg(1, "send")
        dialLeg(1, "receive")
        yield* commit
        send.raw(Buffer.from("0000"))
      }),
    why: /^send leg: 4 bytes came on the leg that only sends to the partner$/,
    by: "us, bytes on the sending leg"
  },
  {
    reason: "HalfOpen",
    when: "the other leg does not come",
    link: {
      side: {
        _tag: "legs",
        send: { _tag: "listen", at: { host: "bench", port: 103 }, from: [], second: "replace" },
        receive: { _tag: "listen", at: { host: "bench", port: 113 }, from: [], second: "replace" },
        timeoutMs: 1000,
        collectMs: 0
      }
    },
    play: ({ dialLeg }) =>
      Effect.andThen(
        Effect.sync(() => dialLeg(1, "receive")),
        pass(1100)
      ),
    why: /^receive leg: up for 1000 ms without the send leg$/,
    by: "us, one leg alone"
  },
  {
    reason: "ConnectFailed",
    when: "the partner's address does not take the connection",
    link: { side: { _tag: "connect", to: { host: "bench", port: 103 }, timeoutMs: 1000 } },
    play: later(10),
    why: /^no connection to bench:103: Refused \(bench\)$/,
    by: "network, no connection came about"
  }
]

/** Reasons that have tests of their own elsewhere, or no line in a link's ends. */
const elsewhere: Readonly<Record<string, string>> = {
  GroupFell: "groups.test.ts",
  Reloaded: "reload.test.ts",
  Done: "the orderly end of a short connection: it is not among the ends",
  Defect: "a defect of the switch"
}

describe("the end of a connection", () => {
  for (const { reason, when, link, play, why, by } of cases) {
    it.effect(`is ${reason} when ${when}`, () =>
      Effect.gen(function* () {
        const started = yield* startBench([acquirer, { ...issuer, ...link }], makeDisk())
        const side = link?.side?._tag ?? "listen"
        const wire = side === "listen" ? started.dial(1) : (undefined as unknown as Wire)
        yield* started.commit
        const playing = yield* Effect.forkChild(Effect.result(play(started, wire)))
        for (let turn = 0; turn < 3; turn++) {
          yield* started.commit
          yield* TestClock.adjust(1)
        }
        yield* Fiber.join(playing)
        yield* started.commit

        const end = started.running.status().links[1]!.ends[0]

        expect(end?.reason).toBe(reason)
        expect(end?.why).toMatch(why)
        expect(`${end?.by}, ${end?.how}`).toBe(by)
      })
    )
  }

  it("has a path here, or a place elsewhere, for every reason that there is", () => {
    const shown = new Set<string>(cases.map(({ reason }) => reason))
    expect(
      Object.keys(advice)
        .filter((reason) => !shown.has(reason))
        .sort()
    ).toEqual(Object.keys(elsewhere).sort())
  })

  it("comes with advice that holds for every path: it names no code, frame or number of one of them", () => {
    for (const [reason, text] of Object.entries(advice)) {
      expect(text, reason).not.toMatch(/\b00\b|length header|three|`second: replace`/)
    }
  })
})
