/**
 * What is under test, as the simulation needs to know it: how to start it on a machine of the world.
 *
 * To plug something in, write one `Subject`; `Simulation.ts` takes it. The program that it starts runs for ever; a crash
 * abandons it where it is, and it is started again on the same disk.
 */
import type { Cipher } from "@jinka/codec"
import type { Effect } from "effect"
import type { JournalError } from "../../packages/switch/src/journal/JournalError.ts"
import type { SwitchSettings } from "../../packages/switch/src/Switch.ts"
import type { Transport } from "../../packages/switch/src/transport/Transport.ts"
import type { Options } from "./Options.ts"
import type { Life } from "./world/Machine.ts"
import type { SimDisk } from "./world/SimDisk.ts"

/** What an operator may ask of a running switch. */
export type Order = "stop" | "reload"

/** The operator of a run: it outlives the lives of the switch. */
export class Operator {
  /** How often new settings were taken: each life begins with the newest. */
  reloads = 0
  /** Set by the running life. */
  obey: ((order: Order) => void) | undefined

  /** Nothing happens when nobody runs, or what runs knows no orders. */
  order(order: Order): void {
    this.obey?.(order)
  }
}

/** Settings of a switch that are not made of a run's options, and keys for MACs by the numbers of links. */
export interface OwnSettings {
  readonly settings: SwitchSettings
  readonly macKeys: ReadonlyArray<{ readonly link: number; readonly bytes: Buffer; readonly cipher: Cipher }>
}

/** Where one life of the switch runs. */
export interface Place {
  /** Ports, partners and card ranges of this run. */
  readonly options: Options
  /** Instead of what the options say of links. */
  readonly own?: OwnSettings | undefined
  readonly life: Life
  readonly transport: Transport["Service"]
  readonly operator: Operator
  /** `disk.layer(life)` is the journal's store. */
  readonly disk: Pick<SimDisk, "layer">
  /** Ends the process at once when the journal has failed under the running switch; left out: whoever started it does. */
  readonly failed?: (error: JournalError) => Effect.Effect<never>
}

export interface Subject {
  readonly name: string
  /** True when the subject writes its journal to the disk: then the journal is checked too. */
  readonly hasJournal: boolean
  /** Ends by itself only when the operator has ordered a stop; then with what had no end by then, in words. */
  readonly start: (place: Place) => Effect.Effect<ReadonlyArray<string>, unknown>
}
