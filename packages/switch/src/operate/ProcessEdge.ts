/**
 * The process around a command: its signals and its sudden end. Only `Program.ts` implements it; tests give their own.
 */
import { Context, type Effect } from "effect"

/** Whoever waits for the switch's word: see `Supervised`. */
export interface Supervisor {
  /** Hands one message over, its parts whole. What cannot be handed over is lost. */
  readonly say: (parts: ReadonlyArray<string>) => void
  /** How long it waits for a sign of life before it ends the process, in milliseconds; `undefined`: for ever. */
  readonly watchdogMs: number | undefined
}

/** The service; see the module header. */
export class ProcessEdge extends Context.Service<
  ProcessEdge,
  {
    readonly pid: number
    /**
     * From here on new files are this user's alone (umask 077), and diagnostic reports leave the environment out (Node has it in
     * the parts of other threads all the same). `secrets` are removed from the environment: variables that were read and that
     * nothing else has to see.
     */
    readonly keepToSelf: (secrets: ReadonlyArray<string>) => Effect.Effect<void>
    /**
     * Takes over SIGTERM, SIGINT and SIGHUP from here on: the effect given back waits for the next and gives its name. Without a
     * call of this a signal ends the process in the usual way.
     */
    readonly takeSignals: Effect.Effect<Effect.Effect<string>>
    /** Whoever started the process and waits for its word; left out: nobody does. */
    readonly supervisor?: Supervisor | undefined
    /** Ends when nobody reads standard output any more (`| head -1`); left out: somebody always does. */
    readonly unread?: Effect.Effect<void> | undefined
    /** Ends the process at once, without finalizers: for a journal that cannot be trusted any more (guarantee G9). */
    readonly exitNow: (code: number) => Effect.Effect<never>
    /** Kills the process: an exit would wait for the journal's thread, and that one waits for a disk that does not answer. */
    readonly killNow: Effect.Effect<never>
  }
>()("@jinka/switch/operate/ProcessEdge") {}
