/** `jinka-sim proxy list`, `set` and `clear`: the rules of a proxy that runs on this machine. */
import Table from "cli-table3"
import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ControlFailed } from "../control/LocalHttp.ts"
import type { RuleState } from "../proxy/FaultRules.ts"
import { askRules } from "../proxy/RuleControl.ts"
import { endpoint } from "./Flags.ts"

const control = endpoint("control", "Where the proxy takes them: `control:` of its file (default 127.0.0.1:7190)").pipe(
  Flag.withDefault({ host: "127.0.0.1", port: 7190 })
)

const tableOf = (rules: ReadonlyArray<RuleState>): string => {
  const table = new Table({
    head: ["rule", "", "state", "fitted", "met"],
    colAligns: ["right", "left", "left", "right", "right"],
    style: { compact: true, head: [], border: [] }
  })
  for (const { fitted, id, met, rule, state } of rules) table.push([id, rule, state, fitted, met])
  return table.toString()
}

const number = (name: string) => Flag.Int(name).pipe(Flag.optional, Flag.map(Option.getOrUndefined))

/** `proxy list`. */
export const listCommand = Command.make(
  "list",
  { control },
  Effect.fn(function* (input) {
    const rules = (yield* askRules(input.control, "GET", "/rules"))["rules"] as ReadonlyArray<RuleState>
    yield* Console.log(rules.length === 0 ? "no rules: everything passes" : tableOf(rules))
  })
).pipe(
  Command.withDescription(
    "Shows the rules of a running proxy, how many messages matched each, and to how many it was applied."
  ),
  Command.withExamples([{ command: "jinka-sim proxy list", description: "What has happened so far?" }])
)

/** `proxy set`. */
export const setCommand = Command.make(
  "set",
  {
    rule: Argument.String("rule").pipe(
      Argument.withDescription("One rule, in quotes. Its times count from now"),
      Argument.variadic({ min: 1 })
    ),
    id: number("id").pipe(Flag.withDescription("Put it in the place of this rule (`proxy list` shows the numbers)")),
    control
  },
  Effect.fn(function* ({ control: at, id, rule }) {
    const path = id === undefined ? "/rules" : `/rules/${id}`
    const answer = yield* askRules(at, id === undefined ? "POST" : "PUT", path, rule.join(" "))
    yield* Console.log(`rule ${answer["id"]} is set`)
  })
).pipe(
  Command.withDescription("Adds a rule to a running proxy, or replaces one. It is in force at once."),
  Command.withExamples([
    { command: 'jinka-sim proxy set "drop 0210 every 7th from target"', description: "Lose every seventh answer" },
    { command: 'jinka-sim proxy set --id 2 "delay 0210 by 16s with 5% chance"', description: "Change rule 2" }
  ])
)

/** `proxy clear`. */
export const clearCommand = Command.make(
  "clear",
  {
    id: Argument.Int("number").pipe(
      Argument.withDescription("The rule's number; none clears them all"),
      Argument.optional,
      Argument.map(Option.getOrUndefined)
    ),
    control
  },
  Effect.fn(function* ({ control: at, id }) {
    if (id !== undefined && id < 1) return yield* new ControlFailed({ says: "rules count from 1" })
    const { cleared } = yield* askRules(at, "DELETE", id === undefined ? "/rules" : `/rules/${id}`)
    yield* Console.log(cleared === 1 ? "1 rule is cleared" : `${cleared} rules are cleared`)
  })
).pipe(
  Command.withDescription("Removes one rule of a running proxy, or all of them."),
  Command.withExamples([
    { command: "jinka-sim proxy clear 2", description: "Rule 2 alone" },
    { command: "jinka-sim proxy clear", description: "All rules: the line is good again" }
  ])
)
