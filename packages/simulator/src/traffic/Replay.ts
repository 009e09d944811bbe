/**
 * Recorded requests sent again: with their own timing, faster or slower, with new numbers and dates, and their answers compared
 * with those that were recorded.
 *
 * Owns the order, the renewal and the comparison. One connection, so that answers come where they are looked for.
 */
import {
  type Codec,
  isResponse,
  MessageIndex,
  PatchList,
  readOriginalData,
  responseMti,
  wholeFrame
} from "@jinka/codec"
import { Clock, Effect } from "effect"
import { chanceOf } from "../chance/Chance.ts"
import { upkeepAnswer } from "../dialogue/Build.ts"
import { told } from "../dialogue/Observed.ts"
import type { WireFormat } from "../dialogue/WireFormat.ts"
import { type EntranceSettings, makeEntrance } from "../link/Entrance.ts"
import { endpointText } from "../link/Listener.ts"
import { LoadLink } from "../link/LoadLink.ts"
import type { Way } from "../link/ModeLink.ts"
import type { PartnerEnd } from "../link/Sockets.ts"
import { timePictures } from "../message/LocalTime.ts"
import { type MacSettings, macElements, writeMac } from "../message/MessageMac.ts"
import { timeInPicture } from "../partner/Numbering.ts"
import { timepieceOf } from "../partner/Session.ts"
import { type ListenFailed, SettingInvalid } from "../SimulatorError.ts"
import { type AnswerDifference, compareAnswers, type Tolerance } from "./Compare.ts"
import { type Pair, pairKey, type Read } from "./Traffic.ts"
import { Waiting } from "./Waiting.ts"

/** How to replay. Times in milliseconds. */
export interface ReplaySettings {
  readonly form: WireFormat
  readonly mac: MacSettings | undefined
  /** Who makes the connection, and where. */
  readonly way: Way
  /** Nothing is sent before the far side has signed on. */
  readonly isSignOnExpected: boolean
  /** 2: twice as fast; 0: each as soon as the one before was answered. */
  readonly speed: number
  /** Give new numbers and dates. */
  readonly isRenewed: boolean
  readonly timeoutMs: number
  readonly tolerance: Tolerance
}

/** What may become of a request, in the order in which it is told. */
export const replayOutcomes = ["same", "differs", "unanswered", "newly answered", "not compared", "not sent"] as const
type ReplayOutcome = (typeof replayOutcomes)[number]

/** What became of one request. */
export interface Replayed {
  readonly mti: string
  /** As it was recorded. */
  readonly stan: string
  readonly rrn: string
  readonly outcome: ReplayOutcome
  readonly differences: ReadonlyArray<AnswerDifference>
  /** From its intended start; -1 without an answer. */
  readonly ms: number
}

/** Milliseconds for the connection to come up, and to come again when it fell: ours, and one that the far side makes. */
const upMaxMs = { dial: 5000, listen: 60_000 }

/** Before dialling again; an entrance that listens does not. */
const redial = { redialFrom: 0, redialTo: 0 }

const askedFor = ({ isSignOnExpected, way }: ReplaySettings, reason: string): string => {
  const within = `in ${upMaxMs[way.role] / 1000} seconds`
  const why = reason === "" ? "" : ` (${reason})`
  if (isSignOnExpected) return `no connection came up and signed on ${within}${why}`
  return way.role === "dial" ? `no connection came up ${within}${why}` : `nobody connected ${within}${why}`
}

interface Sent {
  readonly key: string
  readonly pair: Pair
  readonly renewed: ReadonlySet<string>
  readonly dueAt: number
  readonly sentAt: number
}

/** A request that went out with new numbers, by what a reversal calls it. */
interface Renewed {
  readonly index: MessageIndex
  readonly places: ReadonlySet<string>
}

const originalName = (mti: string | undefined, stan: string | undefined): string => `${mti} ${stan}`

/** What a reversal says of its original, with the numbers under which that went out; `undefined` when it did not. */
const renewedOriginal = (
  { dialect, layout }: Codec,
  index: MessageIndex,
  earlier: ReadonlyMap<string, Renewed>
): string | undefined => {
  const form = dialect.reversal?.originalData
  if (form === undefined || !index.has(form.field)) return undefined
  const text = index.text(form.field)
  const said = readOriginalData(dialect, text)
  const first = earlier.get(originalName(said?.[0], said?.[layout.roles.stan]))
  if (first === undefined) return undefined
  let written = ""
  for (const { de, digits, length = "fixed" } of form.parts) {
    if (length !== "fixed") break
    const was = text.slice(written.length, written.length + digits)
    written += first.places.has(String(de)) ? first.index.text(de).padStart(digits, "0") : was
  }
  return written + text.slice(written.length)
}

