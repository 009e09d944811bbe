/**
 * The `jinka-sim` command line: its commands in the order of its help. What becomes of failures and signals: `main.ts`.
 */
import { Command } from "effect/cli"
import { dialogueCommand } from "../dialogue/DialogueCommand.ts"
import { acquirerCommand } from "./AcquirerCommand.ts"
import { checkCommand } from "./CheckCommand.ts"
import { hsmCommand } from "./HsmCommand.ts"
import { initCommand } from "./InitCommand.ts"
import { issuerCommand } from "./IssuerCommand.ts"
import { loadCommand } from "./LoadCommand.ts"
import { partnerCommand } from "./PartnerCommand.ts"
import { proxyCommand } from "./ProxyCommand.ts"
import { recordCommand, replayCommand } from "./TrafficCommand.ts"
import { worldCommand } from "./WorldCommand.ts"

/** The whole command. */
export const simulator = Command.make("jinka-sim").pipe(
  Command.withDescription(
    "The institutions on both sides of a switch, to test the switch or your own system: partners from files, an " +
      "acquirer that sends and reverses, an issuer with a ledger, dialogues that check the rules of a link, load, a " +
      "proxy that breaks links and messages, and a checker that reconciles what all of them saw. It shares no link or " +
      "journal code with the switch. The same --seed gives the same run."
  ),
  Command.withExamples([
    { command: "jinka-sim init links", description: "A folder with everything to begin with; then: sh links/run.sh" },
    { command: "jinka-sim issuer --listen 127.0.0.1:7812", description: "An issuer for the switch to connect to" },
    {
      command: "jinka-sim acquirer --connect 127.0.0.1:7811 --count 20 --format table",
      description: "An acquirer that connects to the switch, twenty requests"
    },
    {
      command: "jinka-sim dialogue run links/dialogues --target 10.0.0.1:7001",
      description: "Does your own system keep the rules of a link?"
    }
  ]),
  Command.withSubcommands([
    initCommand,
    partnerCommand,
    acquirerCommand,
    issuerCommand,
    proxyCommand,
    loadCommand,
    recordCommand,
    replayCommand,
    checkCommand,
    dialogueCommand,
    hsmCommand,
    worldCommand
  ])
)
