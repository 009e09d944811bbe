/**
 * Whether the keys and card numbers of a link's messages fit the places that the switch has for them, and whether the partner
 * behind a route can tell messages of another dialect apart. Pure.
 *
 * Asked of the dialect, not of messages: a longer value would be cut at run time, and two messages taken for each other (G6).
 */
import { type Dialect, fieldLayout } from "@jinka/codec"
import { PAN_LENGTH_MAX } from "../../../exchange/Recorder.ts"
import { KEY_LENGTH_MAX } from "../../../exchange/request/Outstanding.ts"
import { type Draft, dialectOf } from "../text/Draft.ts"
import { error, type Finding, listed, warning } from "../text/Problem.ts"
import { crossingsOf } from "./Crossings.ts"

const PAN = 2

/** Longest part of a match key that the field can make, in bytes; 0 for a field that the dialect does not have. */
const keyBytes = ({ encodings, fields }: Dialect, de: number): number => {
  const definition = fields[de]
  if (definition === undefined) return 0
  const field = fieldLayout(de, definition, encodings)
  const isTwice = field.encoding === "binary" || field.encoding === "hex"
  // A prefix that counts bytes allows for a digit more than an odd length.
  return isTwice ? 2 * field.units : field.countsBytes ? field.units + (field.units % 2) : field.units
}

/** Callers that can be told apart by data elements of the key: those that are none are said elsewhere. */
const callersOf = (link: Draft): ReadonlyArray<number> =>
  link.part("callers").entries.flatMap(({ number }) => number ?? [])

/** Findings about a link's dialect and `callers`. */
export const keyRelations = (link: Draft): ReadonlyArray<Finding> => {
  const known = dialectOf(link)
  if (known === undefined) return []
  const { dialect } = known
  const { path } = link.part("dialect")
  const findings: Array<Finding> = []
  const key = [...dialect.match.transaction, ...callersOf(link)]
  const longest = key.reduce((sum, de) => sum + keyBytes(dialect, de), key.length - 1)
  if (longest > KEY_LENGTH_MAX) {
    const rule = `the key of a message (\`match.transaction\` and \`callers\`: DE ${key.join(", ")}) has at most ${KEY_LENGTH_MAX} bytes`
    findings.push(error(path, rule, "Name fewer or shorter fields.", `up to ${longest} bytes`))
  }
  const pan = keyBytes(dialect, PAN)
  if (pan > PAN_LENGTH_MAX) {
    const rule = `a card number (DE ${PAN}) has at most 19 digits`
    findings.push(error(path, rule, "Give DE 2 a format such as n..19.", `up to ${pan}`))
  }
  return findings
}

/** Findings about links that a route leads to, from links of other dialects. */
export const crossingRelations = (draft: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const crossings = crossingsOf(draft, links)
  return [...editionRelations(crossings), ...apartRelations(crossings)]
}

type Crossings = ReturnType<typeof crossingsOf>

/** The origins of each target, where a crossing is as `is` says. */
const originsWhere = (crossings: Crossings, is: (origin: Draft, target: Draft) => boolean) => {
  const found = new Map<Draft, Set<Draft>>()
  for (const [origin, target] of crossings)
    if (is(origin, target)) found.set(target, (found.get(target) ?? new Set()).add(origin))
  return [...found].map(([target, origins]) => {
    const names = listed([...origins].map((origin) => origin.part("name").text ?? ""))
    return { target, origins: [...origins], names }
  })
}

const editions = ["1987", "1993", "2003"]

/** Types, times and response codes of one edition mean nothing in another, and are not converted. */
const editionRelations = (crossings: Crossings): ReadonlyArray<Finding> =>
  originsWhere(crossings, (origin, target) => !isOneEdition(origin, target)).map(({ names, target }) => {
    const edition = editions[dialectOf(target)!.dialect.version]
    const rule = `this partner speaks ISO 8583:${edition}, and ${names} another edition: what comes from there is refused as a format error`
    const help =
      "Write `from:` on the route for the links that it is for, or give the link the dialect that its partner speaks."
    return warning(target.part("dialect").path, rule, help)
  })

const isOneEdition = (origin: Draft, target: Draft): boolean => {
  const [from, to] = [dialectOf(origin), dialectOf(target)]
  return from === undefined || to === undefined || from.dialect.version === to.dialect.version
}

/** A part of the target's key is missing, by which its partner would tell messages apart. */
const apartRelations = (crossings: Crossings): ReadonlyArray<Finding> => {
  const isMissed = (origin: Draft, target: Draft) => isOneEdition(origin, target) && missing(origin, target).length > 0
  return originsWhere(crossings, isMissed).map(({ names, origins, target }) => {
    const fields = [...new Set(origins.flatMap((origin) => missing(origin, target)))].sort((a, b) => a - b)
    const rule = `the dialect of ${names} has no DE ${fields.join(", ")}, by which this partner tells messages apart: what comes from there is refused as a format error`
    return warning(
      target.part("dialect").path,
      rule,
      "Write `stan: own` on this link: then its messages differ in their STAN."
    )
  })
}

/** Fields of the target's key that messages of the origin cannot have, where those are not told apart without them. */
const missing = (origin: Draft, target: Draft): ReadonlyArray<number> => {
  const from = dialectOf(origin)?.dialect
  const to = dialectOf(target)?.dialect
  if (from === undefined || to === undefined || from === to || target.part("stan").text === "own") return []
  const key = to.match.transaction
  if ([...from.match.transaction, ...callersOf(origin)].every((de) => key.includes(de))) return []
  return key.filter((de) => from.fields[de] === undefined)
}