/** The message with new numbers and dates, where it has them and the dialect lets them be as short. */
const renewedCopy = (
  { form }: ReplaySettings,
  { bytes, index }: Read,
  number: number,
  now: number,
  earlier: ReadonlyMap<string, Renewed>
): { readonly bytes: Buffer; readonly places: ReadonlySet<string> } => {
  const { codec } = form
  const { roles } = codec.layout
  const patches = new PatchList()
  const places = new Set<string>()
  const set = (de: number, value: string): void => {
    const field = codec.layout.fields[de]
    if (field === undefined || !index.has(de) || index.text(de).length !== value.length) return
    patches.set(de, value)
    places.add(String(de))
  }
  set(roles.stan, String(number % 10 ** index.text(roles.stan).length).padStart(index.text(roles.stan).length, "0"))
  for (const [de, picture] of timePictures(codec.layout)) set(de, timeInPicture(now, picture))
  const original = renewedOriginal(codec, index, earlier)
  if (original !== undefined) set(codec.dialect.reversal!.originalData.field, original)
  if (codec.checkPatches(patches) !== undefined) return { bytes, places: new Set() }
  return { bytes: codec.patched(index, patches), places }
}

/** The message with its MAC by the key of the link; as it is without a key. */
const withOwnMac = ({ form, mac }: ReplaySettings, bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes)
  const index = new MessageIndex()
  if (mac !== undefined && form.codec.index(copy, 0, copy.length, index) === undefined) writeMac(form, index, mac)
  return copy
}

/**
 * Replays pairs in their order; gives what became of each, in the order of their ends. Ends early with `stop`, or when the
 * connection fell and does not come again: then gives why, in a clause, and what was left is not sent.
 */
export const replay = (
  settings: ReplaySettings,
  pairs: ReadonlyArray<Pair>,
  onEnd: (replayed: Replayed) => void,
  stop: Effect.Effect<void> = Effect.never,
  tell: (text: string) => void = () => undefined
): Effect.Effect<string | undefined, SettingInvalid | ListenFailed> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const time = timepieceOf(clock)
    const run = yield* Effect.acquireRelease(
      Effect.sync(() => new ReplayRun(settings, pairs, onEnd, time.monotonic, time.wall)),
      (made) => Effect.sync(() => made.close())
    )
    const { way } = settings
    if (way.role === "listen") {
      const entrance: EntranceSettings = { ...way, ...redial, onTrouble: tell }
      const { endpoint } = yield* makeEntrance(entrance, chanceOf(1, "redial"), (end) => run.take(end))
      tell(`listens on ${endpointText(endpoint)}`)
    }
    const waitMs = upMaxMs[way.role]
    const ticking = (until: () => boolean) =>
      Effect.repeat(
        Effect.andThen(
          Effect.sync(() => run.tick()),
          Effect.sleep(1)
        ),
        { until }
      )
    const isUp = yield* ticking(() => run.isUp).pipe(
      Effect.as(true),
      Effect.timeoutOrElse({ duration: waitMs, orElse: () => Effect.succeed(false) }),
      Effect.raceFirst(Effect.as(stop, true))
    )
    if (!isUp) {
      const setting = way.role === "dial" ? "--connect" : "--listen"
      return yield* new SettingInvalid({ setting, rule: askedFor(settings, run.reason) })
    }
    run.begin()
    const isStopped = yield* ticking(() => run.isOver || run.isGone).pipe(
      Effect.as(false),
      Effect.raceFirst(Effect.as(stop, true))
    )
    if (run.isOver) return undefined
    run.endRest()
    if (isStopped) return "it was stopped"
    return `the connection fell (${run.reason}), and none came up in ${waitMs / 1000} seconds`
  }).pipe(Effect.scoped)

class ReplayRun {
  /** Requests may go. */
  isUp = false
  reason = ""
  private readonly settings: ReplaySettings
  private readonly pairs: ReadonlyArray<Pair>
  private readonly onEnd: (replayed: Replayed) => void
  private readonly now: () => number
  private readonly wall: () => number
  private readonly link: LoadLink
  private readonly waiting = new Waiting<Sent>()
  private readonly renewed = new Map<string, Renewed>()
  private next = 0
  private begunAt = -1
  /** Since when no connection is there; -1 while one is. */
  private downSince = -1

  constructor(
    settings: ReplaySettings,
    pairs: ReadonlyArray<Pair>,
    onEnd: (replayed: Replayed) => void,
    now: () => number,
    wall: () => number
  ) {
    this.settings = settings
    this.pairs = pairs
    this.onEnd = onEnd
    this.now = now
    this.wall = wall
    const { isSignOnExpected, way } = settings
    const target = way.role === "dial" ? { connect: way.endpoint, tls: way.tls } : undefined
    this.link = new LoadLink(target, settings.form.frame, {
      up: () => {
        this.isUp = !isSignOnExpected
        this.downSince = -1
      },
      down: (reason) => {
        this.reason = reason
        this.isUp = false
        if (this.downSince < 0) this.downSince = this.now()
      },
      message: (buffer, start, end) => this.message(Buffer.from(buffer.subarray(start, end)))
    })
  }

