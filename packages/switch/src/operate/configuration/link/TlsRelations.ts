/**
 * What must hold between the keys of one `tls`, and what is allowed but unwise. Pure.
 */
import type { Draft } from "../text/Draft.ts"
import { error, type Finding, warning } from "../text/Problem.ts"

const isList = (draft: Draft): boolean => draft.entries.length > 0

/** Whether the partner's certificate is asked for and judged. */
export const isMutual = (tls: Draft): boolean => isList(tls.part("ca")) || isList(tls.part("partner", "fingerprints"))

/** Findings about a `tls` block, whichever side makes the connection. */
const common = (tls: Draft): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  const add = (part: Draft, rule: string, fix: string) => findings.push(error(part.path, rule, fix))
  if (tls.has("certificate") !== tls.has("key")) {
    findings.push(error(tls.path, "`certificate` and `key` go together", "Add the one that is missing.", ""))
  }
  if (tls.has("passphraseFile") && !tls.has("key")) {
    add(tls.part("passphraseFile"), "a passphrase is for a `key`", "Add `key:`, or remove it.")
  }
  if (isList(tls.part("crl")) && !isList(tls.part("ca"))) {
    add(
      tls.part("crl"),
      "a revocation list belongs to an authority in `ca`",
      "Add `ca:` with the authority that made it."
    )
  }
  if (isList(tls.part("partner", "names")) && !isList(tls.part("ca"))) {
    const rule = "a name says something only in a certificate that an authority in `ca` has made"
    add(tls.part("partner", "names"), rule, "Add `ca:`, or give `fingerprints`.")
  }
  return findings
}

/** Findings about `connect.tls`. */
export const dialledTls = (tls: Draft): ReadonlyArray<Finding> => {
  if (typeof tls.raw !== "object" || tls.raw === null) return []
  if (isMutual(tls)) return common(tls)
  const rule = "without `ca` or `partner.fingerprints` anybody could take the partner's place"
  return [...common(tls), error(tls.path, rule, "Add one of them.", "")]
}

/** Findings about the `tls` of a listening address. `isKnownBehind`: certificates are judged once more by whom they lead to. */
export const acceptedTls = (tls: Draft, isKnownBehind: boolean): ReadonlyArray<Finding> => {
  if (typeof tls.raw !== "object" || tls.raw === null) return []
  const findings: Array<Finding> = [...common(tls)]
  if (!tls.has("certificate") && !tls.has("key")) {
    const rule = "who listens shows a certificate"
    findings.push(error(tls.path, rule, "Add `certificate:` and `key:`.", ""))
  }
  if (tls.has("servername")) {
    findings.push(error(tls.part("servername").path, "only who dials asks for a name", "Remove it."))
  }
  const isNamed = isList(tls.part("partner", "fingerprints")) || isList(tls.part("partner", "names"))
  if (!isMutual(tls) && !isKnownBehind) {
    const rule = "partners are not asked for a certificate: TLS hides what is said and does not tell who says it"
    findings.push(warning(tls.path, rule, "Add `ca:` or `partner.fingerprints`."))
  } else if (!isNamed && !isKnownBehind) {
    const rule = "anybody with a certificate of these authorities is let in as the partner"
    findings.push(warning(tls.part("ca").path, rule, "Add `partner:` with its fingerprint or name."))
  }
  return findings
}
