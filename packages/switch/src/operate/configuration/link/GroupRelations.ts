/**
 * What must hold between the groups of a configuration and their links. Pure.
 *
 * A group is one destination: an answer, a repeat or a reversal may use another member than the request did. So its members are
 * links to one institution, in one dialect, and a link belongs to one group.
 */
import { type Draft, dialectOf } from "../text/Draft.ts"
import { error, type Finding, listed, nearest, warning } from "../text/Problem.ts"

/** All findings about groups. */
export const groupRelations = (draft: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const groups = draft.part("groups").entries
  const named = links.filter((link) => link.part("name").text !== undefined)
  const byName = new Map(named.map((link) => [link.part("name").text, link]))
  const homes = new Map<string, string>()
  return [
    ...names(groups, byName),
    ...groups.flatMap((group) => [
      ...group.part("members").entries.flatMap((member) => memberFindings(group, member, byName, homes)),
      ...differences(draft, group, byName),
      ...useFindings(group, byName),
      ...shortFall(group, byName)
    ])
  ]
}

const names = (groups: ReadonlyArray<Draft>, links: ReadonlyMap<string | undefined, Draft>): ReadonlyArray<Finding> => {
  const seen = new Set<string>()
  return groups.flatMap((group) => {
    const name = group.part("name")
    if (name.text === undefined) return []
    const isTaken = seen.has(name.text) || links.has(name.text)
    seen.add(name.text)
    return isTaken
      ? [error(name.path, "no link and no other group has the name of a group", "Choose another name.")]
      : []
  })
}

const memberFindings = (
  group: Draft,
  member: Draft,
  links: ReadonlyMap<string | undefined, Draft>,
  homes: Map<string, string>
): ReadonlyArray<Finding> => {
  const link = member.part("link")
  if (link.text === undefined) return []
  if (!links.has(link.text)) {
    const known = [...links.keys()].flatMap((name) => name ?? [])
    const meant = nearest(link.text, known)
    const hint = meant === undefined ? `The links are: ${listed(known)}.` : `Did you mean \`${meant}\`?`
    return [error(link.path, "a member of a group is one of the links", hint)]
  }
  const home = homes.get(link.text)
  homes.set(link.text, group.part("name").text ?? "")
  if (home === undefined) return []
  const rule = `a link is in one group, once; it is in ${home === "" ? "another" : home} already`
  return [error(link.path, rule, "Take it out of one of the two.")]
}

/** Keys of a link in which the members of a group may not differ, and why. */
const shared = [
  ["institution", "a reversal has to reach the institution that got its request"],
  ["dialect", "an answer or a reversal may use another member than its request"],
  ["ourInstitution", "an answer or a reversal may use another member than its request"],
  ["stan", "an answer may come on another member than its request"],
  ["callers", "a repeat may come on another member than its request"]
] as const

/** What a key is when it is left out. */
const fallbacks: Readonly<Record<string, unknown>> = { stan: "callers", callers: [] }

const differences = (
  draft: Draft,
  group: Draft,
  links: ReadonlyMap<string | undefined, Draft>
): ReadonlyArray<Finding> => {
  const members = group.part("members").entries.flatMap((member) => {
    const link = links.get(member.part("link").text)
    return link === undefined ? [] : [{ member, link }]
  })
  const [first, ...others] = members
  if (first === undefined) return []
  return others.flatMap(({ member, link }) =>
    shared.flatMap(([key, why]) => {
      const own = key === "ourInstitution" ? draft.part("institution").raw : fallbacks[key]
      const isSame = JSON.stringify(link.part(key).raw ?? own) === JSON.stringify(first.link.part(key).raw ?? own)
      if (isSame) return []
      const rule = `the members of a group have the same \`${key}\`: ${why}`
      return [error(member.path, rule, `Give ${member.part("link").text} the \`${key}\` of the first member.`, "")]
    })
  )
}

/** A connection that ends after each exchange must not close the others. */
const shortFall = (group: Draft, links: ReadonlyMap<string | undefined, Draft>): ReadonlyArray<Finding> => {
  const modes = group.part("members").entries.map((member) => links.get(member.part("link").text)?.part("mode").text)
  const short = modes.find((mode) => mode === "sync-short" || mode === "async-short")
  if (group.part("fall").text !== "together" || short === undefined) return []
  const rule = `links of mode ${short} cannot fall together: their connections end with each exchange`
  return [error(group.part("fall").path, rule, "Write `fall: alone`, or leave it out.", "")]
}

const useFindings = (group: Draft, links: ReadonlyMap<string | undefined, Draft>): ReadonlyArray<Finding> => {
  const isSticky = group.part("use").text === "sticky"
  const by = group.part("by")
  const members = group.part("members").entries
  if (isSticky && by.entries.length === 0) {
    return [error(group.part("use").path, "sticky members need `by`", "Add `by: [2]`, or other data elements.", "")]
  }
  if (!isSticky && by.entries.length > 0) {
    return [error(by.path, "`by` decides with `use: sticky` only", "Remove it, or write `use: sticky`.", "")]
  }
  const fields = dialectOf(links.get(members[0]?.part("link").text) ?? group)?.dialect.fields
  const unknown = by.entries.filter(({ number }) => number !== undefined && fields?.[number] === undefined)
  return [
    ...(fields === undefined ? [] : unknown).map((one) =>
      error(one.path, "the dialect of the members has this data element", "Name one that it has.")
    ),
    ...(group.has("use") && group.part("use").text !== "primary-backup" ? [] : members)
      .filter((member) => member.has("weight"))
      .map((member) =>
        warning(member.part("weight").path, "a weight has no effect with primary and backup", "Remove it.")
      )
  ]
}
