/**
 * One node of a fleet: a machine whose program stands by, takes the switch, runs it, and hands it over, with the switch's own
 * claim, tenure and takeover. Whatever ends the program ends the process, and a supervisor starts it again.
 */
import { mkdirSync } from "node:fs"
import { Clock, Effect, Exit } from "effect"
import { JournalError } from "../../../packages/switch/src/journal/JournalError.ts"
import { Connecting, type PostgresPlace } from "../../../packages/switch/src/journal/postgres/PostgresConnection.ts"
import type { OutgoingGroup } from "../../../packages/switch/src/journal/postgres/PostgresRows.ts"
import type { Keyring } from "../../../packages/switch/src/journal/Seal.ts"
import { haltOthers, keeping, Tenure, taken } from "../../../packages/switch/src/operate/owner/Claim.ts"
import { connectOwners } from "../../../packages/switch/src/operate/owner/OwnerRows.ts"
import { monotonicMs } from "../../../packages/switch/src/transport/Monotonic.ts"
import type { FleetOptions, Options } from "../Options.ts"
import type { Operator, Subject } from "../Subject.ts"
import { type Life, Machine } from "../world/Machine.ts"
import type { SimNet } from "../world/SimNet.ts"
import { Spell } from "../world/Spell.ts"
import { fleetStore } from "./FleetStore.ts"
import type { KeptGroups } from "./KeptGroups.ts"
import { connectTo } from "./SimConnection.ts"
import type { SimPostgres } from "./SimPostgres.ts"

/** What all nodes of a run have in common. */
export interface Fleet {
  readonly options: Options & { readonly fleet: FleetOptions }
  readonly subject: Subject
  readonly net: SimNet
  readonly server: SimPostgres
  readonly operator: Operator
  readonly keyring: Keyring
  readonly kept: KeptGroups
  /** For the nodes' anchors. */
  readonly directory: string
}

/** How a process of a node came to its end: what `jinka run` would have said. */
export interface NodeEnd {
  readonly node: FleetNode
  /** Why it failed; `undefined`: it was stopped in order. */
  readonly error: JournalError | undefined
  /** What the end was, where it is no error of the journal. */
  readonly words: string
}

/** What a node tells of itself. */
export interface NodeEvents {
  readonly took: (node: FleetNode) => void
  readonly opened: (node: FleetNode, epoch: bigint) => void
  readonly durable: (node: FleetNode, group: OutgoingGroup) => void
  readonly ended: (end: NodeEnd) => void
}

/** Between an end and the next start, milliseconds. */
const RESTART_MS = 300

export class FleetNode {
  readonly machine: Machine
  /** Seq of the last entry that this node knows to be in PostgreSQL. */
  durable = 0
  /** It has the switch, as far as it knows. */
  isServing = false
  /** The journal says that it is away: refusals leave before they are in it. */
  readonly away = new Spell()
  private readonly fleet: Fleet
  private readonly events: NodeEvents
  private readonly place: PostgresPlace
  /** An operator wants it handed over, without an end of the process. */
  private yields = false

  constructor(fleet: Fleet, name: string, events: NodeEvents) {
    this.fleet = fleet
    this.events = events
    this.machine = new Machine(fleet.server.world, name)
    this.machine.timerMs = fleet.options.timerMs
    fleet.net.attach(this.machine)
    this.machine.onCrash.push(() => {
      this.isServing = false
    })
    this.place = {
      address: { hosts: [], user: "jinka", password: undefined, database: "jinka" },
      ...{ tls: undefined, schema: "jinka", name: "switch", node: name }
    }
  }

  get name(): string {
    return this.machine.name
  }

  /** Where it keeps its anchor. */
  get directory(): string {
    return `${this.fleet.directory}/${this.name}`
  }

