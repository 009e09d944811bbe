/**
 * One key exchange through one kill: two lives of a switch, the partner and the issuer that outlive it, and what must be true
 * in the end.
 */
import { unionPayPos } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { KeySettings } from "../../../packages/switch/src/guard/KeySettings.ts"
import { codecOf } from "../LinkSettings.ts"
import { exchangeOf, operator } from "./KeyBench.ts"
import { CrashDisk, type CrashPlan, guardedCups, type Kill, Life, liveOnce } from "./KeyCrash.ts"
import { type Form, Giver, type Manner, type Partner, PosCentre, PosTerminal, shownOf, Taker } from "./KeyPartner.ts"
import { KeyTill } from "./KeyTill.ts"

/** An exchange. */
export interface Scenario {
  readonly plan: CrashPlan
  readonly partner: () => Partner
  /** An operator asks for the key, or has it given; otherwise the partner begins. */
  readonly isOurs: boolean
  /** Purchases go on all the while, with MACs. */
  readonly hasMoney: boolean
}

type Module = CrashPlan["module"]

const planOf = (form: Form, keys: Partial<KeySettings>, module: Module): CrashPlan => ({
  link:
    form.kind === "mac"
      ? guardedCups
      : { dialect: form.dialect, codec: codecOf(form.dialect), identity: "unchecked" as const },
  keys: exchangeOf({
    exchange: form.dialect.keyExchange![0]!,
    kinds: [form.kind],
    schedule: { whenNone: false },
    ...keys
  }),
  kek: form.kek,
  first: { [form.kind]: "zak-a" },
  module
})

/** The partner gives the key, unasked or because we ask. */
export const given = (form: Form, isOurs: boolean, manner: Manner, module: Module = "software"): Scenario => ({
  plan: planOf(form, {}, module),
  partner: () => new Giver(form, !isOurs, manner, "zak-a"),
  isOurs,
  hasMoney: form.kind === "mac"
})

/** We give the key, by hand or because the partner asks. */
export const giving = (form: Form, isOurs: boolean, module: Module = "software"): Scenario => ({
  plan: planOf(form, { giver: "us" }, module),
  partner: () => new Taker(form, !isOurs, "zak-a"),
  isOurs,
  hasMoney: form.kind === "mac"
})

/** A terminal's sign-on: ours, or the partner's. */
export const signOn = (isOurs: boolean): Scenario => ({
  plan: {
    link: { dialect: unionPayPos, codec: codecOf(unionPayPos), identity: "unchecked" },
    keys: exchangeOf({
      exchange: unionPayPos.keyExchange![0]!,
      giver: isOurs ? "partner" : "us",
      kinds: ["pin", "mac"],
      windowMs: 0,
      schedule: { whenNone: false }
    }),
    kek: "pos-tmk",
    first: { pin: "pos-pik-16", mac: "pos-mak-16" },
    module: "software"
  },
  partner: () => (isOurs ? new PosCentre() : new PosTerminal()),
  isOurs,
  hasMoney: false
})

/** What came of a run. */
export interface Outcome {
  /** What the first life did from the beginning of the exchange, and the second one. */
  readonly steps: ReadonlyArray<string>
  readonly again: ReadonlyArray<string>
  /** What is not as it must be. */
  readonly findings: ReadonlyArray<string>
  /** Messages to the partner with a MAC of a key that it does not know. */
  readonly unproved: number
}

/** Runs an exchange, with a kill, with one more of the life after it, or without any. */
export const throughKill = (
  { hasMoney, isOurs, partner: make, plan }: Scenario,
  kill?: Kill,
  second?: Kill
): Promise<Outcome> =>
  Effect.gen(function* () {
    const disk = new CrashDisk()
    const partner = make()
    const till = new KeyTill(partner)
    const first = new Life(kill)
    const numbers: Array<string> = []
    const live = function* (life: Life) {
      const now = yield* liveOnce(plan, disk, life)
      return { ...now, line: now.connect(0), issuer: now.connect(1) }
    }
    let now = yield* live(first)
    const round = Effect.fnUntraced(function* (ms: number, times = 1) {
      for (let n = 0; n < times; n++) {
        yield* TestClock.adjust(ms)
        yield* now.commit
        for (const message of now.line.heard()) {
          if (/^[01]8[02]/.test(message.mti)) numbers.push(`${message.mti} ${message.fields[11]}`)
          partner.hear(message, now.line)
          till.hear(message)
        }
        till.issue(now.issuer.heard(), now.issuer)
        yield* now.commit
      }
    })
    const buy = () => {
      if (hasMoney) till.buy(now.line)
    }
    const kind = plan.first.pin === undefined ? "mac" : "pin"
    const keys = () => ({
      ours: now.running.keys.at(0, kind, plan.keys.giver === "us" ? "send" : "receive")?.current?.checkValue,
      theirs: partner.current === undefined ? undefined : shownOf(partner.current)
    })
    const isCommon = () => keys().ours === keys().theirs

    yield* round(20)
    // One purchase waits for its answer all the while, one comes in the middle, one right behind the exchange.
    buy()
    yield* round(5)
    first.isCounted = true
    partner.begin(now.line)
    if (isOurs) yield* Effect.forkChild(now.running.keyOperations.ask("partner", undefined, operator))
    buy()
    yield* round(3, 8)
    till.isHolding = false
    buy()
    yield* round(3, 4)
    first.isCounted = false

    let last = first
    const next = new Life(second)
    for (const life of [next, new Life()]) {
      if (!last.isOver) break
      last = life
      disk.crash()
      till.cut()
      yield* TestClock.adjust("1 second")
      now = yield* live(life)
      life.isCounted = true
      yield* round(20)
      partner.again(now.line)
      for (let n = 0; n < 110 && !(isCommon() && till.isSettled && n > 3); n++) {
        yield* round(n < 10 ? 10 : 1000)
        if (hasMoney && n > 1) till.reverseUnheard(now.line)
        // A partner that never speaks shows nothing of its key.
        if (n % 5 === 4 && !isCommon()) buy()
        if (life.isOver) break
      }
      life.isCounted = false
    }
    buy()
    yield* round(3, 4)

    const { ours, theirs } = keys()
    // Answers have the partner's numbers.
    const repeated = numbers.filter((one, n) => numbers.indexOf(one) !== n && one[2] !== "1")
    const findings = [
      ...(isCommon() ? [] : [`no common key: ${ours} here, ${theirs} there`]),
      ...(hasMoney && till.last !== "00" ? [`a purchase under the common key is answered ${till.last}`] : []),
      ...repeated.map((one) => `${one} was sent twice`),
      ...(partner instanceof Taker && partner.heard.size > 1
        ? ["another key was offered, and not the same one again"]
        : []),
      ...till.findings()
    ]
    return { steps: first.steps, again: next.steps, findings, unproved: till.unproved }
  }).pipe(Effect.provide(TestClock.layer()), Effect.runPromise)

/** The steps of an exchange among those of the purchases, with their places. */
export const exchangeSteps = (steps: ReadonlyArray<string>): ReadonlyArray<readonly [number, string]> => {
  const last = steps.findLastIndex((step) => /says [01]8|hears [01]8|key|generateKey|importKey/.test(step))
  return [...steps.entries()].filter(([n, step]) => n <= last && !/ 0[24]|verifyMac|purchases/.test(step))
}
