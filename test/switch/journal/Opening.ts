/**
 * A process that opens the journals of directories, one after the other; `read` before them: only to read. It says on stdout how
 * that went, a line for each: `opened`, or the reason's tag and what to do about it.
 */
import { writeSync } from "node:fs"
import { Effect } from "effect"
import { openReadOnly } from "../../../packages/switch/src/journal/JournalReader.ts"
import { testKey, withJournal } from "./Journals.ts"

const [how, ...directories] = process.argv.slice(2)
const opening = (directory: string) =>
  how === "read"
    ? Effect.scoped(Effect.as(openReadOnly(directory, { keys: [testKey] }), "opened"))
    : withJournal(directory, () => Effect.succeed("opened"))
const said = (directory: string) =>
  opening(directory).pipe(
    Effect.catchTag("JournalError", ({ reason }) => Effect.succeed(`${reason._tag}: ${reason.remedy}`)),
    Effect.map((outcome) => writeSync(1, `${outcome}\n`))
  )
await Effect.runPromise(Effect.forEach(directories, said, { discard: true }))
