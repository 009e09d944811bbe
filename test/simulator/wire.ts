/** An acquirer and an issuer joined without sockets, in made-up time. */
import { Acquirer, type AcquirerSettings } from "../../packages/simulator/src/acquirer/Acquirer.ts"
import { usualWorkload, type WorkloadSettings } from "../../packages/simulator/src/acquirer/Workload.ts"
import { cardsOf } from "../../packages/simulator/src/chance/Cards.ts"
import type { Evidence } from "../../packages/simulator/src/checker/Evidence.ts"
import { memoryHistory } from "../../packages/simulator/src/history/History.ts"
import { type BehaviourSettings, plainBehaviour } from "../../packages/simulator/src/issuer/Behaviour.ts"
import { Issuer } from "../../packages/simulator/src/issuer/Issuer.ts"
import type { Posting } from "../../packages/simulator/src/issuer/Ledger.ts"
import type { PartnerMessage } from "../../packages/simulator/src/message/PartnerMessage.ts"
import type { Connection, Timepiece } from "../../packages/simulator/src/partner/Session.ts"

/** 2026-11-22 21:00:00 in CST. */
const wallStart = Date.UTC(2026, 10, 22, 13, 0, 0)

export interface WireSettings {
  readonly acquirer?: Partial<AcquirerSettings>
  readonly workload?: Partial<WorkloadSettings>
  readonly behaviour?: Partial<BehaviourSettings>
  /** Sees every message on its way; undefined swallows it. */
  readonly onWay?: (message: PartnerMessage, to: "issuer" | "acquirer") => PartnerMessage | undefined
}

/** Only purchases. */
export const onlyPurchases = { purchase: 1, preAuthorisation: 0, balanceInquiry: 0, void: 0, refund: 0 }

export class Wire {
  now = 0
  readonly acquirer: Acquirer
  readonly issuer: Issuer
  readonly acquirerHistory = memoryHistory()
  readonly issuerHistory = memoryHistory()
  readonly postings: Array<Posting> = []
  readonly messages: Array<PartnerMessage> = []
  private readonly settings: WireSettings
  private epoch = 0
  private ends: { readonly near: Connection; readonly far: Connection } | undefined
  readonly closed: Array<string> = []

  constructor(settings: WireSettings = {}) {
    this.settings = settings
    const time: Timepiece = { monotonic: () => this.now, wall: () => wallStart + this.now }
    const workload = { ...usualWorkload, ...settings.workload }
    this.acquirer = new Acquirer(
      {
        institution: "48020000",
        centre: "00010000",
        workload,
        cards: cardsOf({ seed: workload.seed, bins: ["621999"], count: workload.cards }),
        rate: 100,
        duration: 1_000,
        count: Number.POSITIVE_INFINITY,
        warmUp: 0,
        timeout: 500,
        repeatInterval: 200,
        signOnTimeout: 300,
        reverseAnswered: new Set(),
        referencePrefix: "T1",
        firstReference: 1,
        ...settings.acquirer
      },
      this.acquirerHistory,
      time
    )
    this.issuer = new Issuer(
      {
        institution: "01020000",
        centre: "00010000",
        balance: 10_000_000,
        behaviour: { ...plainBehaviour, ...settings.behaviour },
        signsOn: false,
        signOnTimeout: 300
      },
      this.issuerHistory,
      time,
      (posting) => this.postings.push(posting)
    )
  }

  /** Both ends come up. */
  connect(): void {
    const epoch = ++this.epoch
    const isUp = (): boolean => this.ends?.near.epoch === epoch
    const end = (to: "issuer" | "acquirer"): Connection => ({
      epoch,
      send: (message) => {
        this.messages.push(message)
        const arriving = this.settings.onWay === undefined ? message : this.settings.onWay(message, to)
        if (arriving === undefined || !isUp()) return
        const other = to === "issuer" ? this.ends!.far : this.ends!.near
        queueMicrotask(() => {
          if (isUp()) this[to].received(other, arriving)
        })
      },
      close: (reason) => {
        this.closed.push(reason)
        this.cut(reason)
      }
    })
    this.ends = { near: end("issuer"), far: end("acquirer") }
    this.issuer.linkUp(this.ends.far)
    this.acquirer.linkUp(this.ends.near)
  }

  /** Both ends fall at once; what is on its way is lost. */
  cut(reason = "cut"): void {
    const ends = this.ends
    if (ends === undefined) return
    this.ends = undefined
    this.acquirer.linkDown(ends.near, reason)
    this.issuer.linkDown(ends.far, reason)
  }

  /** Lets time pass in ticks of 5 ms. */
  async pass(milliseconds: number): Promise<void> {
    const until = this.now + milliseconds
    while (this.now < until) {
      this.now += 5
      this.acquirer.tick()
      this.issuer.tick()
      await Promise.resolve()
    }
    await new Promise((resolve) => process.nextTick(resolve))
  }

  evidence(): Evidence {
    return {
      acquirer: this.acquirerHistory.lines,
      issuer: this.issuerHistory.lines,
      postings: this.postings,
      ledger: this.issuer.totals().ledger,
      journal: undefined,
      counters: undefined
    }
  }
}
