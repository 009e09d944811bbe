/**
 * Links of which a start reads messages that may be repeated still, and which the configuration does not have by their names and
 * dialects: what came on them is nobody's. Whoever has renamed a link across a restart hears of it.
 */
import { Effect } from "effect"
import type { Desks } from "./Desks.ts"

/** The strangers of one start. */
export class Strangers {
  private readonly desks: Desks
  private readonly names = new Set<string>()
  private readonly told = new Set<string>()
  /** From when on repeats are known, milliseconds since the epoch. */
  readonly since: number

  constructor(desks: Desks) {
    this.desks = desks
    this.since = desks.runtime.wallMs() - 1000 * desks.repeatSeconds
  }

  /** A partner's message came on a link of this name, at that time. */
  came(name: string, at: number): void {
    if (at >= this.since && !this.told.has(name)) this.names.add(name)
  }

  /** All is read: says of each that it is forgotten, once. */
  tell(): void {
    const { record, runtime } = this.desks
    for (const name of this.names) {
      const text = `link ${name} of the journal is not in the configuration by this name and dialect: what came on it is forgotten, a repeat of it would be sent again. If it was renamed, say so (formerly: ${name}) and start again`
      this.told.add(name)
      record.switchEvent(text)
      runtime.fork(Effect.logWarning(text))
    }
    this.names.clear()
    this.desks.flush()
  }
}