  get isOver(): boolean {
    return this.next >= this.pairs.length && this.waiting.size === 0
  }

  /** Whether the far side has been away for so long that nobody waits for it any more. */
  get isGone(): boolean {
    return this.downSince >= 0 && this.now() - this.downSince >= upMaxMs[this.settings.way.role]
  }

  /** A connection that the far side has made. */
  take(end: PartnerEnd): void {
    this.link.take(end)
  }

  begin(): void {
    this.begunAt = this.now()
  }

  /** Ends all that is left: what waits has no answer, and nothing more is sent. */
  endRest(): void {
    for (const sent of this.waiting.values()) this.end(sent, undefined)
    for (const { request } of this.pairs.slice(this.next)) {
      const { mti = "", rrn = "", stan = "" } = request.line
      this.onEnd({ mti, stan, rrn, ms: -1, outcome: "not sent", differences: [] })
    }
  }

  tick(): void {
    const now = this.now()
    this.link.tick(now)
    if (this.begunAt < 0) return
    for (const sent of this.waiting.values()) {
      if (now - sent.sentAt < this.settings.timeoutMs) break
      this.waiting.remove(sent)
      this.end(sent, undefined)
    }
    while (this.next < this.pairs.length && this.isDue(now)) this.send(this.pairs[this.next++]!, now)
    this.link.flush()
  }

  close(): void {
    this.link.close()
  }

  private dueAt(at: number): number {
    const { speed } = this.settings
    return this.begunAt + (at - this.pairs[0]!.request.line.at) / speed
  }

  private isDue(now: number): boolean {
    if (!this.isUp || !this.link.isReady) return false
    if (this.settings.speed === 0) return this.waiting.size === 0
    return now >= this.dueAt(this.pairs[this.next]!.request.line.at)
  }

  private send(pair: Pair, now: number): void {
    const { form, isRenewed, speed } = this.settings
    const { bytes: plain, places } = isRenewed
      ? renewedCopy(this.settings, pair.request, this.next, this.wall(), this.renewed)
      : { bytes: pair.request.bytes, places: new Set<string>() }
    const bytes = withOwnMac(this.settings, plain)
    const index = new MessageIndex()
    form.codec.index(bytes, 0, bytes.length, index)
    const { mti, stan } = pair.request.line
    this.renewed.set(originalName(mti, stan), { index, places })
    const frame = wholeFrame(form.frame, bytes)
    const { at, out } = this.link.room(frame.length)
    frame.copy(out, at)
    this.link.wrote(frame.length)
    const key = `${responseMti(index.mti)} ${pairKey(form.codec, index)}`
    const dueAt = speed === 0 ? now : this.dueAt(pair.request.line.at)
    this.waiting.add({ key, pair, renewed: places, dueAt, sentAt: now })
  }

  private message(bytes: Buffer): void {
    const { form } = this.settings
    const index = new MessageIndex()
    if (form.codec.index(bytes, 0, bytes.length, index) !== undefined) return
    if (!isResponse(index.mti)) return this.answerUpkeep(bytes)
    const key = `${index.mti} ${pairKey(form.codec, index)}`
    const sent = this.waiting.find(key)
    if (sent === undefined) return
    this.waiting.remove(sent)
    this.end(sent, bytes)
  }

  /** What the far side asks to keep the link in order is accepted: sign-on, sign-off, echo, cut-over. */
  private answerUpkeep(bytes: Buffer): void {
    const { form, isSignOnExpected, mac } = this.settings
    const answered = upkeepAnswer(form, told(form, bytes, 0), mac === undefined ? [] : macElements)
    if (answered === undefined) return
    const frame = wholeFrame(form.frame, withOwnMac(this.settings, answered.answer))
    if (answered.meaning === "signOn") this.isUp = true
    if (answered.meaning === "signOff") this.isUp = !isSignOnExpected
    const { at, out } = this.link.room(frame.length)
    frame.copy(out, at)
    this.link.wrote(frame.length)
  }

  private end({ dueAt, pair, renewed }: Sent, answer: Buffer | undefined): void {
    const { form, mac, tolerance } = this.settings
    const { answer: recorded, request } = pair
    const { mti = "", rrn = "", stan = "" } = request.line
    const facts = { mti, stan, rrn, ms: answer === undefined ? -1 : this.now() - dueAt }
    if (answer === undefined) {
      const outcome = recorded === undefined ? "not compared" : "unanswered"
      return this.onEnd({ ...facts, outcome, differences: [] })
    }
    if (recorded === undefined) return this.onEnd({ ...facts, outcome: "newly answered", differences: [] })
    // Another number or key, another MAC.
    const macs = renewed.size > 0 || mac !== undefined ? macElements.map(String) : []
    const ignored = new Set([...tolerance.ignored, ...renewed, ...macs])
    const differences = compareAnswers(form.codec, recorded.bytes, answer, { ...tolerance, ignored })
    this.onEnd({ ...facts, outcome: differences.length === 0 ? "same" : "differs", differences })
  }
}
