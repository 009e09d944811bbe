/** `jinka status` and `jinka stop`: what a running switch says, and its end. */
import { Console, Effect, Option } from "effect"
import { Command } from "effect/cli"
import { counted } from "../Counted.ts"
import { ask } from "../control/ControlCall.ts"
import { linkDetail } from "../control/LinkText.ts"
import { DrainReport, StatusReport } from "../control/Report.ts"
import { statusText } from "../control/StatusText.ts"
import { asJson, because, noSuchLink, reason, socketOf, whichLink, whichSwitch, withoutFile } from "./Asked.ts"

/** `jinka status FILE [LINK]`. */
export const status = Command.make("status", { ...whichLink, json: asJson }, (flags) =>
  Effect.gen(function* () {
    const { link, json, ...which } = withoutFile(flags)
    const socket = yield* socketOf(which)
    const report = yield* ask(
      socket,
      "GET",
      Option.isSome(link) ? `/links/${encodeURIComponent(link.value)}` : "/status",
      StatusReport
    )
    if (Option.isNone(link)) return yield* Console.log(json ? JSON.stringify(report) : statusText(report))
    const [found] = report.links
    if (found === undefined) {
      const { links } = yield* ask(socket, "GET", "/status", StatusReport)
      return yield* noSuchLink(
        link.value,
        links.map(({ name }) => name)
      )
    }
    yield* Console.log(json ? JSON.stringify(found) : linkDetail(found, report.at, report.kernelAbsent))
  })
).pipe(
  Command.withDescription(
    "Asks a running switch how its links are: state and since when, addresses, what is outstanding and stored and the age of the oldest, what the kernel sees differently, why the last connection ended and what to look at; answers by code; journal entries by kind. With a link's name: everything about that one, with its clocks, the kernel's view and its last ends. It asks no partner, so it answers at once."
  ),
  Command.withShortDescription("Show a running switch's links and counters"),
  Command.withExamples([
    { command: "jinka status switch.yaml", description: "At 3 a.m." },
    { command: "jinka status switch.yaml issuer", description: "One link, in full" },
    { command: "jinka status switch.yaml --json", description: "For a script: one JSON object" },
    { command: "jinka status --control /run/jinka", description: "The file is damaged or gone, and the switch runs" }
  ])
)

/** `jinka stop FILE`. */
export const stop = Command.make("stop", { ...whichSwitch, reason, json: asJson }, ({ json, reason: why, ...which }) =>
  Effect.gen(function* () {
    const report = yield* ask(yield* socketOf(which), "POST", "/drain", DrainReport, because(why))
    yield* Console.log(json ? JSON.stringify(report) : drainText(report))
  })
).pipe(
  Command.withDescription(
    "Stops a running switch in order: no new requests, up to `drainTimeout` for what is outstanding, sign-off, end. Prints what had not ended. Advices and reversals stay in the journal and go on at the next start."
  ),
  Command.withShortDescription("Drain and stop a running switch"),
  Command.withExamples([{ command: 'jinka stop switch.yaml --reason "new kernel"', description: "Before maintenance" }])
)

const drainText = ({ unfinished }: DrainReport): string =>
  unfinished.length === 0
    ? "stopped; nothing was left open"
    : [
        `stopped; ${counted(unfinished.length, "request", "requests")} had not ended:`,
        ...unfinished.map(({ exchange, link, outcome }) => `  exchange ${exchange} on ${link}: ${outcome}`),
        "Their outcome is unknown where they were sent. What is money is reversed after the next start."
      ].join("\n")
