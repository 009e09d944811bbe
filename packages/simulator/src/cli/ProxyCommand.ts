/** `jinka-sim proxy`: a proxy that breaks links and messages, by a file or on command. */
import { coverTyped, readJson } from "@jinka/codec"
import { Console, Duration, Effect, Option, Result, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { takeLines } from "../control/Control.ts"
import type { FaultProxy } from "../link/FaultProxy.ts"
import { type Endpoint, endpointText } from "../link/Listener.ts"
import { type ProxySettings, readProxyFile } from "../proxy/ProxyFile.ts"
import { startProxy } from "../proxy/RunningProxy.ts"
import { SettingInvalid } from "../SimulatorError.ts"
import { file, optionalEndpoint } from "./Flags.ts"
import { clearCommand, listCommand, setCommand } from "./ProxyRules.ts"
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

const decode = Schema.decodeUnknownResult(ProxyControl)

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

interface ProxyInput {
  readonly file: string | undefined
  readonly listen: Endpoint | undefined
  readonly target: Endpoint | undefined
  readonly history: string | undefined
}

/** The file's settings with the flags over them; without a file both flags are needed. */
const settingsOf = ({ file, history, listen, target }: ProxyInput) =>
  Effect.gen(function* () {
    if (file !== undefined) {
      const settings = yield* readProxyFile(file)
      return {
        ...settings,
        listen: listen ?? settings.listen,
        target: target ?? settings.target,
        history: history ?? settings.history
      }
    }
    if (listen === undefined || target === undefined) {
      const rule = "give a proxy file, or both of --listen and --target"
      return yield* new SettingInvalid({ setting: "proxy", rule })
    }
    const none = {
      record: undefined,
      shadow: undefined,
      form: undefined,
      mac: undefined,
      listenTls: undefined,
      targetTls: undefined,
      control: undefined,
      lasts: undefined
    }
    return { listen, target, history, seed: 1, rules: [], ...none } satisfies ProxySettings
  })

const flags = {
  file: Argument.Path("file").pipe(
    Argument.withDescription("A proxy file: addresses, dialect and fault rules (docs/reference/faults.md)"),
    Argument.optional,
    Argument.map(Option.getOrUndefined)
  ),
  listen: optionalEndpoint("listen", "Take connections on this address; port 0 takes a free one and says which"),
  target: optionalEndpoint("target", "Pass them on to this address"),
  history: file("history", "Write faults and connections here, one JSON object a line"),
  check: Flag.Boolean("check").pipe(
    Flag.withDescription("Read the file, say what is wrong with it, and start nothing"),
    Flag.withDefault(false)
  )
}

/** The command with its subcommands. */
export const proxyCommand = Command.make(
  "proxy",
  flags,
  Effect.fn(function* (input) {
    const settings = yield* settingsOf(input)
    const print = (event: object): Effect.Effect<void> => Console.log(JSON.stringify(event))
    if (input.check)
      return yield* print({ event: "checked", rules: settings.rules.map(({ text }) => coverTyped(text)) })
    const stop = yield* StopSignal
    const { broken, control, proxy, rules } = yield* startProxy(settings)
    yield* print({
      event: "started",
      role: "proxy",
      endpoint: endpointText(proxy.endpoint),
      port: proxy.endpoint.port,
      ...(control === undefined ? {} : { control: endpointText(control) }),
      ...(settings.rules.length === 0 ? {} : { rules: rules.list().map(({ rule }) => rule) })
    })
    const take = (line: string): Effect.Effect<void> => {
      const read = readJson(line)
      if ("wrong" in read) return print({ event: "refused", reason: read.wrong })
      const command = decode(read.json)
      if (Result.isFailure(command)) return print({ event: "refused", reason: command.failure.message })
      return carryOut(proxy, command.success).pipe(
        Effect.andThen(
          Effect.suspend(() => print({ event: "done", did: command.success.do, connections: proxy.connections() }))
        )
      )
    }
    const lasts = settings.lasts === undefined ? Effect.never : Effect.sleep(settings.lasts)
    yield* takeLines(take, Effect.raceAllFirst([stop.requested, lasts, broken]))
    if (settings.rules.length > 0 || rules.list().length > 0) yield* print({ event: "summary", rules: rules.list() })
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "A proxy between two ends of a link that does to it what networks and partners do. With a file, by rules, one a line: " +
      '"drop 0210 where 4 > 1000 every 7th", "delay 0210 by 16s with 5% chance", "change 11 by 1 in 0210 leaving mac wrong", ' +
      '"black-hole to target at 30s for 10s" (docs/reference/faults.md has them all). The same seed and the same messages meet ' +
      "the same faults; each is a line of the history. `proxy list`, `set` and `clear` change the rules while it runs. " +
      "It also takes commands on standard input, one JSON object a line: " +
      '{"do":"cut","how":"reset"}, {"do":"refuse","for":"2 seconds"}, {"do":"fault","direction":"both","delay":"200 millis"} ' +
      "(also slice in bytes, isHeld, isBlackHole), " +
      '{"do":"heal"}, {"do":"status"}. Each is answered by a line on standard output.'
  ),
  Command.withShortDescription("A proxy that breaks links and messages, by rules or on command"),
  Command.withExamples([
    {
      command: "jinka-sim proxy --listen 127.0.0.1:7101 --target 127.0.0.1:7001",
      description: "Put it between an acquirer and the switch"
    },
    { command: "jinka-sim proxy faults.yaml", description: "The same with rules about messages" },
    {
      command: 'jinka-sim proxy set "drop 0210 every 7th from target"',
      description: "One more rule for the proxy that runs"
    }
  ]),
  Command.withSubcommands([listCommand, setCommand, clearCommand])
)
