/**
 * The listening addresses that links share, and which links are behind each: looked up again after every reload, which may also
 * add, move and remove doors.
 */
import { Effect, Scope } from "effect"
import type { Desks } from "./exchange/Desks.ts"
import { Door, type DoorMember, type DoorSettings } from "./link/door/Door.ts"
import { Entrance, type Step } from "./link/door/Entrance.ts"
import type { DoorStatus } from "./link/door/Gate.ts"
import { HttpDoor, type HttpDoorSettings, type HttpMember } from "./link/door/HttpDoor.ts"
import type { HttpLimits } from "./transport/Http.ts"
import type { Connection, Endpoint, ListenFailed, ListenOptions, Transport } from "./transport/Transport.ts"

/** The doors of a configuration. */
export interface DoorsSettings {
  readonly doors?: ReadonlyArray<DoorSettings>
  readonly http?: ReadonlyArray<HttpDoorSettings>
}

/** A door with its listener; which kind it is follows from the settings alone. */
type One =
  | { readonly kind: "doors"; readonly door: Door; readonly entrance: Entrance<DoorSettings, ListenOptions> }
  | {
      readonly kind: "http"
      readonly door: HttpDoor
      readonly entrance: Entrance<HttpDoorSettings, ListenOptions & HttpLimits>
    }

/** All doors of one switch. */
export class Doors {
  private readonly desks: Desks
  private readonly scope: Scope.Scope
  private all: ReadonlyArray<One>

  /** Doors end with the scope. */
  constructor(settings: DoorsSettings, desks: Desks, scope: Scope.Scope) {
    this.desks = desks
    this.scope = scope
    this.all = asked(settings).map((one) => this.made(one))
    this.refresh()
  }

  /** Listens on all of them. */
  readonly listen: Effect.Effect<void, ListenFailed, Transport> = Effect.suspend(() =>
    Effect.forEach(this.all, ({ entrance }) => entrance.begin, { discard: true })
  )

  /** Takes the links as they are now. */
  refresh(): void {
    for (const { door } of this.all) door.serve(this.behind(door.name))
  }

  /** What an operator sees of each. */
  status(): ReadonlyArray<DoorStatus> {
    return this.all.map(({ door }) => door.status())
  }

  /** The ports that they have. */
  get ports(): ReadonlyArray<number> {
    return portsOf(this.all)
  }

  /** Addresses that none of them listens on now. */
  coming(next: DoorsSettings): ReadonlyArray<Endpoint> {
    const had = new Set(this.all.map(({ entrance, kind }) => placeOf(kind, entrance.settings)))
    return asked(next).flatMap(({ kind, settings }) => (had.has(placeOf(kind, settings)) ? [] : [settings.at]))
  }

  /**
   * Makes ready for other doors: new addresses are open then, and nobody is let in yet. Nothing is changed before the step is
   * taken, and a failure leaves nothing behind. `freed`: ports that links give up by the same reload.
   */
  prepare(
    next: DoorsSettings,
    freed: ReadonlySet<number>,
    drainMs: number
  ): Effect.Effect<Step, ListenFailed, Transport> {
    return Effect.gen({ self: this }, function* () {
      const wanted = asked(next)
      const going = this.all.filter((one) => !wanted.some((other) => isSame(one, other)))
      const stays = new Set(wanted.map(({ kind, settings }) => placeOf(kind, settings)))
      const moving = this.all.filter(({ entrance, kind }) => !stays.has(placeOf(kind, entrance.settings)))
      const ours = new Set([...freed, ...portsOf(moving)])
      const steps: Array<Step> = []
      const kept: Array<One> = []
      const takeBack = Effect.suspend(() => Effect.forEach(steps, (step) => step.takeBack, { discard: true }))
      for (const one of wanted) {
        const door = this.all.find((other) => isSame(other, one)) ?? this.made(one)
        kept.push(door)
        steps.push(yield* Effect.onError(prepared(door, one, ours, drainMs), () => takeBack))
      }
      steps.push(...going.map(({ entrance }) => entrance.end(drainMs)))
      return {
        take: () => {
          for (const { take } of steps) take()
          this.all = kept
        },
        takeBack,
        close: Effect.forEach(steps, ({ close }) => close, { discard: true }),
        open: Effect.forEach(steps, ({ open }) => open, { discard: true })
      }
    })
  }

  private made(one: Asked): One {
    const { name } = one.settings
    // What a door says of strangers belongs to no link, so it is not in the journal.
    const note = (text: string) =>
      void this.desks.runtime.fork(Effect.logWarning(text).pipe(Effect.annotateLogs({ door: name })))
    const life = Scope.forkUnsafe(this.scope)
    if (one.kind === "doors") {
      const door = new Door(one.settings, note)
      return { kind: "doors", door, entrance: new Entrance(door, one.settings, life, this.scope, note) }
    }
    const door = new HttpDoor(one.settings, note)
    return { kind: "http", door, entrance: new Entrance(door, one.settings, life, this.scope, note) }
  }

  private behind(door: string): ReadonlyArray<DoorMember & HttpMember> {
    return this.desks.present.flatMap(({ link }) => {
      const { name, side, frame, codec } = link.settings
      if (side._tag !== "door" || side.door !== door) return []
      return [
        { ...side.sign, name, language: { frame, codec }, offer: (connection: Connection) => link.offer(connection) }
      ]
    })
  }
}

const portsOf = (doors: ReadonlyArray<One>): ReadonlyArray<number> =>
  doors.flatMap(({ entrance }) => entrance.addresses.map(({ port }) => port))

type Asked =
  | { readonly kind: "doors"; readonly settings: DoorSettings }
  | { readonly kind: "http"; readonly settings: HttpDoorSettings }

const asked = ({ doors = [], http = [] }: DoorsSettings): ReadonlyArray<Asked> => [
  ...doors.map((settings) => ({ kind: "doors" as const, settings })),
  ...http.map((settings) => ({ kind: "http" as const, settings }))
]

const placeOf = (kind: Asked["kind"], { at: { host, port }, name }: DoorSettings | HttpDoorSettings): string =>
  `${kind} ${name} ${host} ${port}`

/** A name that a door of the other kind takes over is another door. */
const isSame = ({ door, kind }: One, other: Asked): boolean => kind === other.kind && door.name === other.settings.name

const prepared = (one: One, next: Asked, freed: ReadonlySet<number>, drainMs: number) => {
  if (one.kind === "doors" && next.kind === "doors") return one.entrance.prepare(next.settings, freed, drainMs)
  if (one.kind === "http" && next.kind === "http") return one.entrance.prepare(next.settings, freed, drainMs)
  return Effect.die(new Error("a door of one kind was asked to become one of the other"))
}
