/**
 * What the listener of operators refuses, counted by why, and told as an act in journal, audit and log: whoever tries tokens, or
 * does what his role forbids, is seen by the people whose door it is. A flood is one line a minute. Pure; times are monotonic
 * milliseconds.
 */
import { coverTyped } from "@jinka/codec"
import type { ActText } from "../../ActText.ts"
import { Notices, type Pace } from "../../link/Notices.ts"

/**
 * Why a call was refused. `nobody`: it showed nothing, as each page begins. `token`: what it showed is no user's. `role`: the
 * user may not. `rate`: too often. `host`: for another host name. `address` and `certificate`: the connection was not let in.
 */
export const refusedBy = ["nobody", "token", "role", "rate", "host", "address", "certificate"] as const
/** One of {@link refusedBy}. */
export type RefusedBy = (typeof refusedBy)[number]

const minutely: Pace = { burst: 1, pauseMs: 60_000 }

/** Characters of a path that are told. */
const PATH_MAX = 60

/** A call as far as it is told. */
export interface RefusedCall {
  readonly by: RefusedBy
  /** "": nobody whom the listener knows. */
  readonly user: string
  /** Where it came from. */
  readonly address: string
  /** Method and path; left out for a connection. */
  readonly call?: string
}

const words: Readonly<Record<Exclude<RefusedBy, "nobody">, (refused: RefusedCall) => string>> = {
  token: () => "refused a call with a token or certificate of nobody",
  role: ({ call = "" }) => `refused ${coverTyped(call.slice(0, PATH_MAX))} for its role`,
  rate: () => "refused a call, too many in a second",
  host: () => "refused a call for another host name",
  address: () => "refused a connection, not in admin.listen.from",
  certificate: () => "refused a connection, its TLS handshake failed"
}

/** The refusals of one switch since its start. */
export class RefusedCalls {
  private readonly byWhy = new Map<RefusedBy, number>(refusedBy.map((by) => [by, 0]))
  private readonly notices = new Notices(minutely)

  /** How many there were. */
  get counts(): ReadonlyMap<RefusedBy, number> {
    return this.byWhy
  }

  /** Those that nobody makes who has a token and knows his role. */
  get attempts(): number {
    return this.byWhy.get("token")! + this.byWhy.get("role")!
  }

  /** Counts one; gives the act that is to be told, if any. */
  add(refused: RefusedCall, now: number): ActText | undefined {
    const { address, by, user } = refused
    this.byWhy.set(by, this.byWhy.get(by)! + 1)
    if (by === "nobody") return undefined
    const what = this.notices.add(`${by} ${user}`, `${words[by](refused)}, from ${address}`, now)
    return what === undefined ? undefined : { user: user === "" ? "nobody" : user, what }
  }
}
