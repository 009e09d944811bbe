/** Between which links requests may go, as the routes of a draft say. Pure. */
import type { Draft } from "../text/Draft.ts"

/** Each origin and target that a route joins, a group's members one by one; a pair may be there more than once. */
export const crossingsOf = (
  draft: Draft,
  links: ReadonlyArray<Draft>
): ReadonlyArray<readonly [origin: Draft, target: Draft]> => {
  const byName = new Map(links.map((link) => [link.part("name").text, link]))
  const groups = new Map(draft.part("groups").entries.map((group) => [group.part("name").text, group]))
  return draft.part("routes").entries.flatMap((route) => {
    const to = route.part("to").text
    const group = groups.get(to)
    const names = group?.part("members").entries.map((member) => member.part("link").text) ?? [to]
    const origins = route.has("from") ? [byName.get(route.part("from").text)] : links
    return names.flatMap((name) => {
      const target = byName.get(name)
      return origins.flatMap((origin) =>
        target === undefined || origin === undefined || origin === target ? [] : [[origin, target] as const]
      )
    })
  })
}
