/** What faults have done and must be taken back: each after its time, or all of it when everything is healed. */
import type { World } from "./World.ts"

export class Undoings {
  private readonly world: World
  private readonly open = new Set<() => void>()

  constructor(world: World) {
    this.world = world
  }

  /** Takes something back after a while, or when everything is healed, once. */
  later(afterMs: number, undo: () => void): void {
    const once = () => {
      if (this.open.delete(once)) undo()
    }
    this.open.add(once)
    this.world.after(afterMs, once)
  }

  /** Everything now. */
  all(): void {
    for (const undo of [...this.open]) undo()
  }
}
