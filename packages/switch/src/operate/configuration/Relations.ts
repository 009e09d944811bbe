/**
 * What must hold between the keys of a configuration, and what is allowed but unwise. Pure.
 */
import { answerRulesOf, idleFrame, isSuccess, rolesOf } from "@jinka/codec"
import { misfits } from "../../message/Addressing.ts"
import { adminRelations } from "./door/AdminRelations.ts"
import { doorRelations } from "./door/DoorRelations.ts"
import { exposureRelations } from "./door/ExposureRelations.ts"
import { httpRelations } from "./door/HttpRelations.ts"
import { postgresRelations } from "./journal/PostgresRelations.ts"
import { delimiterFinding, frameFinding } from "./link/FrameRelations.ts"
import { groupRelations } from "./link/GroupRelations.ts"
import { identityRelations } from "./link/IdentityRelations.ts"
import { keepAliveRelations } from "./link/KeepAliveRelations.ts"
import { crossingRelations, keyRelations } from "./link/KeyRelations.ts"
import { sideRelations, sidesOf } from "./link/LegsRelations.ts"
import { modeRelations } from "./link/ModeRelations.ts"
import { timeoutRelations } from "./link/TimeoutRelations.ts"
import { type MachineLimits, resourceRelations } from "./ResourceRelations.ts"
import { guardRelations } from "./security/GuardRelations.ts"
import { securityRelations } from "./security/SecurityRelations.ts"
import { exactlyOne, oneOf } from "./text/Choice.ts"
import { type Draft, dialectOf, frameOf } from "./text/Draft.ts"
import { error, type Finding, listed, nearest, warning } from "./text/Problem.ts"

/** Longest path of a unix socket in bytes (sockaddr_un of Linux, without the ending zero). */
export const SOCKET_PATH_MAX = 107

/** All findings about a whole draft, and about this machine beside it. */
export const relationsOf = (draft: Draft, machine: MachineLimits): ReadonlyArray<Finding> => {
  const links = draft.part("links").entries
  return [
    ...oneKeyEach(draft),
    ...postgresRelations(draft),
    ...archiveRelations(draft.part("journal")),
    ...adminRelations(draft),
    ...(draft.part("alarms", "webhook").has("secret")
      ? exactlyOne(draft.part("alarms", "webhook", "secret"), "env", "file", "a reference to a secret")
      : []),
    ...repeatedNames(links),
    ...formerNames(links),
    ...links.flatMap(linkRelations),
    ...links.flatMap((link) => unaddressed(link, draft.part("institution"))),
    ...links.flatMap((link) => modeRelations(link, draft.part("requestTimeout").ms("10 seconds"))),
    ...repeatedAddresses([...links, ...draft.part("doors").entries, ...draft.part("http").entries]),
    ...dialsItself([...links, ...draft.part("doors").entries, ...draft.part("http").entries]),
    ...doorRelations(draft, links),
    ...httpRelations(draft, links),
    ...groupRelations(draft, links),
    ...identityRelations(links),
    ...guardRelations(draft, links),
    ...securityRelations(draft, links),
    ...routeRelations(draft, links),
    ...crossingRelations(draft, links),
    ...timeoutRelations(draft, links),
    ...keepAliveRelations(draft, links),
    ...exposureRelations(draft, links),
    ...resourceRelations(draft, links, machine)
  ]
}

const oneKeyEach = (draft: Draft): ReadonlyArray<Finding> => {
  const journal = draft.part("journal")
  const keys = [...(journal.has("key") ? [journal.part("key")] : []), ...journal.part("previousKeys").entries]
  return keys.flatMap((key) => exactlyOne(key, "env", "file", "a reference to a key"))
}

const archiveRelations = (journal: Draft): ReadonlyArray<Finding> => {
  if (!journal.has("archive") || journal.has("keep")) return []
  const rule = "an archive takes what is dropped, and without `keep` nothing is dropped"
  return [error(journal.part("archive").path, rule, "Add `keep`, such as `90 days`, or leave `archive` out.")]
}

const repeatedNames = (links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const first = new Map<string, Draft>()
  return links.flatMap((link) => {
    const name = link.part("name")
    if (name.text === undefined) return []
    if (!first.has(name.text)) {
      first.set(name.text, link)
      return []
    }
    return [
      error(
        name.path,
        "every link has a name of its own",
        `Choose another: links[${first.get(name.text)?.path[1]}] has this one.`
      )
    ]
  })
}

