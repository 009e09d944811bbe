/**
 * What must hold between doors and the links behind them, and between the keys of a listening address. Pure.
 */
import type { HeaderPart } from "@jinka/codec"
import { Result } from "effect"
import { IpNetwork } from "effect/net"
import { sidesOf } from "../link/LegsRelations.ts"
import { acceptedTls, dialledTls } from "../link/TlsRelations.ts"
import { type Draft, dialectOf, frameOf, isProbed } from "../text/Draft.ts"
import { error, type Finding, listed, nearest, warning } from "../text/Problem.ts"

/** All findings about doors, and about where the connections of links come from. */
export const doorRelations = (draft: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const doors = draft.part("doors").entries
  const all = [...doors, ...draft.part("http").entries].map((door) => door.part("name"))
  const names = all.flatMap((name) => name.text ?? [])
  return [
    ...links.flatMap((link) => sideFindings(link, names)),
    ...repeated(all, "every door has a name of its own"),
    ...doors.flatMap((door) => aboutDoor(door, behind(door, links)))
  ]
}

/** The links that name a door. */
export const behind = (door: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Draft> => {
  const name = door.part("name").text
  return name === undefined ? [] : links.filter((link) => link.part("door", "name").text === name)
}

/** Parts that hold the same text as one before them. */
export const repeated = (parts: ReadonlyArray<Draft>, rule: string): ReadonlyArray<Finding> => {
  const seen = new Set<string>()
  return parts.flatMap((part) => {
    const text = part.text?.replaceAll(":", "").toLowerCase()
    if (text === undefined) return []
    if (seen.has(text)) return [error(part.path, rule, "Give it one of its own.")]
    seen.add(text)
    return []
  })
}

const sideFindings = (link: Draft, doors: ReadonlyArray<string>): ReadonlyArray<Finding> => [
  ...sidesOf(link).flatMap((side) => [
    ...dialledTls(side.part("connect", "tls")),
    ...acceptedTls(side.part("listen", "tls"), false),
    ...["listen", "door"].flatMap((key) => secondFindings(side.part(key), isProbed(link) !== false && side === link))
  ]),
  ...unknownDoor(link.part("door", "name"), doors)
]

const unknownDoor = (name: Draft, doors: ReadonlyArray<string>): ReadonlyArray<Finding> => {
  if (name.text === undefined || doors.includes(name.text)) return []
  const meant = nearest(name.text, doors)
  const known = doors.length === 0 ? "There are none: add `doors:`." : `The doors are: ${listed(doors)}.`
  return [
    error(name.path, "a link is behind one of the doors", meant === undefined ? known : `Did you mean \`${meant}\`?`)
  ]
}

const secondFindings = (side: Draft, canAsk: boolean): ReadonlyArray<Finding> => {
  const second = side.part("second")
  if (second.text === "challenge" && !canAsk) {
    const rule = "a sign of life is asked for by an echo, and there is none here"
    return [error(second.path, rule, "Write `refuse` or `replace`.")]
  }
  const isOpen = side.part("from").entries.length === 0 && !side.has("tls") && !side.has("certificate")
  if (second.text !== "replace" || !isOpen) return []
  const rule = "anybody who reaches the port can take the link away from the partner"
  return [warning(second.path, rule, "List the partner's addresses under `from:`.")]
}

const aboutDoor = (door: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const by = door.part("by").text
  return [
    ...acceptedTls(
      door.part("listen", "tls"),
      links.some((link) => link.part("door").has("certificate"))
    ),
    ...fieldKey(door, by),
    ...emptyDoor(door, links),
    ...links
      .filter((link) => link.part("door").has("path"))
      .map((link) => error(link.part("door", "path").path, "only a link behind an HTTP door has a path", "Remove it.")),
    ...(by === "address" ? byAddress(links) : []),
    ...(by === "certificate" ? byCertificate(door, links) : []),
    ...(by === "header" || by === "field"
      ? [...oneLanguage(links), ...byFirst(by, links), ...claims(door, links, "its first message says so")]
      : []),
    ...(by === "certificate" ? [] : borrowedNames(door, links))
  ]
}

const fieldKey = (door: Draft, by: string | undefined): ReadonlyArray<Finding> => {
  if (by === undefined || (by === "field") === door.has("field")) return []
  return by === "field"
    ? [error(door.path, "a door `by: field` has a `field`", "Add `field:` with the number of the data element.", "")]
    : [error(door.part("field").path, "only a door `by: field` has a `field`", "Remove it, or write `by: field`.")]
}

/** A door without links. */
export const emptyDoor = (door: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> =>
  links.length > 0 || door.part("name").text === undefined
    ? []
    : [warning(door.part("name").path, "no link is behind this door", "Write `door: { name: ... }` in its links.")]

/** Each link has addresses of its own. */
const byAddress = (links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const taken: Array<{ readonly text: string; readonly link: string }> = []
  return links.flatMap((link) => {
    const from = link.part("door", "from")
    if (from.entries.length === 0) {
      const rule = "at a door `by: address` each link says where its partner comes from"
      return [error(link.part("door").path, rule, "Add `from:`.", "")]
    }
    return from.entries.flatMap((entry) => {
      const { text } = entry
      if (text === undefined) return []
      const other = taken.find((one) => one.link !== link.part("name").text && overlap(one.text, text))
      taken.push({ text, link: link.part("name").text ?? "" })
      return other === undefined
        ? []
        : [error(entry.path, `an address leads to one link; ${other.link} has ${other.text}`, "Make the two apart.")]
    })
  })
}

const networkOf = (text: string) =>
  IpNetwork.fromString(text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`)

const overlap = (one: string, other: string): boolean => {
  const [first, second] = [networkOf(one), networkOf(other)]
  if (Result.isFailure(first) || Result.isFailure(second)) return one === other
  return IpNetwork.overlaps(first.success, second.success)
}

const byCertificate = (door: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const tls = door.part("listen", "tls")
  const findings: Array<Finding> = []
  if (!door.part("listen").has("tls")) {
    const rule = "at a door `by: certificate` partners show one"
    findings.push(error(door.part("by").path, rule, "Add `tls:` with `certificate` and `key` under `listen`."))
  }
  const signs = links.map((link) => link.part("door", "certificate"))
  for (const [at, sign] of signs.entries()) {
    const hasFingerprint = sign.part("fingerprints").entries.length > 0
    const hasName = sign.part("names").entries.length > 0
    if (!hasFingerprint && !hasName) {
      const rule = "at a door `by: certificate` each link says whose certificate its partner shows"
      findings.push(error(links[at]!.part("door").path, rule, "Add `certificate:` with its fingerprint or name.", ""))
    } else if (!hasFingerprint && tls.part("ca").entries.length === 0 && typeof tls.raw === "object") {
      const rule = "a name says something only in a certificate that an authority in the door's `ca` has made"
      findings.push(error(sign.part("names").path, rule, "Give `fingerprints`, or add `ca:` to the door's `tls`."))
    }
  }
  return [
    ...findings,
    ...repeated(
      signs.flatMap((sign) => sign.part("fingerprints").entries),
      "a fingerprint leads to one link"
    ),
    ...repeated(
      signs.flatMap((sign) => sign.part("names").entries),
      "a name leads to one link"
    )
  ]
}

/** The door reads the first message before it knows whose it is. */
const oneLanguage = (links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const first = links[0]
  if (first === undefined) return []
  return links.slice(1).flatMap((link) => {
    const rule = "the door reads the first message before it knows whose it is, so its links share dialect and frame"
    const fix = "Put the links of each dialect or frame behind a door of their own."
    if (link.part("dialect").text !== first.part("dialect").text) return [error(link.part("dialect").path, rule, fix)]
    const isSame = JSON.stringify(frameOf(link)) === JSON.stringify(frameOf(first))
    return isSame ? [] : [error(link.has("frame") ? link.part("frame").path : link.path, rule, fix, "")]
  })
}

/** A TPDU's source is no institution's code, yet it tells partners apart. */
const saysSource = ({ name, address }: HeaderPart): boolean => address === "source" || name === "source"

const byFirst = (by: "header" | "field", links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => [
  ...links.flatMap((link) => {
    const value = link.part("door", "fieldValue")
    const isClosed = frameOf(link)?.kind === "until-close"
    const closed = isClosed
      ? [
          error(
            link.path,
            "a frame that ends with the connection has no first message before that",
            "Use another door.",
            ""
          )
        ]
      : []
    if (by === "header") {
      const parts = dialectOf(link)?.dialect.header?.parts
      const isTold = dialectOf(link) === undefined || parts?.some(saysSource) === true
      return [
        ...closed,
        ...(isTold
          ? []
          : [error(link.part("dialect").path, "its messages have no header with a source", "Use `by: field`.")]),
        ...(value.text === undefined ? [] : [error(value.path, "only a door `by: field` has values", "Remove it.")])
      ]
    }
    const missing = error(
      link.part("door").path,
      "at a door `by: field` each link says its value",
      "Add `fieldValue:`.",
      ""
    )
    return [...closed, ...(link.part("door").has("fieldValue") ? [] : [missing])]
  }),
  ...repeated(
    links.map((link) => (by === "header" ? link.part("institution") : link.part("door", "fieldValue"))),
    "what tells a partner at a door leads to one link"
  )
]

/** Hosts that only this machine reaches. */
const ownHosts = new Set(["127.0.0.1", "::1", "localhost"])

/**
 * A door that believes what its callers say of themselves, over a network: whoever is admitted may speak as any of its links, but
 * for those whose addresses or certificates nobody else has. `how`: what is believed.
 */
export const claims = (door: Draft, links: ReadonlyArray<Draft>, how: string): ReadonlyArray<Finding> => {
  const listen = door.part("listen")
  const tls = listen.part("tls")
  // Whom an authority or a list has let in, the certificates are asked about: see `borrowedNames`.
  const areKnown = tls.part("ca").entries.length > 0 || tls.part("partner", "fingerprints").entries.length > 0
  if (areKnown || ownHosts.has(listen.part("host").text ?? "")) return []
  const from = (link: Draft) => link.part("door", "from").entries.flatMap(({ text }) => text ?? [])
  const canBe = (link: Draft) => (other: Draft) =>
    other !== link &&
    (from(link).length === 0 || from(other).some((one) => from(link).some((two) => overlap(one, two))))
  const open = links.filter((link) => !link.part("door").has("certificate") && links.some(canBe(link)))
  if (open.length === 0) return []
  const names = listed(open.flatMap((link) => link.part("name").text ?? []))
  const rule = `every caller that this door admits is taken for ${names} when ${how}: nothing proves it`
  const fix =
    "Give each of these links addresses of its own (`from:`), or the door `tls:` and each link its `certificate:`."
  return [warning(door.part("name").path, rule, fix)]
}

/** With certificates but without one for each link, one partner could pretend to be another. */
export const borrowedNames = (door: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const tls = door.part("listen", "tls")
  const hasAuthority = tls.part("ca").entries.length > 0
  // A door that knows the certificates of all its partners, and not which is whose.
  const isShared = tls.part("partner", "fingerprints").entries.length > 0 && links.length > 1
  if (!hasAuthority && !isShared) return []
  return links
    .filter((link) => !link.part("door").has("certificate"))
    .map((link) => {
      const rule = hasAuthority
        ? "another partner of the same authority could pretend to be this one"
        : "another partner of this door could pretend to be this one"
      return warning(link.part("door").path, rule, "Add `certificate:` with the partner's fingerprint or name.")
    })
}
