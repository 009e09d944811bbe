/** The operator's or the parent's wish that a run ends in order (SIGTERM, SIGINT). */
import { Context, type Effect } from "effect"

/** Given by main; a second signal interrupts instead. */
export class StopSignal extends Context.Service<
  StopSignal,
  {
    /** Ends when the first signal has come. */
    readonly requested: Effect.Effect<void>
    /** From now on SIGHUP calls this, and asks for no end; gives back how it is taken off again. */
    readonly onHangUp: (listener: () => void) => () => void
  }
>()("@jinka/simulator/cli/StopSignal") {}
