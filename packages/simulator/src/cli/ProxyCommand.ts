/** `jinka-sim proxy`: a TCP proxy that breaks links on command. */
import { Console, Duration, Effect, Result, Schema, Stdio, Stream } from "effect"
import { Command } from "effect/cli"
import { type FaultProxy, makeFaultProxy } from "../link/FaultProxy.ts"
import { endpointText } from "../link/Listener.ts"
import { endpoint } from "./Flags.ts"
import { StopSignal } from "./StopSignal.ts"

const ProxyControl = Schema.Union([
  Schema.Struct({ do: Schema.Literal("status") }),
  Schema.Struct({ do: Schema.Literal("cut"), how: Schema.Literals(["reset", "fin"]) }),
  Schema.Struct({ do: Schema.Literal("refuse"), for: Schema.DurationFromString }),
  Schema.Struct({
    do: Schema.Literal("fault"),
    direction: Schema.Literals(["toTarget", "fromTarget", "both"]),
    delay: Schema.optionalKey(Schema.DurationFromString),
    slice: Schema.optionalKey(Schema.Int),
    isHeld: Schema.optionalKey(Schema.Boolean),
    isBlackHole: Schema.optionalKey(Schema.Boolean)
  }),
  Schema.Struct({ do: Schema.Literal("heal") })
])

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(ProxyControl))

const carryOut = (proxy: FaultProxy, command: typeof ProxyControl.Type): Effect.Effect<void> => {
  switch (command.do) {
    case "status":
      return Effect.void
    case "cut":
      return Effect.sync(() => proxy.cut(command.how))
    case "refuse":
      return Effect.asVoid(Effect.forkDetach(proxy.refuse(Duration.toMillis(command.for)), { startImmediately: true }))
    case "heal":
      return Effect.sync(() => proxy.heal())
    case "fault": {
      const { do: _do, direction, delay, ...faults } = command
      const change = delay === undefined ? faults : { ...faults, delay: Duration.toMillis(delay) }
      return Effect.sync(() => proxy.set(direction, change))
    }
  }
}

/** The command. */
export const proxyCommand = Command.make(
  "proxy",
  {
    listen: endpoint("listen", "Take connections on this address; port 0 takes a free one and says which"),
    target: endpoint("target", "Pass them on to this address")
  },
  Effect.fn(function* (input) {
    const stop = yield* StopSignal
    const stdio = yield* Stdio.Stdio
    const proxy = yield* makeFaultProxy(input.listen, input.target)
    const print = (event: object): Effect.Effect<void> => Console.log(JSON.stringify(event))
    const { port } = proxy.endpoint
    yield* print({ event: "started", role: "proxy", endpoint: endpointText(proxy.endpoint), port })
    const take = (line: string): Effect.Effect<void> => {
      const command = decode(line)
      if (Result.isFailure(command)) return print({ event: "refused", reason: command.failure.message })
      return carryOut(proxy, command.success).pipe(
        Effect.andThen(
          Effect.suspend(() => print({ event: "done", did: command.success.do, connections: proxy.connections() }))
        )
      )
    }
    yield* stdio.stdin.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.filter((line) => line.trim() !== ""),
      Stream.runForEach(take),
      Effect.ignore,
      // Without a parent on standard input the proxy runs until a signal.
      Effect.andThen(Effect.never),
      Effect.raceFirst(stop.requested)
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "A TCP proxy that does to a link what networks do. Commands on standard input, one JSON object a line: " +
      '{"do":"cut","how":"reset"}, {"do":"refuse","for":"2 seconds"}, {"do":"fault","direction":"both","delay":"200 millis"} ' +
      "(also slice in bytes, isHeld, isBlackHole), " +
      '{"do":"heal"}, {"do":"status"}. Each is answered by a line on standard output.'
  ),
  Command.withShortDescription("A TCP proxy that cuts, delays, slices or swallows on command"),
  Command.withExamples([
    {
      command: "jinka-sim proxy --listen 127.0.0.1:7101 --target 127.0.0.1:7001",
      description: "Put it between an acquirer and the switch"
    }
  ])
)
