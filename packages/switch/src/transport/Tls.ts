/**
 * TLS as the configuration says it, and the judgement of a partner's certificate. Pure: no socket, no file, no clock.
 *
 * The handshake proves that the partner holds a key and says whose certificate it showed. Whether that is the partner that we
 * mean is decided here, on both sides by the same rules, so that every refusal has a reason of its own
 * (docs/decisions/0013-tls-by-identity.md).
 */
import type { X509Certificate } from "node:crypto"
import { isIP, SocketAddress } from "node:net"
import { Data } from "effect"

/** Why there is no TLS connection. Stable names: docs/reference/errors.md. */
export type TlsReason =
  | "CredentialsWrong"
  | "NoCertificate"
  | "CertificateExpired"
  | "CertificateNotYetValid"
  | "CertificateUntrusted"
  | "CertificateRevoked"
  | "RevocationUnknown"
  | "CertificateWrong"
  | "VersionRefused"
  | "CipherRefused"
  | "NotTls"
  | "RefusedByPartner"
  | "HandshakeTimeout"
  | "HandshakeBroken"

/** A handshake that came to nothing, or one whose certificate is not the partner's. `cause` holds no secret. */
export class TlsRefused extends Data.TaggedError("TlsRefused")<{
  readonly reason: TlsReason
  readonly cause: string
}> {}

/** Whose certificate a partner must show. All empty: any certificate that the CA vouches for. */
export interface ExpectedIdentity {
  /** SHA-256 of the certificate or of its public key (SPKI), 64 lower-case hex digits; one of them has to be the partner's. */
  readonly fingerprints: ReadonlyArray<string>
  /** Common name or subject alternative name, case ignored, no wildcards; one of them has to be the partner's. */
  readonly names: ReadonlyArray<string>
}

/** One side's TLS. Paths of PEM files are absolute; keys are named by their file, never held here. */
export interface TlsSettings {
  /** Our certificate, intermediate certificates behind it. Needed to listen; to dial, where the partner asks for one. */
  readonly certificate: string | undefined
  readonly key: string | undefined
  /** File that holds the passphrase of an encrypted key. */
  readonly passphraseFile: string | undefined
  /** Certificate authorities that the partner's certificate may come from. Empty: it is trusted by its fingerprint alone. */
  readonly ca: ReadonlyArray<string>
  /** Revocation lists; when there are any, each authority in the partner's chain needs one that is not out of date. */
  readonly crl: ReadonlyArray<string>
  readonly expect: ExpectedIdentity
  /** Dialling: the name sent in the handshake, which the certificate has to be for. */
  readonly servername: string | undefined
  /** From the TCP connection to the end of the handshake, milliseconds. */
  readonly handshakeMs: number
  /** Oldest version that is taken; newest is always 1.3. */
  readonly versionMin: "TLSv1.2" | "TLSv1.3"
}

