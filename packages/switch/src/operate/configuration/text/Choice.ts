/** "Exactly one of these keys": a rule that is in several places of a configuration. Pure. */
import type { Draft } from "./Draft.ts"
import { error, type Finding } from "./Problem.ts"

/** Exactly one of two keys; `what` says of what. */
export const exactlyOne = (draft: Draft, one: string, other: string, what: string): ReadonlyArray<Finding> => {
  if (typeof draft.raw !== "object" || draft.raw === null) return []
  const both = draft.has(one) && draft.has(other)
  if (draft.has(one) !== draft.has(other)) return []
  const rule = `${what} has exactly one of \`${one}\` and \`${other}\``
  return [
    error(
      draft.path,
      rule,
      both ? "Remove one of the two." : `Add \`${one}:\` or \`${other}:\`.`,
      both ? "both" : "neither"
    )
  ]
}

/** Exactly one of several keys. */
export const oneOf = (draft: Draft, keys: ReadonlyArray<string>, what: string): ReadonlyArray<Finding> => {
  if (typeof draft.raw !== "object" || draft.raw === null) return []
  const there = keys.filter((key) => draft.has(key))
  if (there.length === 1) return []
  const names = keys.map((key) => `\`${key}\``)
  const rule = `${what} has exactly one of ${names.slice(0, -1).join(", ")} and ${names.at(-1)}`
  return there.length === 0
    ? [error(draft.path, rule, "Add one of them.", "none")]
    : [error(draft.path, rule, "Remove all but one.", there.join(" and "))]
}
