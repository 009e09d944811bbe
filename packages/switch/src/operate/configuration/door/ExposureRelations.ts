/**
 * Listeners that anybody may reach: in clear, on all addresses, from anywhere. Allowed, and seldom meant. Pure.
 */
import { sidesOf } from "../link/LegsRelations.ts"
import type { Draft } from "../text/Draft.ts"
import { type Finding, warning } from "../text/Problem.ts"
import { behind } from "./DoorRelations.ts"

const anyHost = new Set(["0.0.0.0", "::"])

/** All findings about what listens. */
export const exposureRelations = (draft: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => [
  ...links.flatMap(sidesOf).flatMap((side) => exposed(side.part("listen"), false)),
  ...[...draft.part("doors").entries, ...draft.part("http").entries].flatMap((door) => {
    const members = behind(door, links)
    const isTold = members.length > 0 && members.every((link) => link.part("door", "from").entries.length > 0)
    return exposed(door.part("listen"), isTold)
  })
]

/** `isTold`: the links behind the door say where their partners come from. */
const exposed = (listen: Draft, isTold: boolean): ReadonlyArray<Finding> => {
  if (typeof listen.raw !== "object" || listen.raw === null || Array.isArray(listen.raw)) return []
  const isOpen = anyHost.has(listen.has("host") ? (listen.part("host").text ?? "") : "0.0.0.0")
  if (!isOpen || isTold || listen.has("tls") || listen.part("from").entries.length > 0) return []
  const rule = "it listens in clear on all addresses of this machine, and takes connections from anywhere"
  return [
    warning(listen.path, rule, "Add `from:` with the partner's addresses, or `tls:`, or a `host:` of an inner network.")
  ]
}
