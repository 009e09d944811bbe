/** `jinka-sim hsm`: flags, help and commands of a hardware security module for tests. */
import { Console, Duration, Effect, Result, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { chanceOf } from "../chance/Chance.ts"
import { takeLines } from "../control/Control.ts"
import { type HsmDevice, startHsmDevice } from "../hsm/HsmDevice.ts"
import { endpointText } from "../link/Listener.ts"
import { duration, endpoint, percent, runFlags, whole } from "./Flags.ts"
import { StopSignal } from "./StopSignal.ts"

const HsmControl = Schema.Union([
  Schema.Struct({ do: Schema.Literal("status") }),
  Schema.Struct({ do: Schema.Literal("delay"), by: Schema.DurationFromString }),
  Schema.Struct({ do: Schema.Literal("fail"), percent: Schema.Finite, code: Schema.optionalKey(Schema.String) }),
  Schema.Struct({ do: Schema.Literals(["mute", "speak", "cut"]) }),
  Schema.Struct({ do: Schema.Literal("restart"), for: Schema.DurationFromString })
])

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(HsmControl))

const carryOut = (device: HsmDevice, command: typeof HsmControl.Type): Effect.Effect<void> => {
  switch (command.do) {
    case "status":
      return Effect.void
    case "delay":
      return Effect.sync(() => device.set({ delayMs: Duration.toMillis(command.by) }))
    case "fail": {
      const { percent: errorPercent, code: errorCode } = command
      return Effect.sync(() => device.set(errorCode === undefined ? { errorPercent } : { errorPercent, errorCode }))
    }
    case "mute":
    case "speak":
      return Effect.sync(() => device.set({ isMute: command.do === "mute" }))
    case "cut":
      return Effect.sync(() => device.cut())
    case "restart":
      return Effect.asVoid(
        Effect.forkDetach(device.restart(Duration.toMillis(command.for)), { startImmediately: true })
      )
  }
}

/** The command `jinka-sim hsm`. */
export const hsmCommand = Command.make(
  "hsm",
  {
    listen: endpoint("listen", "Take connections on this address; port 0 takes a free one and says which"),
    family: Flag.Literals("family", ["payshield", "racal", "sjl05"]).pipe(
      Flag.withDescription("Which commands it speaks (default payshield)"),
      Flag.withDefault("payshield" as const)
    ),
    headerLength: whole("header-length", "Characters of the message header that it gives back", 4, 0),
    delay: duration("delay", "Time from a command to its answer", "0 millis"),
    inOrder: Flag.Boolean("in-order").pipe(
      Flag.withDescription("Answer the commands of a connection one after the other, each with its delay"),
      Flag.withDefault(false)
    ),
    errors: percent("errors", "Share of commands that end with the error code", 0),
    errorCode: Flag.String("error-code").pipe(
      Flag.withDescription("The error code of those, two characters (default 41: internal failure)"),
      Flag.withDefault("41"),
      Flag.filter(
        (code) => /^[0-9A-Z]{2}$/.test(code),
        (code) => `--error-code takes two characters 0-9 A-Z, not "${code}"`
      )
    ),
    connections: whole("connections", "Connections that it takes; more are closed at once; 0: no limit", 64, 0),
    seed: runFlags.seed
  },
  Effect.fn(function* (input) {
    const stop = yield* StopSignal
    const device = yield* startHsmDevice({
      listen: input.listen,
      family: input.family,
      headerLength: input.headerLength,
      delayMs: input.delay,
      isInOrder: input.inOrder,
      errorPercent: input.errors,
      errorCode: input.errorCode,
      connectionsMax: input.connections,
      chance: chanceOf(input.seed, "hsm", input.family)
    })
    const print = (event: object): Effect.Effect<void> => Console.log(JSON.stringify(event))
    const { endpoint: at } = device
    yield* print({ event: "started", role: "hsm", family: input.family, endpoint: endpointText(at), port: at.port })
    const take = (line: string): Effect.Effect<void> => {
      const command = decode(line)
      if (Result.isFailure(command)) return print({ event: "refused", reason: command.failure.message })
      return carryOut(device, command.success).pipe(
        Effect.andThen(Effect.suspend(() => print({ event: "done", did: command.success.do, ...device.counts() })))
      )
    }
    yield* takeLines(take, stop.requested)
    yield* Effect.suspend(() => print({ event: "summary", role: "hsm", ...device.counts() }))
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "A hardware security module for tests: it speaks the command set of payShield-like devices (A0 A6 A8 BU CA CC FA M6 M8 MA " +
      "NC B2), of Racal-like Chinese ones (the same with MS) or the binary one of SJL05 (D1 02, 24, 32, 34; A8 03; 04 23), under " +
      "the published test LMK. Everybody knows that LMK: no key under it is a secret. Commands on standard input, one JSON " +
      'object a line: {"do":"delay","by":"200 millis"}, {"do":"fail","percent":10,"code":"41"}, {"do":"mute"}, ' +
      '{"do":"speak"}, {"do":"cut"}, {"do":"restart","for":"2 seconds"}, {"do":"status"}. Each is answered by a line.'
  ),
  Command.withShortDescription("A hardware security module with the published test LMK, for tests"),
  Command.withExamples([
    {
      command: "jinka-sim hsm --listen 127.0.0.1:1500",
      description: "A payShield-like device for the switch to connect to"
    },
    {
      command: 'jinka-sim hsm --listen 127.0.0.1:1501 --delay "2 millis" --in-order --errors 1 --error-code 41',
      description: "One that takes 2 ms for each command, one after the other, and fails one in a hundred"
    },
    {
      command: "jinka-sim hsm --listen 127.0.0.1:1502 --family sjl05",
      description: "One that speaks the binary commands of SJL05"
    }
  ])
)
