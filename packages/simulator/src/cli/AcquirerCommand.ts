/** `jinka-sim acquirer`: flags, help and settings of an acquirer. */
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { startAcquirer } from "../acquirer/RunningAcquirer.ts"
import { type Mix, usualMix, usualWorkload } from "../acquirer/Workload.ts"
import { cardsOf } from "../chance/Cards.ts"
import { chanceOf } from "../chance/Chance.ts"
import { kindNames } from "../message/Transaction.ts"
import { acquirerTable } from "../report/Report.ts"
import { SettingInvalid } from "../SimulatorError.ts"
import { conduct, isTerminal, makeOutput, Unsettled } from "./Conduct.ts"
import { duration, file, institution, linkFlags, linkSettings, listOf, percent, runFlags, whole } from "./Flags.ts"

const usualMixText = kindNames.map((kind) => `${kind}=${usualMix[kind]}`).join(",")

const flags = {
  ...linkFlags,
  ...runFlags,
  institution: institution("institution", "Who we are: header source, DE 32 and 33", "48020000"),
  rate: Flag.Finite("rate").pipe(
    Flag.withDescription("Requests a second, kept whatever the answers do (default 200)"),
    Flag.withDefault(200),
    Flag.filter(
      (value) => value > 0,
      () => "--rate takes a number above 0"
    )
  ),
  duration: duration("duration", "How long the load lasts, from the first sign-on", "20 seconds"),
  count: Flag.Int("count").pipe(
    Flag.withDescription("Stop the load after this many, if that comes first (default: the duration alone decides)"),
    Flag.withDefault(Number.MAX_SAFE_INTEGER),
    Flag.filter(
      (value) => value >= 0,
      (value) => `--count takes 0 or more, not ${value}`
    )
  ),
  timeout: duration("timeout", "Give a request up after this long; must be longer than the switch's", "5 seconds"),
  repeat: duration("repeat", "Send a reversal or advice again after this long without acknowledgement", "2 seconds"),
  warmUp: duration("warm-up", "Leave the load's beginning out of the latencies", "0 millis"),
  drain: duration("drain", "At the end wait this long for answers and acknowledgements", "30 seconds"),
  history: file("history", "Write the history here, one JSON object a line"),
  bins: Flag.String("bins").pipe(
    Flag.withDescription("Issuer identification numbers of the made-up cards, with commas between (default 621999)"),
    Flag.withDefault("621999")
  ),
  cards: whole("cards", "How many cards", usualWorkload.cards),
  terminals: whole("terminals", "How many terminals", usualWorkload.terminals),
  amountFrom: whole("amount-from", "Smallest amount, minor units", usualWorkload.amountFrom),
  amountTo: whole("amount-to", "Largest amount, minor units", usualWorkload.amountTo),
  mix: Flag.String("mix").pipe(
    Flag.withDescription(`Weights of the kinds; kinds left out are not sent (default ${usualMixText})`),
    Flag.withDefault(usualMixText)
  ),
  track2: percent("track2", "Share of requests that carry track 2 (DE 35)", usualWorkload.track2),
  pin: percent("pin", "Share of requests that carry a PIN block (DE 52)", usualWorkload.pin),
  reverseOn: Flag.String("reverse-on").pipe(
    Flag.withDescription(
      "Response codes after which this side reverses, too, like 96,98 (default none: the switch has reversed)"
    ),
    Flag.withDefault("")
  ),
  referencePrefix: Flag.String("reference-prefix").pipe(
    Flag.withDescription("First characters of DE 37, up to 4 (default: drawn from seed and institution)"),
    Flag.withDefault("")
  ),
  firstReference: whole(
    "first-reference",
    "Number of the first DE 37: raise it to run against the same journal again",
    1
  ),
  stay: Flag.Boolean("stay").pipe(
    Flag.withDescription("Stay signed on after the load, until a signal or the command finish"),
    Flag.withDefault(false)
  )
}

const mixOf = (text: string): Effect.Effect<Mix, SettingInvalid> =>
  Effect.gen(function* () {
    const mix = { purchase: 0, preAuthorisation: 0, balanceInquiry: 0, void: 0, refund: 0 }
    for (const part of listOf(text)) {
      const [name, weight] = part.split("=")
      const kind = kindNames.find((one) => one === name)
      if (kind === undefined || !(Number(weight) >= 0)) {
        return yield* new SettingInvalid({
          setting: "--mix",
          rule: `takes kind=weight with commas between; kinds are ${kindNames.join(", ")}`
        })
      }
      mix[kind] = Number(weight)
    }
    return mix
  })

