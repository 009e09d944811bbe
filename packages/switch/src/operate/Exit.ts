/**
 * How a command ends: exit codes that scripts may rely on, and the one error that commands fail with.
 */
import { Cause, Data, Runtime } from "effect"
import type { LinksMissing } from "../exchange/LinksMissing.ts"
import type { KeysElsewhere } from "../guard/KeysElsewhere.ts"
import type { JournalError } from "../journal/JournalError.ts"
import type { JournalReasonTag } from "../journal/JournalReason.ts"
import type { CredentialsWrong } from "../transport/Credentials.ts"
import type { ListenFailed } from "../transport/Transport.ts"
import type { ConfigurationInvalid } from "./Configuration.ts"

/** Exit codes by name. They are never given another meaning. */
export const exitCodes = {
  good: 0,
  bad: 1,
  usage: 2,
  journal: 3,
  network: 4,
  hurried: 5,
  overtaken: 6,
  storeAway: 7,
  defect: 70
} as const
/** A name of an exit code. */
export type Exit = keyof typeof exitCodes

/** What each means; part of the generated reference. */
export const exitMeanings: Readonly<Record<Exit, string>> = {
  good: "Done, and what was checked is good.",
  bad: "What was checked or looked for is bad or not there: a message that does not decode, a journal that does not verify, no transaction found.",
  usage: "The command line or the configuration is wrong. Nothing was started.",
  journal:
    "The journal refuses to open, or it stopped while the switch ran (the switch then stops at once, guarantee G9).",
  network: "An address is in use, or the switch's control socket does not answer.",
  hurried:
    "A second signal ended the switch before it was drained. What was open is ended and reversed at the next start.",
  overtaken:
    "Another node has taken the switch over while this one was frozen or cut off from PostgreSQL; it has committed nothing since. Start it again: it stands by.",
  storeAway:
    "PostgreSQL has not answered for `journal.postgres.yieldAfter`: the links are closed, so that partners look for another node. Start it again: it stands by.",
  defect: "A defect of Jinka. Please report what was printed."
}

/** The failure of a command: one readable paragraph for standard error, and the exit code. */
export class CommandFailed extends Data.TaggedError("CommandFailed")<{
  readonly exit: Exclude<Exit, "good">
  readonly says: string
}> {
  override readonly [Runtime.errorExitCode] = exitCodes[this.exit]
  override readonly [Runtime.errorReported] = false

  override get message(): string {
    return this.says
  }
}

/** A defect, in one line with what a report needs; nothing of a message can be in it. */
export const defectText = (cause: Cause.Cause<unknown>): string => {
  const found = Cause.squash(cause)
  const place =
    found instanceof Error
      ? (found.stack ?? "")
          .split("\n")
          .slice(1, 3)
          .map((line) => line.trim())
      : []
  const says = found instanceof Error ? `${found.name}: ${found.message}` : "an unknown value was thrown"
  return `a defect, please report it: ${says} (${place.join(", ")})`
}

const listenCauses: Readonly<Record<string, string>> = {
  EADDRINUSE: "another process listens there already; find it with `ss -ltnp`",
  EACCES: "this user may not listen there; ports below 1024 need a privilege",
  EADDRNOTAVAIL: "this machine does not have that address"
}

/** Ends of the journal that are no fault of it, for whoever starts the switch again. */
const journalExits: { readonly [tag in JournalReasonTag]?: "overtaken" | "storeAway" } = {
  Overtaken: "overtaken",
  StoreAway: "storeAway"
}

/** What the parts fail with, as a command's failure. */
export const failedBy = (
  failure:
    | ConfigurationInvalid
    | CredentialsWrong
    | JournalError
    | KeysElsewhere
    | LinksMissing
    | ListenFailed
    | CommandFailed
): CommandFailed => {
  switch (failure._tag) {
    case "CommandFailed":
      return failure
    case "ConfigurationInvalid":
      return new CommandFailed({ exit: "usage", says: failure.message })
    case "CredentialsWrong":
      return new CommandFailed({ exit: "usage", says: `CredentialsWrong: ${failure.message}` })
    case "KeysElsewhere":
      return new CommandFailed({ exit: "usage", says: `KeysElsewhere: ${failure.message}` })
    case "LinksMissing":
      return new CommandFailed({ exit: "journal", says: `LinksMissing: ${failure.message}` })
    case "JournalError": {
      const { _tag, place, problem, remedy } = failure.reason
      return new CommandFailed({
        exit: journalExits[_tag] ?? "journal",
        says: `${_tag}: ${place}: ${problem.replace(/\.?$/, ".")} ${remedy}`
      })
    }
    case "ListenFailed": {
      const why = listenCauses[failure.cause] ?? failure.cause
      return new CommandFailed({ exit: "network", says: `Cannot listen on ${failure.host}:${failure.port}: ${why}.` })
    }
  }
}
