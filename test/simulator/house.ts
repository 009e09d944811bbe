/** A running issuer and acquirer over real sockets, in one process, with a proxy between them. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { AcquirerSettings } from "../../packages/simulator/src/acquirer/Acquirer.ts"
import { type RunningAcquirer, startAcquirer } from "../../packages/simulator/src/acquirer/RunningAcquirer.ts"
import { usualWorkload, type WorkloadSettings } from "../../packages/simulator/src/acquirer/Workload.ts"
import { cardsOf } from "../../packages/simulator/src/chance/Cards.ts"
import { check, type Verdict } from "../../packages/simulator/src/checker/Checker.ts"
import { readEvidence } from "../../packages/simulator/src/checker/EvidenceFiles.ts"
import { type BehaviourSettings, plainBehaviour } from "../../packages/simulator/src/issuer/Behaviour.ts"
import { type RunningIssuer, startIssuer } from "../../packages/simulator/src/issuer/RunningIssuer.ts"
import { type FaultProxy, makeFaultProxy } from "../../packages/simulator/src/link/FaultProxy.ts"
import type { LinkSettings } from "../../packages/simulator/src/link/PartnerLink.ts"
import { cupsForm } from "../../packages/simulator/src/message/CupsMessage.ts"
import { isOver } from "../Pace.ts"
import { testFolder } from "../TestFolder.ts"

export interface HouseSettings {
  readonly acquirer?: Partial<AcquirerSettings>
  readonly workload?: Partial<WorkloadSettings>
  readonly behaviour?: Partial<BehaviourSettings>
  readonly link?: Partial<LinkSettings>
}

export interface House {
  readonly acquirer: RunningAcquirer
  readonly issuer: RunningIssuer
  readonly proxy: FaultProxy
  /** Ends both in order and judges the files that they wrote. */
  readonly judge: Effect.Effect<Verdict>
  /** Everything in the files. */
  readonly text: () => string
}

const local = { host: "127.0.0.1", port: 0 }

/** Starts issuer, proxy and acquirer. */
export const openHouse = (settings: HouseSettings = {}): Effect.Effect<House, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(testFolder(), "jinka-sim-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    const files = {
      acquirer: [join(directory, "acquirer.jsonl")],
      issuer: [join(directory, "issuer.jsonl")],
      ledger: [join(directory, "ledger.jsonl")]
    }
    const link: Omit<LinkSettings, "role" | "endpoint"> = {
      form: cupsForm(),
      idleInterval: 30_000,
      silenceLimit: 90_000,
      redialFrom: 5,
      redialTo: 20,
      tick: 50,
      ...settings.link
    }
    const issuer = yield* startIssuer({
      issuer: {
        institution: "01020000",
        centre: "00010000",
        balance: 100_000_000,
        behaviour: { ...plainBehaviour, ...settings.behaviour },
        signsOn: false,
        signOnTimeout: 1_000
      },
      link: { ...link, role: "listen", endpoint: local },
      history: files.issuer[0],
      ledger: files.ledger[0]
    })
    const proxy = yield* makeFaultProxy(local, issuer.link.endpoint)
    const workload = { ...usualWorkload, ...settings.workload }
    const acquirer = yield* startAcquirer({
      acquirer: {
        institution: "48020000",
        centre: "00010000",
        workload,
        cards: cardsOf({ seed: workload.seed, bins: ["621999"], count: workload.cards }),
        rate: 500,
        duration: 600,
        count: Number.POSITIVE_INFINITY,
        warmUp: 0,
        timeout: 300,
        repeatInterval: 100,
        signOnTimeout: 500,
        reverseAnswered: new Set(),
        referencePrefix: "T1",
        firstReference: 1,
        ...settings.acquirer
      },
      link: { ...link, role: "dial", endpoint: proxy.endpoint },
      history: files.acquirer[0],
      drainLimit: 5_000
    })
    const judge = Effect.gen(function* () {
      yield* acquirer.finish
      yield* issuer.finish
      return check(yield* Effect.orDie(readEvidence(files)))
    })
    const text = () =>
      [...files.acquirer, ...files.issuer, ...files.ledger].map((f) => readFileSync(f, "utf8")).join("")
    return { acquirer, issuer, proxy, judge, text }
  })

/** Waits until something holds; fails the test after five seconds, later on a busy machine. */
export const eventually = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => {
    const began = performance.now()
    const holds = () => condition() || isOver(began, 5_000)
    return Effect.sleep(5).pipe(
      Effect.repeat({ until: holds }),
      Effect.andThen(Effect.suspend(() => (condition() ? Effect.void : Effect.die(new Error("not within 5 s")))))
    )
  })