/** A former name means one link. */
const formerNames = (links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const taken = new Set(links.map((link) => link.part("name").text))
  return links.flatMap((link) =>
    link.part("formerly").entries.flatMap((former) => {
      const isTaken = taken.has(former.text)
      taken.add(former.text)
      const rule = "a name that a link had before is no other link's, now or before"
      return isTaken ? [error(former.path, rule, "Take it out of `formerly`, or rename the other link.")] : []
    })
  )
}

const linkRelations = (link: Draft): ReadonlyArray<Finding> => [
  ...sideRelations(link),
  ...frameFinding(link),
  ...delimiterFinding(link),
  ...keyRelations(link),
  ...idleWithoutFrame(link),
  ...withoutManagement(link),
  ...withoutAnswers(link),
  ...withoutTotals(link),
  ...reconnectOrder(link)
]

/** A link that compares totals needs to know where they are. */
const withoutTotals = (link: Draft): ReadonlyArray<Finding> => {
  const reconcile = link.part("businessDay").part("reconcile")
  const dialect = dialectOf(link)?.dialect
  if (reconcile.text !== "answer" || dialect === undefined || dialect.reconciliation !== undefined) return []
  const rule = `the dialect ${dialect.name} says where totals are (\`reconciliation\`)`
  return [error(reconcile.path, rule, "Write `pass`, or give the dialect `reconciliation`.")]
}

const idleWithoutFrame = (link: Draft): ReadonlyArray<Finding> => {
  const frame = frameOf(link)
  if (frame === undefined || link.part("idle").ms() === undefined || frameFinding(link).length > 0) return []
  if (idleFrame(frame) !== undefined) return []
  return [
    error(
      link.part("idle").path,
      "the frame of this link has no idle frames",
      "Write `idle: never`, or give the frame an `idle`."
    )
  ]
}

/** Sign-on and echo need the network's codes. */
const withoutManagement = (link: Draft): ReadonlyArray<Finding> => {
  const used = dialectOf(link)
  if (used === undefined) return []
  const codes = used.dialect.network?.codes
  const wants = [
    { part: link.part("watchdog", "probe"), code: codes?.echo, what: "echo request" },
    { part: link.part("signOn", "send"), code: codes?.signOn, what: "sign-on" },
    { part: link.part("signOn", "expect"), code: codes?.signOn, what: "sign-on" }
  ]
  return wants
    .filter(({ part, code }) => code === undefined && part.truth(false) === true)
    .map(({ part, what }) => error(part.path, `the dialect ${used.dialect.name} has no ${what}`, "Write false here."))
}

/** Every answer has a code, and the one with which the switch acknowledges has to say so. */
const withoutAnswers = (link: Draft): ReadonlyArray<Finding> => {
  const dialect = dialectOf(link)?.dialect
  if (dialect === undefined) return []
  const { responseCode } = rolesOf(dialect)
  const { approved } = answerRulesOf(dialect)
  const { path } = link.part("dialect")
  const noField = `the dialect ${dialect.name} has field ${responseCode}, where every answer has its code`
  const noCode = `"${approved}", with which the switch acknowledges, approves in the dialect ${dialect.name} (\`responseCodes\`)`
  return [
    ...(dialect.fields[responseCode] === undefined
      ? [error(path, noField, "Define the field in the dialect file.")]
      : []),
    ...(isSuccess(dialect, approved)
      ? []
      : [error(path, noCode, "Give the code the class S, or another `answers.approved`.")])
  ]
}

/** The institutions' codes go into the addresses of the dialect's header. */
const unaddressed = (link: Draft, institution: Draft): ReadonlyArray<Finding> => {
  const used = dialectOf(link)
  const partner = link.part("institution")
  const ours = link.has("ourInstitution") ? link.part("ourInstitution") : institution
  if (used === undefined || !isCode(partner.text) || !isCode(ours.text)) return []
  return misfits(used.dialect, partner.text, ours.text).map(({ part: { address, bytes, form, name } }) => {
    const room = form === "text" ? `${bytes} characters` : `${form === "bcd" ? 2 * bytes : bytes} digits`
    const rule = `the code fits \`${name}\` in the header of ${used.dialect.name}, which has ${room}`
    return error(address === "destination" ? partner.path : ours.path, rule, "Write the code that such messages carry.")
  })
}

const isCode = (text: string | undefined): text is string => text !== undefined && /^\d{1,11}$/.test(text)

