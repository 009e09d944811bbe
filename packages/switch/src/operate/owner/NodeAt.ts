/** What commands about a switch of several nodes share: the node that they are given on, and what to say of the one that runs. */
import { Effect, Redacted } from "effect"
import { type Configuration, loadKeys } from "../Configuration.ts"
import type { PostgresSettings } from "../configuration/journal/PostgresPlan.ts"
import type { OwnerRow } from "./OwnerRows.ts"
import { isRun, type NodePlace } from "./Stopped.ts"

/** The journal as this node opens it. */
export const nodeAt = (configuration: Configuration, { place, takeoverAfterMs }: PostgresSettings) =>
  Effect.map(
    loadKeys(configuration),
    ({ key, previousKeys }): NodePlace => ({
      place: Redacted.value(place),
      directory: configuration.journal.directory,
      keys: [Redacted.value(key), ...previousKeys.map(Redacted.value)],
      takeoverAfterMs
    })
  )

/** That a node runs the switch, and so nothing was changed. */
export const runs = ({ node, silent }: OwnerRow, here: string): string =>
  `${node === here ? `This node, ${here},` : `Node ${node}`} runs the switch: its last beat was ${Math.max(0, silent ?? 0).toFixed(1)} s ago. Nothing was changed.`

/** Which node to ask, where none runs on this one. */
export const ownedBy = (row: OwnerRow | undefined, withinMs: number): string => {
  if (row === undefined || (row.node === null && row.halted === null)) {
    return "No node has the switch now: start it with `jinka run`."
  }
  if (row.halted !== null) return `It is stopped until a person decides (${row.halted}): \`jinka owners\` says more.`
  const ago = `its last beat was ${Math.max(0, row.silent ?? 0).toFixed(1)} s ago`
  return isRun(row, withinMs)
    ? `Node ${row.node} runs the switch: ${ago}. Ask there.`
    : `Node ${row.node} had the switch last, and does not run it any more: ${ago}. Start it with \`jinka run\`.`
}
