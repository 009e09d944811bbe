/**
 * Whether this machine has the memory and the handles that a configuration may come to need. Pure; `Machine` knows the machine.
 */
import { isShort } from "./link/ModeRelations.ts"
import { type Draft, frameOf } from "./text/Draft.ts"
import { type Finding, warning } from "./text/Problem.ts"
import { sizeBytes } from "./text/Units.ts"

/** What the process may have. */
export interface MachineLimits {
  /** Bytes of memory; infinite where nobody knows. */
  readonly memory: number
  /** Open files and sockets; infinite where nobody knows. */
  readonly handles: number
}

const MIB = 1024 ** 2

/** Received and not yet read, of one connection. */
const RECEIVED_MAX = MIB

/** Open files of a process without any link: journal, log, control socket, Node itself. */
const HANDLES_OWN = 64

/** A link keeps a connection and may be offered a second one. */
const HANDLES_LINK = 2

/** All findings about resources. */
export const resourceRelations = (
  draft: Draft,
  links: ReadonlyArray<Draft>,
  { memory, handles }: MachineLimits
): ReadonlyArray<Finding> => {
  const bytes = links.reduce((sum, link) => sum + memoryOf(link), 0)
  const needed = HANDLES_OWN + handlesOf(draft, links)
  const findings: Array<Finding> = []
  if (bytes > memory) {
    const rule = `with every window full of the longest messages the links need ${mib(bytes)}, and there are ${mib(memory)}`
    const fix =
      "Make `window`, `unsent` or the frame's `lengthMax` of the largest links smaller, or give the machine more memory."
    findings.push(warning(["links"], rule, fix))
  }
  if (needed > handles) {
    const rule = `the links may open ${needed} files and sockets, and this process may open ${handles}`
    const fix = `Raise the limit (\`ulimit -n ${needed}\`, or LimitNOFILE of the service), or make \`limits.connections\` and \`short.connections\` smaller.`
    findings.push(warning(["links"], rule, fix))
  }
  return findings
}

const mib = (bytes: number): string => `${Math.ceil(bytes / MIB)} MiB`

/** A number of things, or its default: what is written and none has an error of its own. */
const countOf = ({ number }: Draft, usual: number): number =>
  number !== undefined && Number.isSafeInteger(number) ? number : usual

/** Requests that are outstanding with their messages, and what is unsent and unread. */
const memoryOf = (link: Draft): number => {
  const frame = frameOf(link)
  const lengthMax = frame === undefined ? 0 : "lengthMax" in frame ? frame.lengthMax : frame.bytes
  const window = link.part("mode").text === "sync-long" ? 1 : countOf(link.part("window"), 2048)
  const unsent = sizeBytes(link.has("unsent") ? link.part("unsent").raw : "4 MiB") ?? 0
  return window * lengthMax + unsent + RECEIVED_MAX
}

const handlesOf = (draft: Draft, links: ReadonlyArray<Draft>): number => {
  const http = draft.part("http").entries
  const httpNames = http.flatMap((door) => door.part("name").text ?? [])
  const ofHttp = http.reduce((sum, door) => sum + countOf(door.part("listen", "limits", "connections"), 4096), 0)
  const behindTcp = links.filter((link) => !httpNames.includes(link.part("door", "name").text ?? ""))
  return ofHttp + behindTcp.reduce((sum, link) => sum + ofLink(link), 0)
}

const ofLink = (link: Draft): number => {
  if (link.has("legs")) return 2 * HANDLES_LINK
  if (!isShort(link) || !(link.has("listen") || link.has("door"))) return HANDLES_LINK
  return Math.min(
    countOf(link.part("short", "connections"), 1024),
    countOf(link.part("listen", "limits", "connections"), 4096)
  )
}