const reconnectOrder = (link: Draft): ReadonlyArray<Finding> => {
  const min = link.part("reconnect", "min").ms("100 millis")
  const max = link.part("reconnect", "max").ms("30 seconds")
  if (min === undefined || max === undefined || min <= max) return []
  return [error(link.part("reconnect").path, "`max` is not shorter than `min`", "Make `max` longer.", "")]
}

const anyHost = new Set(["0.0.0.0", "::"])

const repeatedAddresses = (links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const taken: Array<{ readonly host: string; readonly port: number; readonly name: string }> = []
  const sides = links.flatMap((link) => sidesOf(link).map((side) => ({ link, listen: side.part("listen") })))
  return sides.flatMap(({ link, listen }) => {
    const port = listen.part("port").number
    if (port === undefined || port === 0) return []
    const host = listen.part("host").text ?? "0.0.0.0"
    const meets = (other: string) => other === host || anyHost.has(other) || anyHost.has(host)
    const other = taken.find((one) => one.port === port && meets(one.host))
    taken.push({ host, port, name: link.part("name").text ?? "" })
    if (other === undefined) return []
    const rule = `only one link or door listens on an address; ${other.name} listens on ${other.host}:${other.port}`
    return [error(listen.part("port").path, rule, "Give it a port of its own.")]
  })
}

/** Names of this machine that need no looking up. */
const ownHosts = new Set(["127.0.0.1", "::1", "localhost", ...anyHost])

/** A port that was copied: the link reaches our own listener, and what is sent to its partner comes back as that one's. */
const dialsItself = (links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const sides = links.flatMap((link) => sidesOf(link).map((side) => ({ name: link.part("name").text ?? "", side })))
  const listening = sides.map(({ name, side }) => ({ name, port: side.part("listen", "port").number }))
  return sides.flatMap(({ side }) => {
    const port = side.part("connect", "port")
    const met = listening.find((one) => one.port !== 0 && one.port !== undefined && one.port === port.number)
    if (met === undefined || !ownHosts.has(side.part("connect", "host").text ?? "")) return []
    const rule = `the link dials port ${met.port} of this machine, where this switch itself listens for ${met.name}`
    return [warning(port.path, rule, "Give the partner's port.")]
  })
}

const routeRelations = (draft: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const places = [...links, ...draft.part("groups").entries]
  const names = [...new Set(places.flatMap((one) => one.part("name").text ?? []))]
  const linkNames = links.flatMap((one) => one.part("name").text ?? [])
  const routes = draft.part("routes").entries
  const seen = new Set<string>()
  const findings = routes.flatMap((route) => [
    ...oneOf(route, ["bin", "institution", "mti"], "a route"),
    ...unknownLink(route.part("to"), names),
    ...unknownLink(route.part("from"), linkNames, "comes from one of the links", "links"),
    ...withType(route),
    ...["bin", "institution"].flatMap((kind) => repeatedRoute(route.part(kind), kind, seen))
  ])
  if (routes.length > 0 || (draft.has("routes") && !Array.isArray(draft.part("routes").raw))) return findings
  return [
    warning(draft.has("routes") ? ["routes"] : [], "there are no routes, so every request is refused", "Add `routes:`.")
  ]
}

/** What only a route by message type has. */
const withType = (route: Draft): ReadonlyArray<Finding> =>
  route.has("mti")
    ? []
    : ["from", "codes"]
        .filter((key) => route.has(key))
        .map((key) => error(route.part(key).path, `\`${key}\` goes with \`mti\``, `Remove \`${key}\`.`))

const unknownLink = (
  to: Draft,
  names: ReadonlyArray<string>,
  rule = "leads to one of the links or groups",
  what = "links and groups"
): ReadonlyArray<Finding> => {
  if (to.text === undefined || names.includes(to.text)) return []
  const meant = nearest(to.text, names)
  const hint = meant === undefined ? `The ${what} are: ${listed(names)}.` : `Did you mean \`${meant}\`?`
  return [error(to.path, `a route ${rule}`, hint)]
}

const repeatedRoute = (part: Draft, kind: string, seen: Set<string>): ReadonlyArray<Finding> => {
  if (part.text === undefined) return []
  const key = `${kind} ${part.text}`
  if (seen.has(key)) return [error(part.path, `another route has the same ${kind}`, "Remove one of the two.")]
  seen.add(key)
  return []
}
