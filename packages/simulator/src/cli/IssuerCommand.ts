/** `jinka-sim issuer`: flags, help and settings of an issuer. */
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import type { Command as ControlCommand } from "../control/Command.ts"
import type { BehaviourSettings } from "../issuer/Behaviour.ts"
import { startIssuer } from "../issuer/RunningIssuer.ts"
import { issuerTable } from "../report/Report.ts"
import { conduct, isTerminal, makeOutput } from "./Conduct.ts"
import { duration, file, institution, linkFlags, linkSettings, percent, runFlags, whole } from "./Flags.ts"

const flags = {
  ...linkFlags,
  ...runFlags,
  institution: institution("institution", "Who we are: header source and DE 33 of our own messages", "01020000"),
  balance: whole("balance", "Opening balance of an account, minor units", 100_000_000, 0),
  decline: percent("decline", "Requests declined for a reason of the card (05, 54, 55, 61 ...)", 0),
  ignore: percent("ignore", "Requests neither processed nor answered, as if lost on the way", 0),
  drop: percent("drop", "Requests processed in the ledger and never answered", 0),
  delay: percent("delay", "Requests answered after a delay", 0),
  adviceIgnore: percent("advice-ignore", "Like --ignore, for advices and reversals", 0),
  adviceDrop: percent("advice-drop", "Like --drop, for advices and reversals", 0),
  adviceDelay: percent("advice-delay", "Like --delay, for advices and reversals", 0),
  delayFrom: duration("delay-from", "Shortest delay of a delayed answer", "50 millis"),
  delayTo: duration("delay-to", "Longest; longer than the switch's timeout gives late answers", "500 millis"),
  signOn: Flag.Boolean("sign-on").pipe(
    Flag.withDescription("Sign on by ourselves when a link is up, too (the switch's sign-on is always answered)"),
    Flag.withDefault(false)
  ),
  history: file("history", "Write the history here, one JSON object a line"),
  ledger: file("ledger", "Write every posting here, and the totals at the end")
}

/** What a behave command changes; shares that it does not name stay as they are. */
const changeOf = (
  now: BehaviourSettings,
  command: Extract<ControlCommand, { readonly do: "behave" }>
): Partial<BehaviourSettings> => ({
  decline: command.decline ?? now.decline,
  requests: {
    ignore: command.ignore ?? now.requests.ignore,
    drop: command.drop ?? now.requests.drop,
    delay: command.delay ?? now.requests.delay
  },
  advices: {
    ignore: command.adviceIgnore ?? now.advices.ignore,
    drop: command.adviceDrop ?? now.advices.drop,
    delay: command.adviceDelay ?? now.advices.delay
  }
})

/** The command `jinka-sim issuer`. */
export const issuerCommand = Command.make(
  "issuer",
  flags,
  Effect.fn(function* (input) {
    const link = yield* linkSettings(input)
    const output = yield* makeOutput(input.format)
    let behaviour: BehaviourSettings = {
      seed: input.seed,
      decline: input.decline,
      requests: { ignore: input.ignore, drop: input.drop, delay: input.delay },
      advices: { ignore: input.adviceIgnore, drop: input.adviceDrop, delay: input.adviceDelay },
      delayFrom: input.delayFrom,
      delayTo: input.delayTo
    }
    const running = yield* startIssuer({
      issuer: {
        institution: input.institution,
        centre: input.centre,
        balance: input.balance,
        behaviour,
        signsOn: input.signOn,
        signOnTimeout: input.signOnTimeout
      },
      link: { ...link, onTrouble: output.tell },
      history: input.history,
      ledger: input.ledger,
      onLine: output.onLine
    })
    const steered = {
      role: "issuer" as const,
      link: running.link,
      status: running.totals,
      own: (command: ControlCommand) => {
        if (command.do !== "behave") return false
        behaviour = { ...behaviour, ...changeOf(behaviour, command) }
        running.behave(behaviour)
        return true
      }
    }
    const totals = yield* conduct(input, output, steered, Effect.never, running.finish)
    if (input.format === "table") yield* Console.log(issuerTable(totals, yield* isTerminal))
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "An issuing institution with a real ledger. Takes connections (or dials), answers sign-on, sign-off, echo and cut-over, " +
      "debits purchases, holds pre-authorisations, credits voids and refunds, undoes reversals exactly once, and declines " +
      "originals that come after their reversal. Shares of its answers can be declined, delayed, dropped or ignored by " +
      "seed. Runs until SIGTERM or the command finish. Exit codes: 0 ended in order, 2 a setting or file is wrong."
  ),
  Command.withShortDescription("An issuing institution: keeps a ledger, answers, misbehaves on demand"),
  Command.withExamples([
    {
      command: "jinka-sim issuer --listen 127.0.0.1:7002 --history issuer.jsonl --ledger ledger.jsonl",
      description: "Approves everything that the balance allows"
    },
    {
      command:
        'jinka-sim issuer --listen 127.0.0.1:7002 --decline 5 --drop 2 --ignore 1 --delay 5 --delay-to "8 seconds"',
      description: "Some of everything that goes wrong, late answers included"
    },
    {
      command: "jinka-sim issuer --connect 127.0.0.1:7002 --sign-on",
      description: "Dials the switch and signs on by itself"
    }
  ])
)
