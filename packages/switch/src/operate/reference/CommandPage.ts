/**
 * docs/reference/cli.md: every command with its arguments, flags and examples, from the help that the command itself gives. Pure.
 */
import { Option } from "effect"
import type { HelpDoc } from "effect/cli"
import { type Exit, exitCodes, exitMeanings } from "../Exit.ts"
import { cell, page, table } from "./Markdown.ts"

/** The page, from the help of all commands, the whole one first. */
export const commandPage = (docs: ReadonlyArray<HelpDoc.HelpDoc>): string =>
  page("Command line", [
    "`jinka COMMAND --help` shows what is here. Errors are a line or a paragraph on standard error, never a stack trace; results are on standard output.",
    ...docs.flatMap((doc, at) => commandParts(doc, at === 0)),
    "## Flags of every command",
    table(["Flag", "Meaning"], flagRows(docs[0]?.globalFlags ?? [])),
    "## Exit codes",
    table(
      ["Code", "Meaning"],
      (Object.keys(exitCodes) as ReadonlyArray<Exit>).map((exit) => [String(exitCodes[exit]), cell(exitMeanings[exit])])
    )
  ])

const commandParts = (doc: HelpDoc.HelpDoc, isWhole: boolean): ReadonlyArray<string> => {
  const args = (doc.args ?? []).map(({ name, description }) => [`\`${name}\``, described(description)])
  const examples = (doc.examples ?? []).map(
    ({ command, description }) => `${description === undefined ? "" : `# ${description}\n`}${command}`
  )
  return [
    ...(isWhole ? [] : [`## ${(doc.commandPath ?? []).join(" ")}`]),
    doc.description,
    `\`\`\`text\n${doc.usage}\n\`\`\``,
    ...(args.length === 0 ? [] : [table(["Argument", "Meaning"], args)]),
    ...(doc.flags.length === 0 ? [] : [table(["Flag", "Meaning"], flagRows(doc.flags))]),
    ...(examples.length === 0 ? [] : [`\`\`\`sh\n${examples.join("\n\n")}\n\`\`\``])
  ]
}

const described = (description: Option.Option<string>): string => cell(Option.getOrElse(description, () => ""))

const flagRows = (flags: ReadonlyArray<HelpDoc.FlagDoc>): ReadonlyArray<ReadonlyArray<string>> =>
  flags.map(({ name, aliases, description }) => [
    [`--${name}`, ...aliases].map((one) => `\`${one}\``).join(", "),
    described(description)
  ])
