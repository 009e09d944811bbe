/**
 * The listening addresses that links share, and which links are behind each: looked up anew after every reload.
 */
import { Effect, type Scope } from "effect"
import type { Desks } from "./exchange/Desks.ts"
import { Door, type DoorMember, type DoorSettings } from "./link/door/Door.ts"
import type { DoorStatus } from "./link/door/Gate.ts"
import { HttpDoor, type HttpDoorSettings, type HttpMember } from "./link/door/HttpDoor.ts"
import type { Connection, ListenFailed, Transport } from "./transport/Transport.ts"

/** All doors of one switch. */
export class Doors {
  private readonly desks: Desks
  private readonly doors: ReadonlyArray<Door>
  private readonly http: ReadonlyArray<HttpDoor>

  constructor(doors: ReadonlyArray<DoorSettings>, http: ReadonlyArray<HttpDoorSettings>, desks: Desks) {
    this.desks = desks
    // What a door says of strangers belongs to no link, so it is not in the journal.
    const note = (door: string) => (text: string) =>
      void desks.runtime.fork(Effect.logWarning(text).pipe(Effect.annotateLogs({ door })))
    this.doors = doors.map((door) => new Door(door, note(door.name)))
    this.http = http.map((door) => new HttpDoor(door, note(door.name)))
    this.refresh()
  }

  private get all(): ReadonlyArray<Door | HttpDoor> {
    return [...this.doors, ...this.http]
  }

  /** Listens on all of them for as long as the scope lives. */
  readonly listen: Effect.Effect<void, ListenFailed, Transport | Scope.Scope> = Effect.suspend(() =>
    Effect.forEach(this.all, (door) => door.listen, { discard: true })
  )

  /** Takes the links as they are now. */
  refresh(): void {
    for (const door of this.all) door.serve(this.behind(door.name))
  }

  /** What an operator sees of each. */
  status(): ReadonlyArray<DoorStatus> {
    return this.all.map((door) => door.status())
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
