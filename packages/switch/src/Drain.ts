/**
 * The orderly end of links: no new work, a bounded wait for what is under way, sign-off, FIN, and a report of what had not ended.
 *
 * One link (an operator's drain, a reload) and all of them (a stop) end in the same way.
 */
import { Effect } from "effect"
import type { Desks } from "./exchange/Desks.ts"
import type { Link } from "./link/Link.ts"
import { LinkEnded } from "./link/LinkEnded.ts"

/** How long the answer to our sign-off is waited for, in milliseconds. */
const SIGN_OFF_MS = 1000

/** How long a connection may take to end after our FIN, in milliseconds; the session itself gives up before. */
const CLOSE_MS = 2000

/** A request that had not ended when a drain was over, with its outcome. */
export interface Unfinished {
  readonly exchange: number
  /** The link that is drained. */
  readonly link: string
  /**
   * `Unknown`: it may have reached the partner, and is reversed if it is money. `NotSent`: no byte left. `Undelivered`: it came
   * from this partner and is under way on another link; its answer will find no connection, and an approval is reversed.
   */
  readonly outcome: "Unknown" | "NotSent" | "Undelivered"
}

/** Requests that concern any of the links and have not ended: sent on them, or come from them. */
export const unfinishedOf = (desks: Desks, links: ReadonlyArray<Link>): ReadonlyArray<Unfinished> => {
  const unfinished: Array<Unfinished> = []
  const drained = new Set(links.map(({ id }) => id))
  for (const { id, name, outstanding } of desks.all) {
    if (outstanding.size === 0) continue
    outstanding.forEach(({ exchange, origin, sentEpoch }) => {
      if (drained.has(id)) unfinished.push({ exchange, link: name, outcome: sentEpoch > 0 ? "Unknown" : "NotSent" })
      else if (drained.has(origin)) unfinished.push({ exchange, link: desks.at(origin).name, outcome: "Undelivered" })
    })
  }
  return unfinished
}

/** Nothing is under way that concerns any of the links, and none dials for a message that it has already. */
const isQuiet = (desks: Desks, links: ReadonlyArray<Link>): boolean =>
  unfinishedOf(desks, links).length === 0 && !links.some(({ short }) => short?.isDialling === true)

/** Signs us off on a connection that is signed on, and waits a moment for the answer. */
const signOff = ({ session, settings, isSignedOn }: Link): Effect.Effect<void> =>
  session === undefined || !settings.signOn.send || !isSignedOn
    ? Effect.void
    : Effect.callback<void>((resume) => session.ask("signOff", () => resume(Effect.void))).pipe(
        Effect.timeoutOption(SIGN_OFF_MS),
        Effect.asVoid
      )

/** What has to be written still leaves; then our FIN, and the partner's is waited for. */
const close = (link: Link, ended: LinkEnded): Effect.Effect<void> =>
  Effect.suspend(() => {
    link.leave(true, ended)
    return link.down.until(() => link.isDown, CLOSE_MS)
  })

/**
 * Drains the links together: afterwards they have no connection and make none, but for those that an operator has brought back
 * meanwhile. Waits up to `limitMs` for what is under way and returns what had not ended then. Store-and-forward messages stay in
 * their queues.
 */
export const drainLinks = Effect.fnUntraced(function* (
  desks: Desks,
  links: ReadonlyArray<Link>,
  limitMs: number,
  ended: LinkEnded
) {
  for (const link of links) link.change({ _tag: "draining", on: true })
  yield* desks.turned.until(() => isQuiet(desks, links), limitMs)
  const leaving = links.filter(({ isDraining }) => isDraining)
  const unfinished = unfinishedOf(desks, leaving)
  yield* Effect.forEach(leaving, (link) => Effect.andThen(signOff(link), close(link, ended)), {
    concurrency: "unbounded",
    discard: true
  })
  return unfinished
})

/** The end of a whole switch: also waits until what was answered is on disk and has left. */
export const drainAll = Effect.fnUntraced(function* (desks: Desks, limitMs: number) {
  const links = desks.all.map(({ link }) => link)
  for (const link of links) link.change({ _tag: "draining", on: true })
  const end = desks.runtime.monotonicMs() + limitMs
  yield* desks.turned.until(() => isQuiet(desks, links) && desks.commits.length === 0, limitMs)
  return yield* drainLinks(
    desks,
    links,
    Math.max(0, end - desks.runtime.monotonicMs()),
    new LinkEnded({ reason: "Stopping", why: "the switch is stopping" })
  )
})
