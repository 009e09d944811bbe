/**
 * Where the connections of a link come from: `connect` or `listen`, or on an async-simplex link two `legs`. Pure.
 */
import { exactlyOne, oneOf } from "../text/Choice.ts"
import type { Draft } from "../text/Draft.ts"
import { error, type Finding, warning } from "../text/Problem.ts"

const legNames = ["send", "receive"] as const

/** Every place of a link that says where a connection comes from: the link itself, or its legs. */
export const sidesOf = (link: Draft): ReadonlyArray<Draft> =>
  link.has("legs") ? legNames.map((leg) => link.part("legs", leg)) : [link]

/** All findings about the sides of one link. */
export const sideRelations = (link: Draft): ReadonlyArray<Finding> => {
  const isSimplex = link.part("mode").text === "async-simplex"
  if (link.part("mode").text === "async-short" && !link.has("legs")) return bothSides(link)
  if (!isSimplex && !link.has("legs")) return oneOf(link, ["connect", "listen", "door"], "a link")
  return [...modeAndLegs(link, isSimplex), ...(link.has("legs") ? legRelations(link) : [])]
}

/** async-short dials what it sends and takes what comes on the partner's connections. */
const bothSides = (link: Draft): ReadonlyArray<Finding> => {
  const accepts = ["listen", "door"].filter((key) => link.has(key))
  if (accepts.length === 1 && link.has("connect")) return []
  const rule = "async-short dials what it sends and takes what comes: it has `connect`, and `listen` or `door`"
  if (accepts.length > 1) return [error(link.path, rule, "Remove `listen` or `door`.", "both")]
  const missing = [...(link.has("connect") ? [] : ["`connect:`"]), ...(accepts.length === 1 ? [] : ["`listen:`"])]
  return [error(link.path, rule, `Add ${missing.join(" and ")}.`, "")]
}

const modeAndLegs = (link: Draft, isSimplex: boolean): ReadonlyArray<Finding> => {
  if (!isSimplex) {
    return [error(link.part("legs").path, "only an async-simplex link has legs", "Write `mode: async-simplex`.", "")]
  }
  const alone = ["connect", "listen", "door"].filter((key) => link.has(key))
  return [
    ...(link.has("legs")
      ? []
      : [error(link.path, "an async-simplex link has `legs`", "Add `legs: { send: ..., receive: ... }`.", "")]),
    ...alone.map((key) =>
      error(
        link.part(key).path,
        "an async-simplex link has its connections in `legs`",
        "Move it to one of the legs.",
        ""
      )
    )
  ]
}

const legRelations = (link: Draft): ReadonlyArray<Finding> => {
  const legs = link.part("legs")
  const alone = legs.part("timeout").ms("60 seconds")
  const pause = link.part("reconnect", "max").ms("30 seconds")
  const isShort = alone !== undefined && pause !== undefined && alone < pause
  const rule = "a leg may be closed while the other only pauses before its next attempt: `reconnect.max` is longer"
  return [
    ...legNames
      .filter((leg) => legs.has(leg))
      .flatMap((leg) => exactlyOne(legs.part(leg), "connect", "listen", "a leg")),
    ...(isShort
      ? [warning(legs.has("timeout") ? legs.part("timeout").path : legs.path, rule, "Make `legs.timeout` longer.")]
      : [])
  ]
}
