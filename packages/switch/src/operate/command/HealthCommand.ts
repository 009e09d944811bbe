/** `jinka health`: whether a running switch answers, and whether it takes new requests, for whoever starts containers. */
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { readiness } from "../admin/Health.ts"
import { ask } from "../control/ControlCall.ts"
import { StatusReport } from "../control/Report.ts"
import { CommandFailed } from "../Exit.ts"
import { asJson, socketOf, whichSwitch } from "./Asked.ts"

const wantsReady = Flag.Boolean("ready").pipe(
  Flag.withDescription("End with 1 unless new requests are taken: the journal has room, and a link is ready"),
  Flag.withDefault(false),
  Flag.withoutNegation
)

/** `jinka health FILE`. */
export const health = Command.make(
  "health",
  { ...whichSwitch, ready: wantsReady, json: asJson },
  ({ json, ready: isWanted, ...which }) =>
    Effect.gen(function* () {
      const { fullBy, links: all } = yield* ask(yield* socketOf(which), "GET", "/status", StatusReport)
      const seen = readiness({ fullBy: fullBy ?? undefined, links: all }, false)
      const { because, links, ready } = seen
      const counts = `${links.ready} of ${links.all} links ${links.all === 1 ? "is" : "are"} ready`
      const words = ready ? `ready: ${counts}` : `alive, not ready: ${because.join("; ")}`
      yield* Console.log(json ? JSON.stringify(seen) : words)
      if (isWanted && !ready)
        return yield* new CommandFailed({ exit: "bad", says: "The switch takes no requests now." })
    })
).pipe(
  Command.withDescription(
    "Asks a running switch over its control socket whether it is alive. 0: it answers; 4: it does not. With --ready also whether it takes new requests: 1 when it does not. Ask without --ready to decide on a restart: a switch whose partners are all away is no better after one."
  ),
  Command.withShortDescription("Does a switch live, and is it ready?"),
  Command.withExamples([
    { command: "jinka health switch.yaml", description: "For a container's health check" },
    { command: "jinka health switch.yaml --ready", description: "For a balancer that sends traffic to it" }
  ])
)
