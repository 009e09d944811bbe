/**
 * Carries out one dialogue: the partners do their steps in order over real TCP, and everything said is kept in a transcript.
 *
 * Works against any system with an address. Shares no link, exchange or journal code with the switch. Every expectation has a
 * deadline, so a dialogue ends however the system under test behaves.
 */
import { cups } from "@jinka/codec"
import { Clock, Effect } from "effect"
import type { Endpoint } from "../link/Listener.ts"
import { reasonOf } from "../SimulatorError.ts"
import { buildMessage, corrupted, echoAnswer, framed, writesOf } from "./Build.ts"
import { type CardDatum, cardData } from "./Cover.ts"
import type { Act, Dialogue, Expectation, Sending, Step, Timing } from "./Dialogue.ts"
import { differences } from "./Match.ts"
import { type Observed, told } from "./Observed.ts"
import { fill, namedMessage, type Scope } from "./References.ts"
import { Stage, type StepFailed, stepFailed, uncorrupted } from "./Stage.ts"
import { PartMissing, StepInvalid } from "./StepInvalid.ts"
import type { Line, Mark, Transcript } from "./Transcript.ts"
import type { WireFailed } from "./Wire.ts"
import { makeWireFormat, type WireFormat } from "./WireFormat.ts"

/** How to run dialogues. */
export interface RunOptions {
  /** Host and port of an address by its name in the dialogue; `undefined`: not known in this run. */
  readonly endpoint: (address: string) => Endpoint | undefined
  /** Does what an operator of the system under test does; without it, dialogues that need one are skipped. */
  readonly operator?: (what: string) => Effect.Effect<void, string>
  /** How long an expectation waits that says nothing of it, in milliseconds. */
  readonly withinMs: number
  /** What every "within" is multiplied by, asked for at each step: a machine that also does other work needs more time. */
  readonly pace: () => number
  /** The partners' offset from UTC, in milliseconds. */
  readonly utcOffsetMs: number
  /** First of the numbers for `{stan}` and `{rrn}`. */
  readonly numbersFrom: number
}

/** 2 s for an expectation, the dialogues' own times, UTC, numbers from 1. */
export const usualRun: Omit<RunOptions, "endpoint"> = { withinMs: 2000, pace: () => 1, utcOffsetMs: 0, numbersFrom: 1 }

/** What ended a dialogue that did not go as it should. */
export interface Failure {
  /** The step that failed; `undefined` when all steps were good and something came that nobody expected. */
  readonly step: Step | undefined
  readonly says: ReadonlyArray<string>
  readonly mark: Mark | undefined
  /** The dialogue itself is to blame. */
  readonly isWrong?: boolean
}

/** What became of a dialogue. */
export interface Outcome {
  readonly dialogue: Dialogue
  /** `wrong`: a step asks for something that cannot be done; the dialogue is to be mended, not the system. */
  readonly result: "kept" | "broken" | "wrong" | "skipped"
  /** Why it was skipped; "" otherwise. */
  readonly skipped: string
  readonly failure: Failure | undefined
  readonly transcript: Transcript
  /** The first of the numbers for `{stan}` and `{rrn}` that it has not used. */
  readonly numbersTo: number
  /** Monotonic milliseconds. */
  readonly startedAt: number
  readonly endedAt: number
  /** Wall time of the beginning, milliseconds since the epoch. */
  readonly startedWall: number
  /** All card data that was sent or received, for searching files that must not hold it. */
  readonly cardData: ReadonlyArray<CardDatum>
}

/** One dialogue at work. */
class Run {
  readonly transcript: Array<Line> = []
  private readonly dialogue: Dialogue
  private readonly options: RunOptions
  private readonly clock: Clock.Clock
  private readonly named = new Map<string, Observed>()
  private readonly values = new Map<string, string>()
  private readonly stages: ReadonlyMap<string, Stage>
  numbers: number

  constructor(dialogue: Dialogue, options: RunOptions, clock: Clock.Clock) {
    this.dialogue = dialogue
    this.options = options
    this.clock = clock
    this.numbers = options.numbersFrom
    this.stages = new Map(
      dialogue.partners.map((partner) => [
        partner.name,
        new Stage(
          partner.name,
          partner,
          () => this.now(),
          this.transcript,
          (message) => (partner.answersEcho ? echoAnswer(partner.form, message) : undefined)
        )
      ])
    )
  }

  now(): number {
    return Number(this.clock.monotonicTimeNanosUnsafe()) / 1e6
  }