  start(): void {
    if (this.machine.life !== undefined) return
    this.yields = false
    mkdirSync(this.directory, { recursive: true, mode: 0o700 })
    this.machine.start(
      (life) =>
        this.poweredOn(life, Effect.provideService(this.program(life), Connecting, connectTo(this.fleet.server, life))),
      (exit) => this.ends(exit)
    )
  }

  /** With its network card, from the first moment on. */
  private poweredOn<A, E>(life: Life, program: Effect.Effect<A, E>): Effect.Effect<A, E> {
    this.fleet.net.transport(life)
    return program
  }

  /** The supervisor starts it again. */
  startAgain(): void {
    this.machine.world.after(RESTART_MS, () => this.start())
  }

  /** Orders what runs here to end in order: the process, or the ownership alone. False: it does not run the switch. */
  order(how: "yield" | "stop"): boolean {
    if (!this.isServing) return false
    this.yields = how === "yield"
    this.fleet.operator.order("stop")
    return true
  }

  /** The process ends here: nothing of it is closed in order. */
  private die(life: Life, error: JournalError): Effect.Effect<never> {
    return Effect.suspend(() => {
      if (!life.isAlive) return Effect.never
      this.events.ended({ node: this, error, words: error.message })
      this.machine.crash("process")
      return Effect.never
    })
  }

  private ends(exit: Exit.Exit<void, unknown>): void {
    const cause = Exit.isFailure(exit) ? exit.cause : undefined
    const failed = cause?.reasons.find((reason) => reason._tag === "Fail")?.error
    const error = failed instanceof JournalError ? failed : undefined
    this.events.ended({ node: this, error, words: cause === undefined ? "" : String(failed ?? cause) })
    this.machine.crash("process")
  }

  /** As `jinka run` goes about it (`operate/owner/Ownership.ts`). */
  private program(life: Life): Effect.Effect<void, unknown> {
    const connect = Effect.provideService(connectOwners(this.place), Connecting, connectTo(this.fleet.server, life))
    const { takeoverAfterMs } = this.fleet.options.fleet
    const halting = (error: JournalError) => haltOthers(connect, error, takeoverAfterMs)
    return Effect.gen({ self: this }, function* () {
      const clock = yield* Clock.Clock
      const tenure = new Tenure(takeoverAfterMs)
      const isOurs = () => tenure.isSure(monotonicMs(clock))
      let hasLeft = false
      while (true) {
        yield* taken(connect, takeoverAfterMs, hasLeft, () => {})
        this.events.took(this)
        const end = (error: JournalError) => Effect.andThen(halting(error), this.die(life, error))
        const serve = this.serve(life, tenure, isOurs, end)
        const whole = Effect.tapError(serve, (error) => (error instanceof JournalError ? halting(error) : Effect.void))
        yield* keeping(connect, takeoverAfterMs, tenure, end, whole)
        this.isServing = false
        if (!this.yields) return
        this.yields = false
        hasLeft = true
      }
    })
  }

  private serve(
    life: Life,
    tenure: Tenure,
    isOurs: () => boolean,
    failed: (error: JournalError) => Effect.Effect<never>
  ) {
    const { fleet } = this
    const store = fleetStore({
      ...{ server: fleet.server, life, place: this.place, directory: this.directory, keyring: fleet.keyring },
      ...{ kept: fleet.kept, yieldAfterMs: fleet.options.fleet.yieldAfterMs, isOurs },
      onOpen: (epoch, lastSeq) => {
        this.isServing = true
        this.durable = lastSeq
        this.events.opened(this, epoch)
      },
      onDurable: (group) => {
        this.durable = group.last
        tenure.wrote(group.last)
        this.events.durable(this, group)
      },
      onAway: (isAway) => {
        this.away.set(isAway, this.machine.world.nowMs)
      }
    })
    return fleet.subject.start({
      ...{ options: fleet.options, life, transport: fleet.net.transport(life), operator: fleet.operator },
      disk: { layer: () => store },
      failed
    })
  }
}
