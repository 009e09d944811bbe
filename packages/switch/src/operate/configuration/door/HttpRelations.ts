/** What must hold between HTTP doors and the links behind them. Pure. */
import { modeOf } from "../link/ModeRelations.ts"
import { acceptedTls } from "../link/TlsRelations.ts"
import { type Draft, frameOf } from "../text/Draft.ts"
import { error, type Finding } from "../text/Problem.ts"
import { behind, borrowedNames, claims, emptyDoor, repeated } from "./DoorRelations.ts"

/** All findings about HTTP doors. */
export const httpRelations = (draft: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> =>
  draft.part("http").entries.flatMap((door) => {
    const members = behind(door, links)
    return [
      ...acceptedTls(
        door.part("listen", "tls"),
        members.some((link) => link.part("door").has("certificate"))
      ),
      ...emptyDoor(door, members),
      ...members.flatMap(memberFindings),
      ...repeated(
        members.map((link) => link.part("door", "path")),
        "a path leads to one link"
      ),
      ...borrowedNames(door, members),
      ...claims(door, members, "it asks for that link's path")
    ]
  })

const memberFindings = (link: Draft): ReadonlyArray<Finding> => {
  const place = link.part("door")
  const frame = frameOf(link)
  const isOne = modeOf(link) === "sync-short" && (frame === undefined || frame.kind === "until-close")
  const findings: Array<Finding> = []
  if (!place.has("path")) {
    findings.push(error(place.path, "behind an HTTP door each link has a path", "Add `path: /name`.", ""))
  }
  if (!isOne) {
    const rule = "an HTTP call carries one message and its answer: the link is sync-short with the frame until-close"
    const fix = "Write `mode: sync-short` and `frame: { kind: until-close, lengthMax: 4096 }`."
    findings.push(error(link.path, rule, fix, ""))
  }
  if (place.has("fieldValue")) {
    findings.push(error(place.part("fieldValue").path, "at an HTTP door the path tells partners apart", "Remove it."))
  }
  return findings
}