/** Who a partner is, by the certificate that it proved to hold. */
export interface PartnerIdentity {
  /** SHA-256 of the certificate and of its public key, lower-case hex. */
  readonly fingerprint: string
  readonly keyFingerprint: string
  /** Common name and subject alternative names, lower case, for people. */
  readonly names: ReadonlyArray<string>
  /** Each alternative name with its kind in front (`DNS:bank-a.example`); the common name as `CN:` where there are none. */
  readonly proved: ReadonlyArray<string>
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** Whether a certificate of the partner is asked for at all: on a listener without any trust there is nothing to judge it by. */
export const asksForCertificate = ({ ca, expect }: TlsSettings): boolean =>
  ca.length > 0 || expect.fingerprints.length > 0

/** One subject alternative name as Node writes them: quoted when it holds anything odd, and then not for us. */
const alternativeName = /(?:^|, )(DNS|URI|IP Address|email):(?!")([^,]+)/g

const commonName = /(?:^|\n)CN=([^\n]+)/g

/** What a certificate says of its holder. `digest` gives SHA-256 as lower-case hex. */
export const identityOf = (certificate: X509Certificate, digest: (bytes: Buffer) => string): PartnerIdentity => {
  const common = [...certificate.subject.matchAll(commonName)].map(([, name]) => name!.toLowerCase())
  const alternative = [...(certificate.subjectAltName ?? "").matchAll(alternativeName)].map(
    ([, kind, name]) => [kind!, name!.toLowerCase()] as const
  )
  // A certificate with alternative names is known by these alone (RFC 6125, 6.4.4): what else it calls itself proves nothing.
  const proved = certificate.subjectAltName === undefined ? common.map((name) => ["CN", name] as const) : alternative
  return {
    fingerprint: digest(certificate.raw),
    keyFingerprint: digest(certificate.publicKey.export({ type: "spki", format: "der" })),
    names: [...common, ...alternative.map(([, name]) => name)],
    proved: proved.map(([kind, name]) => `${kind}:${canonical(kind, name)}`),
    expiresAt: Date.parse(certificate.validTo)
  }
}

/** IPv6 has many ways to write one address. */
const canonical = (kind: string, name: string): string =>
  kind === "IP Address" && isIP(name) === 6 ? new SocketAddress({ address: name, family: "ipv6" }).address : name

/** The kind of alternative name that a name of the configuration means, by how it is written. */
const kindOf = (name: string): "DNS" | "URI" | "IP Address" | "email" => {
  if (isIP(name) > 0) return "IP Address"
  if (/^[a-z][a-z0-9+.-]*:/.test(name)) return "URI"
  return name.includes("@") ? "email" : "DNS"
}

const isNamed = ({ proved }: PartnerIdentity, name: string): boolean => {
  const kind = kindOf(name)
  return proved.includes(`${kind}:${canonical(kind, name)}`) || proved.includes(`CN:${name}`)
}

/** Whether an identity is one of those expected. A name proves itself by an alternative name of its own kind only. */
export const isExpected = (identity: PartnerIdentity, { fingerprints, names }: ExpectedIdentity): boolean =>
  (fingerprints.length === 0 ||
    fingerprints.includes(identity.fingerprint) ||
    fingerprints.includes(identity.keyFingerprint)) &&
  (names.length === 0 || names.some((name) => isNamed(identity, name.toLowerCase())))

/** OpenSSL's verdicts that are not simply "not from our authorities". */
const verdicts: Readonly<Record<string, TlsReason>> = {
  CERT_HAS_EXPIRED: "CertificateExpired",
  CERT_NOT_YET_VALID: "CertificateNotYetValid",
  CERT_REVOKED: "CertificateRevoked",
  UNABLE_TO_GET_CRL: "RevocationUnknown",
  UNABLE_TO_GET_CRL_ISSUER: "RevocationUnknown",
  UNABLE_TO_DECRYPT_CRL_SIGNATURE: "RevocationUnknown",
  CRL_SIGNATURE_FAILURE: "RevocationUnknown",
  CRL_NOT_YET_VALID: "RevocationUnknown",
  CRL_HAS_EXPIRED: "RevocationUnknown",
  ERROR_IN_CRL_LAST_UPDATE_FIELD: "RevocationUnknown",
  ERROR_IN_CRL_NEXT_UPDATE_FIELD: "RevocationUnknown"
}

/** What a finished handshake has shown. */
export interface Shown {
  readonly certificate: X509Certificate | undefined
  /** OpenSSL's verdict over the chain; `undefined` when it found nothing wrong. */
  readonly verdict: string | undefined
  readonly identity: PartnerIdentity | undefined
}

const refused = (reason: TlsReason, cause: string): TlsRefused => new TlsRefused({ reason, cause })

/**
 * The judgement: why this partner is not let in, or `undefined`. `now` in milliseconds since 1970. `host` is whom we dialled;
 * the certificate has to be for it (or for `servername`) unless the partner is known by a fingerprint or a name.
 */
export const judge = (shown: Shown, settings: TlsSettings, now: number, host?: string): TlsRefused | undefined => {
  const { certificate, verdict, identity } = shown
  if (!asksForCertificate(settings)) return undefined
  if (certificate === undefined || identity === undefined) {
    return refused("NoCertificate", "the partner showed no certificate")
  }
  if (now > identity.expiresAt) return refused("CertificateExpired", `it was valid until ${certificate.validTo}`)
  if (now < Date.parse(certificate.validFrom)) {
    return refused("CertificateNotYetValid", `it is valid from ${certificate.validFrom}`)
  }
  const { ca, expect, servername } = settings
  // Without an authority the fingerprint is the trust, and what OpenSSL thinks of the chain says nothing.
  if (ca.length > 0 && verdict !== undefined) return refused(verdicts[verdict] ?? "CertificateUntrusted", verdict)
  if (!isExpected(identity, expect)) {
    return refused(
      "CertificateWrong",
      `it is another's: ${identity.names.join(", ")} (SHA-256 ${identity.fingerprint})`
    )
  }
  const isPinned = expect.fingerprints.length > 0 || expect.names.length > 0
  const name = servername ?? (isPinned ? undefined : host)
  if (host === undefined || name === undefined || isFor(certificate, name)) return undefined
  return refused("CertificateWrong", `it is not for ${name} but for ${identity.names.join(", ")}`)
}

const isFor = (certificate: X509Certificate, name: string): boolean =>
  (isIP(name) > 0 ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined

/** Codes of a handshake that failed before a certificate could be judged. */
const handshakeReasons: Readonly<Record<string, TlsReason>> = {
  ERR_TLS_HANDSHAKE_TIMEOUT: "HandshakeTimeout",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "VersionRefused",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "VersionRefused",
  ERR_SSL_NO_SHARED_CIPHER: "CipherRefused",
  ERR_SSL_HTTP_REQUEST: "NotTls",
  ERR_SSL_HTTPS_PROXY_REQUEST: "NotTls",
  ERR_SSL_WRONG_VERSION_NUMBER: "NotTls",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "NotTls",
  ERR_SSL_BAD_RECORD_TYPE: "NotTls",
  ERR_SSL_UNEXPECTED_MESSAGE: "NotTls"
}

/** The reason behind an error of the handshake. `code` is Node's or OpenSSL's own. */
export const handshakeRefused = (code: string): TlsRefused => {
  const alert = /_ALERT_/.test(code) ? "RefusedByPartner" : "HandshakeBroken"
  return refused(handshakeReasons[code] ?? alert, code)
}
