/** `jinka-sim partner say`: makes a partner that runs on this machine say something by itself. */
import { keyKinds } from "@jinka/codec"
import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { tellPartner } from "../scripted/SayControl.ts"
import { acts } from "../scripted/ScheduleFile.ts"
import { endpoint } from "./Flags.ts"

/** The command `jinka-sim partner say`. */
export const sayCommand = Command.make(
  "say",
  {
    partner: Argument.String("partner").pipe(Argument.withDescription("Its name")),
    what: Argument.Literals("what", acts).pipe(Argument.withDescription("What it sends")),
    control: endpoint("control", "Where the partner takes commands: its own --control"),
    purpose: Flag.Literals("purpose", keyKinds).pipe(
      Flag.withDescription("Which key; all that the partner exchanges when left out"),
      Flag.optional,
      Flag.map(Option.getOrUndefined)
    ),
    key: Flag.String("key").pipe(
      Flag.withDescription('What becomes of the key that is given: "same", "wrong mac", "after 20s" and the like'),
      Flag.optional,
      Flag.map(Option.getOrUndefined)
    )
  },
  Effect.fn(function* ({ control, key, partner, purpose, what }) {
    const more = [
      ...(purpose === undefined ? [] : [`purpose: ${purpose}`]),
      ...(key === undefined ? [] : [`key: ${key}`])
    ]
    yield* tellPartner(control, partner, `{ ${[`send: ${what}`, ...more].join(", ")} }`)
    yield* Console.log(`${partner} says it: ${what}`)
  })
).pipe(
  Command.withDescription(
    "Makes a running partner send something now: a sign-on, sign-off, echo, cut-over or its end, totals, or a key."
  ),
  Command.withExamples([
    {
      command: "jinka-sim partner say --control 127.0.0.1:7191 issuer key --purpose mac",
      description: "A new MAC key: given, or asked for where the far side gives"
    }
  ])
)
