/** A process that opens the journal of a directory and says on stdout how that went: `opened`, or the reason's tag. */
import { writeSync } from "node:fs"
import { Effect } from "effect"
import { withJournal } from "./Journals.ts"

const [directory = ""] = process.argv.slice(2)
await Effect.runPromise(
  withJournal(directory, () => Effect.succeed("opened")).pipe(
    Effect.catchTag("JournalError", ({ reason }) => Effect.succeed(reason._tag)),
    Effect.map((outcome) => writeSync(1, `${outcome}\n`))
  )
)
