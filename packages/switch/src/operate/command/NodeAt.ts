/** What the commands about a switch that was stopped share: the node that they are given on, and what to say of one that runs. */
import { Effect, Redacted } from "effect"
import { type Configuration, loadKeys } from "../Configuration.ts"
import type { PostgresSettings } from "../configuration/journal/PostgresPlan.ts"
import type { OwnerRow } from "../owner/OwnerRows.ts"
import type { NodePlace } from "../owner/Stopped.ts"

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
