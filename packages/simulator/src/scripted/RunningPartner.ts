/**
 * One scripted partner that runs: its program, its link, its history and ledger files. Owns starting it, giving it another plan
 * while it runs, and its orderly end. Its owner ticks it.
 */
import { Clock, Effect, Exit, Scope } from "effect"
import { chanceOf } from "../chance/Chance.ts"
import { type Observed, told } from "../dialogue/Observed.ts"
import type { WireFormat } from "../dialogue/WireFormat.ts"
import type { HistoryLine } from "../history/History.ts"
import { type LineFile, makeLineFile, noLineFile } from "../history/LineFile.ts"
import type { Posting } from "../issuer/Ledger.ts"
import { type ModeLink, makeModeLink } from "../link/ModeLink.ts"
import type { MessageForm } from "../message/CupsMessage.ts"
import { type Timepiece, timepieceOf } from "../partner/Session.ts"
import type { FileFailed, ListenFailed } from "../SimulatorError.ts"
import type { OwnWish, PartnerPlan } from "./PartnerPlan.ts"
import type { PartnerTotals } from "./PartnerRecord.ts"
import { ScriptedPartner } from "./ScriptedPartner.ts"

/** A partner at work. */
export interface RunningPartner {
  readonly plan: () => PartnerPlan
  readonly link: () => ModeLink<Buffer>
  readonly totals: () => PartnerTotals
  /** Nothing that it sent waits for an end. */
  readonly isDrained: () => boolean
  /** Another plan from now on. A link that is as before stays up; another one is closed and made again. */
  readonly replan: (plan: PartnerPlan) => Effect.Effect<void, ListenFailed>
  readonly tick: () => void
  /** When the next thing is due that has its own time, monotonic milliseconds; Infinity: nothing is. */
  readonly nextAt: () => number
  /** Says something by itself now. Why not, where it cannot. */
  readonly say: (wish: OwnWish) => string | undefined
  /** Signs off, closes the link and the files; gives the final totals. */
  readonly finish: Effect.Effect<PartnerTotals>
}

/** What a partner tells while it runs. */
export interface Told {
  /** Something has happened after which the partner may have something due earlier: when. */
  readonly onChange?: (nextAt: number) => void
  readonly onLine: (name: string, line: HistoryLine) => void
  /** What was done to an account, besides the line in the ledger's file. */
  readonly onPosting?: (name: string, posting: Posting) => void
  /** A sentence for people. */
  readonly onTrouble: (text: string) => void
}

/** Messages as they come, with the places of their parts; written as the bytes that they are. */
const observing = (form: WireFormat): MessageForm<Observed, Buffer> => ({
  frame: form.frame,
  read: (buffer, start, end) => told(form, Buffer.from(buffer.subarray(start, end)), 0),
  write: (bytes) => bytes
})

/** What makes a link another one. */
const linkIdentity = ({ form, link }: PartnerPlan): string => JSON.stringify([link, form.frame, form.codec.dialect])

const openLink = (
  plan: PartnerPlan,
  program: ScriptedPartner,
  telling: Told
): Effect.Effect<ModeLink<Buffer>, ListenFailed, Scope.Scope> => {
  const changing = (happen: () => void): void => {
    happen()
    telling.onChange?.(program.nextAt())
  }
  return makeModeLink(
    {
      mode: plan.link.mode,
      form: observing(plan.form),
      idleInterval: plan.link.idleMs,
      silenceLimit: plan.link.silenceMs,
      redialFrom: Math.ceil(plan.link.redialMs / 5),
      redialTo: plan.link.redialMs,
      onTrouble: (text) => telling.onTrouble(`${plan.name}: ${text}`)
    },
    {
      linkUp: (connection) => changing(() => program.linkUp(connection)),
      linkDown: (connection, reason) => changing(() => program.linkDown(connection, reason)),
      received: (connection, message) => changing(() => program.received(connection, message)),
      tick: () => program.tick()
    },
    chanceOf(plan.seed, "redial", plan.name)
  )
}

/** Starts a partner; it lives until it is finished or the scope ends. */
export const startPartner = (
  first: PartnerPlan,
  telling: Told
): Effect.Effect<RunningPartner, FileFailed | ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const owner = yield* Effect.scope
    const time: Timepiece = timepieceOf(yield* Clock.Clock)
    const history = yield* lineFile(first.history)
    const ledger = yield* lineFile(first.ledger)
    let plan = first
    const append = (line: HistoryLine): void => {
      history.append(line)
      telling.onLine(plan.name, line)
    }
    const post = (posting: Posting): void => {
      ledger.append(posting)
      telling.onPosting?.(plan.name, posting)
    }
    const program = new ScriptedPartner(plan, { append }, time, post)
    let scope = yield* Scope.fork(owner)
    const open = (wanted: PartnerPlan) =>
      Effect.gen(function* () {
        scope = yield* Scope.fork(owner)
        const link = yield* openLink(wanted, program, telling).pipe(Scope.provide(scope))
        program.speakBy((message) => link.say(message))
        return link
      })
    let link = yield* open(plan)
    const replan = (next: PartnerPlan): Effect.Effect<void, ListenFailed> =>
      Effect.gen(function* () {
        const before = plan
        const isSame = linkIdentity(before) === linkIdentity(next)
        if (!isSame) {
          yield* link.close
          yield* Scope.close(scope, Exit.void)
        }
        plan = next
        program.replan(next)
        if (isSame) return
        link = yield* open(next).pipe(
          Effect.tapError(() =>
            Effect.gen(function* () {
              plan = before
              program.replan(before)
              link = yield* open(before)
            })
          )
        )
      })
    return {
      plan: () => plan,
      link: () => link,
      totals: () => program.totals(),
      isDrained: () => program.isDrained,
      replan,
      tick: () => {
        link.tick()
        history.tick()
        ledger.tick()
      },
      nextAt: () => program.nextAt(),
      say: (wish) => {
        const why = program.command(wish)
        telling.onChange?.(program.nextAt())
        return why
      },
      finish: Effect.gen(function* () {
        yield* drained(program, plan, () => link.tick())
        program.finish()
        yield* link.close
        yield* Scope.close(scope, Exit.void)
        const totals = program.totals()
        ledger.append({ totals: totals.ledger })
        ledger.flush()
        history.flush()
        return totals
      })
    }
  })

/** How long an orderly end waits, in milliseconds, besides what a transaction and a reversal of it may take. */
const DRAIN_MS = 1000
const DRAIN_TICK_MS = 5

/** Waits until what the partner sent has its end, or had its time. */
const drained = (program: ScriptedPartner, { sends }: PartnerPlan, tick: () => void): Effect.Effect<void> => {
  program.stopSending()
  if (sends === undefined || program.isDrained) return Effect.void
  return Effect.gen(function* () {
    const { monotonic } = timepieceOf(yield* Clock.Clock)
    const until = monotonic() + sends.timeoutMs + sends.repeatMs + DRAIN_MS
    while (!program.isDrained && monotonic() < until) {
      tick()
      yield* Effect.sleep(DRAIN_TICK_MS)
    }
  })
}

const lineFile = (path: string | undefined): Effect.Effect<LineFile, FileFailed, Scope.Scope> =>
  path === undefined ? Effect.succeed(noLineFile) : makeLineFile(path)
