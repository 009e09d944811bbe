/**
 * What a node that stands by answers on its control socket: its status, and its end. Everything else is asked of the owner, and
 * whoever asks here is told which node that is.
 */
import { Deferred, Effect } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { noCounts } from "../../journal/EntryKind.ts"
import type { StandingBy } from "../owner/Claim.ts"
import type { Asked } from "./Control.ts"
import type { StatusReport } from "./Report.ts"
import { entriesByKind, type Identity } from "./Status.ts"
import { ownerWords } from "./StatusText.ts"

/** What a node that stands by knows. */
export interface Standby {
  readonly identity: Identity
  /** Name of this node. */
  readonly node: string
  /** What it saw last. */
  readonly last: () => StandingBy
  /** Ends it; the text says who wanted that. */
  readonly stop: Deferred.Deferred<string>
}

/** The node that has the switch, as far as this one knows; "": nobody. */
export const ownerSeen = (last: StandingBy): string => ("seen" in last ? (last.seen?.node ?? "") : "")

/** One sentence: this node stands by, and what for. */
export const standbyWords = ({ last, node }: Pick<Standby, "last" | "node">): string => {
  const what = last()
  if ("blind" in what) return `node ${node} stands by, and does not see who has the switch: ${what.blind}`
  const owner = ownerSeen(what)
  const halted = what.seen?.halted ?? null
  if (halted !== null) {
    return `node ${node} stands by: node ${owner} has stopped the switch, and a person decides whether it goes on (${halted})`
  }
  return `node ${node} stands by: ${ownerWords(node, owner)}`
}

/** Where to go with what is not answered here. */
const elsewhereWords = (standby: Standby): string => {
  const what = standby.last()
  const isHalted = "seen" in what && typeof what.seen?.halted === "string"
  const isThere = !isHalted && !["", standby.node].includes(ownerSeen(what))
  return `${standbyWords(standby)}. ${isThere ? "Ask there." : "`jinka owners` shows who has it."}`
}

/** Its status: nothing but its role. */
export const standbyReport = ({ identity, last, node }: Standby, nowMs: number): StatusReport => {
  const what = last()
  return {
    name: identity.name,
    pid: identity.pid,
    startedAt: new Date(identity.startedAt).toISOString(),
    at: new Date(nowMs).toISOString(),
    owner: {
      role: "standby",
      node,
      owner: ownerSeen(what),
      epoch: 0,
      since: new Date(identity.startedAt).toISOString(),
      blind: "blind" in what ? what.blind : ""
    },
    alarms: [],
    links: [],
    groups: [],
    doors: [],
    inDoubt: 0,
    kernelAbsent: "",
    entries: entriesByKind(noCounts()),
    defects: 0,
    answers: {},
    unwritten: { entries: 0, bytes: 0, lagMs: 0 },
    stalls: null,
    fullBy: null,
    module: null,
    diskTrouble: "",
    retention: null
  }
}

/** What the control socket of a node that stands by answers: its status, and for everything else who runs the switch. */
export const standbyRoutes = (standby: Standby, user: Asked) => {
  const elsewhere = Effect.suspend(() =>
    HttpServerResponse.json({ error: elsewhereWords(standby), exit: "bad" }, { status: 409 })
  )
  return HttpRouter.addAll([
    HttpRouter.route(
      "GET",
      "/status",
      Effect.flatMap(
        Effect.clockWith(({ currentTimeMillis }) => currentTimeMillis),
        (now) => HttpServerResponse.json(standbyReport(standby, now))
      )
    ),
    HttpRouter.route(
      "POST",
      "/drain",
      Effect.flatMap(Effect.andThen(HttpServerRequest.HttpServerRequest, user), (by) => {
        Deferred.doneUnsafe(standby.stop, Effect.succeed(`${by} asked over the control socket`))
        return HttpServerResponse.json({ unfinished: [] })
      })
    ),
    HttpRouter.route("*", "/*", elsewhere)
  ])
}
