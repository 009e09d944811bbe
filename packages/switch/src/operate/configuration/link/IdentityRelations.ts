/** What a link's partner may say of itself, and where that reaches further than a reader may think. Pure. */
import { rolesOf } from "@jinka/codec"
import { type Draft, dialectOf } from "../text/Draft.ts"
import { type Finding, warning } from "../text/Problem.ts"

/** All findings about `identity` and `speaksFor`. */
export const identityRelations = (links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  // A file may have thousands of links: none of them looks at all others.
  const owners = Map.groupBy(links, (link) => link.part("institution").text)
  return links.flatMap((link) => [
    ...unchecked(link),
    ...anybody(link, links),
    ...ofOtherLinks(link, owners),
    ...nobody(link)
  ])
}

const namesOf = (links: ReadonlyArray<Draft>): string =>
  links.flatMap((link) => link.part("name").text ?? []).join(", ")

/** Links of other institutions than the link's own. */
const othersOf = (link: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Draft> =>
  links.filter((other) => other.part("institution").text !== link.part("institution").text)

const unchecked = (link: Draft): ReadonlyArray<Finding> => {
  const identity = link.part("identity")
  if (identity.text !== "unchecked") return []
  const rule = "this partner can pretend to be any other, and reverse what others have sent: no message is checked"
  const fix = "List in `speaksFor` whom it speaks for, and take `identity` out."
  const idle = link.has("speaksFor")
    ? [
        warning(
          link.part("speaksFor").path,
          "nobody looks at this while `identity` is unchecked",
          "Take one of them out."
        )
      ]
    : []
  return [warning(identity.path, rule, fix), ...idle]
}

const anybody = (link: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  if (link.part("speaksFor").text !== "any") return []
  const others = othersOf(link, links)
  if (others.length === 0) return []
  const rule = `this partner may name every institution, those of other links too (${namesOf(others)})`
  return [warning(link.part("speaksFor").path, rule, "List them where they are known; a centre's link may need `any`.")]
}

const ofOtherLinks = (
  link: Draft,
  owners: ReadonlyMap<string | undefined, ReadonlyArray<Draft>>
): ReadonlyArray<Finding> =>
  link.part("speaksFor").entries.flatMap((entry) => {
    const others = entry.text === link.part("institution").text ? [] : (owners.get(entry.text) ?? [])
    if (others.length === 0) return []
    const rule = `this partner may speak for an institution that has a link of its own (${namesOf(others)})`
    return [warning(entry.path, rule, "Take it out, if only the institution itself should.")]
  })

/** A dialect whose messages name no institution. */
const nobody = (link: Draft): ReadonlyArray<Finding> => {
  const dialect = dialectOf(link)?.dialect
  if (dialect === undefined || !link.has("speaksFor")) return []
  const { acquirer, forwarder } = rolesOf(dialect)
  const names = [acquirer, forwarder].filter((de) => dialect.fields[de] !== undefined)
  const hasSource = dialect.header?.parts.some(({ address }) => address === "source") === true
  if (hasSource || names.length > 0) return []
  const rule = "the messages of this dialect name no institution: no source in a header, no acquirer, no forwarder"
  return [warning(link.part("speaksFor").path, rule, "Give the dialect its `roles`, or take this out.")]
}
