/**
 * Whether the switch lives and whether it can be used, for whoever restarts it and whoever sends traffic to it. Pure.
 *
 * It lives as long as it answers: a switch with all of its links down is no better for a restart, which would only cost the
 * partners a sign-on. It is ready when it takes new requests: the journal has room, and at least one link is ready.
 */
import type { SwitchStatus } from "../../SwitchStatus.ts"
import { fullWords } from "../FullWords.ts"

/** The answer to `/ready`. */
export interface Readiness {
  readonly ready: boolean
  /** Why not, one sentence each; empty when it is ready. */
  readonly because: ReadonlyArray<string>
  readonly links: { readonly ready: number; readonly all: number }
}

/** Whether it is ready. */
export const readiness = (
  {
    fullBy,
    links
  }: { readonly fullBy: SwitchStatus["fullBy"]; readonly links: ReadonlyArray<{ readonly ready: boolean }> },
  isStopping: boolean
): Readiness => {
  const ready = links.filter((link) => link.ready).length
  const because = [
    ...(isStopping ? ["the switch is stopping"] : []),
    ...(fullBy === undefined ? [] : [`new requests are refused on every link: ${fullWords[fullBy]}`]),
    ...(ready === 0 ? ["no link is ready"] : [])
  ]
  return { ready: because.length === 0, because, links: { ready, all: links.length } }
}
