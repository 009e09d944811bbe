/** `jinka link ...`: what an operator does to one link of a running switch. */
import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import type { Act } from "../../Operations.ts"
import { ask } from "../control/ControlCall.ts"
import { OperatedReport } from "../control/Report.ts"
import { asJson, because, linkOf, reason, socketOf, whichLink, withoutFile } from "./Asked.ts"

interface Words {
  readonly short: string
  readonly long: string
  readonly example: string
}

const words: Readonly<Record<Act, Words>> = {
  block: {
    short: "Take no new requests on a link",
    long: "Takes a link out of use: new requests from and to its partner are refused with the network's code. The connection, its echoes and its sign-on stay, answers to requests under way still come, advices and reversals wait. A block ends with `unblock` or with the switch; a reload keeps it.",
    example: "The issuer declines everything: stop sending, keep the line"
  },
  unblock: {
    short: "Use a link again after block or drain",
    long: "Ends a block or a drain: a drained link connects or listens again, and requests are taken as soon as it is ready.",
    example: "The partner is well again"
  },
  "sign-on": {
    short: "Sign on to the partner now",
    long: "Sends our sign-on now and waits for the answer. Does nothing when we are signed on already. Ends a sign-off that an operator asked for.",
    example: "After the partner's maintenance"
  },
  "sign-off": {
    short: "Sign off from the partner",
    long: "Sends our sign-off and waits for the answer. The connection stays, requests are refused, and no new connection signs on by itself until `jinka link sign-on`.",
    example: "The partner asks us to sign off"
  },
  retry: {
    short: "Dial now, without waiting for the next attempt",
    long: "Ends the pause before the next attempt to connect. For links on which we connect; where the partner connects there is nothing to dial.",
    example: "The partner says that it is up again"
  },
  cut: {
    short: "Cut this connection; the link comes back",
    long: "Cuts the link's connection at once (RST). What was sent on it and not answered has an unknown outcome: it ends now, and money is reversed. The link comes back by itself.",
    example: "The line is half dead and the watchdog has not seen it yet"
  },
  drain: {
    short: "Empty a link and take it down in order",
    long: "Takes no new requests, waits up to `drainTimeout` for what is under way, signs off, sends FIN behind the last byte and waits for the partner's. Every request that had not ended is listed with its outcome. The link then stays down until `jinka link unblock`; store-and-forward messages wait in the journal.",
    example: "Before the partner's maintenance"
  },
  echo: {
    short: "Send an echo and say how long its answer took",
    long: "Sends the network's echo request on the link now and waits for its answer, as long as a sign-on may take (`signOn.timeout`). Changes nothing.",
    example: "Does the partner's system answer, and how fast?"
  }
}

const one = (act: Act) =>
  Command.make(act, { ...whichLink, reason, json: asJson }, (flags) =>
    Effect.gen(function* () {
      const { reason: why, json, link: named, ...which } = withoutFile(flags)
      const socket = yield* socketOf(which)
      const link = yield* linkOf(named)
      const report = yield* ask(
        socket,
        "POST",
        `/links/${encodeURIComponent(link)}/${act}`,
        OperatedReport,
        because(why)
      )
      yield* Console.log(json ? JSON.stringify(report) : operatedText(report))
    })
  ).pipe(
    Command.withDescription(
      `${words[act].long} Says the link's state before and after, and is in the journal with your user name and --reason.`
    ),
    Command.withShortDescription(words[act].short),
    Command.withExamples([{ command: `jinka link ${act} switch.yaml issuer`, description: words[act].example }])
  )

/** `jinka link`. */
export const link = Command.make("link").pipe(
  Command.withDescription(
    "Acts on one link of a running switch; the others are not touched. Each act says what was before and after, is safe to repeat, and is in the journal as an event with the unix user's name. Exit codes: 0 done (or already so), 1 the link or the partner does not allow it now, 2 no such link, 4 no switch answers. Start with `jinka status FILE LINK`."
  ),
  Command.withShortDescription("Block, drain, cut, echo ... one link"),
  Command.withExamples([
    { command: "jinka status switch.yaml issuer", description: "First look" },
    { command: "jinka link echo switch.yaml issuer", description: "Is anybody there?" },
    { command: 'jinka link block switch.yaml issuer --reason "declines everything"', description: "Stop the bleeding" },
    { command: "jinka link cut --control /run/jinka issuer", description: "The file is damaged, and the switch runs" }
  ]),
  Command.withSubcommands([
    one("block"),
    one("unblock"),
    one("sign-on"),
    one("sign-off"),
    one("retry"),
    one("cut"),
    one("drain"),
    one("echo")
  ])
)

const operatedText = ({ link: name, before, after, did, unfinished }: OperatedReport): string =>
  [
    `${name}: ${did}`,
    before === after ? `state: ${after}` : `state: before ${before}, now ${after}`,
    ...unfinished.map(({ exchange, outcome }) => `  exchange ${exchange}: ${outcome}`),
    ...(unfinished.length === 0 ? [] : ["What is money and Unknown or Undelivered is reversed."])
  ].join("\n")
