/**
 * A process that opens the journal of a directory, `read` after it: only to read. It says on stdout how that went: `opened`, or
 * the reason's tag and what to do about it.
 */
import { writeSync } from "node:fs"
import { Effect } from "effect"
import { openReadOnly } from "../../../packages/switch/src/journal/JournalReader.ts"
import { testKey, withJournal } from "./Journals.ts"

const [directory = "", how] = process.argv.slice(2)
const opening =
  how === "read"
    ? Effect.scoped(Effect.as(openReadOnly(directory, { keys: [testKey] }), "opened"))
    : withJournal(directory, () => Effect.succeed("opened"))
await Effect.runPromise(
  opening.pipe(
    Effect.catchTag("JournalError", ({ reason }) => Effect.succeed(`${reason._tag}: ${reason.remedy}`)),
    Effect.map((outcome) => writeSync(1, `${outcome}\n`))
  )
)