  readonly all: Effect.Effect<void, Failure> = Effect.suspend(() =>
    Effect.forEach(
      this.dialogue.steps,
      (step) =>
        this.step(step).pipe(
          Effect.mapError(
            (failed): Failure =>
              failed instanceof StepInvalid
                ? { step, says: [failed.rule], mark: undefined, isWrong: true }
                : { step, says: failed.says, mark: failed.mark }
          )
        ),
      { discard: true }
    )
  ).pipe(Effect.andThen(Effect.suspend(() => this.leftOver())))

  readonly end = Effect.sync(() => {
    for (const stage of this.stages.values()) stage.wire.destroy()
  })

  /** Messages that came and that no step expected. */
  private leftOver(): Effect.Effect<void, Failure> {
    for (const stage of this.stages.values()) {
      const unread = stage.unread()
      if (unread !== undefined) return Effect.fail({ step: undefined, says: unread.says, mark: unread.mark })
    }
    return Effect.void
  }

  private step(step: Step): Effect.Effect<void, StepFailed | StepInvalid> {
    switch (step._tag) {
      case "wait":
        return Effect.sleep(step.ms)
      case "let":
        return this.guarded(() => {
          const [first] = this.stages.values()
          const scope = this.scope(first?.form ?? makeWireFormat(cups))
          for (const [name, text] of Object.entries(step.values)) this.values.set(name, fill(scope, text))
          return Effect.void
        })
      case "operator": {
        this.transcript.push({ _tag: "noted", at: this.now(), partner: "", text: `operator: ${step.what}` })
        return this.options.operator!(step.what).pipe(Effect.mapError((says) => stepFailed(says)))
      }
      case "partner":
        return this.guarded(() => this.act(this.stages.get(step.partner)!, step.act))
    }
  }

  /** Carries out what may find that it cannot be done, or that a part is missing in what came. */
  private guarded(act: () => Effect.Effect<void, StepFailed>): Effect.Effect<void, StepFailed | StepInvalid> {
    return Effect.suspend(act).pipe(
      Effect.catchDefect((defect): Effect.Effect<never, StepFailed | StepInvalid> => {
        if (defect instanceof PartMissing) return Effect.fail(stepFailed(defect.rule))
        return defect instanceof StepInvalid ? Effect.fail(defect) : Effect.die(defect)
      })
    )
  }

  private act(stage: Stage, act: Act): Effect.Effect<void, StepFailed> {
    const withinMs = this.options.withinMs * this.options.pace()
    switch (act._tag) {
      case "connect":
        return stage.renewed().pipe(Effect.andThen(failing(stage.wire.connect(this.endpointOf(stage), withinMs))))
      case "listen":
        return failing(stage.wire.listen(this.endpointOf(stage)))
      case "stopListening":
        return Effect.sync(() => stage.wire.stopListening())
      case "accept":
        return stage
          .renewed()
          .pipe(
            Effect.andThen(
              failing(stage.wire.accept(act.withinMs === undefined ? withinMs : act.withinMs * this.options.pace()))
            )
          )
      case "send":
        return stage.write(writesOf(this.built(stage, act), act.corruption), act.corruption)
      case "sendTogether":
        return stage.write([Buffer.concat(act.messages.map((message) => this.built(stage, message)))], uncorrupted)
      case "sendBytes": {
        const wire = act.framed ? framed(stage.form, act.bytes, act.corruption) : act.bytes
        this.transcript.push({ _tag: "sentBytes", at: this.now(), partner: stage.name, wire })
        return stage.write(writesOf(wire, act.corruption), act.corruption)
      }
      case "sendIdle":
        return stage.sendIdle()
      case "expect":
        return this.expect(stage, act.expectation)
      case "expectNothing":
        return stage.nothing(act.forMs)
      case "expectIdle":
        return stage.idle(this.bounds(act.timing))
      case "expectClose":
        return stage.closed(act.how, this.bounds(act.timing))
      case "close":
        return Effect.sync(() => stage.wire.close(act.how))
    }
  }

  private endpointOf(stage: Stage): Endpoint {
    const { address } = this.dialogue.partners.find(({ name }) => name === stage.name)!
    return this.options.endpoint(address)!
  }

  private scope(form: WireFormat): Scope {
    return {
      form,
      named: this.named,
      keys: this.dialogue.keys,
      values: this.values,
      localMs: this.clock.currentTimeMillisUnsafe() + this.options.utcOffsetMs,
      number: () => this.numbers++
    }
  }