const binsOf = (text: string): Effect.Effect<ReadonlyArray<string>, SettingInvalid> => {
  const bins = listOf(text)
  return bins.length > 0 && bins.every((bin) => /^\d{6,8}$/.test(bin))
    ? Effect.succeed(bins)
    : Effect.fail(new SettingInvalid({ setting: "--bins", rule: "takes 6 to 8 digits each, with commas between" }))
}

const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"

/** A prefix that two acquirers of one run will hardly share. */
const prefixOf = (given: string, seed: number, from: string): string => {
  if (given !== "") return given.slice(0, 4)
  const chance = chanceOf(seed, "reference", from)
  return Array.from({ length: 4 }, () => alphabet[chance.below(alphabet.length)]).join("")
}

/** The command `jinka-sim acquirer`. */
export const acquirerCommand = Command.make(
  "acquirer",
  flags,
  Effect.fn(function* (input) {
    const link = yield* linkSettings(input)
    const mix = yield* mixOf(input.mix)
    const bins = yield* binsOf(input.bins)
    const { seed, cards, terminals, amountFrom, amountTo, track2, pin } = input
    const output = yield* makeOutput(input.format)
    const running = yield* startAcquirer({
      acquirer: {
        institution: input.institution,
        centre: input.centre,
        workload: { seed, mix, cards, terminals, amountFrom, amountTo, track2, pin },
        cards: cardsOf({ seed, bins, count: cards }),
        rate: input.rate,
        duration: input.duration,
        count: input.count,
        warmUp: input.warmUp,
        timeout: input.timeout,
        repeatInterval: input.repeat,
        signOnTimeout: input.signOnTimeout,
        reverseAnswered: new Set(listOf(input.reverseOn)),
        referencePrefix: prefixOf(input.referencePrefix, seed, input.institution),
        firstReference: input.firstReference
      },
      link: { ...link, onTrouble: output.tell },
      history: input.history,
      drainLimit: input.drain,
      onLine: output.onLine
    })
    const steered = {
      role: "acquirer" as const,
      link: running.link,
      status: running.totals,
      own: (command: { readonly do: string }) => {
        if (command.do !== "stop-load") return false
        running.stopLoad()
        return true
      }
    }
    const isOver = input.stay ? Effect.never : running.loaded
    const totals = yield* conduct(input, output, steered, isOver, running.finish)
    if (input.format === "table") yield* Console.log(acquirerTable(totals, yield* isTerminal))
    const asked = totals.sent + totals.notSent + totals.advices
    if (totals.inDoubt + totals.advicesOpen > 0) {
      const reason = `${totals.inDoubt} reversals and ${totals.advicesOpen} advices were not acknowledged in time`
      return yield* new Unsettled({ reason })
    }
    if (asked === 0)
      return yield* new Unsettled({ reason: "nothing was sent: no link came up and signed on before the end" })
    if (totals.approved + totals.advicesAcknowledged === 0) {
      return yield* new Unsettled({ reason: "nothing was approved: a run without a success proves nothing" })
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "An acquiring institution. Dials the switch, signs on (0820/001), sends a seeded open-loop load of CUPS purchases, " +
      "pre-authorisations, inquiries, voids and refunds, reverses what is in doubt (0420, then 0421) until it is " +
      "acknowledged, signs off and prints its totals. Exit codes: 0 everything settled, 1 something was left in doubt or " +
      "nothing succeeded, 2 a setting or file is wrong."
  ),
  Command.withShortDescription("An acquiring institution: sends requests, reverses what is in doubt"),
  Command.withExamples([
    {
      command:
        'jinka-sim acquirer --connect 127.0.0.1:7001 --rate 200 --duration "20 seconds" --history acquirer.jsonl',
      description: "200 requests a second for 20 seconds against a switch"
    },
    {
      command: "jinka-sim acquirer --connect 127.0.0.1:7001 --control --stay --seed 7",
      description: 'Steered by a parent through lines like {"do":"cut","how":"reset","for":"2 seconds"}'
    },
    {
      command: "jinka-sim acquirer --connect 127.0.0.1:7001 --mix purchase=1 --count 10 --format table",
      description: "Ten purchases and a table"
    }
  ])
)
