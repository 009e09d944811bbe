/** Why there is no TLS connection, in words: for the errors page and for a status. Pure. */
import type { TlsReason } from "../transport/Tls.ts"

/** What each reason means, and what to look at. */
export const tlsReasons: Readonly<Record<TlsReason, string>> = {
  CredentialsWrong:
    "A file of ours cannot be used; path and problem are named. At the start the switch then does not start.",
  NoCertificate: "The partner showed none: its side is not set up for mutual TLS.",
  CertificateExpired: "The partner's certificate has run out; compare the clocks.",
  CertificateNotYetValid: "The partner's certificate is not valid yet; compare the clocks.",
  CertificateUntrusted: "It comes from no authority in `ca`, or an intermediate certificate is missing.",
  CertificateRevoked: "It is in a revocation list.",
  RevocationUnknown: "An authority in its chain has no revocation list here, or one that is out of date.",
  CertificateWrong: "It is valid but belongs to somebody else: fingerprint, name or host is not the expected one.",
  VersionRefused: "No common version: the partner offers only what is older than `version`.",
  CipherRefused: "No common cipher suite.",
  NotTls: "What came is not TLS: the partner sends in clear, or speaks another protocol.",
  RefusedByPartner: "The partner sent an alert: it does not take our certificate or version. Its log says why.",
  HandshakeTimeout: "The handshake was not done within `handshakeTimeout`.",
  HandshakeBroken: "The connection ended in the handshake."
}

/**
 * What to look at when an attempt to connect ended in the handshake: the address is right then, and something answers there.
 * `why` is the sentence of the attempt, which ends with its reason and cause. `undefined`: it did not get that far.
 */
export const tlsAdvice = (why: string): string | undefined => {
  const reason = /no connection to \S+: (\w+) \(/.exec(why)?.[1] ?? ""
  const meaning = (tlsReasons as Readonly<Record<string, string>>)[reason]
  return meaning === undefined ? undefined : `The address answers, but the TLS handshake failed. ${meaning}`
}