  /** The frame of a message that is about to leave; it is named and noted. */
  private built(stage: Stage, { as, template, corruption }: Sending): Buffer {
    const { form } = stage
    const good = buildMessage(this.dialogue, this.scope(form), template)
    const bytes = corrupted(form, good, corruption)
    const wire = framed(form, bytes, corruption)
    const at = this.now()
    // The name means the message as it was before it was corrupted: its answer is an answer to that.
    if (as !== undefined) this.named.set(as, { ...told(form, good, at), isOurs: true })
    this.transcript.push({ _tag: "sent", at, partner: stage.name, message: told(form, bytes, at), wire })
    return wire
  }

  private expect(stage: Stage, expectation: Expectation): Effect.Effect<void, StepFailed> {
    return stage.message(this.bounds(expectation)).pipe(
      Effect.flatMap((message) => {
        const found = differences(this.scope(stage.form), message, expectation)
        if (found.length > 0) {
          return Effect.fail(
            stepFailed(
              found.map(({ says }) => says),
              { message, ids: found.map(({ id }) => id), beside: this.besideOf(expectation) }
            )
          )
        }
        if (expectation.as !== undefined) this.named.set(expectation.as, message)
        return Effect.void
      })
    )
  }

  /** The earlier message that an expectation compares with. */
  private besideOf({ answerTo, sameAs }: Expectation): Observed | undefined {
    const name = sameAs ?? answerTo
    return name === undefined ? undefined : this.named.get(name)
  }

  private messageNamed(name: string): Observed {
    const [first] = this.stages.values()
    return namedMessage(this.scope(first!.form), name)
  }

  /** Monotonic times between which something has to come. */
  private bounds({ notBeforeMs, since, withinMs }: Timing): { readonly from: number; readonly to: number } {
    const origin = since === undefined ? this.now() : this.messageNamed(since).at
    // Without "not before", what came while an earlier step was at work is as good.
    const from = notBeforeMs === 0 ? Number.NEGATIVE_INFINITY : origin + notBeforeMs
    return { from, to: origin + (withinMs ?? this.options.withinMs + notBeforeMs) * this.options.pace() }
  }
}

const failing = (effect: Effect.Effect<void, WireFailed>): Effect.Effect<void, StepFailed> =>
  Effect.mapError(effect, ({ says }) => stepFailed(says))

/** Why this run cannot carry out the dialogue; "" when it can. */
const hindrance = (dialogue: Dialogue, options: RunOptions): string => {
  const unknown = dialogue.partners.find(({ address }) => options.endpoint(address) === undefined)
  if (unknown !== undefined) return `no address is given for "${unknown.address}"`
  const needsOperator = dialogue.steps.some(({ _tag }) => _tag === "operator")
  return needsOperator && options.operator === undefined ? "it needs an operator at the system under test" : ""
}

const distinct = (found: ReadonlyArray<CardDatum>): ReadonlyArray<CardDatum> => [
  ...new Map(found.map((datum) => [`${datum.name} ${datum.bytes.toString("hex")}`, datum])).values()
]

const cardDataOf = (transcript: Transcript): ReadonlyArray<CardDatum> =>
  distinct(
    transcript.flatMap((line) => (line._tag === "sent" || line._tag === "received" ? cardData(line.message) : []))
  )

/** Runs one dialogue to its end. Never fails: what went wrong is the outcome. */
export const runDialogue = (dialogue: Dialogue, options: RunOptions): Effect.Effect<Outcome> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const startedWall = clock.currentTimeMillisUnsafe()
    const now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    const startedAt = now()
    const common = { dialogue, startedAt, startedWall }
    const skipped = hindrance(dialogue, options)
    if (skipped !== "") {
      const { numbersFrom: numbersTo } = options
      const nothing = { transcript: [], cardData: [], failure: undefined, endedAt: startedAt, numbersTo }
      return { ...common, ...nothing, result: "skipped", skipped }
    }
    const run = new Run(dialogue, options, clock)
    const failure = yield* run.all.pipe(
      Effect.as(undefined),
      Effect.catch((failed) => Effect.succeed(failed)),
      Effect.catchDefect((defect) =>
        Effect.succeed<Failure>({
          step: undefined,
          says: [`defect of the runner: ${reasonOf(defect)}`],
          mark: undefined
        })
      ),
      Effect.ensuring(run.end)
    )
    return {
      ...common,
      result: failure === undefined ? "kept" : failure.isWrong === true ? "wrong" : "broken",
      skipped: "",
      failure,
      transcript: run.transcript,
      numbersTo: run.numbers,
      endedAt: now(),
      cardData: cardDataOf(run.transcript)
    }
  })
